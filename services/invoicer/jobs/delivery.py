"""A file that was asked for before it was made: a draft's, or one whose job is still to come."""

from dataclasses import dataclass

from runtime.jobs import JobKind, Work
from schemas.invoices import DocumentRequest
from services.invoicer.documents.model import Document, Invoice
from services.invoicer.handlers.documents import kept_parts
from services.invoicer.jobs.documents import render
from services.invoicer.rendering import Rendering
from services.invoicer.store import documents, requests

WAIT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The job "delivery": payload is the document.request."""

    rendering: Rendering

    async def run(self, work: Work) -> None:
        """Answer when the file is kept; a draft's files are made here."""
        asked = DocumentRequest.model_validate(work.job.payload)
        document: Document | None = None
        async with work.step() as tx:
            recalled = await requests.recall(tx, asked.environment, "document", asked.request_id)
            assert recalled is not None  # recorded together with this job
            parts = await kept_parts(tx, asked, recalled.asked_at)
            if parts is not None:
                tx.answer(*parts)
                tx.done()
                return
            if asked.invoice_id is not None:
                document = await documents.load_invoice(tx, asked.environment, asked.invoice_id)
            if not isinstance(document, Invoice) or document.number is not None:
                tx.later(WAIT_S)  # its own job makes it
                return
        files = await self.rendering.call(render, document)
        async with work.step() as tx:
            await documents.keep(
                tx, asked.environment, document.invoice_id, draft=True, files=files
            )

    def kind(self) -> JobKind:
        return JobKind(kind="delivery", run=self.run, side_by_side=2, in_turns=True, cleared=True)
