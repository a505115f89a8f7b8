"""From a workbook to planned rows: the child reads, the domain decides, the store keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from runtime.jobs import Work
from schemas.malformed import says
from schemas.steps import Step
from services.importer.child import Child, ChildLimits, Row, Unread, opened
from services.importer.domain.amounts import Style, evidence, is_unclear, style_of
from services.importer.domain.book import series_of
from services.importer.domain.bundles import STEPS, Bundler, worded
from services.importer.domain.cells import Cell
from services.importer.domain.columns import Layout, Unclear, lay_out
from services.importer.domain.lengths import AT_MOST
from services.importer.domain.messages import Tongue, of_row, say
from services.importer.domain.noticed import Noticed, still_to_do, warnings_of
from services.importer.domain.numbers import account_of
from services.importer.domain.planning import Planner, RowPlan
from services.importer.domain.refusals import Problem
from services.importer.domain.registry_sentences import UNFIT
from services.importer.domain.rows import Entry, RowReader
from services.importer.jobs.ahead import ahead
from services.importer.jobs.files import workbook
from services.importer.store import plans, uploads
from services.importer.store.earlier import Earlier
from services.importer.store.plans import Portion
from services.importer.store.registry import Environment
from services.importer.store.uploads import Upload

CHUNK: Final = 1_000
"""Rows that are planned in one step: each step costs a commit and a dozen round trips."""

_STEP: Final = TypeAdapter[Step](Step).validator.validate_json

A_BREATH: Final = 20
"""Rows that are planned in one go, before whatever else waits has its turn: a small job beside it
has some sixty turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look through all rows tells. `styles`: how each amount column (by index) writes its
    amounts, for what most of its cells leave open a few may tell; None: none does. `highest`: the
    highest number of the environment's series that a row gives: what is handed out comes after it,
    also to rows above."""

    styles: Mapping[int, Style | None] = field(default_factory=dict)
    highest: int = 0


class LookWanted(Exception):
    """What only a look through all rows tells was met before it: an amount such as 1.250, or a row
    that is to get numbers where others give theirs."""


async def plan_rows(
    work: Work, upload: Upload, environment: Environment, limits: ChildLimits, window: int
) -> Layout | Unclear:
    """Read the workbook and store what each row will do; what was planned before is forgotten.

    `window`: the most commands that are sent together.
    Raises Unread where the file cannot be read, and LeaseLost.
    """
    async with workbook(work, upload) as path:
        currency = environment.house.currency
        asked = {"ask": "rows", "path": str(path), "sheet": upload.sheet, "currency": currency}
        seen: Seen | None = None
        while True:
            async with opened(limits, **asked) as child:
                layout = lay_out(
                    await child.outlines(),
                    sheet=upload.sheet,
                    mapping=upload.mapping,
                    tongue=environment.language,
                )
                if isinstance(layout, Unclear):
                    return layout
                try:
                    return await _read(work, upload, environment, child, layout, seen, window)
                except LookWanted:
                    pass
            async with opened(limits, **asked) as child:
                await child.outlines()
                seen = await _look_through(child, layout, upload.environment)


async def _read(
    work: Work,
    upload: Upload,
    environment: Environment,
    child: Child,
    layout: Layout,
    seen: Seen | None,
    window: int,
) -> Layout:
    """Store what the rows will do; gives the layout with what there is to say of them all. Raises
    LookWanted, unless they were `seen`."""
    tongue = environment.language
    known = seen or Seen()
    house = environment.house
    reader = RowReader(
        layout=layout,
        tongue=tongue,
        styles={index: style for index, style in known.styles.items() if style is not None},
        environment=upload.environment,
        home=house.country,
        currency=house.currency,
    )
    planner = Planner(job_id=upload.job_id, tongue=tongue, defaults=upload.defaults, house=house)
    async with work.step() as tx:
        await plans.forget(tx, upload)
    chunks = _chunks(child, layout, reader, looked=seen is not None)
    count = 0
    with Earlier(
        environment=upload.environment, job_id=upload.job_id, counted=_counts(layout)
    ) as earlier:
        earlier.last_in_series = known.highest
        bundler = Bundler(most=min(STEPS, window))
        async with ahead(chunks) as entries:
            planned = _planned(work, upload, entries, planner, bundler, earlier)
            async with ahead(planned) as portions:
                async for portion in portions:
                    await _store(work, upload, portion)
                    count += len(portion.plans)
        last_in_series = earlier.last_in_series
    found = _noticed(layout, child.noticed, planner, upload.environment)
    async with work.step() as tx:
        await uploads.note_plan(
            tx,
            upload,
            tongue=tongue,
            layout=_kept(found),
            change=environment.changes,
            rows=count,
            last_in_series=last_in_series,
        )
    return found


async def _store(work: Work, upload: Upload, portion: Portion) -> None:
    """Store a chunk. Raises Unread where the job was cancelled meanwhile: what it had is forgotten
    by then, and nobody would forget what comes after."""
    async with work.step() as tx:
        now = await uploads.lock(tx, upload.environment, upload.job_id)
        ended = now is None or now.ended
        if not ended:
            await plans.add(tx, upload, portion)
    if ended:
        raise Unread("expired")


async def _chunks(
    child: Child, layout: Layout, reader: RowReader, *, looked: bool
) -> AsyncIterator[list[Entry]]:
    """The rows of the list, a chunk at a time. Raises Unread, and LookWanted unless they were all
    `looked` through."""
    unseen = () if looked else _amounts(layout)
    mixed = not looked and _hands_out(layout)
    waiting: list[Entry] = []
    async for rows in child.rows(layout.sheet, layout.header_row):
        if any(is_unclear(c) for i in unseen for c in _column(rows, i)):
            raise LookWanted
        for number, cells in rows:
            if (entry := reader.read(number, cells)) is not None:
                if mixed and entry.account_count:
                    raise LookWanted
                waiting.append(entry)
        if len(waiting) >= CHUNK:
            yield waiting
            waiting = []
        await asyncio.sleep(0)  # a child's line has a hundred rows
    if waiting:
        yield waiting


async def _planned(
    work: Work,
    upload: Upload,
    chunks: AsyncIterator[list[Entry]],
    planner: Planner,
    bundler: Bundler,
    earlier: Earlier,
) -> AsyncIterator[Portion]:
    """What the rows will do, a chunk at a time."""
    async for entries in chunks:
        async with work.look() as tx:
            book = await plans.book_for(tx, upload.environment, entries, earlier)
        found: list[tuple[RowPlan, list[str]]] = []
        for entry in entries:
            plan = planner.plan(entry, book)
            found.append(as_sent(plan, entry.headers, planner.tongue, bundler.left_out))
            if len(found) % A_BREATH == 0:
                await asyncio.sleep(0)
        planned = [plan for plan, _ in found]
        earlier.keep(book)
        linked = earlier.linked(planned, book)
        yield Portion(plans=planned, bundles=bundler.bundled(found), linked=linked)


def as_sent(
    plan: RowPlan, headers: Mapping[str, str], tongue: Tongue, left_out: set[int]
) -> tuple[RowPlan, list[str]]:
    """A row's commands as they are sent. What the contract cannot hold is refused here, not later
    by the registry; `headers` gives the column of each field. `left_out` are rows for which that
    was so: what builds on one of them is refused with it."""
    texts = []
    for planned in plan.commands:
        if planned.after is not None and planned.after[0] in left_out:
            message = of_row("depends", tongue, other=planned.after[0])
            problem = Problem(row=plan.row, column="", value="", message=message)
            left_out.add(plan.row)
            return replace(plan, commands=(), problems=(problem,)), []
        text = worded(planned)
        try:
            _STEP(f'{{"step":0,{text}')
        except ValidationError as fault:
            first = fault.errors(include_input=False, include_url=False)[0]
            field = str(first["loc"][1]) if len(first["loc"]) > 1 else ""
            message = say(UNFIT, tongue, says=says(first))
            value = str(planned.body.get(field) or "")[:100]
            column = headers.get(field, "")
            problem = Problem(row=plan.row, column=column, value=value, message=message)
            left_out.add(plan.row)
            return replace(plan, commands=(), problems=(problem,)), []
        texts.append(text)
    return plan, texts


def _noticed(layout: Layout, noticed: Noticed, planner: Planner, environment: int) -> Layout:
    """The layout with what there is to say of the sheet and of its new accounts as a whole."""
    tongue, tally = planner.tongue, planner.tally
    advice, to_do = (
        still_to_do(layout, tongue, tally, environment=environment, imported=imported)
        for imported in (False, True)
    )
    warnings = warnings_of(noticed, layout, tongue)
    hides_rows = noticed.hidden_rows > 0
    return replace(layout, warnings=warnings, advice=advice, to_do=to_do, hides_rows=hides_rows)


def _kept(layout: Layout) -> dict[str, Any]:
    """What the report and the end need of a layout; no samples, which are people's data."""
    columns = [{"index": c.index, "header": c.header, "field": c.field} for c in layout.columns]
    return {
        "sheet": layout.sheet,
        "header_row": layout.header_row,
        "columns": columns,
        "hides_rows": layout.hides_rows,
        "warnings": [[w.column, w.message] for w in (*layout.to_do, *layout.warnings)],
        "to_do": [asdict(one) for one in layout.to_do],
    }


def _amounts(layout: Layout) -> list[int]:
    return [column.index for column in layout.columns if column.field == "limit"]


def _counts(layout: Layout) -> bool:
    return any(column.field == "account_count" for column in layout.columns)


def _column(rows: Sequence[Row], index: int) -> list[Cell]:
    return [cells[index] for _, cells in rows if index < len(cells)]


def _hands_out(layout: Layout) -> bool:
    """Whether some rows may give an account's number and others have theirs handed out."""
    return {"account", "account_count"} <= layout.fields()


async def _look_through(child: Child, layout: Layout, environment: int) -> Seen:
    told: dict[int, set[Style | None]] = {index: set() for index in _amounts(layout)}
    numbers = [column.index for column in layout.columns if column.field == "account"]
    highest = 0
    async for rows in child.rows(layout.sheet, layout.header_row):
        for index, found in told.items():
            found |= {evidence(c) for c in _column(rows, index) if isinstance(c, str)}
        for cell in (c for index in numbers for c in _column(rows, index)):
            number = account_of(cell, at_most=AT_MOST["account"])
            if isinstance(number, str):
                highest = max(highest, series_of(environment, number))
    styles = {index: style_of(found) for index, found in told.items()}
    return Seen(styles=styles, highest=highest)
