"""Jobs that a fault of the surroundings keeps from going on: when each is tried again, and how an
operator hears of it.

The job itself is given back meanwhile: another worker may have what this one lacks (room on a
disk), and other jobs of its kind may need none of it. So the worker serves on, and is ready; what
it could not do is told beside that. Whose job another worker has done, or is at, tells it no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runtime.database import Database
from runtime.edge.backoff import Backoff
from runtime.metrics import STUCK
from runtime.status import Status
from runtime.transaction import sql
from runtime.work import Work

FIRST_S, LONGEST_S = 1.0, 5.0
SAID = 5
"""Jobs that a line of the log names at most."""


@dataclass(frozen=True, slots=True)
class _Job:
    kind: str
    delay_s: float


class Stuck:
    """The jobs of one worker that are tried again and again. Said in the log once and then each
    minute, by kind; in the body of /ready once it lasts a second; and as a figure."""

    def __init__(self, status: Status, stopping: asyncio.Event) -> None:
        self._status = status
        self._stopping = stopping
        self._jobs: dict[int, _Job] = {}
        self._told: dict[str, Backoff] = {}
        self._in_hand: set[int] = set()

    @property
    def jobs(self) -> Sequence[int]:
        """Their ids."""
        return tuple(self._jobs)

    @contextlib.contextmanager
    def at_work(self, works: Iterable[Work]) -> Iterator[None]:
        """This worker has these in hand."""
        ids = {work.job.id for work in works}
        self._in_hand |= ids
        try:
            yield
        finally:
            self._in_hand -= ids

    def failed(
        self, kind: str, works: Sequence[Work], error: Exception
    ) -> tuple[Sequence[Work], float]:
        """Put off what failed together, but for what had ended before: which, and how many seconds,
        which are more than last time."""
        self.over(work.job.id for work in works if work.ended)
        left = [work for work in works if not work.ended]
        return left, self.put_off(kind, [work.job.id for work in left], error) if left else 0.0

    def put_off(self, kind: str, jobs: Sequence[int], error: Exception) -> float:
        """The same of jobs by their ids, which have not ended; gives the seconds."""
        if kind not in self._told:
            self._told[kind] = Backoff(f"jobs: {kind}", self._stopping, self._status.stuck)
        self._told[kind].tell(error, jobs=list(jobs[:SAID]))
        before = [self._jobs[job].delay_s for job in jobs if job in self._jobs]
        delay_s = min(max(before) * 2, LONGEST_S) if before else FIRST_S
        self._jobs |= dict.fromkeys(jobs, _Job(kind, delay_s))
        self._count(kind)
        return delay_s * random.uniform(0.8, 1.2)  # noqa: S311

    def over(self, jobs: Iterable[int]) -> None:
        """They went on; or another worker has them."""
        for job in jobs:
            if (known := self._jobs.pop(job, None)) is not None and not self._count(known.kind):
                self._told[known.kind].over()

    async def forget_what_others_have(self, database: Database) -> None:
        """Those that another worker has done, or is at. Raises what asyncpg raises."""
        ids = self._jobs.keys() - self._in_hand
        if ids:
            rows = await database.fetch(sql.held_by_nobody, list(ids))
            self.over(ids.difference(row["id"] for row in rows) - self._in_hand)

    def _count(self, kind: str) -> int:
        number = sum(one.kind == kind for one in self._jobs.values())
        STUCK.labels(kind).set(number)
        return number
