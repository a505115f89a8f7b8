"""Leases of jobs in hand: renewed while they are worked, and given back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog

from runtime.database import Database
from runtime.edge.backoff import Backoff
from runtime.faults import describe
from runtime.status import Status
from runtime.transaction import sql
from runtime.work import Work

log = structlog.get_logger()


class Leases:
    """What one worker does with the leases of its jobs; those given together have one lease."""

    def __init__(self, database: Database, status: Status, stopping: asyncio.Event) -> None:
        self._database = database
        self._status = status
        self._stopping = stopping

    async def keep(self, works: Sequence[Work], task: asyncio.Task[Any] | None) -> None:
        """Renew them while `task` works; stop it when all are lost."""
        lease, lease_s = works[0].lease, works[0].kind.lease_s
        while True:
            await asyncio.sleep(lease_s / 3)
            ids = _open(works)
            try:
                held = await self._database.fetch(sql.renew, ids, lease, lease_s)
            except Exception as error:
                log.info("lease not renewed", jobs=ids, cause=describe(error))
                continue
            # While a step is made its own fence tells; and it may just have ended the jobs.
            in_step = any(work.in_step for work in works)
            if not held and _open(works) and not in_step and task is not None:
                task.cancel()
                return

    async def release(self, works: Sequence[Work], delay_s: float, failures: int) -> None:
        """Give jobs back after a failure; while PostgreSQL is away, wait for it.

        Their lease may run out meanwhile: then there is nothing to give back.
        """
        if not works:
            return
        where = f"job {works[0].kind.kind}: giving back"
        backoff = Backoff(where, self._stopping, self._status.waits)
        await backoff.until_it_works(partial(self._release, works, delay_s, failures))

    async def give_back(self, works: Sequence[Work]) -> None:
        """Release them when told to stop, in a task that a second order does not break off."""
        if not _open(works):
            return
        release = asyncio.create_task(self._release(works, 0.0, 0))
        with contextlib.suppress(Exception):
            await asyncio.wait_for(asyncio.shield(release), 2)

    async def _release(self, works: Sequence[Work], delay_s: float, failures: int) -> None:
        await self._database.execute(sql.release, _open(works), works[0].lease, delay_s, failures)


def _open(works: Sequence[Work]) -> list[int]:
    return [work.job.id for work in works if not work.ended]


def lost(works: Sequence[Work]) -> None:
    """Another worker has them; nothing is to be done for them here, and nothing given back."""
    for work in works:
        if not work.ended:
            log.info("job taken over by another worker", kind=work.kind.kind, job=work.job.id)
            work.ended = True
