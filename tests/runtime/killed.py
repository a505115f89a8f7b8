"""The toy service as a process that kills itself (-9) at a named point, once.

python -m tests.runtime.killed  with ONACCOUNT_TOY_DIES_AT set to a point of POINTS and
ONACCOUNT_TOY_MARK to a file: it dies only while that file is not there, so that the next one lives.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from runtime.edge.batch import Batch
from runtime.edge.guard import Place
from runtime.edge.lane import EdgeLane, Settled
from runtime.edge.publisher import new_producer
from runtime.incoming import Incoming, Route
from runtime.transaction import Ends, Tx
from tests.runtime import toy

POINTS = (
    "before the commit",
    "after the commit",
    "after what was decided at once",
    "half way through publishing",
    "before the state records",
    "before the offset commit",
)


def die_at(point: str) -> None:
    """kill -9 ourselves if this is where we are to die, and were not dead before."""
    mark = Path(os.environ["ONACCOUNT_TOY_MARK"])
    if os.environ.get("ONACCOUNT_TOY_DIES_AT") == point and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


class DyingLane(EdgeLane):
    """An EdgeLane that dies between its steps."""

    async def _decide(
        self, groups: Sequence[tuple[Route, list[Incoming]]], marks: Mapping[Place, int], ends: Ends
    ) -> Settled:
        settled = await super()._decide(groups, marks, ends)
        if settled.answers:
            die_at("after the commit")
        return settled

    async def _at_once(self, batch: Batch) -> Settled | None:
        settled = await super()._at_once(batch)
        if settled is not None:
            die_at("after what was decided at once")
        return settled

    async def _publish_states(self, settled: Settled) -> None:
        if settled.answers:
            die_at("before the state records")
        await super()._publish_states(settled)

    async def _commit_offsets(self, consumer: Any, marks: Mapping[Place, int]) -> None:
        die_at("before the offset commit")
        await super()._commit_offsets(consumer, marks)


class DyingProducer:
    """Dies with half of the records on the broker."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._sent = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    async def send_batch(self, *args: Any, **kwargs: Any) -> Any:
        ack = await self._producer.send_batch(*args, **kwargs)
        self._sent += 1
        if self._sent == 3:
            await self._producer.flush()
            die_at("half way through publishing")
        return ack


async def before_the_commit(tx: Tx) -> None:
    die_at("before the commit")


if __name__ == "__main__":
    it = toy.Toy()
    it.pause = before_the_commit
    toy.build(
        toy.Settings(batch_records=6),
        it,
        at_once=os.environ["ONACCOUNT_TOY_DIES_AT"] == "after what was decided at once",
        in_hand=4,
        lane_type=DyingLane,
        producer=lambda client: DyingProducer(new_producer(client, max_batch_bytes=1_024)),
    ).run()
