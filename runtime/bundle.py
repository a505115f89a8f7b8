"""Several jobs in hand at once, under one lease: a step of all of them is one transaction.

What a step costs (a claim, its statements, a commit, what it publishes) is then shared by them.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

from runtime.database import Connection
from runtime.faults import LeaseLost
from runtime.transaction import Tx, sql
from runtime.work import AnsweringTx, Work


class BundleTx(AnsweringTx):
    """A step's transaction for some jobs: `held`, those of them that are still ours."""

    __slots__ = ("_ends", "held")

    def __init__(self, connection: Connection, now: datetime, held: Sequence[Work]) -> None:
        super().__init__(connection, now)
        self.held = tuple(held)
        self._ends: dict[int, tuple[str, float | None]] = {}

    def done(self, *works: Work) -> None:
        """This was their last step."""
        self._ends |= {work.job.id: ("done", None) for work in works}

    def later(self, work: Work, seconds: float) -> None:
        """Give this job back, to be taken up again after that."""
        self._ends[work.job.id] = ("open", seconds)


class Bundle:
    """Claimed jobs of one kind and of one who has the turn."""

    def __init__(self, works: Sequence[Work]) -> None:
        self.works = tuple(works)
        self._runner = works[0].runner
        self._kind = works[0].kind

    @property
    def open(self) -> tuple[Work, ...]:
        """Those that are not done, given back or lost."""
        return tuple(work for work in self.works if not work.ended)

    @contextlib.asynccontextmanager
    async def look(self) -> AsyncIterator[Tx]:
        """As `Work.look`."""
        async with self.works[0].look() as tx:
            yield tx

    async def others_wait(self) -> bool:
        """Whether jobs of this kind are due that nobody holds, of others than whose turn it is."""
        whose = self.works[0].job.ref.partition("/")[0]
        async with self._runner.database.connection() as connection:
            return bool(await connection.fetchval(sql.others_due, self._kind.kind, whose))

    @contextlib.asynccontextmanager
    async def step(self, works: Iterable[Work] | None = None) -> AsyncIterator[BundleTx]:
        """One transaction of these jobs, or of all that are open, committed unless the body raises;
        then its answers are published. One that another worker has is lost, and left out.

        Raises LeaseLost where all are, and what asyncpg raises.
        """
        these = self.works if works is None else works
        concerned = [work for work in these if not work.ended]
        runner, lease = self._runner, self.works[0].lease
        for work in concerned:
            work.in_step = True
        try:
            async with runner.database.begin() as connection:
                known = runner.guard.known()
                ids = [work.job.id for work in concerned]
                row = await connection.fetchrow(sql.hold_together, ids, lease)
                assert row is not None  # of no table
                for work in concerned:
                    work.lost = work.job.id not in row["held"]
                held = [work for work in concerned if not work.lost]
                if not held:
                    raise LeaseLost(f"jobs {ids} were taken over")
                runner.guard.compare(row["positions"], known)
                tx = BundleTx(connection, row["now"], held)
                yield tx
                unpublished = await self._end_step(connection, tx)
            for work in held:
                work.steps += 1
                work.ended = work.job.id in tx._ends
        finally:
            for work in concerned:
                work.in_step = False
                work.ended = work.ended or work.lost
        if tx.jobs_added or tx._ends:
            runner.wake.set()
        await runner.publish(tx._answers, tx.touched, unpublished)

    async def _end_step(self, connection: Connection, tx: BundleTx) -> list[int]:
        """Record what became of the jobs, and their answers as unpublished; gives their ids."""
        goes_on: tuple[str, float | None] = ("open", None)
        ends = [tx._ends.get(work.job.id, goes_on) for work in tx.held]
        rows = await connection.fetch(
            sql.stepped_together,
            [work.job.id for work in tx.held],
            self.works[0].lease,
            [state for state, _ in ends],
            [later_s for _, later_s in ends],
            self._kind.lease_s,
            *tx._unpublished(),
        )
        return [r["id"] for r in rows]
