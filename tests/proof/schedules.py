"""Workers whose every statement waits for its turn: one chosen schedule of real transactions.

Goal: whatever the interleaving, the outcome is that of some order in which the batches could have
come one after another. Method: each worker has a real connection and runs the real handler; before
every statement, and before the commit, it stops at a gate, and a list of choices says who goes
next. A worker that waits for another's row lock is left waiting (PostgreSQL tells that it does),
and one that is told to decide again does so, as the edge has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple

import asyncpg

from runtime.answers import Answer
from runtime.database import Connection
from runtime.faults import Fault, fault_of
from runtime.glance import AtOnce
from runtime.incoming import Handler, Incoming
from runtime.transaction import Tx
from tests.support.glances import Interrupted
from tests.support.handlers import HandlerBench

Pace = Callable[[], Awaitable[None]]
A_MOMENT_S = 0.001
PATIENCE_S = 60


class PacedTx(Tx):
    """A transaction that waits for its turn before each statement."""

    __slots__ = ("_pace",)

    def __init__(self, connection: Connection, tx: Tx, pace: Pace) -> None:
        super().__init__(connection, tx.now, tx.ends, alone=tx.alone)
        self._pace = pace

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        await self._pace()
        return await super().fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        await self._pace()
        return await super().fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        await self._pace()
        return await super().fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        await self._pace()
        return await super().execute(query, *args)


class Work(NamedTuple):
    """A batch that a worker has in hand, and how it is decided."""

    handler: Handler
    at_once: AtOnce | None
    incoming: Sequence[Incoming]


class Schedule:
    """Lets one worker go at a time, as `choices` say; when they run out, the first that can."""

    def __init__(self, bench: HandlerBench, choices: Iterator[int]) -> None:
        self._bench = bench
        self._choices = choices
        self._gates: dict[int, asyncio.Future[None]] = {}
        self._pids: dict[int, int] = {}
        self._tasks: dict[int, asyncio.Task[list[Answer]]] = {}
        self.again = 0  # how often a batch was decided again
        self.waits = 0  # how often a worker was seen waiting for a lock

    async def run(self, work: Sequence[Work]) -> list[list[Answer]]:
        """All batches, each by a worker of its own; their answers."""
        for number, each in enumerate(work):
            self._tasks[number] = asyncio.create_task(self._worker(number, each))
        try:
            async with asyncio.timeout(PATIENCE_S):
                async with self._bench.database.connection() as monitor:
                    await self._drive(monitor)
                return [await task for task in self._tasks.values()]
        finally:
            for task in self._tasks.values():
                task.cancel()

    async def _worker(self, number: int, work: Work) -> list[Answer]:
        async def pace() -> None:
            gate = self._gates[number] = asyncio.get_running_loop().create_future()
            await gate

        at_once = work.at_once
        while True:
            try:
                if at_once is not None:
                    answers = await self._at_once(number, at_once, work.incoming, pace)
                    if answers is not None:
                        return answers
                return await self._in_a_transaction(number, work, pace)
            except Exception as error:
                if fault_of(error) is not Fault.AGAIN:
                    raise
                self.again += 1
                at_once = None

    async def _at_once(
        self, number: int, at_once: AtOnce, incoming: Sequence[Incoming], pace: Pace
    ) -> list[Answer] | None:
        async with self._bench.database.connection() as connection:
            self._pids[number] = connection.get_server_pid()
            glance = self._bench.guard.glance(connection, {})
            return await at_once(incoming, Interrupted(glance, looks=pace, records=pace))

    async def _in_a_transaction(self, number: int, work: Work, pace: Pace) -> list[Answer]:
        async with self._bench.database.begin() as connection:
            self._pids[number] = connection.get_server_pid()
            # At its gate a worker may have to wait long, on a busy machine.
            await connection.execute(
                "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '60s'"
            )
            opened = await self._bench.guard.open(connection, alone=True)
            tx = PacedTx(connection, opened, pace)
            answers = list(await work.handler(work.incoming, tx))
            await pace()
        tx.was_committed()
        return answers

    async def _drive(self, monitor: Connection) -> None:
        while any(not task.done() for task in self._tasks.values()):
            await self._settle(monitor)
            if ready := sorted(self._gates):
                chosen = ready[next(self._choices, 0) % len(ready)]
                self._gates.pop(chosen).set_result(None)
            else:
                # All wait for locks: PostgreSQL will see that in a second, and end one of them.
                await asyncio.sleep(A_MOMENT_S * 10)

    async def _settle(self, monitor: Connection) -> None:
        """Wait until each worker is done, at its gate, or waits for somebody's lock."""
        while busy := self._busy():
            await asyncio.sleep(A_MOMENT_S)
            if not (busy := self._busy()):
                return
            rows = await monitor.fetch("SELECT pid FROM pg_locks WHERE NOT granted")
            waiting = {row["pid"] for row in rows}
            if all(self._pids.get(number) in waiting for number in self._busy()):
                self.waits += len(busy)
                return

    def _busy(self) -> list[int]:
        return [n for n, task in self._tasks.items() if n not in self._gates and not task.done()]
