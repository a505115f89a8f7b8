"""Waiting for what will come back: with growing pauses, without end, until told to stop."""

from __future__ import annotations

import asyncio
import random

import structlog

from runtime.faults import Stopping, describe
from runtime.metrics import WAITS

log = structlog.get_logger()

FIRST_S = 0.05
LONGEST_S = 5.0


class Backoff:
    """Growing pauses with jitter. One sentence is logged when waiting begins, one when it ends."""

    def __init__(self, where: str, stopping: asyncio.Event) -> None:
        self._where = where
        self._stopping = stopping
        self._delay_s = FIRST_S
        self.waiting_for: str | None = None

    async def pause(self, error: BaseException) -> None:
        """Wait a little longer than last time. Raises Stopping when the worker is to stop."""
        WAITS.labels(self._where).inc()
        said = describe(error)
        if self.waiting_for != said:
            log.warning("waiting", where=self._where, cause=said)
            self.waiting_for = said
        delay_s = self._delay_s * random.uniform(0.8, 1.2)  # noqa: S311
        self._delay_s = min(self._delay_s * 2, LONGEST_S)
        await pause(delay_s, self._stopping)

    def over(self) -> None:
        """What was waited for is back."""
        if self.waiting_for is not None:
            log.info("going on", where=self._where)
            self.waiting_for = None
        self._delay_s = FIRST_S


async def pause(delay_s: float, stopping: asyncio.Event) -> None:
    """Sleep, or raise Stopping as soon as the worker is told to stop."""
    try:
        await asyncio.wait_for(stopping.wait(), delay_s)
    except TimeoutError:
        return
    raise Stopping
