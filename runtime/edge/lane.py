"""One lane: a batch in hand, from its records to its committed offsets.

    fetch -> open one transaction -> decode, lock, recall, decide, record (the handlers)
          -> positions -> commit -> publish all answers, await all acks -> state records
          -> commit exactly these offsets

Whatever happens on the way, a batch ends in one of three ways: all of that was done; or the
worker was told to stop and left the batch to redelivery; or the lane stopped for good and says
why. FastStream swallows what a handler raises and fetches on, and the next commit would skip the
batch: so nothing is ever raised to it, and a lane that stopped commits nothing any more.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka.structs import TopicPartition

from runtime.answers import Answer
from runtime.database import Database
from runtime.deadletters import dead_letter
from runtime.edge.backoff import Backoff
from runtime.edge.batch import Batch, Item, Opener
from runtime.edge.guard import Guard, Place
from runtime.edge.publisher import Publisher
from runtime.edge.watch import Watch
from runtime.faults import Fault, Stopping, StoreWentBack, describe, fault_of
from runtime.incoming import Incoming, Lane, Route
from runtime.metrics import BATCH_RECORDS, BATCH_SECONDS, DEAD_LETTERS, RECORDS, RETRIES
from runtime.state import States
from runtime.status import Status
from runtime.transaction import NO_ENDS, Ends, sql

log = structlog.get_logger()

TRIES_ALONE = 3
TRIES_TOGETHER = 4
OWN_FAILURES = 10
OWN_FAILURES_WITHIN_S = 60.0


class TooManyFailures(Exception):
    """Our own code fails on record after record: better to stop than to empty the topic."""


@dataclass(slots=True)
class Settled:
    """What is to follow the commit."""

    answers: list[Answer] = field(default_factory=list)
    touched: dict[tuple[str, tuple[Any, ...]], None] = field(default_factory=dict)

    def add(self, other: Settled) -> None:
        self.answers += other.answers
        self.touched |= other.touched


class EdgeLane:
    """Runs one lane's batches, one after another."""

    def __init__(
        self,
        *,
        group: str,
        lane: Lane,
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
        self.group = group
        self.lane = lane
        self._opener = Opener(group, routes)
        self._barriers = {r.topic: r.barrier for r in routes if r.barrier}
        self._database = database
        self._publisher = publisher
        self._states = states
        self._guard = guard
        self._watch = watch
        self._status = status
        self._stopping = stopping
        self._wake_jobs = wake_jobs
        self._backoff = Backoff(f"{lane.name}: PostgreSQL", stopping)
        self._own_failures: deque[float] = deque(maxlen=OWN_FAILURES)
        self._looked_at: object = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._committing: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        # How the lane leaves its group; told by the worker.
        self.leave: Callable[[], Awaitable[None]] | None = None

    async def take(self, records: Sequence[Any], consumer: Any) -> None:
        """Settle one batch. Returns when its offsets are committed, or when stopping."""
        if self._stopping.is_set() or self._leaving is not None:
            return
        started = time.perf_counter()
        self._idle.clear()
        self._status.batch_in_hand(self.lane.name)
        try:
            await self._take(records, consumer)
            BATCH_SECONDS.labels(self.lane.name).observe(time.perf_counter() - started)
            BATCH_RECORDS.labels(self.lane.name).observe(len(records))
        except Stopping:
            log.info("batch left to redelivery", lane=self.lane.name, records=len(records))
        except (StoreWentBack, TooManyFailures) as error:
            self._status.stopped(self.lane.name, str(error))
            log.error("stopped", lane=self.lane.name, why=str(error))
            self._leaving = asyncio.create_task(self._leave())
        except Exception as error:
            # A bug of the edge itself: end the process, so that nothing is committed past it.
            self._status.broken(f"{self.lane.name}: {describe(error)}")
            log.critical("edge failed", lane=self.lane.name, cause=describe(error))
            self._leaving = asyncio.create_task(self._leave())
        finally:
            self._status.batch_done(self.lane.name)
            self._idle.set()

    async def _leave(self) -> None:
        """Leave the group, from a task of its own: a consumer can't be stopped by what it feeds."""
        if self.leave is not None:
            await self.leave()

    async def _take(self, records: Sequence[Any], consumer: Any) -> None:
        batch = self._opener.open(records)
        await self._first_look(consumer, batch)
        settled = await self._settle(batch, await self._log_ends(batch))
        if batch.dead:
            await self._publisher.send(batch.dead)
        await self._publisher.publish(settled.answers)
        await self._publish_states(settled)
        await self._commit_offsets(consumer, batch.marks)
        for place, count in _counts(records).items():
            RECORDS.labels(place, "settled").inc(count)

    # -- deciding ------------------------------------------------------------------------------

    async def _settle(self, batch: Batch, ends: Ends) -> Settled:
        """Decide the batch together or, if it fails, record by record."""
        tries = 0
        while True:
            try:
                settled = await self._decide(batch.groups(), batch.marks, ends)
            except StoreWentBack:
                raise
            except Exception as error:
                fault = fault_of(error)
                if fault is Fault.SURROUNDINGS:
                    await self._backoff.pause(error)
                    continue
                tries += 1
                if fault is Fault.AGAIN and tries < TRIES_TOGETHER:
                    RETRIES.labels(type(error).__name__).inc()
                    await _breathe(tries)
                    continue
                log.warning(
                    "batch is run record by record", lane=self.lane.name, cause=describe(error)
                )
                return await self._one_by_one(batch, ends)
            self._backoff.over()
            return settled

    async def _one_by_one(self, batch: Batch, ends: Ends) -> Settled:
        settled = Settled()
        for item in batch.items:
            settled.add(await self._alone(item, ends))
        # What needs no handler (skipped, undecodable) is passed over by the whole batch's marks.
        settled.add(await self._insist([], batch.marks, ends))
        return settled

    async def _alone(self, item: Item, ends: Ends) -> Settled:
        """One record by itself: three failures of its own make a dead letter of it."""
        failures = 0
        while True:
            try:
                settled = await self._decide([(item.route, [item.incoming])], _mark(item), ends)
            except StoreWentBack:
                raise
            except Exception as error:
                fault = fault_of(error)
                if fault is Fault.SURROUNDINGS or _is_a_race(error):
                    await self._backoff.pause(error)
                    continue
                failures += 1
                if failures < TRIES_ALONE:
                    await _breathe(failures)
                    continue
                return await self._bury(item, error, ends)
            self._backoff.over()
            return settled

    async def _insist(
        self, groups: Sequence[tuple[Route, list[Incoming]]], marks: Mapping[Place, int], ends: Ends
    ) -> Settled:
        """Decide what has no fault of its own, for as long as the surroundings take."""
        while True:
            try:
                settled = await self._decide(groups, marks, ends)
            except StoreWentBack:
                raise
            except Exception as error:
                await self._backoff.pause(error)
            else:
                self._backoff.over()
                return settled

    async def _decide(
        self, groups: Sequence[tuple[Route, list[Incoming]]], marks: Mapping[Place, int], ends: Ends
    ) -> Settled:
        """One transaction: the handlers, then the positions."""
        settled = Settled()
        async with self._database.begin() as connection:
            tx = await self._guard.open(connection, marks, ends)
            for route, incoming in groups:
                settled.answers += await route.handler(incoming, tx)
            await tx.execute(
                sql.advance,
                [p.topic for p in marks],
                [p.partition for p in marks],
                list(marks.values()),
            )
        self._guard.wrote(marks)
        settled.touched = tx.touched
        # Positions moved on: a barrier may be reached, or a job may be new.
        self._wake_jobs.set()
        return settled

    async def _bury(self, item: Item, error: Exception, ends: Ends) -> Settled:
        """Dead-letter a record that fails by its own fault, and answer its sender if it can be."""
        now = time.monotonic()
        self._own_failures.append(now)
        if (
            len(self._own_failures) == OWN_FAILURES
            and now - self._own_failures[0] <= OWN_FAILURES_WITHIN_S
        ):
            raise TooManyFailures(
                f"our own code failed on {OWN_FAILURES} records of {item.incoming.topic} within "
                f"{OWN_FAILURES_WITHIN_S:.0f} s, the last time with {describe(error)}; the topic "
                "is left as it is until the worker is mended and started again"
            )
        cause = describe(error)
        log.error(
            "dead letter",
            lane=self.lane.name,
            topic=item.incoming.topic,
            partition=item.incoming.partition,
            offset=item.incoming.offset,
            cause=cause,
        )
        # The letter first: if we die before the refusal is remembered, the record comes again.
        await self._publisher.send([dead_letter(item.record, self.group, cause)])
        DEAD_LETTERS.labels(item.incoming.topic, "own_fault").inc()
        if item.route.on_poison is not None:
            refusing = Route(topic=item.route.topic, takes=(), handler=item.route.on_poison)
            try:
                return await self._decide([(refusing, [item.incoming])], _mark(item), ends)
            except StoreWentBack:
                raise
            except Exception as second:
                if fault_of(second) is Fault.SURROUNDINGS:
                    await self._backoff.pause(second)
                    return await self._bury_quietly(refusing, item, ends)
                log.error("a dead letter's sender can't be answered", cause=describe(second))
        return await self._insist([], _mark(item), ends)

    async def _bury_quietly(self, refusing: Route, item: Item, ends: Ends) -> Settled:
        return await self._insist([(refusing, [item.incoming])], _mark(item), ends)

    # -- what goes before and after ------------------------------------------------------------

    async def _first_look(self, consumer: Any, batch: Batch) -> None:
        """After each assignment, before deciding: does the store know what was committed?"""
        assignment = consumer.assignment()
        if assignment == self._looked_at:
            return
        while True:
            try:
                committed = {tp: await consumer.committed(tp) or 0 for tp in assignment}
                ends = await consumer.end_offsets(list(assignment)) if assignment else {}
                async with self._database.connection() as connection:
                    await self._guard.compare_with_kafka(connection, committed, ends)
            except StoreWentBack:
                raise
            except Exception as error:
                if consumer.assignment() != assignment:
                    return  # lost meanwhile: looked at again with the next batch
                await self._backoff.pause(error)
            else:
                self._looked_at = assignment
                return

    async def _log_ends(self, batch: Batch) -> Ends:
        """The log's ends for the barriers of this batch's routes."""
        topics = {
            topic for item in batch.items for topic in self._barriers.get(item.route.topic, ())
        }
        if not topics:
            return NO_ENDS
        while True:
            try:
                return await self._watch.ends(topics)
            except Exception as error:
                await self._backoff.pause(error)

    async def _publish_states(self, settled: Settled) -> None:
        if not settled.touched:
            return
        while True:
            try:
                await self._states.publish(settled.touched, self._publisher)
            except Stopping:
                raise
            except Exception as error:
                await self._backoff.pause(error)
            else:
                return

    async def _commit_offsets(self, consumer: Any, marks: Mapping[Place, int]) -> None:
        """Commit exactly these offsets, while the next batch is fetched.

        A commit that fails (the partitions went to another worker, Kafka is away) only means
        that the batch comes again, and finds its answers remembered.
        """
        await self.drained()
        offsets = {TopicPartition(p.topic, p.partition): offset for p, offset in marks.items()}
        self._committing = asyncio.create_task(_commit(consumer, offsets, self.lane.name))

    async def drained(self) -> None:
        """Return when the last offset commit is through."""
        if self._committing is not None:
            task, self._committing = self._committing, None
            await task

    async def idle(self) -> None:
        """Return when no batch is in hand and the last offset commit is through."""
        await self._idle.wait()
        await self.drained()

    def assigned(self) -> None:
        """Partitions were assigned: the next batch begins with a look at the store."""
        self._looked_at = None


async def _commit(consumer: Any, offsets: dict[TopicPartition, int], lane: str) -> None:
    try:
        await asyncio.wait_for(consumer.commit(offsets), 10)
    except Exception as error:
        log.info(
            "offsets not committed, the batch will come again", lane=lane, cause=describe(error)
        )


def _mark(item: Item) -> dict[Place, int]:
    record = item.record
    return {Place(record.topic, record.partition): record.offset + 1}


def _counts(records: Sequence[Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for record in records:
        counts[record.topic] = counts.get(record.topic, 0) + 1
    return counts


def _is_a_race(error: BaseException) -> bool:
    """Deadlocks, serialization failures and lock time-outs are never a record's own fault."""
    return getattr(error, "sqlstate", None) in ("40001", "40P01", "55P03")


async def _breathe(tries: int) -> None:
    await asyncio.sleep(0.002 * tries * random.random())  # noqa: S311
