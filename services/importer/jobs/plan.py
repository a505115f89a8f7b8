"""Job `plan`: reads a workbook, plans every row, and previews (or, in mode import, goes on).

It is taken up once everything is known that was answered before the upload (its barrier). Rows
are planned in chunks, each in a step of its own, so that memory does not grow with the file. A
worker that dies leaves rows behind that the next one plans anew: nothing has been sent yet.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

from runtime.jobs import StepTx, Work
from schemas.imports import (
    MAX_DIFFERENCES,
    Column,
    Difference,
    ImportPreviewed,
    MappedField,
    Problem,
)
from services.importer.child import ChildLimits, Unread
from services.importer.domain import differences as difference
from services.importer.domain.columns import Layout, Unclear
from services.importer.domain.fields import JOINED
from services.importer.domain.messages import Tongue, not_a_workbook
from services.importer.events import event, failed
from services.importer.handlers.uploads import EXPIRE, appoint, carry_out, end
from services.importer.jobs.rows import plan_rows
from services.importer.store import differences, plans, registry, uploads
from services.importer.store.registry import Environment
from services.importer.store.uploads import Upload

MOST_PROBLEMS: Final = 200


def refusal(environment: Environment | None) -> str | None:
    """Why nothing may be imported into an environment; None where it may."""
    if environment is None:
        return "environment_unknown"
    if not environment.gdpr_accepted:
        return "gdpr_not_accepted"
    return None if environment.import_enabled else "not_enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """Plans jobs within these bounds."""

    limits: ChildLimits
    expiry_s: float
    window: int

    async def run(self, work: Work) -> None:
        async with work.step() as tx:
            upload = await locked(work, tx)
            environment = await registry.environment(tx, upload.environment)
            reason = refusal(environment)
            if upload.status != "received":
                tx.done()
            elif environment is None or reason is not None:
                await fail(tx, upload, reason or "environment_unknown", value=upload.environment)
        if work.ended or environment is None:
            return
        tongue = environment.language
        try:
            layout = await plan_rows(work, upload, environment, self.limits, self.window)
        except Unread as unread:
            async with work.step() as tx:
                await fail_unread(tx, await locked(work, tx), unread, tongue, self.limits)
            return
        async with work.step() as tx:
            upload = await locked(work, tx)
            if upload.ended:
                tx.done()
            elif isinstance(layout, Unclear):
                await fail_unclear(tx, upload, layout)
            else:
                await self._finish(tx, upload, layout)

    async def _finish(self, tx: StepTx, upload: Upload, layout: Layout) -> None:
        """Preview; or go on at once, where that was asked for or confirmed beforehand."""
        if upload.mode == "preview":
            expires_at = tx.now + timedelta(seconds=self.expiry_s)
            said = event(upload, await previewed(tx, upload, layout, expires_at), at=tx.now)
            tx.answer(await uploads.say(tx, upload, said, at_part=upload.parts))
            await appoint(tx, EXPIRE, f"{upload.ref}/previewed", upload, expires_at)
        goes_on = upload.mode == "import" or upload.confirmed_by is not None
        await uploads.become(tx, upload, "running" if goes_on else "previewed")
        if goes_on:
            await carry_out(tx, upload, barrier=False, warnings=told_at_the_end(upload, layout))
        tx.done()

    async def poisoned(self, work: Work, tx: StepTx) -> None:
        """Our own code failed on this workbook again and again: say so."""
        upload = await locked(work, tx)
        if not upload.ended:
            await fail(tx, upload, "not_processed")


def told_at_the_end(upload: Upload, layout: Layout) -> list[dict[str, object]]:
    """What import.completed warns of: what is left to do, and what no preview told of the sheet."""
    unsaid = () if upload.mode == "preview" else layout.warnings
    return [asdict(one) for one in (*layout.to_do, *unsaid)]


async def locked(work: Work, tx: StepTx) -> Upload:
    """The job's upload, its row locked for the step."""
    job = work.job.payload
    upload = await uploads.lock(tx, job["environment"], job["job_id"])
    assert upload is not None, "a job is recorded with its upload"
    return upload


async def fail(
    tx: StepTx,
    upload: Upload,
    reason: str,
    *,
    message: str = "",
    value: object = None,
) -> None:
    """End the job with import.failed."""
    why = failed(upload, reason, at=tx.now, message=message, value=value)
    tx.answer(await end(tx, upload, "failed", why, at_part=upload.parts))
    tx.done()


async def fail_unclear(tx: StepTx, upload: Upload, unclear: Unclear) -> None:
    why = failed(
        upload,
        unclear.reason,
        at=tx.now,
        message=unclear.message,
        choices=unclear.choices,
        field=_wire_field(unclear.field),
    )
    tx.answer(await end(tx, upload, "failed", why, at_part=upload.parts))
    tx.done()


async def fail_unread(
    tx: StepTx, upload: Upload, unread: Unread, tongue: Tongue, limits: ChildLimits
) -> None:
    if upload.ended:
        tx.done()
        return
    message = not_a_workbook(unread.kind, tongue) if unread.reason == "not_a_workbook" else ""
    await fail(tx, upload, unread.reason, message=message, value=limits.max_rows)


async def previewed(
    tx: StepTx, upload: Upload, layout: Layout, expires_at: object
) -> ImportPreviewed:
    """What the planned rows come to."""
    verdicts = await plans.verdicts(tx, upload)
    count, problems, warnings = await plans.problems(tx, upload, MOST_PROBLEMS)
    rows = sum(verdicts.values())
    headers: dict[str, str] = {c.field: c.header for c in layout.columns if c.field}
    changing = await differences.changing(tx, upload, MAX_DIFFERENCES)
    told = difference.differences(changing, headers, upload.language, most=MAX_DIFFERENCES)
    return ImportPreviewed.model_validate(
        {
            "job_id": upload.job_id,
            "environment": upload.environment,
            "columns": tuple(
                Column(header=c.header, field=_wire_field(c.field), samples=c.samples)
                for c in layout.columns
            ),
            "rows": rows,
            "valid": rows - verdicts.get("refused", 0),
            "creates": verdicts.get("create", 0),
            "changes": verdicts.get("change", 0),
            "unchanged": verdicts.get("unchanged", 0),
            "problems": tuple(problem(p) for p in problems),
            "problem_count": count,
            "warnings": tuple(
                problem(w) for w in (*map(asdict, (*layout.advice, *layout.warnings)), *warnings)
            ),
            "differences": tuple(Difference.model_validate(asdict(d)) for d in told),
            "expires_at": expires_at,
        }
    )


def _wire_field(field: str | None) -> MappedField | None:
    return JOINED.get(field, field)  # type: ignore[call-overload, no-any-return]


def problem(found: dict[str, object]) -> Problem:
    return Problem.model_validate(
        {
            "row": found["row"],
            "column": found["column"] or None,
            "value": found["value"] or None,
            "message": found["message"],
        }
    )
