"""Making a document's files: PDF, XLSX and UBL, once, and keeping their bytes.

The rendering is plain functions of plain values in other processes, so that neither another
environment's run nor the reading of sales waits for it.
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import structlog

from runtime.faults import describe
from runtime.jobs import Bundle, JobKind, StepTx, Work
from services.invoicer.documents.mail import XLSX
from services.invoicer.documents.model import Document
from services.invoicer.documents.pdf import render_pdf
from services.invoicer.documents.specification import render_specification
from services.invoicer.documents.ubl import render_ubl
from services.invoicer.fresh import Fresh, Made
from services.invoicer.jobs.fates import failed
from services.invoicer.rendering import Rendering
from services.invoicer.store import documents, mails

log = structlog.get_logger()

AT_ONCE = 8
"""Documents of one environment that are read together, and kept together."""

TURN_S = 0.5
"""So long they are made while others wait; what is not begun by then goes back."""

LONGEST_S = 2.0
"""So long they are made in any case: then what there is is kept, and its mails go."""


def id_of(work: Work) -> str:
    """Of the document that a job makes."""
    return str(work.job.payload["id"])


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
    turn_s: float = TURN_S
    longest_s: float = LONGEST_S
    waiting: list[int] = field(default_factory=list)
    """The environments of which this worker has documents in hand that wait for their turn."""

    async def run(self, work: Work) -> None:
        """As `together`, of one."""
        await self.together(Bundle([work]))

    async def together(self, bundle: Bundle) -> None:
        """Read, render, keep; then let the mails go that wait for them.

        What can't be rendered is left open: alone its failure is its own.
        """
        number: int = bundle.works[0].job.payload["environment"]
        named = [(w.job.payload["kind"], w.job.payload["id"]) for w in bundle.works]
        async with bundle.look() as tx:  # what is issued never changes
            contents = await documents.load_all(tx, number, named)
        made, not_begun = await self._render(bundle, number, contents)
        if not made and not not_begun:
            return
        async with bundle.step([*made, *not_begun]) as tx:
            ours = {id_of(work): made[work] for work in tx.held if work in made}
            kept = await documents.keep_all(tx, number, ours)
            await mails.add_jobs(tx, number, await mails.pending(tx, number, *ours))
            for work in tx.held:
                if work in made:
                    tx.done(work)
                else:
                    tx.later(work, 0)
        for document_id in kept:
            files = {file.format: file for file in ours[document_id]}
            told = replace(contents[document_id], lines=())
            self.fresh.put(number, document_id, Made(document=told, files=files))

    async def _render(
        self, bundle: Bundle, number: int, contents: Mapping[str, Document]
    ) -> tuple[dict[Work, list[documents.File]], list[Work]]:
        """Files by job, and the jobs for which there was no time left in this turn."""
        works, made = bundle.works, dict[Work, list[documents.File]]()
        async with self._turn(number):
            began = asks_at = time.monotonic()
            for place, work in enumerate(works):
                now = time.monotonic()
                if place and now - asks_at > self.turn_s:
                    if now - began > self.longest_s or await self._others_wait(bundle, number):
                        return made, list(works[place:])
                    asks_at = now
                try:
                    content = contents[id_of(work)]  # or it is gone: a failure of this job's
                    made[work] = await self.rendering.call(render, content)
                except Exception as error:
                    if len(works) == 1:
                        raise
                    log.info("a document is left", job=work.job.id, cause=describe(error))
        return made, []

    @asynccontextmanager
    async def _turn(self, number: int) -> AsyncIterator[None]:
        self.waiting.append(number)
        try:
            await self.rendering.turn.acquire()
        finally:
            self.waiting.remove(number)
        try:
            yield
        finally:
            self.rendering.turn.release()

    async def _others_wait(self, bundle: Bundle, number: int) -> bool:
        """Whether another environment's documents wait, in this worker's hands or in nobody's.

        Where none do, what goes back would be taken up and read again at once.
        """
        return any(other != number for other in self.waiting) or await bundle.others_wait()

    async def on_poison(self, work: Work, tx: StepTx) -> None:
        """It can't be made: its mails don't go, and finance hears so. `invoice.send` tries anew."""
        number, document_id = work.job.payload["environment"], work.job.payload["id"]
        waiting = await mails.pending(tx, number, document_id)
        for mail in (await mails.find(tx, number, *waiting)).values():
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
            together=self.together,
            at_once=AT_ONCE,
        )
