"""The pulse: looks at PostgreSQL and Kafka now and then, for the health port and the guard."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

import structlog
from aiokafka.errors import UnknownTopicOrPartitionError

from runtime.database import Database
from runtime.edge.backoff import pause
from runtime.edge.guard import Guard
from runtime.edge.lane import EdgeLane
from runtime.edge.watch import Watch
from runtime.faults import Stopping, StoreWentBack, describe
from runtime.metrics import LAG
from runtime.status import Status
from runtime.waiting import Waiting

log = structlog.get_logger()

PULSE_S = 1.0
LAG_EVERY = 5  # looks
JOBS_EVERY = 15
ANSWER_S = 5.0


class Pulse:
    """Two tasks: one turns with the event loop and never waits, one looks at the servers."""

    def __init__(
        self,
        *,
        status: Status,
        stopping: asyncio.Event,
        database: Database,
        guard: Guard,
        watch: Watch,
        waiting: Waiting,
        lanes: Sequence[tuple[EdgeLane, Any]],
        topics: Collection[str],
    ) -> None:
        self._status = status
        self._stopping = stopping
        self._database = database
        self._guard = guard
        self._watch = watch
        self._waiting = waiting
        self._lanes = lanes
        self._topics = topics
        self._measured: set[Any] = set()
        self._asked: dict[str, asyncio.Task[None]] = {}
        self._jobs_untold: str | None = None

    async def turn(self) -> None:
        """Show that the event loop turns; end the process where the edge itself is at fault."""
        status = self._status
        while True:
            status.pulse = time.monotonic()
            if status.fatal:
                self._stopping.set()
            with contextlib.suppress(Stopping):
                await pause(PULSE_S, self._stopping)
            if self._stopping.is_set():
                status.stopping = True
                return

    async def look(self) -> None:
        """Ask PostgreSQL and Kafka whether they are there, and where they were left."""
        looks = 0
        try:
            while True:
                if self._status.started:
                    await self._ask_postgres()
                    self._ask_lanes()
                    if looks % LAG_EVERY == 0:
                        await self._ask_kafka()
                    if looks % JOBS_EVERY == 0:
                        await self._ask_jobs()
                    looks += 1
                await pause(PULSE_S, self._stopping)
        except Stopping:
            pass
        finally:
            for asked in self._asked.values():
                asked.cancel()
            await self._watch.close()

    async def _ask_postgres(self) -> None:
        try:
            await self._answered("look", self._look)
            self._postgres_is(None)
        except StoreWentBack as error:
            self._postgres_is(None)
            self._went_back(error)
        except Exception as error:
            self._postgres_is(error)

    async def _answered(self, name: str, question: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Ask PostgreSQL something, and wait no longer than `ANSWER_S`. Raises TimeoutError.

        From a task of its own: a question to a server that stands still (a disk that hangs) can't
        be called off, for its connection is given back only after a word of the server. Until then
        the same is not asked again, or the pulse would take one connection after another; and
        nothing more is waited for, or the lag would be told ever more seldom.
        """
        late = self._asked.get(name)
        if late is not None:
            if not late.done():
                raise TimeoutError
            del self._asked[name]
            late.result()  # its fault, if any, is told; what it found is older than this question
        asked = self._asked[name] = asyncio.create_task(question())
        await asyncio.wait({asked}, timeout=ANSWER_S)
        if not asked.done():
            raise TimeoutError
        del self._asked[name]
        asked.result()

    async def _look(self) -> None:
        async with self._database.connection() as connection:
            await self._guard.look(connection)

    async def _ask_jobs(self) -> None:
        """These figures stay as they are where they can't be had. That is no reason to serve no
        more, but it is said: an alert rests on them, and that a look at PostgreSQL goes well says
        nothing of them (a table without a grant, one that takes too long to be looked through)."""
        why = None
        try:
            await self._answered("jobs", self._waiting.tell)
        except Exception as error:
            why = describe(error)
        _tell("jobs' figures", why, self._jobs_untold)
        self._jobs_untold = why

    async def _ask_kafka(self) -> None:
        self._let_go()
        try:
            try:
                await self._measure_lag()
            except UnknownTopicOrPartitionError:
                await self._watch.find(self._topics)
                raise
            self._kafka_is(None)
        except StoreWentBack as error:
            self._kafka_is(None)
            self._went_back(error)
        except Exception as error:
            self._kafka_is(error)

    def _postgres_is(self, error: Exception | None) -> None:
        why, before = None if error is None else describe(error), self._status.postgres
        self._status.postgres = why
        _tell("PostgreSQL", why, before)

    def _kafka_is(self, error: Exception | None) -> None:
        why, before = None if error is None else describe(error), self._status.kafka
        self._status.kafka = why
        _tell("Kafka", why, before)

    def _went_back(self, error: StoreWentBack) -> None:
        """Stop all: lanes leave their group, no job is given a step, no timer ticks."""
        if self._status.went_back is None:
            log.error("stopped", why=str(error))
            self._status.went_back = str(error)
        for edge, _ in self._lanes:
            edge.stop_for_good()

    def _ask_lanes(self) -> None:
        for edge, subscriber in self._lanes:
            consumer = subscriber.consumer
            subscription = None if consumer is None else consumer._subscription.subscription
            self._status.lanes[edge.lane.name] = (
                subscription is not None and subscription.assignment is not None
            )

    def _held(self) -> set[Any]:
        return {tp for _, s in self._lanes if s.consumer for tp in s.consumer.assignment()}

    def _let_go(self) -> None:
        """What the lag was when another took the partition over says nothing of it now."""
        for tp in self._measured - self._held():
            LAG.remove(tp.topic, str(tp.partition))
            self._measured.remove(tp)

    async def _measure_lag(self) -> None:
        """Also notices a log that ends before what was decided of it, or begins behind it, whoever
        reads it now."""
        mine = {topic for _, subscriber in self._lanes for topic in subscriber.topic_names}
        # Read before the ends: they only grow.
        positions = {at: n for at, n in self._guard.positions().items() if at[0] in mine}
        if not mine:
            await self._watch.topics()
            return
        begins, ends = await self._watch.logs(mine)
        self._guard.compare_with_ends(positions, ends)
        if any(begin > positions.get((tp.topic, tp.partition), 0) for tp, begin in begins.items()):
            try:
                await self._answered(
                    "look", self._look
                )  # after the beginnings, which only grow too
            except StoreWentBack:
                raise
            except Exception:
                begins = {}  # PostgreSQL's fault, and told as such; the lag goes on being told
        self._guard.compare_with_begins(self._guard.positions(), begins)
        for tp in self._held():
            if tp in ends:
                # Nothing was decided of it yet: all that is there waits.
                position = positions.get((tp.topic, tp.partition), begins.get(tp, 0))
                LAG.labels(tp.topic, str(tp.partition)).set(max(0, ends[tp] - position))
                self._measured.add(tp)


def _tell(what: str, why: str | None, before: str | None) -> None:
    """A line of the log where it is another than before: lanes that have nothing to do say nothing
    of a server that is away, or of a topic that was deleted."""
    if why is not None and why != before:
        log.warning("not as it must be", what=what, why=why)
    elif why is None and before is not None:
        log.info("as it must be", what=what)
