"""Job `import`: sends what was planned, follows the outcomes, reports progress, and counts.

Commands are sent in bundles. One that depends on another bundle is sent once that has its outcome;
one without an outcome is sent again after a while, with the same id and the same bytes. No more
than a window of commands is under way at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from runtime.bell import Bell, within
from runtime.jobs import StepTx, Work
from schemas.imports import ImportCompleted, ImportProgressed
from services.importer.child import ChildLimits, Unread
from services.importer.domain.columns import Layout
from services.importer.domain.messages import Tongue, of_failure, of_row
from services.importer.events import applying, event, failed
from services.importer.handlers.uploads import FORGET, REPORT, end, payload
from services.importer.jobs.forget import Forgetting
from services.importer.jobs.plan import (
    fail,
    fail_unclear,
    fail_unread,
    locked,
    problem,
    refusal,
    told_at_the_end,
)
from services.importer.jobs.rows import plan_rows
from services.importer.store import imports, plans, registry, uploads
from services.importer.store.imports import Needed, Waiting
from services.importer.store.registry import Environment
from services.importer.store.uploads import Upload

PAUSE_S: Final = 0.05
REST_S: Final = 0.25
"""The longest wait for outcomes where this worker hears them itself; where another one does, they
are looked for after each pause."""

STEPS: Final = 20
TURN_S: Final = 1.0
"""Steps in a row, and seconds, before another job of this kind may have its turn."""

AT_ONCE: Final = 10
"""Bundles that are looked at in one step."""

FOLLOWS, COUNTS = 1, 2
"""How a job that was given up is ended (`given_up` in its payload): nothing more is sent, and what
is under way is followed; where our own code fails in that too, what is known by now is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a step came to: bundles that were sent, and whether outcomes are waited for."""

    sent: int = 0
    waits: bool = False

    @property
    def more(self) -> bool:
        """Whether there may be more to be sent now."""
        return self.sent == AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryingOut:
    """Carries out planned jobs within these bounds. `outcomes` rings when some were heard, a moment
    before that is committed."""

    limits: ChildLimits
    window: int
    resend_s: float
    forgetting: Forgetting
    outcomes: Bell
    settle_s: float = 10

    async def run(self, work: Work) -> None:
        if work.job.payload.get("given_up") == COUNTS:
            async with work.step() as tx:
                upload = await locked(work, tx)
                await _drop_unsent(work, tx, upload)
                await self._tell(work, tx, upload)
            return
        if not work.job.payload.get("begun") and not await self._begin(work):
            return
        clock = asyncio.get_running_loop().time
        turn_ends = clock() + TURN_S
        rung, rest_s = False, PAUSE_S
        for _ in range(STEPS):
            heard = self.outcomes.next()
            async with work.step() as tx:
                found = await self._step(work, tx)
            if work.ended:
                return
            if found.sent:
                rest_s = REST_S if rung else PAUSE_S
            if not found.more and (rung := await within(rest_s if found.waits else PAUSE_S, heard)):
                await work.stirred(PAUSE_S)
            if clock() > turn_ends:
                break
        async with work.step() as tx:
            tx.later(0)

    # --- before the first command -------------------------------------------------------------

    async def _begin(self, work: Work) -> bool:
        """Look once more at what was planned, where the registry changed since the preview: also at
        whether imports are still allowed."""
        async with work.step() as tx:
            upload = await locked(work, tx)
            environment = await registry.environment(tx, upload.environment)
            if upload.status != "running" or environment is None:
                tx.done()
                return False
            if (reason := refusal(environment)) is not None:
                await fail(tx, upload, reason)
                await tx.add_job(FORGET, upload.ref, payload(upload))
                return False
            stale = environment.changes != upload.planned_at_change
        anew: dict[str, object] = {}
        if stale:
            if (layout := await self._plan_again(work, upload, environment)) is None:
                return False
            anew = {"warnings": told_at_the_end(upload, layout)}
        async with work.step() as tx:
            tx.save({**work.job.payload, **anew, "begun": True})
        return True

    async def _plan_again(
        self, work: Work, upload: Upload, environment: Environment
    ) -> Layout | None:
        try:
            layout = await plan_rows(work, upload, environment, self.limits, self.window)
        except Unread as unread:
            async with work.step() as tx:
                again = await locked(work, tx)
                await fail_unread(tx, again, unread, environment.language, self.limits)
                await tx.add_job(FORGET, upload.ref, payload(upload))
            return None
        if isinstance(layout, Layout):
            return layout
        # The bytes are the same, but a newer version of this code may know more of columns.
        async with work.step() as tx:
            again = await locked(work, tx)
            await fail_unclear(tx, again, layout)
            await tx.add_job(FORGET, upload.ref, payload(upload))
        return None

    # --- commands and outcomes ----------------------------------------------------------------

    async def _step(self, work: Work, tx: StepTx) -> Found:
        """Send what may be sent."""
        upload = await locked(work, tx)
        await _drop_unsent(work, tx, upload)
        before = tx.now - timedelta(seconds=self.resend_s)
        in_flight, late = await imports.under_way(tx, upload, late=before, most=AT_ONCE)
        waiting: list[Waiting] = []
        if in_flight < self.window:
            waiting = await imports.waiting(tx, upload, most=AT_ONCE)
        if not waiting and in_flight == 0:
            await self._settle(work, tx, upload)
            return Found()
        again = await imports.send_again(tx, upload, late, tx.now)
        needed = await imports.needed(tx, upload, waiting)
        ready = []
        for bundle in waiting:
            if not all(needed[number].ended for _, number, _ in bundle.needs):
                continue
            if in_flight and in_flight + len(bundle.rows) > self.window:
                break
            refuse_what_builds_on_refused(bundle, needed, upload.language)
            ready.append(bundle)
            in_flight += len(bundle.rows) - len(bundle.results)
        await imports.send(tx, upload, ready, tx.now)
        sent = [b for b in (*again, *ready) if len(b.results) < len(b.rows)]
        tx.answer(*(applying(upload, b) for b in sent))
        if ready:  # while others are busy, and not all of it at the end
            await imports.hear(tx, upload)
        if "given_up" not in work.job.payload:
            await self._progress(work, tx, upload)
        return Found(sent=len(ready), waits=True)

    async def _progress(self, work: Work, tx: StepTx, upload: Upload) -> None:
        """At least every second while there is something to do."""
        last = work.job.payload.get("progress_at")
        if last and tx.now - datetime.fromisoformat(last) < timedelta(seconds=0.8):
            return
        # What was counted is not counted again: bundles end for good.
        since, before = work.job.payload.get("done", (0, 0))
        until, more = await imports.done(tx, upload, since=since)
        done = before + more
        said = ImportProgressed(
            job_id=upload.job_id, environment=upload.environment, done=done, rows=upload.rows
        )
        at = tx.now.astimezone(UTC)
        tx.answer(event(upload, said, at=at, mark=str(int(at.timestamp() * 1000))))
        tx.save({**work.job.payload, "progress_at": at.isoformat(), "done": (until, done)})

    # --- the end ------------------------------------------------------------------------------

    async def _settle(self, work: Work, tx: StepTx, upload: Upload) -> None:
        """Everything has its outcome. Who uploads again is to find what was just made, so wait
        (not for ever) until registry.state has told of it."""
        since = work.job.payload.get("settling_at")
        if await imports.unheard(tx, upload):
            if since is None:
                tx.save({**work.job.payload, "settling_at": tx.now.isoformat()})
                return
            if tx.now - datetime.fromisoformat(since) < timedelta(seconds=self.settle_s):
                return
        await self._tell(work, tx, upload)

    async def _tell(self, work: Work, tx: StepTx, upload: Upload) -> None:
        """How it ended, with the counts as they stand."""
        counts = await imports.totals(tx, upload)
        differs = counts.pop("differs")
        await uploads.note_counts(tx, upload, **counts)
        given_up = "given_up" in work.job.payload
        if upload.stop_asked or given_up:
            status, reason, sentence = (
                ("cancelled", "cancelled", "stopped")
                if upload.stop_asked
                else ("failed", "not_processed", "given_up")
            )
            done = counts["created"] + counts["changed"] + counts["unchanged"]
            message = of_failure(sentence, upload.language, done=done, rows=upload.rows)
            said = failed(upload, reason, at=tx.now, message=message, report=True)
        else:
            status = "completed"
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
        await uploads.become(tx, upload, status)
        await plans.forget_book(tx, upload)
        await tx.add_job(REPORT, upload.ref, payload(upload))
        tx.done()

    async def poisoned(self, work: Work, tx: StepTx) -> None:
        """Our own code failed again and again: what was sent stands, the rest does not go out.
        Where it fails each time in ending it, that is told without counts."""
        upload = await locked(work, tx)
        if upload.ended:
            return
        asked = work.job.payload
        given_up = int(asked.get("given_up", 0)) + 1
        if asked.get("begun") and given_up <= COUNTS:
            tx.save({**asked, "given_up": given_up})
            tx.later(0)
            return
        why = failed(upload, "not_processed", at=tx.now)
        tx.answer(await end(tx, upload, "failed", why, at_part=upload.parts))
        if asked.get("begun"):
            await self.forgetting.plan(tx, upload)
        else:  # nothing was sent that could be taken back
            await tx.add_job(FORGET, upload.ref, payload(upload))


async def _drop_unsent(work: Work, tx: StepTx, upload: Upload) -> None:
    """What was not sent is not carried out, where somebody cancelled the job or it was given up."""
    if upload.stop_asked:
        await imports.drop_unsent(tx, upload, of_failure("cancelled", upload.language))
    elif "given_up" in work.job.payload:
        await imports.drop_unsent(tx, upload, of_row("given_up", upload.language))


def refuse_what_builds_on_refused(
    bundle: Waiting, needed: Mapping[int, Needed], tongue: Tongue
) -> None:
    """Note the steps of a bundle that are not sent, as what they build on was refused.

    Where that is of the same row nothing is said of it: the refused one said why.
    """
    for place, number, there in bundle.needs:
        if needed[number].refused(there):
            other = needed[number].rows[there]
            own = other == bundle.rows[place]
            why = None if own else of_row("depends", tongue, other=other)
            bundle.results[str(place)] = ["refused", why]
    if not bundle.results:
        return
    for step in json.loads(bundle.steps):
        if str(step.get("after", "")) in bundle.results:
            place, other = step["step"], bundle.rows[step["after"]]
            own = other == bundle.rows[place]
            why = None if own else of_row("depends", tongue, other=other)
            bundle.results[str(place)] = ["refused", why]
