"""Slow work as rows: an import, a run, a mail.

A batch only records a job and commits its offset. Any worker of the group claims it by a lease
that is committed at once; each step is one transaction, fenced by the lease, that writes its
answers with it as unpublished; they are published, then unmarked. A worker that dies leaves a
lease that runs out and answers that another finds. docs/decisions/ says why this is plain SQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

import asyncpg
import structlog

from runtime.answers import Answer
from runtime.bell import Bell
from runtime.bundle import Bundle, BundleTx
from runtime.clearing import DONE_DAYS, Clearing
from runtime.database import Database
from runtime.edge.backoff import Backoff, pause
from runtime.edge.guard import Guard
from runtime.faults import LeaseLost, Stopping, StoreWentBack, describe, has_itself_to_blame
from runtime.leases import Leases, lost
from runtime.metrics import JOBS
from runtime.slots import POLL_S, Slots
from runtime.state import Publishes, States, Touched
from runtime.status import Status
from runtime.stuck import Stuck
from runtime.transaction import sql
from runtime.work import AnsweringTx, Job, JobKind, StepTx, Work

__all__ = ["AnsweringTx", "Bundle", "BundleTx", "Job", "JobKind", "JobRunner", "StepTx", "Work"]

log = structlog.get_logger()

TRIES = 3
RECOVER_AFTER_S = 5.0


class NoStep(Exception):
    """A job's code returned without a step: called again at once it would spin."""


class JobRunner:
    """Claims and runs the jobs of one worker."""

    def __init__(
        self,
        *,
        kinds: Iterable[JobKind],
        database: Database,
        publisher: Publishes,
        states: States,
        guard: Guard,
        status: Status,
        stopping: asyncio.Event,
        wake: asyncio.Event,
        done_days: float = DONE_DAYS,
    ) -> None:
        self.kinds = tuple(kinds)
        self.database = database
        self.wake = wake
        self.clearing = Clearing(database, [k.kind for k in self.kinds if k.cleared], done_days)
        self._publisher = publisher
        self._states = states
        self.guard = guard
        self._status = status
        self._stopping = stopping
        self._leases = Leases(database, status, stopping)
        self.stuck = Stuck(status, stopping)
        names = [kind.kind for kind in self.kinds]
        self.committed = Bell()
        """Rings when a lane of this worker has committed, and now and then besides."""
        self._slots = Slots(names, database, status, stopping, wake, self.committed)
        self._hands: dict[str, list[Work]] = {name: [] for name in names}
        self._taking = dict.fromkeys(self._hands, 0)

    async def run(self) -> None:
        """Work until told to stop. Raises nothing."""
        tasks = [
            asyncio.create_task(self._slot(kind), name=f"job-{kind.kind}-{n}")
            for kind in self.kinds
            for n in range(kind.side_by_side)
        ]
        if not tasks:
            return
        clearing = self.clearing.run(self._status, self._stopping)
        tasks += [
            asyncio.create_task(each) for each in (self._recover(), self._slots.ring(), clearing)
        ]
        try:
            await self._stopping.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def publish(
        self, answers: Sequence[Answer], touched: Touched, ids: Sequence[int]
    ) -> None:
        """Publish what a step left, then forget that it was unpublished."""
        await self._states.publish(touched, self._publisher)  # first: see lane.py
        await self._publisher.publish(answers)
        if ids:
            async with self.database.connection() as connection:
                await connection.execute(sql.published, ids)

    # -- one slot ------------------------------------------------------------------------------

    async def _slot(self, kind: JobKind) -> None:
        backoff = Backoff(f"job {kind.kind}", self._stopping, self._status.waits)
        while not self._stopping.is_set():
            try:
                if self._status.went_back is not None:
                    await pause(POLL_S, self._stopping)
                    continue
                works = await self.take(kind)
                backoff.over()
                if works:
                    await self._slots.wake(kind.kind)
                    await self.work_together(works, kind)
                else:
                    await self._slots.wait(kind.kind)
            except (Stopping, asyncio.CancelledError):
                return
            except StoreWentBack as error:
                log.error("stopped", where="jobs", why=str(error))
                self._status.went_back = self._status.went_back or str(error)
            except Exception as error:
                with contextlib.suppress(Stopping):
                    await backoff.pause(error)

    async def claim(self, kind: JobKind) -> Work | None:
        """Take one due job, committed at once so that a crash leaves only a lease to run out.

        Whether the store went back is looked at by each of its steps.
        """
        works = await (
            self._claim_in_turns(kind, 1) if kind.in_turns else self._claim(kind, sql.claim)
        )
        return works[0] if works else None

    async def _claim_in_turns(self, kind: JobKind, most: int) -> list[Work]:
        return await self._claim(kind, sql.claim_in_turns, most)

    async def take(self, kind: JobKind) -> Sequence[Work]:
        """Take what is done together: some of whoever's turn it is, or one where a kind has no
        `together`. None where the worker has as many in hand as it may."""
        if kind.together is None:
            work = await self.claim(kind)
            return () if work is None else (work,)
        hands = self._hands[kind.kind]
        hands[:] = [work for work in hands if not work.ended]
        room = min(kind.at_once, kind.in_hand - len(hands) - self._taking[kind.kind])
        if room < 1:
            return ()
        self._taking[kind.kind] += room
        try:
            works = await self._claim_in_turns(kind, room)
        finally:
            self._taking[kind.kind] -= room
        hands += works
        return works

    async def _claim(self, kind: JobKind, query: str, *more: int) -> list[Work]:
        lease = uuid.uuid4()
        try:
            rows = await self.database.fetch(query, kind.kind, lease, kind.lease_s, *more)
        except asyncpg.UniqueViolationError:
            return []  # another of its serial key was claimed at the same moment
        return [
            Work(
                Job(
                    id=row["id"], kind=row["kind"], ref=row["ref"],
                    payload=json.loads(row["payload"]), attempts=row["attempts"],
                    created_at=row["created_at"],
                ), self, kind, lease,
            )
            for row in sorted(rows, key=lambda row: int(row["id"]))
        ]  # fmt: skip

    async def work_together(self, works: Sequence[Work], kind: JobKind) -> None:
        """Run claimed jobs: several together, and then each that was left open alone."""
        with self.stuck.at_work(works):
            try:
                await self._work_together(works, kind)
            except (asyncio.CancelledError, Stopping):
                await self._leases.give_back(works)
                raise

    async def _work_together(self, works: Sequence[Work], kind: JobKind) -> None:
        if len(works) > 1 and kind.together is not None:
            error = await self._guarded(works, kind, kind.together(Bundle(works)))
            if error is not None:
                if not has_itself_to_blame(error):
                    await self._put_off(works, kind, error)
                    return
                log.warning("failed together", kind=kind.kind, cause=describe(error))
        self.stuck.over(work.job.id for work in works if work.ended)
        for work in works:
            if not work.ended:
                await self.work(work, kind)

    async def work(self, work: Work, kind: JobKind) -> None:
        """Run a claimed job until it is done, postponed, failed or lost."""
        error = await self._guarded([work], kind, _until_ended(work, kind))
        if error is None:
            self.stuck.over([work.job.id])
        else:
            await self._failed(work, kind, error)

    async def _guarded(
        self, works: Sequence[Work], kind: JobKind, doing: Coroutine[Any, Any, None]
    ) -> Exception | None:
        """Work while the leases are kept; gives what our code or the surroundings raised."""
        keeper = asyncio.create_task(self._leases.keep(works, asyncio.current_task()))
        try:
            await doing
        except LeaseLost:
            lost(works)
        except (asyncio.CancelledError, Stopping):
            task = asyncio.current_task()
            if keeper.done() and not self._stopping.is_set() and task is not None:
                task.uncancel()
                lost(works)  # cancelled by their keeper
                return None
            await self._leases.give_back(works)
            raise
        except StoreWentBack:
            raise
        except Exception as error:
            return error
        else:
            JOBS.labels(kind.kind, "step").inc(sum(work.ended for work in works))
        finally:
            keeper.cancel()
        return None

    async def _put_off(self, works: Sequence[Work], kind: JobKind, error: Exception) -> None:
        """Give jobs back that a fault of the surroundings stopped; for longer each time."""
        left, delay_s = self.stuck.failed(kind.kind, works, error)
        if not left:  # what a step had still to tell is published by whoever finds it
            log.warning("failed when it was done", kind=kind.kind, cause=describe(error))
        await self._leases.release(left, delay_s, 0)

    async def _failed(self, work: Work, kind: JobKind, error: Exception) -> None:
        if not has_itself_to_blame(error):
            await self._put_off([work], kind, error)
            return
        self.stuck.over([work.job.id])
        log.warning("job failed", kind=kind.kind, job=work.job.id, cause=describe(error))
        if work.job.attempts + 1 < TRIES:
            await self._leases.release([work], 1.0, 1)
            return
        JOBS.labels(kind.kind, "failed").inc()
        log.error("job given up", kind=kind.kind, job=work.job.id, ref=work.job.ref)
        work.failed = True
        try:
            async with work.step() as tx:
                if kind.on_poison is not None:
                    await kind.on_poison(work, tx)
        except Exception as second:
            if not has_itself_to_blame(second):
                raise
            async with work.step():  # its failure can't be told; it still ends
                log.error("a failed job can't be answered", job=work.job.id, cause=describe(second))

    # -- waiting and recovering ----------------------------------------------------------------

    async def _recover(self) -> None:
        """At start and on a tick: publish what a dead worker left unpublished."""

        async def look() -> None:
            if self._status.went_back is None:
                await self.recover()
            await self.stuck.forget_what_others_have(self.database)

        backoff = Backoff("unpublished answers", self._stopping, self._status.waits)
        await backoff.again_and_again(look, RECOVER_AFTER_S)

    async def recover(self, older_than_s: float = RECOVER_AFTER_S) -> int:
        """Publish unpublished answers older than that, in order; returns how many."""
        total = 0
        while rows := await self.database.fetch(sql.unpublished, older_than_s):
            answers = [
                Answer(r["topic"], r["key"], r["ce_id"], r["ce_type"], r["ce_time"], r["value"])
                for r in rows
                if r["topic"] is not None
            ]
            touched: Touched = {
                (r["state_kind"], tuple(json.loads(r["state_key"]))): None
                for r in rows
                if r["state_kind"] is not None
            }
            await self.publish(answers, touched, [r["id"] for r in rows])
            total += len(rows)
        return total


async def _until_ended(work: Work, kind: JobKind) -> None:
    while not work.ended:
        before = work.steps
        await kind.run(work)
        if work.steps == before:
            raise NoStep(f"a job of kind {kind.kind} returned without a step")
