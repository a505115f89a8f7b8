"""From a workbook to planned rows: the child reads, the domain decides, the store keeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from runtime.jobs import Work
from schemas.steps import Step
from services.importer.child import Child, ChildLimits, Row, opened
from services.importer.domain.amounts import Style, evidence, is_unclear
from services.importer.domain.bundles import STEPS, Bundler, worded
from services.importer.domain.cells import Cell
from services.importer.domain.columns import Layout, Unclear, lay_out
from services.importer.domain.messages import Tongue, of_row, say
from services.importer.domain.noticed import Noticed, still_to_do, warnings_of
from services.importer.domain.planning import Planner, RowPlan
from services.importer.domain.refusals import Problem
from services.importer.domain.registry_sentences import UNFIT
from services.importer.domain.rows import Entry, RowReader
from services.importer.jobs.files import workbook
from services.importer.store import plans, uploads
from services.importer.store.registry import Environment
from services.importer.store.uploads import Upload

CHUNK: Final = 1_000
"""Rows that are planned in one step: each step costs a commit and a dozen round trips."""

_STEP: Final = TypeAdapter[Step](Step).validator.validate_json

A_BREATH: Final = 100
"""Rows that are read or planned in one go, before whatever else waits has its turn."""

READ_AHEAD: Final = 2
"""Chunks that are read while another is stored."""

Styles = Mapping[int, Style | None]
"""How each amount column (by index) writes its amounts; None: it does not tell."""


class StylesWanted(Exception):
    """An amount such as 1.250 was met before its column was looked through."""


async def plan_rows(
    work: Work, upload: Upload, environment: Environment, limits: ChildLimits, window: int
) -> Layout | Unclear:
    """Read the workbook and store what each row will do; what was planned before is forgotten.

    `window`: the most commands that are sent together.
    Raises Unread where the file cannot be read, and LeaseLost.
    """
    async with workbook(work, upload) as path:
        asked = {"ask": "rows", "path": str(path), "sheet": upload.sheet}
        styles: Styles = {}
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
                    bundler = Bundler(most=min(STEPS, window))
                    planner, count = await _read(
                        work, upload, environment, child, layout, styles, bundler
                    )
                except StylesWanted:
                    pass
                else:
                    found = _noticed(layout, child.noticed, planner, upload.environment)
                    async with work.step() as tx:
                        await uploads.note_plan(
                            tx,
                            upload,
                            tongue=environment.language,
                            layout=_kept(found),
                            change=environment.changes,
                            rows=count,
                        )
                    return found
            async with opened(limits, **asked) as child:
                await child.outlines()
                styles = await _styles(child, layout)


async def _read(
    work: Work,
    upload: Upload,
    environment: Environment,
    child: Child,
    layout: Layout,
    styles: Styles,
    bundler: Bundler,
) -> tuple[Planner, int]:
    tongue = environment.language
    known = {index: style for index, style in styles.items() if style is not None}
    house = environment.house
    reader = RowReader(layout=layout, tongue=tongue, styles=known, home=house.country)
    planner = Planner(job_id=upload.job_id, tongue=tongue, defaults=upload.defaults, house=house)
    async with work.step() as tx:
        await plans.forget(tx, upload)
    unseen = [i for i in _amounts(layout) if i not in styles]
    count = 0
    async with _ahead(_chunks(child, layout, reader, unseen)) as chunks:
        async for chunk in chunks:
            await _chunk(work, upload, chunk, planner, bundler)
            count += len(chunk)
    return planner, count


async def _chunks(
    child: Child, layout: Layout, reader: RowReader, unseen: Sequence[int]
) -> AsyncIterator[list[Entry]]:
    """The rows of the list, a chunk at a time. Raises Unread, and StylesWanted for an amount in
    one of the columns `unseen`."""
    waiting: list[Entry] = []
    async for rows in child.rows(layout.sheet, layout.header_row):
        if any(is_unclear(c) for i in unseen for c in _column(rows, i)):
            raise StylesWanted
        for number, cells in rows:
            if (entry := reader.read(number, cells)) is not None:
                waiting.append(entry)
        if len(waiting) >= CHUNK:
            yield waiting
            waiting = []
        await asyncio.sleep(0)  # a child's line has a hundred rows
    if waiting:
        yield waiting


@contextlib.asynccontextmanager
async def _ahead(
    chunks: AsyncIterator[list[Entry]],
) -> AsyncIterator[AsyncIterator[list[Entry]]]:
    """The same chunks, read by a task of its own while those before them are stored: PostgreSQL
    and this process then work at the same time. No more than READ_AHEAD wait."""
    ready: asyncio.Queue[list[Entry] | Exception | None] = asyncio.Queue(READ_AHEAD)

    async def read() -> None:
        try:
            async for chunk in chunks:
                await ready.put(chunk)
        except Exception as fault:
            await ready.put(fault)
        else:
            await ready.put(None)

    async def taken() -> AsyncIterator[list[Entry]]:
        while (chunk := await ready.get()) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    reading = asyncio.create_task(read())
    try:
        yield taken()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _chunk(
    work: Work, upload: Upload, entries: Sequence[Entry], planner: Planner, bundler: Bundler
) -> None:
    """Plan some rows of the list in one step."""
    found: list[tuple[RowPlan, list[str]]] = []
    async with work.step() as tx:
        book = await plans.book_for(tx, upload, entries)
        for entry in entries:
            plan = planner.plan(entry, book)
            found.append(as_sent(plan, entry.headers, planner.tongue, bundler.left_out))
            if len(found) % A_BREATH == 0:
                await asyncio.sleep(0)
        bundles = bundler.bundled(found)
        await plans.add(tx, upload, [plan for plan, _ in found], bundles, book)


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
            message = say(UNFIT, tongue, says=first["msg"])
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
    return replace(layout, warnings=warnings, advice=advice, to_do=to_do)


def _kept(layout: Layout) -> dict[str, Any]:
    """What the report and the end need of a layout; no samples, which are people's data."""
    columns = [{"index": c.index, "header": c.header, "field": c.field} for c in layout.columns]
    return {
        "sheet": layout.sheet,
        "header_row": layout.header_row,
        "columns": columns,
        "warnings": [[w.column, w.message] for w in (*layout.to_do, *layout.warnings)],
        "to_do": [asdict(one) for one in layout.to_do],
    }


def _amounts(layout: Layout) -> list[int]:
    return [column.index for column in layout.columns if column.field == "limit"]


def _column(rows: Sequence[Row], index: int) -> list[Cell]:
    return [cells[index] for _, cells in rows if index < len(cells)]


async def _styles(child: Child, layout: Layout) -> Styles:
    """Look through the amount columns: what most of their cells leave open, a few may tell."""
    seen: dict[int, set[Style]] = {index: set() for index in _amounts(layout)}
    async for rows in child.rows(layout.sheet, layout.header_row):
        for index, found in seen.items():
            told = {evidence(c) for c in _column(rows, index) if isinstance(c, str)}
            found |= {style for style in told if style is not None}
    return {index: next(iter(s)) if len(s) == 1 else None for index, s in seen.items()}
