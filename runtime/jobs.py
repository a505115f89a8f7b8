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
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import structlog

from runtime.answers import Answer
from runtime.bell import Bell
from runtime.clearing import DONE_DAYS, Clearing
from runtime.database import Database
from runtime.edge.backoff import Backoff, pause
from runtime.edge.guard import Guard
from runtime.faults import Fault, LeaseLost, Stopping, StoreWentBack, describe, fault_of
from runtime.metrics import JOBS
from runtime.state import Publishes, States, Touched
from runtime.status import Status
from runtime.transaction import sql
from runtime.work import Job, JobKind, StepTx, Work

__all__ = ["Job", "JobKind", "JobRunner", "StepTx", "Work"]

log = structlog.get_logger()

POLL_S = 0.5
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
        cleared = [kind.kind for kind in self.kinds if kind.cleared]
        self.clearing = Clearing(database, cleared, done_days)
        self._publisher = publisher
        self._states = states
        self.guard = guard
        self._status = status
        self._stopping = stopping
        self._turns = {kind.kind: asyncio.Condition() for kind in self.kinds}
        self.committed = Bell()
        """Rings when a lane of this worker has committed, and now and then besides."""

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
        tasks += [asyncio.create_task(each) for each in (self._recover(), self._ring(), clearing)]
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
        await self._publisher.publish(answers)
        await self._states.publish(touched, self._publisher)
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
                work = await self.claim(kind)
                backoff.over()
                if work is None:
                    await self._wait_for_work(kind)
                else:
                    await self.work(work, kind)
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
        lease = uuid.uuid4()
        async with self.database.connection() as connection:
            try:
                query = sql.claim_in_turns if kind.in_turns else sql.claim
                row = await connection.fetchrow(query, kind.kind, lease, kind.lease_s)
            except asyncpg.UniqueViolationError:
                return None  # another of its serial key was claimed at the same moment
        if row is None:
            return None
        job = Job(
            id=row["id"], kind=row["kind"], ref=row["ref"], payload=json.loads(row["payload"]),
            attempts=row["attempts"], created_at=row["created_at"],
        )  # fmt: skip
        return Work(job, self, kind, lease)

    async def work(self, work: Work, kind: JobKind) -> None:
        """Run a claimed job until it is done, postponed, failed or lost."""
        keeper = asyncio.create_task(self._keep(work, kind, asyncio.current_task()))
        try:
            while not work.ended:
                await _run_once(work, kind)
        except LeaseLost:
            log.info("job taken over by another worker", kind=kind.kind, job=work.job.id)
        except (asyncio.CancelledError, Stopping):
            task = asyncio.current_task()
            if keeper.done() and not self._stopping.is_set() and task is not None:
                task.uncancel()
                log.info("job taken over by another worker", kind=kind.kind, job=work.job.id)
                return  # cancelled by its keeper
            await self._give_back(work)
            raise
        except StoreWentBack:
            raise
        except Exception as error:
            await self._failed(work, kind, error)
        else:
            JOBS.labels(kind.kind, "step").inc()
        finally:
            keeper.cancel()

    async def _failed(self, work: Work, kind: JobKind, error: Exception) -> None:
        own = fault_of(error) is Fault.OWN
        log.warning("job failed", kind=kind.kind, job=work.job.id, cause=describe(error), own=own)
        if not own:
            await self._release(work, 1.0, 0)
            return
        if work.job.attempts + 1 < TRIES:
            await self._release(work, 1.0, 1)
            return
        JOBS.labels(kind.kind, "failed").inc()
        log.error("job given up", kind=kind.kind, job=work.job.id, ref=work.job.ref)
        work.failed = True
        try:
            async with work.step() as tx:
                if kind.on_poison is not None:
                    await kind.on_poison(work, tx)
        except Exception as second:
            if fault_of(second) is not Fault.OWN or isinstance(second, LeaseLost):
                raise
            async with work.step():  # its failure can't be told; it still ends
                log.error("a failed job can't be answered", job=work.job.id, cause=describe(second))

    async def _release(self, work: Work, delay_s: float, failures: int) -> None:
        """Give a job back after a failure; while PostgreSQL is away, wait for it.

        Its lease may run out meanwhile: then there is nothing to give back.
        """
        backoff = Backoff(f"job {work.job.kind}: giving back", self._stopping, self._status.waits)
        while True:
            try:
                await self.database.execute(sql.release, work.job.id, work.lease, delay_s, failures)
            except Exception as error:
                await backoff.pause(error)
            else:
                backoff.over()
                return

    async def _give_back(self, work: Work) -> None:
        """Release the lease when told to stop, in a task that a second order does not break off."""
        if work.ended:
            return
        release = asyncio.create_task(
            self.database.execute(sql.release, work.job.id, work.lease, 0.0, 0)
        )
        with contextlib.suppress(Exception):
            await asyncio.wait_for(asyncio.shield(release), 2)

    async def _keep(self, work: Work, kind: JobKind, task: asyncio.Task[Any] | None) -> None:
        """Renew the lease while the job works; stop it when the lease is lost."""
        while True:
            await asyncio.sleep(kind.lease_s / 3)
            try:
                async with self.database.connection() as connection:
                    held = await connection.fetchval(
                        sql.renew, work.job.id, work.lease, kind.lease_s
                    )
            except Exception as error:
                log.info("lease not renewed", job=work.job.id, cause=describe(error))
                continue
            # While a step is made its own fence tells; and it may just have ended the job.
            if held is None and not (work.ended or work.in_step) and task is not None:
                task.cancel()
                return

    # -- waiting and recovering ----------------------------------------------------------------

    async def _wait_for_work(self, kind: JobKind) -> None:
        turn = self._turns[kind.kind]
        async with turn:
            await turn.wait()

    async def _ring(self) -> None:
        """Look for work on a tick, and when a lane's commit may have made some; wake its slots.

        One look for all kinds: batch after batch is committed while tills sell, and slots that
        each looked for themselves took a tenth of the invoicer's time then.
        """
        backoff = Backoff("looking for jobs", self._stopping, self._status.waits)
        while True:
            # Not wait_for: on 3.11 its task, when cancelled, waits for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self.wake.wait()
            self.committed.ring()
            await asyncio.sleep(0.01)  # many batches, one look
            self.committed.ring()
            self.wake.clear()
            try:
                rows = await self.database.fetch(sql.kinds_due, list(self._turns))
                backoff.over()
            except Exception as error:
                try:
                    await backoff.pause(error)
                except Stopping:
                    return
                continue
            for row in rows:
                turn = self._turns[row["kind"]]
                async with turn:
                    turn.notify_all()

    async def _recover(self) -> None:
        """At start and on a tick: publish what a dead worker left unpublished."""
        backoff = Backoff("unpublished answers", self._stopping, self._status.waits)
        while True:
            try:
                if self._status.went_back is None:
                    await self.recover()
                backoff.over()
                await asyncio.sleep(RECOVER_AFTER_S)
            except Stopping:
                return
            except Exception as error:
                with contextlib.suppress(Stopping):
                    await backoff.pause(error)

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


async def _run_once(work: Work, kind: JobKind) -> None:
    before = work.steps
    await kind.run(work)
    if work.steps == before:
        raise NoStep(f"a job of kind {kind.kind} returned without a step")
