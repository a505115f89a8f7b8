"""A worker's start: step by step, what is away is waited for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import structlog
from asyncpg import UndefinedTableError

from runtime.database import Database
from runtime.deadletters import dead_letters
from runtime.edge.backoff import Backoff
from runtime.edge.guard import Guard, Logs
from runtime.edge.subscribe import EdgeBroker
from runtime.edge.watch import Watch
from runtime.faults import Said, Stopping, StoreWentBack, describe
from runtime.settings import SERVICES
from runtime.status import Status

log = structlog.get_logger()


class MissingTables(Said):
    """The service's schema was not brought up."""


class AnothersSchema(Said):
    """The DSN is another service's."""


class Start:
    """Opens what a worker needs, in order."""

    def __init__(
        self,
        *,
        service: str,
        status: Status,
        stopping: asyncio.Event,
        database: Database,
        guard: Guard,
        watch: Watch,
        broker: EdgeBroker,
        subscribers: Sequence[Any],
        topics: set[str],
        name: str,
    ) -> None:
        self._service = service
        self._name = name
        self._status = status
        self._stopping = stopping
        self._database = database
        self._guard = guard
        self._watch = watch
        self._broker = broker
        self._subscribers = subscribers
        self._topics = topics

    async def all(self) -> None:
        """Return when the worker serves. Raises Stopping and StoreWentBack."""
        await self._until_it_works("PostgreSQL", self._open_database)
        await self._until_it_works("Kafka", self._find_topics)
        await self._until_it_works("the store", self._compare)
        if self._name:
            await self._until_it_works("Kafka", self._take_out)
        await self._until_it_works("Kafka", self._join)

    async def _until_it_works(self, what: str, attempt: Any) -> None:
        """Try, waiting out what is away. Raises Stopping and StoreWentBack."""
        backoff = Backoff(f"start: {what}", self._stopping)
        while not self._stopping.is_set():
            try:
                await self._unless_stopping(attempt())
            except (Stopping, StoreWentBack):
                raise
            except Exception as error:
                self._say(what, error)
                await backoff.pause(error)
            else:
                backoff.over()
                return
        raise Stopping

    async def _unless_stopping(self, attempt: Coroutine[Any, Any, None]) -> None:
        """Break an attempt off as soon as the worker is to stop. Raises Stopping then."""
        trying = asyncio.ensure_future(attempt)
        told = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((trying, told), return_when=asyncio.FIRST_COMPLETED)
            if not trying.done():
                raise Stopping
            trying.result()
        finally:
            for task in (trying, told):
                task.cancel()
            await asyncio.gather(trying, told, return_exceptions=True)

    def _say(self, what: str, error: Exception) -> None:
        if what == "PostgreSQL":
            self._status.postgres = describe(error)
        else:
            self._status.kafka = describe(error)

    async def _open_database(self) -> None:
        await self._database.open()
        async with self._database.connection() as connection:
            schema = await connection.fetchval("SELECT current_schema()")
            if schema in SERVICES and schema != self._service:
                # Tables of the same name stand there: positions, jobs. None may be touched.
                raise AnothersSchema(
                    f"ONACCOUNT_POSTGRES_{self._service.upper()} is the login of the {schema}: it "
                    f"leads to schema {schema}, not to {self._service}"
                )
            try:
                await connection.fetchval("SELECT count(*) FROM positions")
            except UndefinedTableError:
                raise MissingTables(
                    f"schema {self._service} lacks its tables; make them with `onaccount migrate`"
                    + ("" if schema == self._service else f" (this login's schema is {schema})")
                ) from None
        self._status.postgres = None

    async def _find_topics(self) -> None:
        await self._watch.find(self._topics)
        self._status.kafka = None

    async def _compare(self) -> None:
        """Before anything is answered or numbered: is the store where it was left?"""

        async def ask() -> tuple[Mapping[Any, int], Logs]:
            committed = await self._watch.committed()
            logs = await self._watch.logs(self._topics - {dead_letters(self._service)})
            return {tp: at for tp, at in committed.items() if tp.topic in self._topics}, logs

        await self._guard.compare_with_kafka(self._database, ask, self._watch.cut)
        self._status.kafka = None

    async def _take_out(self) -> None:
        if left := await self._watch.take_out(self._name):
            log.info("took out of the group what was left by one of this name", members=left)

    async def _join(self) -> None:
        await self._broker.connect()
        # Side by side, so that the group settles in one rebalance instead of one for each lane.
        tries = [self._start(s) for s in self._subscribers]
        for outcome in await asyncio.gather(*tries, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _start(self, subscriber: Any) -> None:
        if subscriber.running:
            return
        try:
            await subscriber.start()
        except BaseException:
            if subscriber.consumer is not None:  # half started; the next try makes a new one
                with contextlib.suppress(Exception):
                    await subscriber.consumer.stop()
            raise
