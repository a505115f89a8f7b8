"""A file that was asked for before it was made: a draft's, or one whose job is still to come."""

from dataclasses import dataclass
from datetime import timedelta

from runtime.jobs import JobKind, StepTx, Work
from schemas.invoices import DocumentRequest
from services.invoicer.handlers.documents import kept_parts, refuse_deleted, was_deleted
from services.invoicer.jobs.documents import render
from services.invoicer.rendering import Rendering
from services.invoicer.replies import Refusal, refused_late
from services.invoicer.store import documents, invoices, requests

AGAIN_S = 1.0

PATIENCE = timedelta(seconds=20)
"""So long a document's own job is waited for. It may have been given up: then it is made here, or
whoever asked hears that it can't be."""

FAILED = Refusal(
    reason="document_failed",
    message="This document could not be made; the operators find why in the invoicer's log.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The job "delivery": payload is the document.request."""

    rendering: Rendering
    patience: timedelta = PATIENCE

    async def run(self, work: Work) -> None:
        """Answer when the file is kept; a draft's files are made here."""
        asked = DocumentRequest.model_validate(work.job.payload)
        number = asked.environment
        async with work.step() as tx:
            recalled = await requests.recall(tx, number, "document", asked.request_id)
            assert recalled is not None  # recorded together with this job
            if recalled.answers:  # asked again meanwhile, it was refused
                tx.done()
                return
            parts = await kept_parts(tx, asked, recalled.asked_at)
            if parts is not None:
                tx.answer(*parts)
                tx.done()
                return
            if await was_deleted(tx, asked):
                tx.answer(await refuse_deleted(tx, asked))
                tx.done()
                return
            if tx.now - recalled.asked_at < self.patience and await _is_issued(tx, asked):
                tx.later(AGAIN_S)  # its own job makes it
                return
            kind = "credit_note" if asked.invoice_id is None else "invoice"
            document_id = asked.invoice_id or asked.credit_note_id or ""
            document = await documents.load(tx, number, kind, document_id)
        files = await self.rendering.call(render, document)
        async with work.step() as tx:
            draft = document.number is None
            if draft and await _is_gone(tx, number, document_id):
                return  # while it was made: of a draft that is deleted nothing is kept
            await documents.keep(tx, number, document_id, draft=draft, files=files)

    async def on_poison(self, work: Work, tx: StepTx) -> None:
        """It can't be made: whoever asked hears so, and again where it asks again."""
        asked = DocumentRequest.model_validate(work.job.payload)
        number, name = asked.environment, asked.request_id
        refused = refused_late(tx, number, name, FAILED)
        await requests.add_answers(tx, number, "document", name, [refused])
        tx.answer(refused)

    def kind(self) -> JobKind:
        return JobKind(
            kind="delivery",
            run=self.run,
            side_by_side=2,
            in_turns=True,
            cleared=True,
            on_poison=self.on_poison,
        )


async def _is_gone(tx: StepTx, environment: int, invoice_id: str) -> bool:
    """Whether a draft is deleted; until the step ends nobody else deletes it."""
    found = await invoices.find_locked(tx, environment, invoice_id)
    return found is None or found.status == "deleted"


async def _is_issued(tx: StepTx, asked: DocumentRequest) -> bool:
    if asked.invoice_id is None:
        return True  # a credit note always is
    found = await invoices.find(tx, asked.environment, [asked.invoice_id])
    return found[asked.invoice_id].number is not None
