"""Job `report`: the person's own workbook back, each row with its outcome; then the bytes go."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

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

LONGEST_NOTE: Final = 2_000

MOST_REFUSED: Final = 20
"""Rows that are named beside a sheet of which some are hidden."""

LEFT: Final = "left"
"""Became of a row that had no problem, where nothing was imported."""
COLOURED: Final = {LEFT: "unchanged"}

_OURS: Final = re.compile(rf"(?:{'|'.join(RESULTS['title'])})(?: \d+)?")

BECOMES: Final = {"create": "created", "change": "changed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Makes report workbooks within these bounds."""

    limits: ChildLimits
    forgetting: Forgetting

    async def run(self, work: Work) -> None:
        async with work.step() as tx:
            upload = await locked(work, tx)
        if upload.layout is not None:
            try:
                await self._report(work, upload)
            except Unread as unread:
                # The import stands without it: its counts were told.
                log.error("report not made", job=upload.ref, reason=unread.reason)
        async with work.step() as tx:
            await uploads.forget_bytes(tx, upload)
            await self.forgetting.plan(tx, upload)
            tx.done()

    async def _report(self, work: Work, upload: Upload) -> None:
        async with workbook(work, upload) as path:
            told = path.with_name("results.jsonl")
            refused = await _tell(work, upload, told)
            report = path.with_name("report.xlsx")
            try:
                await self._write(upload, path, told, report, refused, rewrite=False)
            except Unread:
                # Too oddly built to be annotated: its list is written anew.
                await self._write(upload, path, told, report, refused, rewrite=True)
            await _publish(work, upload, report)

    async def _write(
        self,
        upload: Upload,
        path: Path,
        told: Path,
        report: Path,
        refused: Sequence[int],
        *,
        rewrite: bool,
    ) -> None:
        layout = upload.layout or {}
        noticed = list(layout.get("warnings", ()))
        if upload.never_ran:
            noticed.insert(0, ("", say(RESULTS["nothing"], upload.language)))
        if refused and layout.get("hides_rows"):  # nobody would find them by their colour
            some = ", ".join(map(str, refused[:MOST_REFUSED]))
            value = some + (" ..." if len(refused) > MOST_REFUSED else "")
            noticed.insert(0, ("", say(RESULTS["hidden"], upload.language, value=value)))
        asked = {
            "ask": "report",
            "path": str(path),
            "results": str(told),
            "to": str(report),
            "sheet": layout["sheet"],
            "header_row": layout["header_row"],
            "columns": max(c["index"] for c in layout["columns"]) + 1,
            "title": title(layout["columns"], upload.language),
            "note": note(noticed, upload.language),
            "rewrite": rewrite,
        }
        async with opened(self.limits, **asked) as child:
            await child.finished()

    async def poisoned(self, work: Work, tx: StepTx) -> None:
        """There will be no report; the file is not kept for it."""
        upload = await locked(work, tx)
        await uploads.forget_bytes(tx, upload)
        await self.forgetting.plan(tx, upload)


async def _publish(work: Work, upload: Upload, report: Path) -> None:
    """The report in parts, each in a step of its own: no more of it is held at once.

    Made again it is the same, byte for byte; a worker that goes on after another says the rest.
    """
    size = (await asyncio.to_thread(report.stat)).st_size
    parts = -(-size // MAX_PART_BYTES)
    if parts > MAX_PARTS:
        log.error("report too large", job=upload.ref, bytes=size)
        return
    with report.open("rb") as file:
        digest = (await asyncio.to_thread(hashlib.file_digest, file, "sha256")).hexdigest()
        said = work.job.payload.get("said", {})
        first = int(said["part"]) + 1 if said.get("sha256") == digest else 1
        for part in range(first, parts + 1):
            file.seek((part - 1) * MAX_PART_BYTES)
            piece = await asyncio.to_thread(file.read, MAX_PART_BYTES)
            message = ImportReport(
                job_id=upload.job_id, part=part, parts=parts, content=b64encode(piece).decode()
            )
            async with work.step() as tx:
                tx.answer(event(upload, message, at=tx.now, mark=str(part)))
                tx.save({**work.job.payload, "said": {"sha256": digest, "part": part}})


async def _tell(work: Work, upload: Upload, path: Path) -> list[int]:
    """Write each row's outcome as a line of JSON, in the order of rows; gives the first rows that
    were refused."""
    refused: list[int] = []
    async with work.step() as tx:
        last = await imports.last_row(tx, upload)
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, last, SPAN):
            async with work.step() as tx:
                found = await imports.results(tx, upload, start, start + SPAN)
            if upload.never_ran:
                found = [r if r.result == "refused" else replace(r, result=LEFT) for r in found]
            lines = [
                [r.row, COLOURED.get(r.result, r.result), sentence(r, upload.language)]
                for r in found
            ]
            if len(refused) <= MOST_REFUSED:
                refused += [r.row for r in found if r.result == "refused"]
            await asyncio.to_thread(file.writelines, [json.dumps(x) + "\n" for x in lines])
    return refused


def title(columns: Sequence[Mapping[str, Any]], tongue: Tongue) -> str:
    """What stands above the results; numbered where an earlier report was imported again, whose
    red rows stand beside what became of them now."""
    before = sum(_OURS.fullmatch(column["header"]) is not None for column in columns)
    word = say(RESULTS["title"], tongue)
    return f"{word} {before + 1}" if before else word


def note(warnings: Sequence[Sequence[str]], tongue: Tongue) -> str:
    """What was noticed of the sheet as a whole: it stands beside the title of the results."""
    told = [f"{column}: {message}" if column else message for column, message in warnings]
    if not told:
        return ""
    value = told[0] if len(told) == 1 else "  ".join(f"• {one}" for one in told)
    return say(RESULTS["noticed"], tongue, value=value)[:LONGEST_NOTE]


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
    if result.unheard:
        return say(RESULTS["unheard"], tongue)
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
