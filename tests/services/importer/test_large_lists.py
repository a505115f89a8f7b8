"""Lists of several chunks: read ahead of what is stored, and planned as if they were one."""

import contextlib
import io
import uuid
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from runtime.jobs import StepTx, Work
from services.importer.jobs.rows import A_BREATH, CHUNK
from services.importer.store import imports
from tests.services.importer.files import SHEET, changed
from tests.services.importer.venue import Venue, failed_of, parts, preview_of, venue
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database

HEADER = ["Bedrijf", "Rekeningnummer", "Limiet"]
JOB = str(uuid.UUID(int=7))
MANY = 3 * CHUNK + A_BREATH + 7


def rows(count: int) -> list[list[object]]:
    return [[f"Bedrijf {n} B.V.", 28900000 + n, 12.5] for n in range(1, count + 1)]


async def previewed(place: Venue, *table: list[object]) -> list[object]:
    await place.say(*parts(sheet_workbook(*table)))
    return await place.settle()


async def test_every_row_of_a_list_of_several_chunks_is_planned_once(postgres: Database) -> None:
    table = rows(MANY)
    table[-1][0:2] = table[0][0:2]  # the first row's company and account, three chunks later
    async with venue(postgres) as place:
        preview = preview_of(await previewed(place, HEADER, *table))
    assert (preview.rows, preview.creates, preview.problem_count) == (MANY, MANY - 1, 1)
    problem = preview.problems[0]
    assert (problem.row, problem.column) == (MANY + 1, "Rekeningnummer")
    assert "row 2" in problem.message


@pytest.mark.parametrize("beyond", [0, CHUNK])
async def test_a_file_that_fails_after_some_chunks_ends_in_one_sentence_and_the_next_is_served(
    postgres: Database, beyond: int
) -> None:
    async with venue(postgres, import_rows=2 * CHUNK) as place:
        failed = failed_of(await previewed(place, HEADER, *rows(2 * CHUNK + beyond + 1)))
        assert failed.reason == "too_many_rows"
        assert preview_of(await previewed(place, HEADER, *rows(3))).creates == 3


async def test_an_unclear_amount_in_a_later_chunk_is_explained_by_its_column(
    postgres: Database,
) -> None:
    table = rows(2 * CHUNK + 2)
    table[-2][2] = "1.250"
    table[-1][2] = "12,50"
    async with venue(postgres) as place:
        preview = preview_of(await previewed(place, HEADER, *table))
    assert (preview.creates, preview.problem_count) == (len(table), 0)


class Interrupted:
    """A job in hand, with something that happens once its first chunk is stored."""

    def __init__(self, work: Work, place: Venue, happens: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._place = place
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    @contextlib.asynccontextmanager
    async def step(self) -> AsyncIterator[StepTx]:
        if await kept(self._place):
            await self._happens()
        async with self._work.step() as tx:
            yield tx


def broken_at_its_end(content: bytes) -> bytes:
    """The same workbook; its last row is there, and the end of its sheet is not."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read(SHEET)
    return changed(content, **{SHEET: sheet[: sheet.index(b"</sheetData>")]})


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken at its end"])
async def test_of_a_job_that_is_cancelled_while_it_is_planned_nothing_is_kept(
    postgres: Database, broken: bool
) -> None:
    """However its planning ends, of which nobody is told any more."""
    content = sheet_workbook(HEADER, *rows(4 * CHUNK))
    async with venue(postgres) as place:
        forget = [kind for kind in place.kinds if kind.kind == "forget"]
        said: list[object] = []

        async def cancel() -> None:
            if not said:
                said.extend(await place.say(place.cancel(JOB)))
                await place.bench.run_jobs(forget)
                assert await kept(place) == 0

        async def run(work: Any) -> None:
            await plan.run(Interrupted(work, place, cancel))  # type: ignore[arg-type]

        plan = next(kind for kind in place.kinds if kind.kind == "plan")
        await place.say(*parts(broken_at_its_end(content) if broken else content, job_id=JOB))
        await place.bench.run_jobs([replace(plan, run=run)])
        assert failed_of(said).reason == "cancelled"
        assert await kept(place) == 0


async def test_what_an_import_made_is_looked_for_key_by_key_while_its_tables_are_new(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        rows = await place.bench.database.fetch(f"EXPLAIN {imports.sql.hear}", 2890, JOB)
    plan = "\n".join(row[0] for row in rows)
    assert "SubPlan" in plan
    assert "Anti Join" not in plan, plan
    assert "Semi Join" not in plan, plan


async def test_rows_that_are_done_are_counted_once_however_often_one_looks(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(sheet_workbook(HEADER, *rows(CHUNK + 3)), job_id=JOB))
        await place.settle()
        fetch = place.bench.database.fetch
        numbers = [r[0] for r in await fetch("SELECT number FROM bundle ORDER BY number")]
        assert len(numbers) > 2
        until = counted = 0
        for number in [*numbers[1:2], *numbers[:1], *numbers[2:]]:  # one before its turn
            await fetch("UPDATE bundle SET ended = true WHERE number = $1", number)
            ((until, more),) = await fetch(imports.sql.done, 2890, JOB, until)
            ((_, whole),) = await fetch(imports.sql.done, 2890, JOB, 0)
            counted += more
            assert counted == whole
        assert counted == CHUNK + 3


async def kept(place: Venue) -> int:
    found = await place.bench.database.fetch(
        "SELECT (SELECT count(*) FROM planned_row) + (SELECT count(*) FROM bundle)"
        " + (SELECT count(*) FROM planned_customer) + (SELECT count(last_planned) FROM upload)"
    )
    return int(found[0][0])
