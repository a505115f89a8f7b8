"""imports.uploads: workbooks in parts, and what people decide about them.

Takes import.uploaded (in any order, repeated), import.confirmed, import.cancelled and
import.undo. Answers import.failed where a message cannot be followed, and says again what was
said where one is repeated. Changes the upload and its parts; the slow work is left to jobs:
`plan` once all parts are there, `import` once it is confirmed, `expire` for what never comes,
`undo` to take it back.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from runtime.answers import Answer
from runtime.incoming import Incoming, traced
from runtime.transaction import Tx
from schemas.content import digest
from schemas.imports import ImportCancelled, ImportConfirmed, ImportUndo, ImportUploaded
from schemas.malformed import Malformed
from services.importer.domain.messages import Tongue
from services.importer.events import failed, turned_down, undo_given_up
from services.importer.store import plans, registry, undo, uploads
from services.importer.store.uploads import Upload

TAKES = (ImportUploaded, ImportConfirmed, ImportCancelled, ImportUndo)
BARRIER = ("registry.state", "registry.outcomes")
DECIDE = "plan"
DECIDE_LARGE = "plan-large"
SMALL_BYTES = 256 * 1024
CARRY_OUT = "import"
EXPIRE = "expire"
SHARES = 4
"""One environment has at most so great a part of what is kept in all (a file at least): what it
leaves lying, for a day, is to keep none of the others from importing."""
UNDO = "undo-by-portions"
"""A kind that older workers don't know, and leave: they gather all that a job touched at once, and
would take what is half gathered for the whole."""
UNDO_AT_ONCE = "undo"
"""As older workers ask for it."""
REPORT = "report"
FORGET = "forget"


def serial(environment: int) -> str:
    """Jobs of one environment go in order: one sees what the one before it did."""
    return f"environment/{environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """The handler, with its bounds: bytes of one file and of all, seconds until expiry, and for how
    many days an import can be taken back."""

    file_bytes: int
    kept_bytes: int
    expiry_s: float
    undo_days: float

    async def handle(self, batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
        known = {r.message.environment for r in batch if isinstance(r.message, TAKES)}
        tongues = await registry.tongues(tx, known)
        answers: list[Answer] = []
        for record in batch:
            answers += [traced(a, record) for a in await self._handle(record, tongues, tx)]
        return answers

    async def _handle(
        self, record: Incoming, tongues: Mapping[int, Tongue], tx: Tx
    ) -> Sequence[Answer]:
        match record.message:
            case ImportUploaded() as message:
                tongue = tongues.get(message.environment, "en")
                return await self._receive(message, record, tongue, tx)
            case ImportConfirmed() | ImportCancelled() | ImportUndo() as message:
                return await self._decided(message, record, tongues, tx)
            case Malformed() as malformed:
                return [await _malformed(malformed, record, tx)]
        return []

    # --- parts --------------------------------------------------------------------------------

    async def _receive(
        self, message: ImportUploaded, record: Incoming, tongue: Tongue, tx: Tx
    ) -> list[Answer]:
        head = digest(message.model_copy(update={"part": 1, "content": ""}))
        began = await uploads.begin(tx, message, head, record.time, tongue)
        upload = await uploads.lock(tx, message.environment, message.job_id)
        assert upload is not None
        if began:
            uploads.tell(tx, upload)
            after = tx.now + timedelta(seconds=self.expiry_s)
            await appoint(tx, EXPIRE, f"{upload.ref}/received", upload, after)
        content = _decoded(message)
        seen = await uploads.part_digest(tx, upload, message.part)
        mine = sha256(message.content.encode()).digest()
        if upload.head != head or (seen is not None and seen != mine):
            return [await _turn_down(upload, "job_id_reused", message, record, tx)]
        if seen is not None:
            uploads.tell(tx, upload)
            return await uploads.said(tx, upload, at_part=message.part)
        if upload.status != "received":
            await uploads.add_part(tx, upload, message.part, mine, None)
            return []
        reason = await self._too_much(upload, content, tx)
        await uploads.add_part(tx, upload, message.part, mine, None if reason else content)
        if reason:
            most = self.file_bytes // (1024 * 1024)
            value = "content must be base64" if reason == "invalid_message" else most
            why = failed(upload, reason, at=record.time, value=value)
            return [await end(tx, upload, "failed", why, at_part=message.part)]
        if await uploads.arrived(tx, upload) == upload.parts:
            await self._complete(upload, upload.kept_bytes + len(content or b""), tx)
        return []

    async def _too_much(self, upload: Upload, content: bytes | None, tx: Tx) -> str | None:
        if content is None:
            return "invalid_message"
        if upload.kept_bytes + len(content) > self.file_bytes:
            return "too_large"
        of_all, of_one = await uploads.kept(tx, upload.environment)
        share = max(self.file_bytes, self.kept_bytes // SHARES)
        if of_all + len(content) > self.kept_bytes or of_one + len(content) > share:
            return "too_busy"
        return None

    async def _complete(self, upload: Upload, size: int, tx: Tx) -> None:
        """All parts are there. What was answered to commands so far is seen by the plan.

        Large workbooks have workers of their own: however many come, a small one is read at once.
        """
        await tx.add_job(
            DECIDE if size <= SMALL_BYTES else DECIDE_LARGE,
            upload.ref,
            payload(upload),
            serial=serial(upload.environment),
            barrier=tx.ends,
        )

    # --- decisions ----------------------------------------------------------------------------

    async def _decided(
        self,
        message: ImportConfirmed | ImportCancelled | ImportUndo,
        record: Incoming,
        tongues: Mapping[int, Tongue],
        tx: Tx,
    ) -> list[Answer]:
        upload = await uploads.lock(tx, message.environment, message.job_id)
        if upload is None:
            tongue = tongues.get(message.environment, "en")
            return [
                await turned_down(
                    tx, message.environment, message.job_id, "unknown_job", tongue,
                    at=record.time, mark=message.type,
                )
            ]  # fmt: skip
        uploads.tell(tx, upload)
        match message:
            case ImportConfirmed():
                return await self._confirm(upload, message, record, tx)
            case ImportCancelled():
                return await self._cancel(upload, record, tx)
            case ImportUndo():
                return await self._undo(upload, message, record, tx)

    async def _confirm(
        self, upload: Upload, message: ImportConfirmed, record: Incoming, tx: Tx
    ) -> list[Answer]:
        if upload.ended:
            return await uploads.said(tx, upload)
        await uploads.confirm(tx, upload, message.by, record.time)
        if upload.status == "previewed":
            await uploads.become(tx, upload, "running")
            to_do = (upload.layout or {}).get("to_do", ())
            await carry_out(tx, upload, barrier=True, warnings=to_do)
        return []

    async def _cancel(self, upload: Upload, record: Incoming, tx: Tx) -> list[Answer]:
        if upload.ended:
            return await uploads.said(tx, upload)
        if upload.status == "running":
            await uploads.ask_to_stop(tx, upload)
            return []
        # Who cancels because of what is wrong is to find it beside its rows, to mend it.
        report = upload.status == "previewed" and await plans.any_refused(tx, upload)
        why = failed(upload, "cancelled", at=record.time, report=report)
        return [await end(tx, upload, "cancelled", why, at_part=upload.parts, report=report)]

    async def _undo(
        self, upload: Upload, message: ImportUndo, record: Incoming, tx: Tx
    ) -> list[Answer]:
        if upload.status == "undone":
            return await uploads.said(tx, upload, kind="import.undone")
        if upload.undo_at is not None:
            return []  # under way
        # What failed before anything was sent is forgotten at once: not late, but nothing to undo.
        early = record.time <= (upload.confirmed_at or upload.uploaded_at) + timedelta(
            days=self.undo_days
        )
        did_nothing = upload.never_ran or (upload.status == "failed" and early)
        if upload.forgotten and not did_nothing:
            return [await _turn_down(upload, "too_late", message, record, tx, value=self.undo_days)]
        if not upload.ended or not await undo.anything(tx, upload):
            return [await _turn_down(upload, "not_possible", message, record, tx)]
        # By its time: one that was given up is asked for again, and goes on where it was.
        ref, key = f"{upload.ref}/{record.time.timestamp():.3f}", serial(upload.environment)
        if not await tx.add_job(UNDO, ref, payload(upload), serial=key, barrier=tx.ends):
            # The very record that was given up came again: nobody would take it to its end.
            return [await undo_given_up(tx, upload, record.time, at=record.time)]
        await undo.ask(tx, upload, message.by, record.time)
        return []


async def carry_out(
    tx: Tx, upload: Upload, *, barrier: bool, warnings: Sequence[Mapping[str, object]] = ()
) -> None:
    """Have the rows imported, after the jobs of the environment that were asked for before.

    `warnings` are those about the sheet and its new accounts as a whole that the end tells.
    """
    await tx.add_job(
        CARRY_OUT,
        upload.ref,
        {**payload(upload), "warnings": list(warnings)} if warnings else payload(upload),
        serial=serial(upload.environment),
        barrier=tx.ends if barrier else None,
    )


async def end(
    tx: Tx, upload: Upload, status: str, why: Answer, *, at_part: int, report: bool = False
) -> Answer:
    """The job does not go on: say why, and keep neither its bytes nor its plans; with `report`
    once that is made."""
    await uploads.become(tx, upload, status)
    await plans.forget_book(tx, upload)
    if report:
        await tx.add_job(REPORT, upload.ref, payload(upload))
        return await uploads.say(tx, upload, why, at_part=at_part)
    await uploads.forget_bytes(tx, upload)
    if upload.status != "running":  # nothing was sent that could be taken back
        await tx.add_job(FORGET, upload.ref, payload(upload))
    return await uploads.say(tx, upload, why, at_part=at_part)


async def appoint(tx: Tx, kind: str, ref: str, upload: Upload, until: datetime) -> None:
    """Have it ended or forgotten then, once all is read that was said until that moment."""
    await tx.add_job(kind, ref, {**payload(upload), "until": until.isoformat()}, after=until)


def payload(upload: Upload) -> dict[str, object]:
    """What every job row of an upload holds."""
    return {"environment": upload.environment, "job_id": upload.job_id}


def _decoded(message: ImportUploaded) -> bytes | None:
    try:
        return b64decode(message.content, validate=True)
    except binascii.Error:
        return None


async def _turn_down(
    upload: Upload,
    reason: str,
    message: ImportUploaded | ImportUndo,
    record: Incoming,
    tx: Tx,
    value: object = None,
) -> Answer:
    return await turned_down(
        tx,
        upload.environment,
        upload.job_id,
        reason,
        upload.language,
        at=record.time,
        mark=f"{message.type}/{digest(message).hex()[:16]}",
        value=value,
    )


async def _malformed(message: Malformed, record: Incoming, tx: Tx) -> Answer:
    """A message that names its job but is wrong otherwise; the job, if there is one, goes on."""
    wrong = sha256(repr((message.type, message.field, message.message)).encode()).hexdigest()
    return await turned_down(
        tx,
        int(message.ids["environment"]),
        str(message.ids["job_id"]),
        "invalid_message",
        "en",
        at=record.time,
        mark=wrong[:16],
        value=f"{message.field} {message.message}",
    )
