"""What is said between a person and the importer, from a workbook to its report."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cli.amounts import Misuse
from cli.asking import agreed, can_ask, chosen
from cli.client import Client
from cli.imported import show_preview
from cli.imports import FIELDS, Job, Upload
from cli.messages import Json
from cli.replies import Expectation, NoAnswer
from cli.screen import Screen
from cli.trouble import Trouble

NOTHING = "nothing was imported"
NO_ROW = f"{NOTHING}: each row has a problem; mend them in the workbook, and import it again"
GOES_ON = (
    "\nThe import goes on without this terminal. To see how it stands: onaccount import show {0}\n"
    "To stop it: onaccount import cancel {0}"
)
NO_REPORT = "! no report came; where one is made later: onaccount import report {0}"
EMPTY = f"{NOTHING}: below the names of the columns the list is empty"


async def until_clear(
    client: Client, upload: Upload, file: Path, screen: Screen, *, yes: bool
) -> tuple[Job, Json | None]:
    """Import; where a sheet or a column is not clear, ask and upload again with the answer."""
    while True:
        job = Job(client, upload)
        result = await _carry_out(client, job, file, screen, yes=yes)
        if result is None or result["type"] != "import.failed" or screen.as_json or not can_ask():
            return job, result
        choice = await _cleared(screen, result)
        if choice is None:
            return job, result
        told = {**(upload.extra.get("mapping") or {}), **choice.pop("mapping", {})}
        upload = replace(upload, extra={**upload.extra, "mapping": told or None, **choice})


async def _cleared(screen: Screen, failed: Json) -> Json | None:
    """What the person says where something was not clear; None where that can't be asked."""
    choices = failed.get("choices") or []
    if not choices or failed["reason"] not in ("sheet_unclear", "columns_unclear"):
        return None
    screen.say(failed["message"], "yellow")
    if failed["reason"] == "sheet_unclear":
        sheet = await chosen("Which sheet?", choices)
        return None if sheet is None else {"sheet": sheet}
    if field := failed.get("field"):
        header = await chosen(f"Which column is the {field}?", choices)
        return None if header is None else {"mapping": {header: field}}
    mapping = await named(choices)
    return {"mapping": mapping} if mapping else None


async def named(headers: Sequence[str]) -> Json:
    """What columns hold of which nobody knows the names; as many as the person names."""
    named: Json = {}
    question = "Which column is the one to name?"
    while left := [header for header in headers if header not in named]:
        header = await chosen(question, left)
        field = header and await chosen(f"What does {header!r} hold?", FIELDS)
        if header is None or field is None:
            break
        named[header] = field
        question = "Which other one? Nothing to go on."
    return named


async def _carry_out(
    client: Client, job: Job, file: Path, screen: Screen, *, yes: bool
) -> Json | None:
    """Preview, ask, import; gives its last message, None where nothing was imported."""
    with client.expecting(job.asked) as answers:
        try:
            with screen.waiting(f"{job.upload.file_name} is read ..."):
                await job.send()
                preview = await job.previewed(answers)
            if preview["type"] == "import.failed":
                return preview
            show_preview(screen, preview)
            question = f"Import {preview['valid']} of {preview['rows']} rows?"
            goes_on = bool(preview["valid"]) and await agreed(screen, question, yes=yes)
        except asyncio.CancelledError:  # Ctrl-C: nobody will answer the preview any more
            await job.say("import.cancelled")
            screen.say(f"\n{NOTHING}")
            raise
        except Misuse:
            await _cancel(job, answers, file, screen)
            raise
        if not goes_on:
            if not preview["valid"]:  # else the person said so
                screen.bad(NO_ROW if preview["rows"] else EMPTY)
            await _cancel(job, answers, file, screen)
            return None
        return await _followed(job, answers, file, screen)


async def _followed(job: Job, answers: Expectation, file: Path, screen: Screen) -> Json:
    """Confirm, and follow the import to its end."""
    await job.say("import.confirmed")
    try:
        with screen.progress("rows done") as gauge:
            result = await job.completed(answers, gauge)
        await _fetch_report(job, result, answers, screen)
    except asyncio.CancelledError:
        screen.say(GOES_ON.format(job.id), "yellow")
        raise
    if result["type"] == "import.failed" and job.report:
        _tell_report(screen, save(file, job.report))
    return result


async def _fetch_report(job: Job, end: Json, answers: Expectation, screen: Screen) -> None:
    """The report, where the import's last message says that there is one."""
    if end["type"] == "import.completed" or end.get("report"):
        try:
            with screen.waiting("the report is made ..."):
                await job.reported(answers)
        except NoAnswer:  # what was done is done, and is told all the same
            screen.say(NO_REPORT.format(job.id), "yellow")


async def _cancel(job: Job, answers: Expectation, file: Path, screen: Screen) -> None:
    """Import nothing of what was previewed; what is wrong with its rows is saved."""
    await job.say("import.cancelled")
    end = await job.completed(answers, lambda done, rows: None)
    await _fetch_report(job, end, answers, screen)
    if job.report:
        report = save(file, job.report)
        screen.data({**end, "report": str(report)})
        _tell_report(screen, report)


def _tell_report(screen: Screen, report: Path) -> None:
    screen.say(f"What is wrong with which row is in {report}")


def save(file: Path, report: bytes) -> Path:
    """Write the report beside the workbook; gives where."""
    place = file.with_name(f"{file.stem}.result.xlsx")
    write(place, report)
    return place


def write(place: Path, content: bytes) -> None:
    """Write a report; raises Trouble where that can't be."""
    try:
        place.write_bytes(content)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Trouble(
            f"The report can't be written to {place}: {why}. `onaccount import report` fetches it "
            "again, to a file that you name."
        ) from None
