"""Faults at each await of the edge: a database, a producer and a consumer that fail once, on time.

A `Plan` counts the points that a batch passes, one before and one after each await, and raises at
the one that it was armed for. Only what a lane does counts: not the pulse, not the jobs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from aiokafka.errors import RequestTimedOutError

from runtime.database import Connection, Database
from runtime.edge.guard import Place
from runtime.edge.lane import EdgeLane
from runtime.edge.publisher import new_producer

COUNTS = ContextVar("COUNTS", default=False)


class Plan:
    """Raises once, at the armed point."""

    def __init__(self) -> None:
        self.armed: int | None = None
        self.passed = 0
        self.fired: str | None = None

    def arm(self, point: int) -> None:
        self.armed, self.passed, self.fired = point, 0, None

    def point(self, name: str, error: type[Exception] = ConnectionResetError) -> None:
        if not COUNTS.get() or self.armed is None:
            return
        self.passed += 1
        if self.passed == self.armed:
            self.armed, self.fired = None, name
            raise error(f"the test's own fault at {name}")


class _Failing:
    """Passes on to `inner`; the named methods fail before or after when it is their turn."""

    def __init__(
        self, inner: Any, plan: Plan, names: Sequence[str], error: type[Exception]
    ) -> None:
        self.inner = inner
        self._plan = plan
        self._names = frozenset(names)
        self._error = error

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name not in self._names:
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._plan.point(f"before {name}", self._error)
            result = await found(*args, **kwargs)
            self._plan.point(f"after {name}", self._error)
            return result

        return call


def failing_database(plan: Plan) -> type[Database]:
    """A Database whose connections fail by the plan: at begin, each statement, and the commit."""

    class FailingDatabase(Database):
        @asynccontextmanager
        async def connection(self) -> AsyncIterator[Connection]:
            plan.point("before acquire")
            async with super().connection() as connection:
                names = ("fetch", "fetchrow", "fetchval", "execute", "executemany")
                yield _Failing(connection, plan, names, ConnectionResetError)  # type: ignore[misc]

        @asynccontextmanager
        async def begin(self) -> AsyncIterator[Connection]:
            async with self.connection() as connection:
                plan.point("before begin")
                async with connection.transaction():
                    plan.point("after begin")
                    yield connection
                    plan.point("before commit")
                plan.point("after commit")

    return FailingDatabase


class FailingProducer:
    """Sends and acknowledgements that fail by the plan."""

    def __init__(self, plan: Plan, client: dict[str, Any]) -> None:
        self._producer = new_producer(client)
        self._plan = plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    async def start(self) -> None:
        self._plan.point("before start")
        await self._producer.start()
        self._plan.point("after start")

    async def send_batch(self, *args: Any, **kwargs: Any) -> Any:
        self._plan.point("before send")
        ack = await self._producer.send_batch(*args, **kwargs)
        self._plan.point("after send")
        return asyncio.ensure_future(self._acknowledged(ack))

    async def _acknowledged(self, ack: Any) -> Any:
        await ack
        self._plan.point("acknowledged", RequestTimedOutError)


def failing_lane(plan: Plan) -> type[EdgeLane]:
    """A lane whose batches count, each with its first look, and whose consumer fails."""

    class FailingLane(EdgeLane):
        async def take(self, records: Sequence[Any], consumer: Any) -> None:
            names = ("committed", "end_offsets", "commit")
            self.assigned()
            token = COUNTS.set(True)
            try:
                await super().take(records, _Failing(consumer, plan, names, RequestTimedOutError))
            finally:
                COUNTS.reset(token)

        async def _commit_offsets(self, consumer: Any, marks: Mapping[Place, int]) -> None:
            await super()._commit_offsets(consumer, marks)
            await self.drained()

    return FailingLane
