"""Messages as somebody writes them who only knows the contract."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer


def command(kind: str, **fields: Any) -> bytes:
    """A registry command for environment 2890."""
    return json.dumps(
        {
            "type": kind, "command_id": str(uuid.uuid4()), "environment": 2890,
            "at": datetime.now(UTC).isoformat(), "by": "tests", **fields,
        }
    ).encode()  # fmt: skip


async def send_until_taken(
    producer: AIOKafkaProducer, topic: str, value: bytes, key: bytes | None
) -> None:
    """As a till does: the same message again until the broker has it."""
    while True:
        try:
            await producer.send_and_wait(topic, value, key=key)
        except Exception:
            await asyncio.sleep(0.3)
        else:
            return
