"""How long slow work has been waiting, for operators: a job that nobody gets done fails nothing."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.database import Database
from runtime.metrics import OLDEST_JOB
from runtime.transaction import sql
from runtime.work import JobKind


class Waiting:
    """The age of the oldest open job of each kind. Every worker of a service tells the same, so
    that it is told for as long as one is there."""

    def __init__(self, database: Database, kinds: Iterable[JobKind]) -> None:
        self._database = database
        self._appointed = {kind.kind: kind.appointed for kind in kinds}

    async def tell(self) -> None:
        """Ask PostgreSQL, and set the gauges. Raises what asyncpg raises."""
        if not self._appointed:
            return
        names = list(self._appointed)
        rows = await self._database.fetch(sql.oldest, names, list(self._appointed.values()))
        for row in rows:
            OLDEST_JOB.labels(row["kind"]).set(max(0.0, row["waits_s"] or 0.0))
