"""aiokafka's connections over uvloop: one that is closed is broken, as any other that is.

A broker that dies closes its end before aiokafka hears of it. To write to it raises RuntimeError
with uvloop, where asyncio's own loop says nothing, and aiokafka expects OSError alone
(aiokafka#1038): what keeps a consumer in its group ended for that, and it read nothing any more
until its process was started anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError


def tell_closed_ones() -> None:
    """Have aiokafka raise KafkaConnectionError where it writes to a connection that is closed."""
    AIOKafkaConnection.send = _telling(AIOKafkaConnection.send)
    AIOKafkaConnection._send_sasl_token = _telling(AIOKafkaConnection._send_sasl_token)


def _telling(send: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(send)
    def told(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return send(self, *args, **kwargs)
        except KafkaError:  # a RuntimeError too
            raise
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"{self.host}:{self.port} closed the connection") from error

    return told
