"""Job `report`: the person's own workbook back, each row with its outcome; then the bytes go."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from runtime.jobs import StepTx, Work
from schemas.imports import MAX_PART_BYTES, MAX_PARTS, ImportReport
from services.importer.child import ChildLimits, Unread, opened
from services.importer.domain.messages import Tongue, say
from services.importer.domain.result_sentences import PREVIEWED, RESULTS
from services.importer.events import event
from services.importer.jobs.files import workbook
from services.importer.jobs.forget import Forgetting
from services.importer.jobs.plan import locked
from services.importer.store import imports, uploads
from services.importer.store.imports import Result
from services.importer.store.uploads import Upload

log = structlog.get_logger()

SPAN: Final = 2_000
"""Excel rows whose results are read from the database at once."""

LONGEST_HEADING: Final = 2_000

BECOMES: Final = {"create": "created", "change": "changed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Makes report workbooks within these bounds."""

    limits: ChildLimits
    forgetting: Forgetting

    async def run(self, work: Work) -> None:
        async with work.step() as tx:
            upload = await locked(work, tx)
        content = b""
        if upload.layout is not None:
            try:
                content = await self._made(work, upload)
            except Unread as unread:
                # The import stands without it: its counts were told.
                log.error("report not made", job=upload.ref, reason=unread.reason)
        async with work.step() as tx:
            self._publish(tx, upload, content)
            await uploads.forget_bytes(tx, upload)
            await self.forgetting.plan(tx, upload)
            tx.done()

    async def _made(self, work: Work, upload: Upload) -> bytes:
        async with workbook(work, upload) as path:
            told = path.with_name("results.jsonl")
            await _tell(work, upload, told)
            # A workbook that is too oddly built to be annotated has its list written anew.
            for rewrite in (False, True):
                report = path.with_name("report.xlsx")
                try:
                    await self._write(upload, path, told, report, rewrite)
                except Unread:
                    if rewrite:
                        raise
                    continue
                return await asyncio.to_thread(report.read_bytes)
        return b""

    async def _write(
        self, upload: Upload, path: Path, told: Path, report: Path, rewrite: bool
    ) -> None:
        layout = upload.layout or {}
        asked = {
            "ask": "report",
            "path": str(path),
            "results": str(told),
            "to": str(report),
            "sheet": layout["sheet"],
            "header_row": layout["header_row"],
            "columns": max(c["index"] for c in layout["columns"]) + 1,
            "title": heading(layout.get("warnings", ()), upload.language),
            "rewrite": rewrite,
        }
        async with opened(self.limits, **asked) as child:
            await child.finished()

    def _publish(self, tx: StepTx, upload: Upload, content: bytes) -> None:
        pieces = [content[i : i + MAX_PART_BYTES] for i in range(0, len(content), MAX_PART_BYTES)]
        if len(pieces) > MAX_PARTS:
            log.error("report too large", job=upload.ref, bytes=len(content))
            return
        for part, piece in enumerate(pieces, start=1):
            message = ImportReport(
                job_id=upload.job_id,
                part=part,
                parts=len(pieces),
                content=b64encode(piece).decode(),
            )
            tx.answer(event(upload, message, at=tx.now, mark=str(part)))

    async def poisoned(self, work: Work, tx: StepTx) -> None:
        """There will be no report; the file is not kept for it."""
        upload = await locked(work, tx)
        await uploads.forget_bytes(tx, upload)
        await self.forgetting.plan(tx, upload)


async def _tell(work: Work, upload: Upload, path: Path) -> None:
    """Write each row's outcome as a line of JSON, in the order of rows."""
    async with work.step() as tx:
        last = await imports.last_row(tx, upload)
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, last, SPAN):
            async with work.step() as tx:
                found = await imports.results(tx, upload, start, start + SPAN)
            lines = [[r.row, r.result, sentence(r, upload.language)] for r in found]
            await asyncio.to_thread(file.writelines, [json.dumps(x) + "\n" for x in lines])


def heading(warnings: Sequence[Sequence[str]], tongue: Tongue) -> str:
    """What stands above the results: a title, and what was noticed of the sheet as a whole."""
    title = say(RESULTS["title"], tongue)
    if not warnings:
        return title
    told = [f"{column}: {message}" if column else message for column, message in warnings]
    return say(RESULTS["noticed"], tongue, title=title, value="; ".join(told))[:LONGEST_HEADING]


def sentence(result: Result, tongue: Tongue) -> str:
    """What is written beside a row: its outcome, why, and what deserves a look."""
    why = [
        f"{p['column']}: {p['message']}" if p["column"] else p["message"] for p in result.problems
    ]
    notes = [
        f"{w['column']}: {w['message']}" if w["column"] else w["message"] for w in result.warnings
    ]
    if result.previewed and BECOMES.get(result.previewed, result.previewed) != result.result:
        was = say(PREVIEWED[result.previewed], tongue)
        notes.append(say(RESULTS["otherwise"], tongue, value=was))
    if result.result == "refused":
        if result.message:
            why.append(result.message)
        text = say(
            RESULTS["refused"], tongue, why="; ".join([*why, *notes[len(result.warnings) :]])
        )
        if result.partly:
            text += f" ({say(RESULTS['partly'], tongue)})"
        return text
    text = say(RESULTS[result.result], tongue)
    if result.accounts:
        which = RESULTS["account" if len(result.accounts) == 1 else "accounts"]
        text += ": " + say(which, tongue, value=", ".join(result.accounts))
    if result.message:
        notes.append(result.message)
    return "; ".join([text, *notes])
