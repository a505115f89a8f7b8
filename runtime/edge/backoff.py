"""Waiting for what will come back: with growing pauses, without end, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TypeVar

import structlog

from runtime.bell import within
from runtime.faults import Stopping, describe
from runtime.metrics import WAITS

log = structlog.get_logger()

T = TypeVar("T")

FIRST_S = 0.05
LONGEST_S = 1.0  # so a sale waits hardly longer than what was away; an attempt costs little
SAID_AGAIN_S = 60.0
LONG_S = 1.0  # a wait that anyone should hear of


class Backoff:
    """Growing pauses with jitter. A sentence is logged when waiting begins, each minute while it
    lasts, and when it ends; `waits` holds it meanwhile, for readiness, once it lasts a second.
    """

    def __init__(
        self,
        where: str,
        stopping: asyncio.Event,
        waits: MutableMapping[str, str] | None = None,
    ) -> None:
        self._where = where
        self._stopping = stopping
        self._waits = {} if waits is None else waits
        self._delay_s = FIRST_S
        self._since: float | None = None
        self._said_at = 0.0
        self.waiting_for: str | None = None

    async def until_it_works(
        self, attempt: Callable[[], Awaitable[T]], *, but: type[Exception] = Stopping
    ) -> T:
        """What an attempt gives, however many it takes. Raises Stopping, and `but`, which no
        waiting mends."""
        while True:
            try:
                found = await attempt()
            except (Stopping, but):
                raise
            except Exception as error:
                await self.pause(error)
            else:
                self.over()
                return found

    async def again_and_again(self, work: Callable[[], Awaitable[object]], every_s: float) -> None:
        """Do some work now, and each time so many seconds after it is done, until told to stop.
        Raises nothing."""
        with contextlib.suppress(Stopping):
            while True:
                await self.until_it_works(work)
                await pause(every_s, self._stopping)

    async def pause(self, error: BaseException) -> None:
        """Wait a little longer than last time. Raises Stopping when the worker is to stop."""
        self.tell(error)
        delay_s = self._delay_s * random.uniform(0.8, 1.2)  # noqa: S311
        self._delay_s = min(self._delay_s * 2, LONGEST_S)
        await pause(delay_s, self._stopping)

    def tell(self, error: BaseException, **more: object) -> None:
        """Say that it is waited for; `pause` does so, and then waits. `more` is for the log."""
        WAITS.labels(self._where).inc()
        now = time.monotonic()
        said = describe(error)
        if self._since is None:
            self._since = now
        if self.waiting_for != said or now - self._said_at >= SAID_AGAIN_S:
            for_s = round(now - self._since, 1)
            log.warning("waiting", where=self._where, cause=said, for_s=for_s, **more)
            self.waiting_for, self._said_at = said, now
        if now - self._since >= LONG_S:
            self._waits[self._where] = said

    def over(self) -> None:
        """What was waited for is back."""
        if self._since is not None:
            log.info("going on", where=self._where)
            self.waiting_for = self._since = None
            self._waits.pop(self._where, None)
        self._delay_s = FIRST_S


async def pause(delay_s: float, stopping: asyncio.Event) -> None:
    """Sleep, or raise Stopping as soon as the worker is told to stop."""
    if await within(delay_s, stopping):
        raise Stopping
