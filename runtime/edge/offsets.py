"""Commits a lane's offsets to its group: those of settled batches, several batches at once.

An offset that is committed late, or never, only means that its batch comes again and finds its
answers remembered. So two hundred small batches a second need not be as many requests to Kafka.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import structlog
from aiokafka.structs import TopicPartition

from runtime.bell import within
from runtime.edge.guard import Place
from runtime.faults import describe

log = structlog.get_logger()

EVERY_S: Final = 0.05
"""How long a settled batch's offsets may wait for the next batch's."""
TIMEOUT_S: Final = 10.0


class Offsets:
    """What is settled and not yet committed: one next offset a partition."""

    def __init__(self, lane: str) -> None:
        self._lane = lane
        self._settled: dict[TopicPartition, int] = {}
        self._consumer: Any = None
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def settled(self, consumer: Any, marks: Mapping[Place, int]) -> None:
        """Commit these within EVERY_S. All that they stand for must be acknowledged."""
        self._consumer = consumer
        self._settled |= {TopicPartition(p.topic, p.partition): at for p, at in marks.items()}
        if self._task is None or self._task.done():
            self._hurry.clear()
            self._task = asyncio.create_task(self._commit_all())

    async def drained(self) -> None:
        """Commit what is left at once; returns when that was tried."""
        self._hurry.set()
        if self._task is not None:
            # Shielded: whoever loses patience with it must not break it off half way.
            await asyncio.shield(self._task)

    async def _commit_all(self) -> None:
        while self._settled:
            await within(EVERY_S, self._hurry)
            offsets, self._settled = self._settled, {}
            try:
                # Of what went to another worker meanwhile nothing can be committed.
                mine = self._consumer.assignment()
                if offsets := {tp: at for tp, at in offsets.items() if tp in mine}:
                    await asyncio.wait_for(self._consumer.commit(offsets), TIMEOUT_S)
            except Exception as error:
                log.info(
                    "offsets not committed, their batches will come again",
                    lane=self._lane,
                    cause=describe(error),
                )
