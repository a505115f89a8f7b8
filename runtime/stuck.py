"""Jobs that a fault of the surroundings keeps from going on: when each is tried again, and how an
operator hears of it.

The job itself is given back meanwhile: another worker may have what this one lacks (room on a
disk), and other jobs of its kind may need none of it. So nobody waits with it in hand; and whoever
said that it waits would never hear that another has done it. What was not heard of for a while is
therefore no longer told.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from runtime.edge.backoff import LONGEST_S, Backoff
from runtime.status import Status

FIRST_S = 1.0
LAPSE_S = 30.0
"""After the time for which it was put off. Longer than most jobs take until they fail again."""


@dataclass(frozen=True, slots=True)
class _Job:
    kind: str
    delay_s: float
    until: float


class Stuck:
    """The jobs of one worker that are tried again and again. Said as what lanes wait for is: in the
    log once and then each minute, by kind, and in /ready once it lasts a second."""

    def __init__(
        self, status: Status, stopping: asyncio.Event, *, lapse_s: float = LAPSE_S
    ) -> None:
        self._status = status
        self._stopping = stopping
        self._lapse_s = lapse_s
        self._jobs: dict[int, _Job] = {}
        self._told: dict[str, Backoff] = {}

    def failed(self, kind: str, jobs: Sequence[int], error: Exception) -> float:
        """Put jobs off that failed together: longer than last time. Gives the seconds."""
        if kind not in self._told:
            self._told[kind] = Backoff(f"jobs: {kind}", self._stopping, self._status.waits)
        self._told[kind].tell(error)
        before = [self._jobs[job].delay_s for job in jobs if job in self._jobs]
        delay_s = min(max(before) * 2, LONGEST_S) if before else FIRST_S
        until = time.monotonic() + delay_s + self._lapse_s
        self._jobs |= dict.fromkeys(jobs, _Job(kind, delay_s, until))
        return delay_s * random.uniform(0.8, 1.2)  # noqa: S311

    def over(self, *jobs: int) -> None:
        """They went on; or another worker has them."""
        for job in jobs:
            if (known := self._jobs.pop(job, None)) is not None:
                self._told_over(known.kind)

    def lapse(self) -> None:
        """Forget what was not heard of for so long: another has done it, or is at it."""
        now = time.monotonic()
        self.over(*[job for job, one in self._jobs.items() if one.until < now])

    def _told_over(self, kind: str) -> None:
        if all(one.kind != kind for one in self._jobs.values()):
            self._told[kind].over()
