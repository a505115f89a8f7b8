"""A job in hand and its steps: the only way in which slow work changes anything."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runtime.answers import Answer
from runtime.bell import within
from runtime.database import Connection
from runtime.faults import LeaseLost
from runtime.transaction import Tx, sql

if TYPE_CHECKING:
    from runtime.bundle import Bundle
    from runtime.jobs import JobRunner


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed row. `attempts` counts failures of our own code since its last step."""

    id: int
    kind: str
    ref: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """What is done for jobs of one kind, by up to `side_by_side` tasks of a worker.

    `run` does slow things between steps, never inside one; it makes one step at least, and ends it
    with `done()` or `later()`, else it is called again at once. When its own code fails three
    times without progress in between (a payload that was saved and differs, or a `later`),
    `on_poison` records and answers the failure, and the job ends `failed`; unless it gives the job
    back (`later`), to be ended in another way by what it saved.

    The lease is renewed while `run` works; so long waits the job of a worker that was killed.
    `cleared`: a row that was done long ago may go, for nothing that is repeated then would add it
    again: what it was asked by, or what it made, is remembered in the service's own tables.
    `appointed`: each is made for an hour to come, and counts as waiting only from then on.
    `in_turns`: refs begin with whose the job is ("2890/..."), and whoever has the fewest in hand
    goes first; two side by side at least, or one's many would still go first.
    `together`: does some of whoever's turn it is together, up to `at_once` of them; what it leaves
    open, and all where it fails, `run` does one by one. Only for kinds `in_turns`, whose jobs wait
    at no barrier and save no progress. All tasks of a worker hold `in_hand` jobs at most.
    """

    kind: str
    run: Callable[[Work], Awaitable[None]]
    side_by_side: int = 1
    lease_s: float = 20
    in_turns: bool = False
    cleared: bool = False
    appointed: bool = False
    on_poison: Callable[[Work, StepTx], Awaitable[None]] | None = None
    together: Callable[[Bundle], Coroutine[Any, Any, None]] | None = None
    at_once: int = 1
    in_hand: int = 1_000


class AnsweringTx(Tx):
    """A transaction of slow work: answers are recorded in it as unpublished."""

    __slots__ = ("_answers",)

    def __init__(self, connection: Connection, now: datetime) -> None:
        super().__init__(connection, now)
        self._answers: list[Answer] = []

    def answer(self, *answers: Answer) -> None:
        """Publish these after the commit; should we die first, another worker will."""
        self._answers += answers

    def _unpublished(self) -> list[list[Any]]:
        """Answers, and the state records that were touched, column by column."""
        answers, touched = self._answers, self.touched
        return [
            [x.topic for x in answers],
            [x.key for x in answers],
            [x.id for x in answers],
            [x.type for x in answers],
            [x.time for x in answers],
            [x.value for x in answers],
            [kind for kind, _ in touched],
            [json.dumps(key, default=str) for _, key in touched],
        ]


class StepTx(AnsweringTx):
    """A step's transaction: answers are recorded in it as unpublished, progress is saved in it."""

    __slots__ = ("_later_s", "_payload", "_state")

    def __init__(self, connection: Connection, now: datetime) -> None:
        super().__init__(connection, now)
        self._payload: dict[str, Any] | None = None
        self._state = "open"
        self._later_s: float | None = None

    def save(self, payload: dict[str, Any]) -> None:
        """Replace the job's payload."""
        self._payload = payload

    def done(self) -> None:
        """This was the last step."""
        self._state = "done"

    def later(self, seconds: float) -> None:
        """Give the job back, to be taken up again after that."""
        self._later_s = seconds


class Work:
    """A job in hand, and the only way to change anything for it."""

    def __init__(self, job: Job, runner: JobRunner, kind: JobKind, lease: uuid.UUID) -> None:
        self.job = job
        self.lease = lease
        self.runner = runner
        self.kind = kind
        self.lost = False
        self.ended = False
        self.failed = False
        self.steps = 0
        self.in_step = False

    @contextlib.asynccontextmanager
    async def step(self) -> AsyncIterator[StepTx]:
        """One transaction, committed unless the body raises; then its answers are published.

        Raises LeaseLost when another worker has the job, and what asyncpg raises.
        """
        runner = self.runner
        self.in_step = True
        try:
            async with runner.database.begin() as connection:
                known = runner.guard.known()
                held = await connection.fetchrow(sql.hold, self.job.id, self.lease)
                if held is None:
                    raise LeaseLost(f"job {self.job.id} was taken over")
                runner.guard.compare(held["positions"], known)
                tx = StepTx(connection, held["now"])
                yield tx
                if self.failed and tx._later_s is None:
                    tx._state = "failed"
                ids = await self._end_step(connection, tx)
            self.steps += 1
            self.ended = tx._state != "open" or tx._later_s is not None
        finally:
            self.in_step = False
        if tx._payload is not None and tx._payload != self.job.payload:
            self.job = replace(self.job, payload=tx._payload, attempts=0)
        if tx.jobs_added or self.ended:
            runner.wake.set()
        await runner.publish(tx._answers, tx.touched, ids)

    @contextlib.asynccontextmanager
    async def look(self) -> AsyncIterator[Tx]:
        """Rows as they stand, outside any step: for what is read only, and does not change.

        No step is begun: what was read is acted on in the next. Its `now` is the job's beginning.
        """
        async with self.runner.database.connection() as connection:
            yield Tx(connection, self.job.created_at)

    async def stirred(self, seconds: float) -> None:
        """Return when a lane of this worker commits next, and after so many seconds at most."""
        await within(seconds, self.runner.committed.next())

    async def _end_step(self, connection: Connection, tx: StepTx) -> list[int]:
        """Record what became of the job, and its answers as unpublished; gives their ids."""
        rows = await connection.fetch(
            sql.stepped,
            self.job.id,
            self.lease,
            None if tx._payload is None else json.dumps(tx._payload),
            tx._state,
            tx._later_s,
            self.kind.lease_s,
            *tx._unpublished(),
        )
        return [r["id"] for r in rows]
