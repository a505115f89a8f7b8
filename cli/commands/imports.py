"""`onaccount import`: a workbook of customers and accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse, cents
from cli.asking import asked, can_ask
from cli.client import Client
from cli.imports import Job, from_file
from cli.messages import CLEAR, Json, given
from cli.options import DEFAULT, Common
from cli.screen import Screen

app = App(
    name="import",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount import 2890 leden.xlsx
    onaccount import 2890 leden.xlsx \\
        --yes --limit 100,00 --on-account --in-overview
    onaccount import 2890 leden.xlsx \\
        --column "Naam=company" --column "Nr=account"
    onaccount import 2890 leden.xlsx --undo JOB_ID

The first row that looks like one is the header: Bedrijf, Voornaam,
Achternaam, E-mailadres, Rekeningnummer, Limiet, Aantal rekeningen and many
more, in Dutch or English.
The workbook comes back beside the file with the outcome of each row.
""",
)


@app.default
async def import_(
    environment: int,
    file: Path,
    /,
    *,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="")] = False,
    sheet: str | None = None,
    column: Annotated[list[str] | None, Parameter(negative="")] = None,
    limit: str | None = None,
    on_account: bool | None = None,
    in_overview: bool | None = None,
    status: Literal["inactive", "active", "blocked", "closed"] | None = None,
    language: Literal["nl", "en"] | None = None,
    undo: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Import a workbook: shows what it would do, asks, does it, and saves the report.

    Parameters
    ----------
    file
        The workbook (.xlsx).
    yes
        Do not ask: import the valid rows.
    sheet
        Which sheet of the workbook.
    column
        A header and the field it stands for, as "Naam=company"; may be given several times.
    limit
        Limit for rows without one, as 100,00; none: no limit.
    undo
        Id of an earlier import to take back, instead of importing.
    """
    extra = {
        "sheet": sheet,
        "mapping": mapping(column or []) or None,
        "defaults": defaults(
            limit=limit,
            on_account=on_account,
            in_overview=in_overview,
            status=status,
            language=language,
        )
        or None,
    }
    upload = from_file(file, environment=environment, by=common.by, extra=extra)
    screen = common.screen
    async with common.client("import.uploaded") as client:
        job = Job(client, upload, job_id=undo)
        if undo is not None:
            return await _undo(client, job, screen, common.timeout)
        result = await _carry_out(client, job, screen, yes=yes)
    if result is None:
        return 1
    if result["type"] == "import.failed":
        return show_failed(screen, result)
    return _show_result(screen, result, _save(file, job), job.id)


async def _carry_out(client: Client, job: Job, screen: Screen, *, yes: bool) -> Json | None:
    """Preview, ask, import; gives its last message, None where nothing was imported."""
    with client.expecting(job.asked) as answers:
        with screen.waiting(f"{job.upload.file_name} is read ..."):
            await job.send()
            preview = await job.previewed(answers)
        if preview["type"] == "import.failed":
            return preview
        show_preview(screen, preview)
        try:
            agreed = bool(preview["valid"]) and (yes or await _agreed(screen, preview))
        except Misuse:
            await job.say("import.cancelled")
            raise
        if not agreed:
            await job.say("import.cancelled")
            screen.bad("nothing was imported")
            return None
        await job.say("import.confirmed")
        with screen.progress("rows imported") as gauge:
            return await job.completed(answers, gauge)


def mapping(columns: list[str]) -> dict[str, str]:
    """`Naam=company` as {header: field}; raises Misuse for anything else."""
    found = {}
    for text in columns:
        header, sign, name = text.rpartition("=")
        if not (header and sign and name):
            raise Misuse(f'{text!r} is not a column: write HEADER=FIELD, as in "Naam=company".')
        found[header] = name.strip().replace("-", "_")
    return found


def defaults(*, limit: str | None, **fields: Any) -> Json:
    """The defaults for rows that say nothing."""
    amount: Any = None
    if limit is not None:
        amount = CLEAR if limit.lower() in ("none", "geen") else cents(limit, what="a limit")
    return given({"limit": amount, **fields})


def show_preview(screen: Screen, preview: Json) -> None:
    """Show import.previewed."""
    screen.data(preview)
    screen.table(
        ("Column", "Taken as", "For instance"),
        (
            (c["header"], c["field"] or "not used", ", ".join(c.get("samples", ())[:3]))
            for c in preview["columns"]
        ),
    )
    screen.table(
        ("Rows", "Valid", "New", "Changed", "Unchanged", "Problems", "Warnings"),
        [
            (
                preview["rows"],
                preview["valid"],
                preview["creates"],
                preview["changes"],
                preview["unchanged"],
                preview["problem_count"],
                len(preview["warnings"]),
            )
        ],
        right=("Rows", "Valid", "New", "Changed", "Unchanged", "Problems", "Warnings"),
    )
    for title, style, entries in (
        ("Problems (these rows are refused)", "red", preview["problems"]),
        ("Warnings", "yellow", preview["warnings"]),
    ):
        if entries:
            screen.say(title, style)
            screen.table(
                ("Row", "Column", "Value", "What is wrong"),
                ((p["row"], p.get("column"), p.get("value"), p["message"]) for p in entries[:50]),
                right=("Row",),
            )
    if preview["problem_count"] > 50:
        screen.say(f"... and {preview['problem_count'] - 50} more; the report has them all")


def show_failed(screen: Screen, failed: Json) -> int:
    """Show import.failed; gives the exit status."""
    screen.data(failed)
    screen.bad(f"not imported, {failed['reason']}: {failed['message']}")
    if choices := failed.get("choices"):
        option = "--sheet" if failed["reason"] == "sheet_unclear" else "--column HEADER=FIELD"
        screen.say(f"Choose with {option} from: {', '.join(choices)}")
    return 1


async def _agreed(screen: Screen, preview: Json) -> bool:
    if screen.as_json:
        raise Misuse("With --json nothing can be asked: add --yes to import the valid rows.")
    if not can_ask():
        raise Misuse(
            "Nobody can be asked here whether to import: add --yes to import the valid rows."
        )
    return await asked(f"Import {preview['valid']} of {preview['rows']} rows?")


def _save(file: Path, job: Job) -> Path:
    place = file.with_name(f"{file.stem}.result.xlsx")
    place.write_bytes(job.report or b"")
    return place


def _show_result(screen: Screen, result: Json, report: Path, job_id: str) -> int:
    screen.data({**result, "report": str(report)})
    screen.good(
        f"{result['created']} created, {result['changed']} changed, "
        f"{result['unchanged']} unchanged, {result['refused']} refused"
    )
    screen.say(f"Each row's outcome is in {report}; undo with --undo {job_id}")
    return 0


async def _undo(client: Client, job: Job, screen: Screen, timeout_s: float) -> int:
    with client.expecting(job.asked) as answers:
        await job.say("import.undo")
        while (message := (await answers.next(timeout_s)).message)["type"] not in (
            "import.undone",
            "import.failed",
        ):
            continue
    if message["type"] == "import.failed":
        return show_failed(screen, message)
    screen.data(message)
    screen.good(
        f"{message['closed']} accounts closed, {message['erased']} customers erased, "
        f"{message['restored']} restored"
    )
    for kept in message["kept"]:
        screen.say(f"! kept {kept['kind']} {kept['id']}: {kept['why']}", "yellow")
    return 0
