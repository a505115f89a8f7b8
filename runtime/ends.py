"""Where topics end now: for slow work that is to know all that was answered before it goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from runtime.edge.watch import Watch
from runtime.transaction import Ends

LogEnds = Callable[[Sequence[str]], Awaitable[Ends]]
"""topic -> partition -> end offset, of partitions that hold at least one record. Raises KafkaError,
OSError or TimeoutError."""


def log_ends(client: dict[str, Any], group: str) -> LogEnds:
    """Asks Kafka each time over a connection that is opened for that: it is asked seldom."""

    async def ends(topics: Sequence[str]) -> Ends:
        watch = Watch(client, group)
        try:
            return await watch.ends(topics)
        finally:
            await watch.close()

    return ends
