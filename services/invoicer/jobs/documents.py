"""Making a document's files: PDF, XLSX and UBL, once, and keeping their bytes.

The rendering is plain functions of plain values in other processes, so that neither another
environment's run nor the reading of sales waits for it.
"""

from dataclasses import dataclass, field, replace

from runtime.jobs import JobKind, StepTx, Work
from services.invoicer.documents.mail import XLSX
from services.invoicer.documents.model import Document
from services.invoicer.documents.pdf import render_pdf
from services.invoicer.documents.specification import render_specification
from services.invoicer.documents.ubl import render_ubl
from services.invoicer.fresh import Fresh, Made
from services.invoicer.jobs.mail import failed
from services.invoicer.rendering import Rendering
from services.invoicer.store import documents, mails


def render(document: Document) -> list[documents.File]:
    """All files of a document; runs in another process.

    Raises ValueError for one without lines, which would say a total of nothing.
    """
    if not document.lines:
        raise ValueError(f"{document.invoice_id}: a document of no lines")
    ubl = render_ubl(document)
    made = (
        ("pdf", "pdf", "application/pdf", render_pdf(document, ubl=ubl)),
        ("xlsx", "xlsx", XLSX, render_specification(document)),
        ("ubl", "xml", "application/xml", ubl),
    )
    return [
        documents.File(
            format=name,
            file_name=f"{document.file_stem}.{ending}",
            media_type=media_type,
            content=content,
        )
        for name, ending, media_type, content in made
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The job "document": payload {environment, kind, id}."""

    rendering: Rendering
    fresh: Fresh = field(default_factory=Fresh)

    async def run(self, work: Work) -> None:
        """Read, render, keep; then let the mails go that wait for it."""
        payload = work.job.payload
        number, document_id = payload["environment"], payload["id"]
        async with work.look() as tx:  # what is issued never changes
            content = await documents.load(tx, number, payload["kind"], document_id)
        files = await self.rendering.call(render, content)
        async with work.step() as tx:
            ours = await documents.keep(tx, number, document_id, draft=False, files=files)
            for mail_id in await mails.pending(tx, number, document_id):
                await tx.add_job(
                    "mail", f"{number}/{mail_id}", {"environment": number, "mail_id": mail_id}
                )
            tx.done()
        if ours:
            made = Made(
                document=replace(content, lines=()), files={file.format: file for file in files}
            )
            self.fresh.put(number, document_id, made)

    async def on_poison(self, work: Work, tx: StepTx) -> None:
        """It can't be made: its mails don't go, and finance hears so. `invoice.send` tries anew."""
        number, document_id = work.job.payload["environment"], work.job.payload["id"]
        for mail_id in await mails.pending(tx, number, document_id):
            mail = await mails.find(tx, number, mail_id)
            if mail is not None:
                await failed(tx, number, mail, None, "document_failed", permanent=True)

    def kind(self, side_by_side: int) -> JobKind:
        return JobKind(
            kind="document",
            cleared=True,
            run=self.run,
            side_by_side=side_by_side,
            lease_s=20,
            in_turns=True,
            on_poison=self.on_poison,
        )
