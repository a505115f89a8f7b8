"""Timers: they only publish messages, with ids made from what is due, so that two make one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from runtime.answers import Answer
from runtime.database import Database
from runtime.edge.backoff import Backoff
from runtime.edge.guard import Guard
from runtime.state import Publishes
from runtime.status import Status
from runtime.transaction import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Every `every_s` seconds `due` reads what is due and gives the messages that say so."""

    name: str
    every_s: float
    due: Callable[[Tx], Awaitable[Iterable[Answer]]]


async def run_timer(
    timer: Timer,
    *,
    database: Database,
    guard: Guard,
    publisher: Publishes,
    status: Status,
    stopping: asyncio.Event,
) -> None:
    """Tick until told to stop. Raises nothing."""

    async def once() -> None:
        if status.went_back is None:
            await tick(timer, database, guard, publisher)

    backoff = Backoff(f"timer {timer.name}", stopping, status.waits)
    await backoff.again_and_again(once, timer.every_s)


async def tick(timer: Timer, database: Database, guard: Guard, publisher: Publishes) -> int:
    """One tick; returns how many messages were published."""
    async with database.begin() as connection:
        await connection.execute("SET TRANSACTION READ ONLY")
        await guard.look(connection)
        answers = list(await timer.due(await guard.open(connection)))
    await publisher.publish(answers)
    return len(answers)
