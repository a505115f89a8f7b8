"""Slots for jobs that have nothing to do, and who wakes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from runtime.bell import Bell, within
from runtime.database import Database
from runtime.edge.backoff import Backoff
from runtime.faults import Stopping
from runtime.status import Status
from runtime.transaction import sql

POLL_S = 0.5
REST_S = 0.05
"""After a look that found nothing, until the next one. Seconds."""


class Slots:
    """Waiting slots by kind, of one worker. `wake`: set when there may be work. `committed` rings
    then too, for jobs that are at work and wait for what a lane commits."""

    def __init__(
        self,
        kinds: Iterable[str],
        database: Database,
        status: Status,
        stopping: asyncio.Event,
        wake: asyncio.Event,
        committed: Bell,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self._database = database
        self._status = status
        self._stopping = stopping
        self._wake = wake
        self._committed = committed
        self._poll_s = poll_s
        self._turns = {kind: asyncio.Condition() for kind in kinds}

    async def wait(self, kind: str) -> None:
        """Until this slot is to look for work."""
        turn = self._turns[kind]
        async with turn:
            await turn.wait()

    async def wake(self, kind: str) -> None:
        """One slot of a kind looks; where it finds work it wakes the next, for there may be more.
        All of them at once would look in vain but for one, whenever one job is added."""
        turn = self._turns[kind]
        async with turn:
            turn.notify()

    async def ring(self) -> None:
        """Look for work on a tick, and when a lane's commit may have made some; wake its slots.

        One look for all kinds: batch after batch is committed while tills sell, and slots that
        each looked for themselves took a tenth of the invoicer's time then. And not after each:
        where tills sell a thousand a second, looks in vain, one every 10 ms and a bit, were a
        twentieth of the authorizer's.
        """
        backoff = Backoff("looking for jobs", self._stopping, self._status.waits)
        not_before, unseen = 0.0, False
        while True:
            rest = not_before - time.monotonic() if unseen else self._poll_s
            await within(max(rest, 0.0), self._wake)
            self._committed.ring()
            await asyncio.sleep(0.01)  # many batches, one look
            self._committed.ring()
            self._wake.clear()
            unseen = True
            if time.monotonic() < not_before:
                continue
            try:
                rows = await self._database.fetch(sql.kinds_due, list(self._turns))
                backoff.over()
            except Exception as error:
                try:
                    await backoff.pause(error)
                except Stopping:
                    return
                continue
            unseen = False
            not_before = 0.0 if rows else time.monotonic() + REST_S
            for row in rows:
                await self.wake(row["kind"])
