"""`onaccount import`: a workbook of customers and accounts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse
from cli.asking import Yes, agreed
from cli.import_options import defaults_of, defaults_said, mapping_of
from cli.import_template import template
from cli.imported import (
    counted,
    show_completed,
    show_failed,
    show_preview,
    show_states,
    show_undone,
)
from cli.importing import save, until_clear, write
from cli.imports import Job, environment_of, from_file, job_state, known_upload, report_of
from cli.messages import Json, given
from cli.options import DEFAULT, Common
from cli.registry import registry_of
from cli.replies import holding
from cli.screen import Screen
from cli.trouble import Trouble

app = App(
    name="import",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount import leden.xlsx
    onaccount import 2890 leden.xlsx \\
        --yes --limit 100,00 --on-account --in-overview
    onaccount import leden.xlsx \\
        --mapping "Naam=company" --mapping "Nr=account"
    onaccount import template leden.xlsx --language nl
    onaccount import report JOB_ID
    onaccount import undo JOB_ID

The first row that looks like one is the header: Bedrijf, Voornaam,
Achternaam, E-mailadres, Rekeningnummer, Limiet, Aantal rekeningen and many
more, in Dutch or English; docs/importing.md lists them.
The workbook comes back beside the file with the outcome of each row.
""",
)

Where = Annotated[
    int | None,
    Parameter(
        name=("--environment", "-e"), help="Its environment, where several have the import's id."
    ),
]
Several = Annotated[list[str] | None, Parameter(negative="")]
Mapping = Annotated[list[str] | None, Parameter(name=("--mapping", "--column"), negative="")]


@app.default
async def import_(
    what: str,
    file: Path | None = None,
    /,
    *,
    environment: Annotated[int | None, Parameter(name=("--environment", "-e"))] = None,
    yes: Yes = False,
    sheet: str | None = None,
    mapping: Mapping = None,
    defaults: Several = None,
    limit: str | None = None,
    on_account: bool | None = None,
    in_overview: bool | None = None,
    status: Literal["inactive", "active", "blocked", "closed"] | None = None,
    language: Literal["nl", "en"] | None = None,
    common: Common = DEFAULT,
) -> int:
    """Import a workbook: shows what it would do, asks, does it, and saves the report.

    Exit status 1 where rows were refused; the others are imported all the same.

    Parameters
    ----------
    what
        The workbook (.xlsx); or the environment, and then the workbook.
    file
        The workbook, where the environment stands before it.
    environment
        For which environment, where there is more than one.
    sheet
        Which sheet of the workbook.
    mapping
        A header and the field it stands for, as "Naam=company"; may be given several times.
    defaults
        What new accounts get where a row says nothing, as limit=100,00 or on_account=yes; may be
        given several times. The same as the options that follow.
    limit
        Limit for rows without one, as 100,00; none: no limit.
    status
        The new accounts' status; only an active one can be bought on.
    """
    environment, file = _what(what, file, environment)
    named: Json = {"limit": limit, "on_account": on_account, "in_overview": in_overview}
    named |= {"status": status, "language": language}
    given_ = defaults_of(**{**defaults_said(defaults or []), **given(named)})
    extra = {
        "sheet": sheet,
        "mapping": mapping_of(mapping or []) or None,
        "defaults": given_ or None,
    }
    screen = common.screen
    upload = from_file(file, environment=environment or 0, by=common.by, extra=extra)
    async with common.client("import.uploaded") as client:
        upload = replace(upload, environment=await environment_of(client, environment))
        job, result = await until_clear(client, upload, file, screen, yes=yes)
    if result is None:
        return 1
    if result["type"] == "import.failed":
        return show_failed(screen, result)
    return _show_result(screen, result, file, job)


def _what(what: str, file: Path | None, environment: int | None) -> tuple[int | None, Path]:
    """`FILE`, or `ENVIRONMENT FILE`; raises Misuse for anything else."""
    if file is None:
        return environment, Path(what)
    if what.isascii() and what.isdigit():
        return int(what), file
    raise Misuse(f"{what!r} is not an environment's number; write `onaccount import FILE`.")


@app.command(name="list")
async def list_(environment: int | None = None, /, *, common: Common = DEFAULT) -> int:
    """List the imports of an environment (or of all), the newest last."""
    async with common.client() as client:
        states = list((await client.view("imports.state")).values())
        if environment is not None:
            states = [s for s in states if s["environment"] == environment]
            if not states:
                await registry_of(client, environment)
    states.sort(key=lambda s: str(s["at"]))
    common.screen.data(states)
    show_states(common.screen, states)
    common.screen.say(counted(len(states), "import"))
    return 0


@app.command
async def show(job_id: str, /, *, environment: Where = None, common: Common = DEFAULT) -> int:
    """Show an import: how it stands, and what was said of it."""
    screen = common.screen
    async with common.client() as client:
        state = await job_state(client, job_id, environment)
        its = holding(state["job_id"])
        heard = await client.read("imports.events", wanted=its)
        told = [r.message for r in heard if r.environment == state["environment"]]
        registry = await registry_of(client, state["environment"])
    screen.data(state)
    show_states(screen, [state])
    said = {m["type"]: m for m in told if m.get("job_id") == state["job_id"]}
    if preview := said.get("import.previewed"):
        show_preview(screen, preview)
    if failed := said.get("import.failed"):
        screen.data(failed)
        screen.bad(f"{failed['reason']}: {failed['message']}")
    if completed := said.get("import.completed"):
        screen.data(completed)
        show_completed(screen, completed)
    if undone := said.get("import.undone"):
        screen.data(undone)
        show_undone(screen, undone, registry)
    return 0


@app.command
async def report(
    job_id: str,
    file: Path | None = None,
    /,
    *,
    environment: Where = None,
    common: Common = DEFAULT,
) -> int:
    """Fetch the workbook of an import again, with the outcome of each row.

    Parameters
    ----------
    file
        Where to; by default the workbook's name with .result.xlsx, here.
    """
    async with common.client() as client:
        state = await job_state(client, job_id, environment)
        content = await report_of(client, state)
    place = file or Path(f"{Path(state['file_name']).stem}.result.xlsx")
    if file is None and place.exists():
        raise Trouble(f"{place} is there already; name the file to write.")
    write(place, content)
    common.screen.data({"job_id": state["job_id"], "report": str(place)})
    common.screen.good(f"each row's outcome is in {place}")
    return 0


@app.command
async def cancel(job_id: str, /, *, environment: Where = None, common: Common = DEFAULT) -> int:
    """Stop an import that was not confirmed or is under way; what was imported stays."""
    screen = common.screen
    async with common.client("import.cancelled") as client:
        state = await job_state(client, job_id, environment)
        if state["status"] not in ("received", "previewed", "running"):
            raise Misuse(f"The import of {state['file_name']} has ended: it is {state['status']}.")
        job = Job(client, known_upload(state, common.by), job_id=state["job_id"])
        with client.expecting(job.asked) as answers:
            await job.say("import.cancelled")
            end = await job.completed(answers, lambda done, rows: None)
    screen.data(end)
    if end["type"] == "import.completed":
        return show_completed(screen, end)  # it was done before it could be stopped
    screen.good(end["message"])
    return 0


@app.command
async def undo(
    job_id: str,
    /,
    *,
    environment: Where = None,
    yes: Yes = False,
    common: Common = DEFAULT,
) -> int:
    """Take an import back, as far as nobody has used or changed what it made."""
    screen = common.screen
    async with common.client("import.undo") as client:
        state = await job_state(client, job_id, environment)
        show_states(screen, [state])
        question = f"Take back what {state['file_name']} made and changed?"
        if not await agreed(screen, question, yes=yes):
            return 1
        job = Job(client, known_upload(state, common.by), job_id=state["job_id"])
        with client.expecting(job.asked) as answers, screen.progress("taken back") as gauge:
            await job.say("import.undo")
            message = await job.undone(answers, gauge, first_s=common.timeout)
        registry = await registry_of(client, state["environment"])
    if message["type"] == "import.failed":
        return show_failed(screen, message, "not taken back")
    screen.data(message)
    show_undone(screen, message, registry)
    return 0


@app.command(name="template")
def template_(
    file: Path = Path("leden.xlsx"),
    /,
    *,
    language: Literal["nl", "en"] = "nl",
    common: Common = DEFAULT,
) -> int:
    """Write a workbook to fill in: column names, with a note on each, lists to choose from.

    Parameters
    ----------
    file
        Where to; it must not be there yet.
    language
        Of the column names and the notes.
    """
    if file.exists():
        raise Trouble(f"{file} is there already; name another file, or remove it first.")
    file.write_bytes(template(language))
    common.screen.data({"file": str(file)})
    common.screen.good(f"{file} is ready to be filled in; then: onaccount import {file}")
    return 0


def _show_result(screen: Screen, result: Json, file: Path, job: Job) -> int:
    report = trouble = None
    try:
        report = save(file, job.report) if job.report else None
    except Trouble as why:  # what was done is done, and is told first
        trouble = why
    screen.data(result if report is None else {**result, "report": str(report)})
    status = show_completed(screen, result)
    if report is not None:
        screen.say(f"Each row's outcome is in {report}")
    screen.say(f"To take it back: onaccount import undo {job.id}")
    if trouble is not None:
        raise trouble
    return status
