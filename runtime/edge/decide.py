"""Deciding a batch: together or, if that fails, record by record; and burying what is at fault."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import asyncpg
import structlog

from runtime.answers import Answer
from runtime.database import IDLE_S, Database
from runtime.deadletters import dead_letter
from runtime.edge.backoff import Backoff
from runtime.edge.batch import Batch, Item
from runtime.edge.guard import Guard, Place
from runtime.edge.publisher import Publisher
from runtime.faults import (
    Fault,
    Said,
    StoreWentBack,
    describe,
    fault_of,
    has_itself_to_blame,
)
from runtime.incoming import Incoming, Route
from runtime.metrics import DEAD_LETTERS, RETRIES
from runtime.transaction import Ends, Known, Marks, Named

log = structlog.get_logger()

TRIES_ALONE = 3
TRIES_TOGETHER = 4
OWN_FAILURES = 10
OWN_FAILURES_WITHIN_S = 60.0
CROWDED_S = 1.0
AT_ONCE = 128
"""Records that are looked at and then recorded, at most: all are decided again for one of them."""


class TooManyFailures(Said):
    """Our own code fails on record after record: better to stop than to empty the topic."""


@dataclass(slots=True)
class Settled:
    """What is to follow the commit."""

    answers: list[Answer] = field(default_factory=list)
    touched: dict[Named, Known | None] = field(default_factory=dict)
    marks: Marks = field(default_factory=dict)

    def add(self, other: Settled) -> None:
        """What another transaction came to, after this one. Of two marks of one name the older
        stays: between the two transactions somebody else may have changed what the first wrote."""
        self.answers += other.answers
        self.touched |= other.touched
        self.marks = {**other.marks, **self.marks}


class Decider:
    """Turns a batch into committed decisions, one transaction at a time."""

    def __init__(
        self,
        *,
        group: str,
        name: str,
        database: Database,
        publisher: Publisher,
        guard: Guard,
        backoff: Backoff,
        wake_jobs: asyncio.Event,
    ) -> None:
        self.group = group
        self.name = name
        self._database = database
        self._publisher = publisher
        self._guard = guard
        self._backoff = backoff
        self._wake_jobs = wake_jobs
        self._own_failures: deque[float] = deque(maxlen=OWN_FAILURES)
        self._crowded_until = 0.0

    async def _settle(self, batch: Batch, ends: Ends) -> Settled:
        """Decide the batch together or, if it fails, record by record."""
        tries = 0
        while True:
            began = time.monotonic()
            try:
                settled = await self._at_once(batch) if tries == 0 else None
                if settled is None:
                    settled = await self._decide(batch.groups(), batch.marks, ends)
            except StoreWentBack:
                raise
            except Exception as error:
                fault = fault_of(error)
                if fault is Fault.SURROUNDINGS:
                    await self._backoff.pause(error)
                    if len(batch.items) == 1 or not _took_too_long(error, began):
                        continue
                tries += 1
                if fault is Fault.AGAIN and tries < TRIES_TOGETHER:
                    RETRIES.labels(type(error).__name__).inc()
                    self._crowded_until = time.monotonic() + CROWDED_S
                    await _breathe(tries)
                    continue
                log.warning("batch is run record by record", lane=self.name, cause=describe(error))
                return await self._one_by_one(batch, ends)
            self._backoff.over()
            return settled

    async def _one_by_one(self, batch: Batch, ends: Ends) -> Settled:
        settled = Settled()
        try:
            for item in batch.items:
                settled.add(await self._alone(item, ends))
        except TooManyFailures:
            # Those before it were decided: their senders need not wait until we are mended.
            await self._publish(settled)
            raise
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
                if not has_itself_to_blame(error):
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
        return await self._backoff.until_it_works(
            partial(self._decide, groups, marks, ends), but=StoreWentBack
        )

    async def _decide(
        self, groups: Sequence[tuple[Route, list[Incoming]]], marks: Mapping[Place, int], ends: Ends
    ) -> Settled:
        """One transaction: the positions, then the handlers."""
        settled = Settled()
        async with self._database.begin() as connection:
            tx = await self._guard.open(connection, marks, ends, alone=len(groups) == 1)
            for route, incoming in groups:
                settled.answers += await route.handler(incoming, tx)
        tx.was_committed()
        self._guard.wrote(marks)
        settled.touched, settled.marks = tx.touched, tx.marks
        # Positions moved on: a barrier may be reached, or a job may be new.
        self._wake_jobs.set()
        return settled

    async def _at_once(self, batch: Batch) -> Settled | None:
        """Records of one route, decided in a statement or two; None: they need a transaction.

        Not just after others were at the same rows: whoever locks them first has no work twice.
        """
        groups = batch.groups()
        if len(groups) != 1 or time.monotonic() < self._crowded_until:
            return None
        ((route, incoming),) = groups
        if route.at_once is None:
            return None
        async with self._database.connection() as connection:
            few = len(batch.records) <= AT_ONCE
            glance = self._guard.glance(connection, batch.marks, few=few)
            answers = await route.at_once(incoming, glance)
        if answers is None:
            return None
        self._guard.wrote(batch.marks)
        self._wake_jobs.set()
        return Settled(answers, glance.touched)

    async def _bury(self, item: Item, error: Exception, ends: Ends) -> Settled:
        """Dead-letter a record that fails by its own fault, and answer its sender if it can be."""
        cause = describe(error)
        self._count_own_failure(item.incoming.topic, cause)
        log.error(
            "dead letter",
            lane=self.name,
            topic=item.incoming.topic,
            partition=item.incoming.partition,
            offset=item.incoming.offset,
            cause=cause,
        )
        # The letter first: if we die before the refusal is remembered, the record comes again.
        await self._publisher.send([dead_letter(item.record, self.group, cause)])
        DEAD_LETTERS.labels(item.incoming.topic, "own_fault").inc()
        if item.route.on_poison is None:
            return await self._insist([], _mark(item), ends)
        refusing = Route(topic=item.route.topic, takes=(), handler=item.route.on_poison)
        failures = 0
        while True:
            try:
                return await self._decide([(refusing, [item.incoming])], _mark(item), ends)
            except StoreWentBack:
                raise
            except Exception as second:
                if not has_itself_to_blame(second):
                    await self._backoff.pause(second)
                    continue
                failures += 1
                if failures < TRIES_ALONE:
                    await _breathe(failures)
                    continue
                log.error("a dead letter's sender can't be answered", cause=describe(second))
                return await self._insist([], _mark(item), ends)

    def _count_broken(self, batch: Batch) -> None:
        """Records on which decoding itself failed are failures of our own code too."""
        for topic, cause in batch.broken:
            self._count_own_failure(topic, cause)

    def _count_own_failure(self, topic: str, cause: str) -> None:
        now = time.monotonic()
        self._own_failures.append(now)
        if (
            len(self._own_failures) == OWN_FAILURES
            and now - self._own_failures[0] <= OWN_FAILURES_WITHIN_S
        ):
            raise TooManyFailures(
                f"our own code failed on {OWN_FAILURES} records of {topic} within "
                f"{OWN_FAILURES_WITHIN_S:.0f} s, the last time with {cause}; the topic "
                "is left as it is until the worker is mended and started again"
            )

    async def _publish(self, settled: Settled) -> None:
        """Publish answers and state records; told by the lane."""
        raise NotImplementedError


def _mark(item: Item) -> dict[Place, int]:
    record = item.record
    return {Place(record.topic, record.partition): record.offset + 1}


def _took_too_long(error: Exception, began: float) -> bool:
    """Whether PostgreSQL may have ended the transaction because our own work took so long that it
    stood idle. What is too much together is not too much for each; where it was another cause that
    closed the line, nothing is lost by that."""
    closed = isinstance(error, (asyncpg.InterfaceError, asyncpg.PostgresConnectionError))
    ended = isinstance(error, asyncpg.IdleInTransactionSessionTimeoutError)
    return ended or (closed and time.monotonic() - began > IDLE_S)


async def _breathe(tries: int) -> None:
    await asyncio.sleep(0.002 * tries * random.random())  # noqa: S311
