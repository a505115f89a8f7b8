"""What a handler sees of its transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from runtime.answers import Answer
from runtime.database import Connection
from runtime.sql import statements

sql = statements("runtime", "sql/edge.sql")

Named = tuple[str, tuple[Any, ...]]
"""A row that has a state record: its kind and its key."""

Known = tuple[int, Callable[[], Answer]]
"""A row's version, and what words its state record."""

Marks = Mapping[Any, int]
"""What moves on with each change to some rows, by a name that who marked it gave, and how it stood
when they were written: as long as it stands so none of them was changed again."""

Ends = Mapping[str, Mapping[int, int]]
NO_ENDS: Ends = {}


class Tx:
    """One open transaction: PostgreSQL's clock, its statements, and what is to follow the commit.

    `now` is PostgreSQL's transaction time (aware, UTC), the only clock that a handler may read.
    `ends` gives, for the topics of the route's barrier, partition -> end offset of the log when
    the batch was taken up; empty partitions are left out. `alone`: nobody else writes in it, so
    what a handler leaves is what is committed. In a batch of retries others may follow.
    """

    __slots__ = (
        "_committed", "_connection", "alone", "ends", "jobs_added", "marks", "now", "touched",
    )  # fmt: skip

    def __init__(
        self, connection: Connection, now: datetime, ends: Ends = NO_ENDS, *, alone: bool = False
    ) -> None:
        self._connection = connection
        self.now = now
        self.ends = ends
        self.alone = alone
        self.touched: dict[Named, Known | None] = {}
        self.marks: dict[Any, int] = {}
        self.jobs_added = 0
        self._committed: list[Callable[[], None]] = []

    @property
    def connection(self) -> Connection:
        return self._connection

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        return list(await self._connection.fetch(query, *args))

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        return await self._connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        return await self._connection.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        return str(await self._connection.execute(query, *args))

    async def executemany(self, query: str, rows: Iterable[Sequence[Any]]) -> None:
        await self._connection.executemany(query, rows)

    def touch(self, kind: str, *key: Any) -> None:
        """This entity's state record is published, as its row stands after the commit.

        Call it for what is recalled too: the worker that made the change may have died between
        its commit and the publishing.
        """
        self.touched.setdefault((kind, key), None)

    def know(self, kind: str, key: tuple[Any, ...], known: Known) -> None:
        """As `touch`, by whoever wrote the row and knows how it stands when this commits: it is
        not read again to be told. Of several in one transaction the last counts."""
        self.touched[kind, key] = known

    def mark(self, name: Any, stands: int) -> None:
        """What of this transaction's rows is told may be looked at by this mark, once for all of
        them, to see whether any moved on since (`StateKind.newer`). Of several the last counts."""
        self.marks[name] = stands

    def when_committed(self, then: Callable[[], None]) -> None:
        """For what this process remembers of a handler's transaction, and only once it is so. What
        is not committed may be gone with a crash of PostgreSQL, which then gives the transaction's
        number (xid) to another."""
        self._committed.append(then)

    def was_committed(self) -> None:
        """Told by the edge."""
        for then in self._committed:
            then()

    async def add_job(
        self,
        kind: str,
        ref: str,
        payload: Mapping[str, Any],
        *,
        serial: str | None = None,
        barrier: Ends | None = None,
        after: datetime | None = None,
    ) -> bool:
        """Record slow work. False when (kind, ref) was recorded before: then nothing changes."""
        flat = [
            {"topic": topic, "partition": partition, "ends": end}
            for topic, ends in (barrier or {}).items()
            for partition, end in ends.items()
        ]
        row = await self._connection.fetchval(
            sql.add_job,
            kind,
            ref,
            json.dumps(payload),
            serial,
            json.dumps(flat) if flat else None,
            after,
        )
        if row is None:
            return False
        self.jobs_added += 1
        return True

    async def add_jobs(self, kind: str, jobs: Mapping[str, Mapping[str, Any]]) -> None:
        """Record slow work of one kind, payloads by ref; what was recorded before stays."""
        if jobs:
            payloads = [json.dumps(payload) for payload in jobs.values()]
            rows = await self._connection.fetch(sql.add_jobs, kind, list(jobs), payloads)
            self.jobs_added += len(rows)
