"""document.request: a kept file, in parts; a draft's is made on asking."""

import base64
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from runtime.answers import Answer, answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.billing import DocumentPart
from schemas.content import digest
from schemas.invoices import DocumentRequest, StatementRequest
from services.invoicer.handlers.finding import DELETED, UNKNOWN
from services.invoicer.replies import Refusal, refused, refused_late, refused_once
from services.invoicer.store import documents, invoices, requests

PART_BYTES = 700_000
"""Of one part: as base64 it stays well below a record's 2 MiB."""


async def request(incoming: Incoming, asked: DocumentRequest, tx: Tx) -> Sequence[Answer]:
    """The file's parts, now if it is there, else by a job when it is made."""
    content = digest(asked)
    number, name = asked.environment, asked.request_id
    recalled = await requests.recall(tx, number, "document", name)
    if recalled is not None:
        if recalled.digest != content:
            return [await refused_once(tx, incoming, number, name, REUSED, content)]
        if recalled.answers:
            return recalled.answers
        parts = await kept_parts(tx, asked, recalled.asked_at)
        if parts is None and await was_deleted(tx, asked):
            return [await refuse_deleted(tx, asked)]
        return parts or ()
    refusal = await _unknown(tx, asked)
    if refusal is not None:
        answers = [refused(incoming, number, name, refusal, content)]
        await requests.remember(tx, number, "document", name, content, answers)
        return answers
    await requests.remember(tx, number, "document", name, content, ())
    parts = await kept_parts(tx, asked, tx.now)
    if parts is None:
        await tx.add_job("delivery", f"{number}/{name}", asked.model_dump())
    return parts or ()


REUSED = Refusal(
    reason="request_id_reused", message="This request_id was used before, with other content."
)


async def _unknown(tx: Tx, asked: DocumentRequest) -> Refusal | None:
    if asked.invoice_id is not None:
        found = await invoices.find(tx, asked.environment, [asked.invoice_id])
        if asked.invoice_id not in found:
            return UNKNOWN
        return DELETED if found[asked.invoice_id].status == "deleted" else None
    if await documents.credit_note_exists(tx, asked.environment, asked.credit_note_id or ""):
        return None
    return Refusal(
        reason="credit_note_unknown",
        field="credit_note_id",
        message="There is no such credit note here.",
    )


async def was_deleted(tx: Tx, asked: DocumentRequest) -> bool:
    """Whether it is about a draft that was deleted, whose files went with it."""
    if asked.invoice_id is None:
        return False
    found = await invoices.find(tx, asked.environment, [asked.invoice_id])
    return found[asked.invoice_id].status == "deleted"


async def refuse_deleted(tx: Tx, asked: DocumentRequest) -> Answer:
    """It was a draft when it was asked for: refused now, and again where it is asked again."""
    number, name = asked.environment, asked.request_id
    gone = refused_late(tx, number, name, DELETED)
    await requests.add_answers(tx, number, "document", name, [gone])
    return gone


async def kept_parts(tx: Tx, asked: DocumentRequest, asked_at: datetime) -> list[Answer] | None:
    """The parts of the file that is kept, None while there is none.

    Asked for as a draft it stays the draft's file, also when that was issued meanwhile.
    """
    document_id = asked.invoice_id or asked.credit_note_id or ""
    issued = await documents.issued_by(tx, asked.environment, document_id, asked_at)
    for draft in (False,) if issued else (True, False):
        found = await documents.files(
            tx, asked.environment, document_id, draft=draft, format=asked.format
        )
        if found:
            return parts(asked.environment, asked.request_id, found[asked.format], asked_at)
    return None


async def statement_parts(
    tx: Tx, asked: StatementRequest, recalled: requests.Recalled
) -> list[Answer]:
    """A statement that was answered as a document is answered so again, once it is made."""
    if asked.to is not None:
        return []
    found = await documents.files(tx, asked.environment, asked.statement_id, format=asked.format)
    if not found:
        return []
    return parts(asked.environment, asked.statement_id, found[asked.format], recalled.asked_at)


def parts(
    environment: int, request_id: str, file: documents.File, asked_at: datetime
) -> list[Answer]:
    """A file as document.part messages; the same file and request give the same bytes."""
    pieces = [
        file.content[start : start + PART_BYTES]
        for start in range(0, len(file.content), PART_BYTES)
    ] or [b""]
    return [
        answer(
            "invoices.documents",
            request_id,
            DocumentPart(
                request_id=request_id,
                part=i,
                parts=len(pieces),
                file_name=file.file_name,
                media_type=file.media_type,
                sha256=sha256(file.content).hexdigest(),
                content=base64.b64encode(piece).decode(),
            ),
            id=f"document.part/{environment}/{request_id}/{i}",
            time=asked_at,
        )
        for i, piece in enumerate(pieces, 1)
    ]
