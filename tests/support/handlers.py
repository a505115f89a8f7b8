"""Runs handlers and jobs on a real PostgreSQL, with the log left out.

Goal: a service's tests say what comes in and look at what goes out. Method: the same guard,
transaction and job runner that a worker uses; only the publisher is replaced by a list.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from runtime.answers import Answer
from runtime.database import Database
from runtime.edge.guard import Guard
from runtime.faults import Fault, fault_of
from runtime.glance import AtOnce
from runtime.haste import seconds
from runtime.incoming import Handler, Incoming
from runtime.jobs import JobKind, JobRunner
from runtime.state import StateKind, States
from runtime.status import Status
from runtime.timers import Timer, tick
from runtime.transaction import NO_ENDS, Ends, Tx


class Kept:
    """A publisher at the far edge: keeps what was published, in order."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    async def publish(self, answers: Sequence[Answer]) -> None:
        self.answers += answers


class HandlerBench:
    """`async with HandlerBench(dsn, states=...) as bench`: dsn is the service's login role."""

    def __init__(
        self,
        dsn: str,
        *,
        states: Iterable[StateKind] = (),
        size: int = 8,
        by_key: bool = False,
        clock: Callable[[], float] = seconds,
    ) -> None:
        self.database = Database(dsn, size=size, name="bench", by_key=by_key)
        self.guard = Guard("bench", clock)
        self.published = Kept()
        self.states = States(states, self.database)
        self._offset = 0

    async def __aenter__(self) -> Self:
        await self.database.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.database.close()

    @asynccontextmanager
    async def transaction(self, ends: Ends = NO_ENDS, *, alone: bool = True) -> AsyncIterator[Tx]:
        """A transaction as the edge opens it, mostly for one handler."""
        async with self.database.begin() as connection:
            tx = await self.guard.open(connection, ends=ends, alone=alone)
            yield tx
        tx.was_committed()

    def incoming(
        self,
        message: Any,
        *,
        at: datetime | None = None,
        topic: str = "bench",
        trace: str | None = None,
    ) -> Incoming:
        """A record; its time is `at`, or now."""
        self._offset += 1
        return Incoming(message, topic, 0, self._offset, at or datetime.now(UTC), trace)

    async def handle(
        self,
        handler: Handler,
        messages: Iterable[Any],
        *,
        at: datetime | None = None,
        topic: str = "bench",
        ends: Ends = NO_ENDS,
        at_once: AtOnce | None = None,
        trace: str | None = None,
    ) -> list[Answer]:
        """One committed transaction over these messages; then touched state is published.

        Answers are returned; state records are found in `bench.published.answers`. `at_once` is
        tried first, once, as the edge does.
        """
        incoming = [self.incoming(m, at=at, topic=topic, trace=trace) for m in messages]
        if at_once is not None:
            found = await self._at_once(at_once, incoming)
            if found is not None:
                return found
        async with self.transaction(ends) as tx:
            answers = list(await handler(incoming, tx))
        await self.states.publish(tx.touched, self.published, tx.marks)
        return answers

    async def _at_once(self, at_once: AtOnce, incoming: Sequence[Incoming]) -> list[Answer] | None:
        try:
            async with self.database.connection() as connection:
                glance = self.guard.glance(connection, {})
                answers = await at_once(incoming, glance)
        except Exception as error:
            if fault_of(error) is not Fault.AGAIN:
                raise
            return None
        await self.states.publish(glance.touched, self.published)
        return answers

    def runner(self, kinds: Iterable[JobKind]) -> JobRunner:
        return JobRunner(
            kinds=kinds,
            database=self.database,
            publisher=self.published,
            states=self.states,
            guard=self.guard,
            status=Status(started=True),
            stopping=asyncio.Event(),
            wake=asyncio.Event(),
        )

    async def run_jobs(self, kinds: Iterable[JobKind], *, most: int = 1_000) -> list[Answer]:
        """Run the jobs that are due now to their ends; gives what was published meanwhile.

        A job that says `later` or fails stays for another call.
        """
        before = len(self.published.answers)
        runner = self.runner(kinds)
        for _ in range(most):
            for kind in runner.kinds:
                works = await runner.take(kind)
                if works:
                    await runner.work_together(works, kind)
                    break
            else:
                return self.published.answers[before:]
        raise AssertionError(f"jobs are still due after {most}")

    async def make_due(self, kind: str) -> None:
        """Let the jobs of a kind be due at once (a fake clock for `later`)."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE job SET due_at = now() - interval '1 second', leased_until = NULL, "
                "lease = NULL WHERE kind = $1 AND state = 'open'",
                kind,
            )

    async def clear_jobs(self, kinds: Iterable[JobKind], *, days: float = 31) -> int:
        """Clear jobs as a worker does `days` from now; gives how many went."""
        async with self.database.connection() as connection:
            await connection.execute(
                "UPDATE job SET ended_at = ended_at - make_interval(secs => $1)", days * 86_400
            )
        return await self.runner(kinds).clearing.some()

    async def tick(self, timer: Timer) -> list[Answer]:
        """One tick of a timer; gives what it published."""
        before = len(self.published.answers)
        await tick(timer, self.database, self.guard, self.published)
        return self.published.answers[before:]


def minutes_ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)
