"""From a workbook on the topic to accounts, on a real PostgreSQL, with a registry that answers."""

import uuid

from schemas.imports import ImportProgressed
from tests.services.importer.venue import (
    completed_of,
    parts,
    preview_of,
    report_of,
    venue,
)
from tests.support.article_workbook import COMPANIES, article_workbook
from tests.support.databases import Database

JOB = str(uuid.UUID(int=4))


async def test_the_articles_workbook_is_previewed_confirmed_and_becomes_ten_accounts(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(article_workbook(), job_id=JOB))
        preview = preview_of(await place.settle())
        assert (preview.rows, preview.valid, preview.creates, preview.problem_count) == (
            10, 10, 10, 0,
        )  # fmt: skip
        assert [c.field for c in preview.columns] == [
            "company", "account", "limit", "email", "street", "postcode", "city", "chamber_number",
        ]  # fmt: skip
        assert place.registry.asked == []

        await place.say(place.confirm(JOB))
        events = await place.settle()
        done = completed_of(events)
        assert (done.created, done.changed, done.unchanged, done.refused) == (10, 0, 0, 0)
        assert any(isinstance(e, ImportProgressed) for e in events)
        sheet = report_of(events)
        assert [sheet.cell(row, 9).value for row in (1, 2, 11)] == [
            "Result", "created: accounts 28900001", "created: accounts 28900010",
        ]  # fmt: skip
    accounts = place.registry.accounts
    assert sorted(accounts) == [f"2890{n:04}" for n in range(1, 11)]
    first = accounts["28900001"]
    assert first["limit"] == COMPANIES[0][1] * 100
    holder = place.registry.customers[first["holder"]]
    assert (holder["company"], holder["chamber_number"]) == (COMPANIES[0][0], COMPANIES[0][6])


async def test_the_same_workbook_again_changes_nothing(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.imported(article_workbook())
        asked = len(place.registry.asked)
        done = completed_of(await place.imported(article_workbook()))
        assert (done.created, done.changed, done.unchanged, done.refused) == (0, 0, 10, 0)
        assert len(place.registry.asked) == asked
