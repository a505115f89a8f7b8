"""A file that was asked for before it was made: a draft's, or one whose job is still to come."""

from dataclasses import dataclass

from runtime.jobs import JobKind, StepTx, Work
from schemas.invoices import DocumentRequest
from services.invoicer import parties
from services.invoicer.documents.model import Buyer
from services.invoicer.handlers.documents import kept_parts, refuse_deleted, was_deleted
from services.invoicer.jobs.documents import render
from services.invoicer.rendering import Rendering
from services.invoicer.replies import Refusal, refused_late
from services.invoicer.store import documents, invoices, requests

AGAIN_S, LONGEST_S = 1.0, 30.0
"""How long until it is looked for again: a tenth of what was waited so far, within these. Of a run
of thousands all files may be asked for, and who looks for them must not be in the way of them."""

FAILED = Refusal(
    reason="document_failed",
    message="This document could not be made; the operators find why in the invoicer's log.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The job "delivery": payload is the document.request."""

    rendering: Rendering

    async def run(self, work: Work) -> None:
        """Answer when the file is kept. A document's own job makes it, however late; a draft has
        none, and one that was given up makes nothing: then the files are made here."""
        asked = DocumentRequest.model_validate(work.job.payload)
        number = asked.environment
        async with work.step() as tx:
            recalled = await requests.recall(tx, number, "document", asked.request_id)
            assert recalled is not None  # recorded together with this job
            if recalled.answers:  # asked again meanwhile, it was refused
                tx.done()
                return
            document_id = asked.invoice_id or asked.credit_note_id or ""
            # Asked first: what a job that has ended by then made is found below.
            its_own = await documents.job_is_open(tx, number, document_id)
            parts = await kept_parts(tx, asked, recalled.asked_at)
            if parts is not None:
                tx.answer(*parts)
                tx.done()
                return
            if await was_deleted(tx, asked):
                tx.answer(await refuse_deleted(tx, asked))
                tx.done()
                return
            if its_own:
                waited_s = (tx.now - recalled.asked_at).total_seconds()
                tx.later(min(max(AGAIN_S, waited_s / 10), LONGEST_S))
                return
            kind = "credit_note" if asked.invoice_id is None else "invoice"
            document = await documents.load(tx, number, kind, document_id)
        async with self.rendering.turn:
            files = await self.rendering.call(render, document)
        async with work.step() as tx:
            draft = document.number is None
            if draft and await _is_another(tx, number, document_id, document.buyer):
                return  # while it was made: the next step looks for what it is now
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


async def _is_another(tx: StepTx, environment: int, invoice_id: str, buyer: Buyer) -> bool:
    """Whether this is no draft any more, or is made out to another by now: whom it was made out to
    when it was read may be erased since. Until the step ends nobody changes that."""
    found = await invoices.find_locked(tx, environment, invoice_id)
    return found is None or found.status != "draft" or parties.buyer_from(found.buyer) != buyer
