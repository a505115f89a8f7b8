"""Who cancels because of what is wrong finds it beside the rows, and nothing was imported."""

import re
import uuid
from typing import Any

from schemas.imports import ImportFailed
from tests.services.importer.venue import (
    Venue,
    completed_of,
    failed_of,
    only,
    parts,
    preview_of,
    report_of,
    venue,
)
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database

JOB = str(uuid.UUID(int=9))
HEADER = ["Bedrijf", "Rekening", "Limiet"]
WRONG = (["Zonnebloem", 28900001, "veel"], ["Klaproos", "2,89E+07", 5])
ALL_WRONG = sheet_workbook(HEADER, *WRONG)
SOME_WRONG = sheet_workbook(HEADER, ["Anemoon", 28900003, 10], *WRONG)


def results(events: list[Any]) -> list[list[str]]:
    """The column of results and what stands right of it, from its title down."""
    rows = report_of(events).iter_rows(min_col=4, values_only=True)
    return [[str(value) for value in row if value is not None] for row in rows]


async def cancelled(place: Venue, content: bytes) -> list[Any]:
    await place.open(language="nl")
    await place.say(*parts(content, job_id=JOB))
    await place.settle()
    said = await place.say(place.cancel(JOB))
    return [*said, *await place.settle()]


async def rows_kept(place: Venue) -> list[int]:
    found = await place.bench.database.fetch(
        "SELECT (SELECT count(*) FROM planned_row)::int AS rows,"
        " (SELECT count(*) FROM upload_part WHERE content IS NOT NULL)::int AS parts,"
        " (SELECT sum(kept_bytes) FROM upload)::int AS bytes"
    )
    return list(found[0])


async def test_where_each_row_has_a_problem_all_of_them_come_back(postgres: Database) -> None:
    async with venue(postgres) as place:
        events = await cancelled(place, ALL_WRONG)
        failed = failed_of(events)
        assert (failed.reason, failed.report) == ("cancelled", True)
        assert results(events) == [
            ["Resultaat", "Let op: er is niets geïmporteerd; verbeter de rode rijen, en importeer "
             "de werkmap opnieuw"],
            ["geweigerd: Limiet: 'veel' is geen bedrag; schrijf een getal zoals 12,50, of 'geen' "
             "voor geen limiet"],
            ["geweigerd: Rekening: '2,89E+07' is afgekort en mist misschien cijfers; typ het hele "
             "nummer als tekst"],
        ]  # fmt: skip
        assert await rows_kept(place) == [0, 0, 0]
        assert place.registry.asked == []
        assert await place.say(place.cancel(JOB)) == await place.say(place.confirm(JOB))
        (refused,) = await place.undone(JOB)
        assert refused.reason == "not_possible"


async def test_a_row_without_a_problem_is_told_not_to_be_imported(postgres: Database) -> None:
    async with venue(postgres) as place:
        events = await cancelled(place, SOME_WRONG)
        assert [re.split("[:;]", row[0])[0] for row in results(events)[1:]] == [
            "niet geïmporteerd", "geweigerd", "geweigerd",
        ]  # fmt: skip


async def test_where_nothing_is_wrong_nothing_comes_back(postgres: Database) -> None:
    async with venue(postgres) as place:
        events = await cancelled(place, sheet_workbook(HEADER, ["Anemoon", 28900003, 10]))
        assert [e.type for e in events] == ["import.failed"]
        assert only(events, ImportFailed).report is None
        assert await rows_kept(place) == [0, 0, 0]


async def test_imported_at_once_or_confirmed_all_problems_come_back_too(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(ALL_WRONG, job_id=JOB))
        assert preview_of(await place.settle()).valid == 0
        await place.say(place.confirm(JOB))
        for events in (await place.settle(), await place.imported(ALL_WRONG)):
            assert completed_of(events).refused == 2
            assert [re.split("[:;]", row[0])[0] for row in results(events)] == [
                "Result", "refused", "refused",
            ]  # fmt: skip
