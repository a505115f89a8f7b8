"""Job `import`: sends what was planned, follows the outcomes, reports progress, and counts.

A command that depends on another is sent once that one was applied; one without an outcome is
sent again after a while, with the same id and the same bytes. No more than a window of commands
is under way at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from runtime.jobs import StepTx, Work
from schemas.imports import ImportCompleted, ImportProgressed
from services.importer.child import ChildLimits, Unread
from services.importer.domain.columns import Layout
from services.importer.domain.messages import of_failure, of_row
from services.importer.events import command, event, failed
from services.importer.handlers.uploads import end, payload
from services.importer.jobs.forget import Forgetting
from services.importer.jobs.plan import fail_unread, locked, problem
from services.importer.jobs.rows import plan_rows
from services.importer.store import imports, plans, registry, uploads
from services.importer.store.registry import Environment
from services.importer.store.uploads import Upload

REPORT: Final = "report"
PAUSE_S: Final = 0.02
STEPS: Final = 20
"""Steps in a row before another job of this kind may have its turn."""

LAST_ROW: Final = 1_048_577


@dataclass(slots=True, kw_only=True)
class Course:
    """How far a job's turn has come: no row before `from_row` has a command that was not sent."""

    from_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryingOut:
    """Carries out planned jobs within these bounds."""

    limits: ChildLimits
    window: int
    resend_s: float
    forgetting: Forgetting
    settle_s: float = 10

    async def run(self, work: Work) -> None:
        if not work.job.payload.get("begun") and not await self._begin(work):
            return
        course = Course(from_row=int(work.job.payload.get("from_row", 0)))
        for _ in range(STEPS):
            async with work.step() as tx:
                busy = await self._step(work, tx, course)
            if work.ended:
                return
            if not busy:
                await asyncio.sleep(PAUSE_S)
        async with work.step() as tx:
            tx.later(0)

    # --- before the first command -------------------------------------------------------------

    async def _begin(self, work: Work) -> bool:
        """Look once more at what was planned, where the registry changed since the preview."""
        async with work.step() as tx:
            upload = await locked(work, tx)
            environment = await registry.environment(tx, upload.environment)
            if upload.status != "running" or environment is None:
                tx.done()
                return False
            stale = environment.changes != upload.planned_at_change
        if stale and not await self._plan_again(work, upload, environment):
            return False
        async with work.step() as tx:
            tx.save({**work.job.payload, "begun": True})
        return True

    async def _plan_again(self, work: Work, upload: Upload, environment: Environment) -> bool:
        try:
            layout = await plan_rows(work, upload, environment, self.limits)
        except Unread as unread:
            async with work.step() as tx:
                again = await locked(work, tx)
                await fail_unread(tx, again, unread, environment.language, self.limits)
            return False
        # What could be laid out once can be again: the bytes are the same.
        assert isinstance(layout, Layout)
        return True

    # --- commands and outcomes ----------------------------------------------------------------

    async def _step(self, work: Work, tx: StepTx, course: Course) -> bool:
        """Send what may be sent. True where there was anything to do."""
        upload = await locked(work, tx)
        if upload.stop_asked:
            await imports.drop_unsent(tx, upload, of_failure("cancelled", upload.language))
        in_flight = await imports.in_flight(tx, upload)
        room = self.window - in_flight
        waiting = await self._waiting(tx, upload, course) if room > 0 else []
        if not waiting and in_flight == 0:
            return await self._settle(work, tx, upload)
        doomed = [
            (w, of_row("depends", upload.language, other=w.builds_on))
            for w in waiting
            if w.outcome == "refused"
        ]
        await imports.refuse(tx, upload, doomed)
        ready = [w for w in waiting if w.builds_on is None or w.outcome == "applied"]
        sent = await imports.send(tx, upload, ready[: max(0, room)], tx.now)
        before = tx.now - timedelta(seconds=self.resend_s)
        sent += await imports.send_again(tx, upload, self.window, before, tx.now)
        tx.answer(*(command(upload, s) for s in sent))
        await self._progress(work, tx, upload, course.from_row)
        return bool(sent or doomed)

    async def _waiting(self, tx: StepTx, upload: Upload, course: Course) -> list[imports.Waiting]:
        """What was not sent yet; some of it waits for what is under way."""
        most = 2 * self.window
        waiting = await imports.waiting(tx, upload, from_row=course.from_row, most=most)
        course.from_row = waiting[0].row if waiting else LAST_ROW
        return waiting

    async def _progress(self, work: Work, tx: StepTx, upload: Upload, open_from: int) -> None:
        """At least every second while there is something to do."""
        last = work.job.payload.get("progress_at")
        if last and tx.now - datetime.fromisoformat(last) < timedelta(seconds=0.8):
            return
        done = await imports.done(tx, upload, open_from)
        said = ImportProgressed(
            job_id=upload.job_id, environment=upload.environment, done=done, rows=upload.rows
        )
        at = tx.now.astimezone(UTC)
        tx.answer(event(upload, said, at=at, mark=str(int(at.timestamp() * 1000))))
        tx.save({**work.job.payload, "progress_at": at.isoformat(), "from_row": open_from})

    # --- the end ------------------------------------------------------------------------------

    async def _settle(self, work: Work, tx: StepTx, upload: Upload) -> bool:
        """Everything has its outcome. Who uploads again is to find what was just made, so wait
        (not for ever) until registry.state has told of it."""
        since = work.job.payload.get("settling_at")
        if await imports.unheard(tx, upload):
            if since is None:
                tx.save({**work.job.payload, "settling_at": tx.now.isoformat()})
                return False
            if tx.now - datetime.fromisoformat(since) < timedelta(seconds=self.settle_s):
                return False
        counts = await imports.totals(tx, upload)
        differs = counts.pop("differs")
        await uploads.note_counts(tx, upload, **counts)
        if upload.stop_asked:
            done = counts["created"] + counts["changed"] + counts["unchanged"]
            message = of_failure("stopped", upload.language, done=done, rows=upload.rows)
            said = failed(upload, "cancelled", at=tx.now, message=message)
        else:
            completed = ImportCompleted(
                job_id=upload.job_id,
                environment=upload.environment,
                created=counts["created"],
                changed=counts["changed"],
                unchanged=counts["unchanged"],
                refused=counts["refused"],
                differs=differs or None,
                warnings=tuple(problem(w) for w in work.job.payload.get("warnings", ())) or None,
            )
            said = event(upload, completed, at=tx.now)
        tx.answer(await uploads.say(tx, upload, said, at_part=upload.parts))
        await uploads.become(tx, upload, "cancelled" if upload.stop_asked else "completed")
        await plans.forget_book(tx, upload)
        await tx.add_job(REPORT, upload.ref, payload(upload))
        tx.done()
        return True

    async def poisoned(self, work: Work, tx: StepTx) -> None:
        """Our own code failed again and again: what was sent stands, the rest does not go out."""
        upload = await locked(work, tx)
        if not upload.ended:
            why = failed(upload, "not_processed", at=tx.now)
            tx.answer(await end(tx, upload, "failed", why, at_part=upload.parts))
            await self.forgetting.plan(tx, upload)
