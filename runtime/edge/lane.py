"""One lane: a batch in hand, from its records to its committed offsets.

    fetch -> decode -> open one transaction, its positions -> lock, recall, decide, record (the
          handlers) -> commit -> state records -> publish all answers, await all acks
          -> commit exactly these offsets

Whatever happens on the way, a batch ends in one of three ways: all of that was done; or the
worker was told to stop and left the batch to redelivery; or the lane stopped for good and says
why. FastStream swallows what a handler raises and fetches on, and the next commit would skip the
batch: so nothing is ever raised to it, and a lane that stopped commits nothing any more.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import accumulate, chain, pairwise, takewhile
from typing import Any, Final

import structlog
from aiokafka.structs import TopicPartition

from runtime.database import Database
from runtime.edge.backoff import Backoff, pause
from runtime.edge.batch import Batch, Opener
from runtime.edge.decide import Decider, Settled, TooManyFailures
from runtime.edge.guard import Guard, Logs, Place
from runtime.edge.offsets import Offsets
from runtime.edge.publisher import Publisher
from runtime.edge.watch import Watch
from runtime.faults import Stopping, StoreWentBack, describe
from runtime.incoming import Lane, Route
from runtime.metrics import BATCH_RECORDS, BATCH_SECONDS, RECORDS
from runtime.state import States
from runtime.status import Status
from runtime.transaction import NO_ENDS, Ends

log = structlog.get_logger()

LONGEST_REST_S: Final = 0.1
"""Of a lane that gives way, after one transaction: five hundred of them are through within a
minute."""


class EdgeLane(Decider):
    """Runs one lane's batches, one after another."""

    def __init__(
        self,
        *,
        group: str,
        lane: Lane,
        most_records: int,
        routes: Sequence[Route],
        database: Database,
        publisher: Publisher,
        states: States,
        guard: Guard,
        watch: Watch,
        status: Status,
        stopping: asyncio.Event,
        wake_jobs: asyncio.Event,
    ) -> None:
        super().__init__(
            group=group,
            name=lane.name,
            database=database,
            publisher=publisher,
            guard=guard,
            backoff=Backoff(f"{lane.name}: PostgreSQL", stopping, status.waits),
            wake_jobs=wake_jobs,
        )
        self.lane = lane
        self.most_records = most_records
        self._opener = Opener(group, routes)
        self._barriers = {r.topic: r.barrier for r in routes if r.barrier}
        self._states = states
        self._watch = watch
        self._status = status
        self._stopping = stopping
        self._looked_at: object = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._offsets = Offsets(lane.name)
        self._leaving: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        # How the lane leaves its group; told by the worker.
        self.leave: Callable[[], Awaitable[None]] | None = None

    async def take(self, records: Sequence[Any], consumer: Any) -> None:
        """Settle one batch. Returns when its offsets are committed, or when stopping."""
        if self._stopping.is_set() or self._leaving is not None:
            return
        if self._status.went_back is not None:
            self.stop_for_good()
            return
        self._idle.clear()
        self._status.batch_in_hand(self.lane.name)
        try:
            await self._take_in_pieces(records, consumer)
        except Stopping:
            log.info("batch left to redelivery", lane=self.lane.name, records=len(records))
        except (StoreWentBack, TooManyFailures) as error:
            log.error("stopped", lane=self.lane.name, why=str(error))
            if isinstance(error, StoreWentBack):
                self._status.went_back = self._status.went_back or str(error)
            else:
                self._status.stopped(self.lane.name, str(error))
            self.stop_for_good()
        except Exception as error:
            # A bug of the edge itself: end the process, so that nothing is committed past it.
            self._status.broken(f"{self.lane.name}: {describe(error)}")
            log.critical("edge failed", lane=self.lane.name, cause=describe(error))
            self.stop_for_good()
        finally:
            self._status.batch_done(self.lane.name)
            self._idle.set()

    def stop_for_good(self) -> None:
        """Take nothing any more and leave the group.

        From a task of its own: a consumer can't be stopped by what it feeds.
        """
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave())

    async def _leave(self) -> None:
        try:
            if self.leave is not None:
                await self.leave()
        except Exception as error:
            log.warning("left the group badly", lane=self.name, cause=describe(error))

    async def _take_in_pieces(self, records: Sequence[Any], consumer: Any) -> None:
        """What follows a piece's commit goes on beside the next one's decision, in their order.
        Health and metrics tell of pieces: several slow ones are no lane that hangs."""
        try:
            began = time.perf_counter()
            for some, batch in self._opened(records):
                if self._stopping.is_set():
                    raise Stopping
                self._status.batch_in_hand(self.lane.name)
                await self._take(some, batch, consumer, began)
                await self._give_way(time.perf_counter() - began)
                began = time.perf_counter()
        finally:
            await self._told()

    def _opened(self, records: Sequence[Any]) -> Iterator[tuple[Sequence[Any], Batch]]:
        """The pieces, decoded. Where several are in hand, the next one as soon as the loop comes to
        it, which is while PostgreSQL is at work on the one before."""
        cut: Iterator[tuple[Sequence[Any], Callable[[], Batch]]] = (
            (some, cache(partial(self._opener.open, some)))
            for some in pieces(records, self.most_records, self._most)
        )
        if self.lane.in_hand == 1:
            yield from ((some, opening()) for some, opening in cut)
            return
        for (some, opening), (_, next_opening) in pairwise(chain(cut, [((), Batch)])):
            batch = opening()
            asyncio.get_running_loop().call_soon(next_opening)
            yield some, batch

    async def _give_way(self, took_s: float) -> None:
        """Rest after a piece that took so long, where other lanes have something to do. Raises
        Stopping."""
        if self.lane.rests and not self._status.others_are_quiet(self.lane.name):
            await pause(min(self.lane.rests * took_s, LONGEST_REST_S), self._stopping)

    def _most(self) -> int | None:
        """Bytes that the next transaction may have; others' needs are looked at before each."""
        quiet = self.lane.quiet_bytes
        if quiet is not None and self._status.others_are_quiet(self.lane.name):
            return quiet
        return self.lane.max_bytes

    async def _take(
        self, records: Sequence[Any], batch: Batch, consumer: Any, began: float
    ) -> None:
        if self._looked_at == consumer.whence() and await self._jumps(batch, consumer):
            self._looked_at = None
        await self._first_look(consumer)
        self._count_broken(batch)
        self._guard.read(batch.times)
        settled = await self._settle(batch, await self._log_ends(batch))
        consumer.fetch_ahead()
        await self._told()
        self._telling = asyncio.create_task(self._tell(batch, settled, records, consumer, began))

    async def _tell(
        self, batch: Batch, settled: Settled, records: Sequence[Any], consumer: Any, began: float
    ) -> None:
        """What follows a commit."""
        if batch.dead:
            await self._publisher.send(batch.dead)
        await self._publish_all(settled)
        await self._commit_offsets(consumer, batch.marks)
        for topic, count in Counter([record.topic for record in records]).items():
            RECORDS.labels(topic, "settled").inc(count)
        BATCH_SECONDS.labels(self.lane.name).observe(time.perf_counter() - began)
        BATCH_RECORDS.labels(self.lane.name).observe(len(records))

    async def _told(self) -> None:
        """Return when what follows the last commit is through. Raises what that raised."""
        telling, self._telling = self._telling, None
        if telling is not None:
            await telling

    # -- what goes before and after ------------------------------------------------------------

    async def _first_look(self, consumer: Any) -> None:
        """After each assignment, and where a broker was lost and is back, before deciding: does the
        store know what was committed, and is the log the one that it knows?"""
        if self._looked_at == consumer.whence():
            return

        async def look() -> object:
            assignment, *_ = whence = consumer.whence()

            async def ask() -> tuple[Mapping[Any, int], Logs]:
                committed = {tp: await consumer.committed(tp) or 0 for tp in assignment}
                if not assignment:
                    return committed, Logs({}, {})
                begins = await consumer.beginning_offsets(list(assignment))
                return committed, Logs(begins, await consumer.end_offsets(list(assignment)))

            async with asyncio.timeout(30):
                await self._guard.compare_with_kafka(self._database, ask, self._watch.cut)
            return whence

        self._looked_at = await self._backoff.until_it_works(look, but=StoreWentBack)

    async def _jumps(self, batch: Batch, consumer: Any) -> bool:
        """Whether the batch begins beyond what is decided, and its log too: aiokafka passes over
        records that were deleted without a word. Other gaps are a transaction's marks."""
        known = self._guard.positions()
        beyond = {
            TopicPartition(*place): known.get(place, 0)
            for place, at in batch.begins.items()
            if at > known.get(place, 0) and self._guard.must_read(place.topic)
        }
        if not beyond:
            return False
        try:
            async with asyncio.timeout(10):
                begins = await consumer.beginning_offsets(list(beyond))
        except Exception:
            return True  # the look waits for what is away
        return any(begins[tp] > at for tp, at in beyond.items())

    async def _log_ends(self, batch: Batch) -> Ends:
        """The log's ends for the barriers of this batch's routes."""
        topics = {
            topic for route, _ in batch.groups() for topic in self._barriers.get(route.topic, ())
        }
        if not topics:
            return NO_ENDS
        return await self._backoff.until_it_works(partial(self._watch.ends, topics))

    async def _publish(self, settled: Settled) -> None:
        await self._told()
        await self._publish_all(settled)

    async def _publish_all(self, settled: Settled) -> None:
        # Whoever acts on an answer is to find in the state topics what it tells: a barrier ends
        # where they end when that next message comes (decision 141).
        await self._publish_states(settled)
        await self._publisher.publish(settled.answers)

    async def _publish_states(self, settled: Settled) -> None:
        if settled.touched:
            await self._backoff.until_it_works(
                partial(self._states.publish, settled.touched, self._publisher, settled.marks)
            )

    async def _commit_offsets(self, consumer: Any, marks: Mapping[Place, int]) -> None:
        """Let exactly these offsets be committed, while the next batches are decided."""
        if self._leaving is None:
            self._offsets.settled(consumer, marks)

    @property
    def has_a_batch(self) -> bool:
        """Whether one is in hand now."""
        return not self._idle.is_set()

    async def drained(self) -> None:
        """Return when the last offset commit is through."""
        await self._offsets.drained()

    async def idle(self) -> None:
        """Return when no batch is in hand and the last offset commit is through."""
        await self._idle.wait()
        await self.drained()

    def assigned(self) -> None:
        """Partitions were assigned: the next batch begins with a look at the store."""
        self._looked_at = None


def pieces(
    records: Sequence[Any], most_records: int, most_bytes: Callable[[], int | None]
) -> Iterator[Sequence[Any]]:
    """The records in their order, cut where they are more than `most_records` or come to more than
    `most_bytes`, which is asked for each piece; None: not cut by these."""
    begin = 0
    while begin < len(records):
        end = min(begin + most_records, len(records))
        limit = most_bytes()
        if limit is not None:
            sizes = accumulate(len(record.value or b"") for record in records[begin:end])
            fits = sum(1 for _ in takewhile(limit.__ge__, sizes))
            end = begin + max(1, fits)
        yield records[begin:end]
        begin = end
