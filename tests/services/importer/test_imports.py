"""From a workbook on the topic to accounts, on a real PostgreSQL, with a registry that answers."""

import asyncio
import io
import uuid

import openpyxl
import pytest

from schemas.imports import ImportFailed, ImportProgressed, ImportUndone
from schemas.steps import RegistryApply
from schemas.wire import decode
from tests.services.importer.venue import (
    completed_of,
    failed_of,
    only,
    parts,
    preview_of,
    report_of,
    venue,
)
from tests.support.article_workbook import COMPANIES, article_workbook, sheet_workbook
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
            "Result", "created: account 28900001", "created: account 28900010",
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


async def test_so_many_accounts_as_the_operator_asked_for_and_no_more(postgres: Database) -> None:
    # What the help article has people mail: name, limit, number of accounts.
    content = sheet_workbook(
        ["Naam", "Limiet", "Aantal rekeningen"],
        ["Hotel De Zon", "€ 1.250,-", 3],
        ["Jan Jansen", 50, 1],
    )
    async with venue(postgres) as place:
        events = await place.imported(content)
        assert completed_of(events).created == 2
        assert report_of(events)["D2"].value == (
            "created: accounts 28900001, 28900002, 28900003;"
            " without street, postcode and town this customer cannot be invoiced"
        )
        done = completed_of(await place.imported(content))
        assert (done.created, done.unchanged) == (0, 2)
    holders = [a["holder"] for _, a in sorted(place.registry.accounts.items())]
    assert [holders.count(h) for h in dict.fromkeys(holders)] == [3, 1]
    assert place.registry.accounts["28900002"]["limit"] == 125000


async def test_numbers_are_handed_out_after_all_that_the_workbook_gives(
    postgres: Database,
) -> None:
    """Those of rows below too: else these are refused, and their members have no account."""
    content = sheet_workbook(
        ["Naam", "Rekening", "Aantal rekeningen"],
        ["Hotel De Zon", None, 2], ["De Kraan", 28900001, None], ["De Roos", "28900002", None],
    )  # fmt: skip
    async with venue(postgres) as place:
        done = completed_of(await place.imported(content))
        assert (done.created, done.refused) == (3, 0)
        done = completed_of(await place.imported(content))
        assert (done.unchanged, done.refused) == (3, 0)
    assert sorted(place.registry.accounts) == [f"2890000{n}" for n in range(1, 5)]


async def test_two_previews_of_one_environment_do_not_give_out_the_same_numbers(
    postgres: Database,
) -> None:
    def content(name: str) -> bytes:
        return sheet_workbook(["Naam", "Aantal rekeningen"], [name, 2])

    jobs = [str(uuid.UUID(int=n)) for n in (1, 2)]
    async with venue(postgres) as place:
        for job, name in zip(jobs, ("Hotel A", "Hotel B"), strict=True):
            await place.say(*parts(content(name), job_id=job))
            await place.settle()
        await place.say(*(place.confirm(job) for job in jobs))
        events = await place.settle()
        assert [e.refused for e in events if e.type == "import.completed"] == [0, 0]
    assert sorted(place.registry.accounts) == [f"2890000{n}" for n in range(1, 5)]


async def test_a_changed_file_changes_what_is_different(postgres: Database) -> None:
    headers = ["Bedrijf", "Rekening", "Limiet", "Plaats"]
    async with venue(postgres) as place:
        await place.imported(
            sheet_workbook(headers, ["A", 1, 100, "Houten"], ["B", 2, 100, "Houten"])
        )
        place.registry.asked.clear()
        done = completed_of(
            await place.imported(
                sheet_workbook(
                    headers, ["A", 1, 100, "Utrecht"], ["B", 2, 250, "Houten"], ["C", 3, 1, ""]
                )
            )
        )
        assert (done.created, done.changed, done.unchanged, done.refused) == (1, 2, 0, 0)
    assert [c.type for c in place.registry.asked] == [
        "customer.change", "account.change", "customer.register", "account.open",
    ]  # fmt: skip
    assert place.registry.accounts["2"]["limit"] == 25000


async def test_a_refused_command_refuses_its_row_and_what_builds_on_it(postgres: Database) -> None:
    content = sheet_workbook(["Bedrijf", "Rekening"], ["A", 1], ["A", 2], ["B", 3])
    async with venue(postgres) as place:
        place.registry.refuse["A"] = "the registry does not like A"
        events = await place.imported(content)
        done = completed_of(events)
        assert (done.created, done.refused) == (1, 2)
        sheet = report_of(events)
        assert sheet["C2"].value.startswith("refused: ")
        assert "the registry does not like A" in sheet["C2"].value
        assert sheet["C3"].value == "refused: row 2, which this row builds on, was refused"
    assert sorted(place.registry.accounts) == ["3"]


async def test_problems_are_previewed_by_row_and_column_and_their_rows_refused(
    postgres: Database,
) -> None:
    content = sheet_workbook(
        ["Leden"],
        [],
        ["Bedrijf", "Rekening", "Limiet"],
        ["A", 28900001, "12,5O"],
        ["B", 28900002, 10],
        [None, None, 5],
        ["C", 28900002, 10],
    )
    async with venue(postgres) as place:
        await place.say(*parts(content, job_id=JOB))
        preview = preview_of(await place.settle())
        assert (preview.rows, preview.valid, preview.creates, preview.problem_count) == (4, 1, 1, 3)
        assert [(p.row, p.column, p.value) for p in preview.problems] == [
            (4, "Limiet", "12,5O"), (6, None, None), (7, "Rekening", "28900002"),
        ]  # fmt: skip
        await place.say(place.confirm(JOB))
        events = await place.settle()
        done = completed_of(events)
        assert (done.created, done.refused) == (1, 3)
        sheet = report_of(events)
        assert sheet["D3"].value == "Result"
        assert sheet["D4"].value == (
            "refused: Limiet: '12,5O' is not an amount; write a number like 12,50, or 'none' for"
            " no limit"
        )
        assert sheet.freeze_panes == "A4"
        assert sheet["A4"].value == "A"
        assert sheet["D4"].fill.start_color.rgb != sheet["D5"].fill.start_color.rgb


async def test_sentences_are_in_the_environments_language(postgres: Database) -> None:
    content = sheet_workbook(["Bedrijf", "Rekening", "Limiet"], ["A", 1, "veel"])
    async with venue(postgres) as place:
        await place.open(language="nl")
        events = await place.imported(content)
        assert report_of(events)["D2"].value == (
            "geweigerd: Limiet: 'veel' is geen bedrag; schrijf een getal zoals 12,50, of 'geen'"
            " voor geen limiet"
        )


async def test_the_whole_column_settles_an_amount_that_can_be_two_things(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.imported(
            sheet_workbook(["Bedrijf", "Rekening", "Limiet"], ["A", 1, "1.250"], ["B", 2, "12,50"])
        )
        assert place.registry.accounts["1"]["limit"] == 125000
        await place.say(
            *parts(sheet_workbook(["Bedrijf", "Rekening", "Limiet"], ["C", 3, "1.250"]))
        )
        (problem,) = preview_of(await place.settle()).problems
        assert problem.message == "'1.250' can be two amounts; write 1250,00 if that is meant"


async def test_the_registry_is_looked_at_again_where_it_changed_since_the_preview(
    postgres: Database,
) -> None:
    content = sheet_workbook(["Bedrijf", "Rekening"], ["A", 1])
    async with venue(postgres) as place:
        await place.say(*parts(content, job_id=JOB))
        assert preview_of(await place.settle()).creates == 1
        await place.imported(content)  # somebody else was faster
        await place.say(place.confirm(JOB))
        events = await place.settle()
        done = completed_of(events)
        assert (done.created, done.unchanged, done.refused, done.differs) == (0, 1, 0, 1)
        assert done.warnings is None  # no new account is left that may not buy
        assert report_of(events)["C2"].value.startswith(
            "unchanged; the preview said new, but customers or accounts changed in between"
        )


async def test_a_preview_that_is_not_understood_any_more_ends_with_the_reason(
    postgres: Database,
) -> None:
    """As where a newer version, started since, knows two columns for a field."""
    async with venue(postgres) as place:
        await place.say(*parts(sheet_workbook(["Bedrijf", "Rekening"], ["A", 1]), job_id=JOB))
        await place.settle()
        await place.open(default_on_account=True)
        await place.bench.database.fetch("UPDATE upload SET sheet = 'Leden'")
        await place.say(place.confirm(JOB))
        (failed,) = [e for e in await place.settle() if isinstance(e, ImportFailed)]
        assert (failed.reason, len(place.commands)) == ("sheet_unclear", 0)


async def test_without_a_preview_the_end_tells_what_is_odd_about_the_sheet(
    postgres: Database,
) -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(
            sheet_workbook(
                ["Bedrijf", "Rekening", "Limiet", "Op naam"],
                ["A", 1, 5, "x"],
                ["B", 2, "veel", "x"],
            )
        )
    )
    book.active.row_dimensions[3].hidden = True
    out = io.BytesIO()
    book.save(out)
    async with venue(postgres) as place:
        for mode, told in (("import", 1), ("preview", 0)):
            job_id = str(uuid.uuid4())
            await place.say(*parts(out.getvalue(), job_id=job_id, mode=mode))
            events = await place.settle()
            if mode == "preview":
                assert len(preview_of(events).warnings) == 1
                await place.say(place.confirm(job_id))
                events = await place.settle()
            warnings = completed_of(events).warnings or ()
            assert ["hidden" in w.message for w in warnings] == [True] * told
            # A red row that is hidden is found by its number.
            assert "refused: 3  •" in str(report_of(events)["F1"].value)


async def test_what_the_import_does_is_what_the_preview_said(postgres: Database) -> None:
    content = sheet_workbook(
        ["Bedrijf", "Rekening", "Limiet"], ["A", 1, 5], ["B", 2, "x"], ["C", 3, 7]
    )
    async with venue(postgres) as place:
        await place.imported(sheet_workbook(["Bedrijf", "Rekening"], ["C", 3]))
        await place.say(*parts(content, job_id=JOB))
        preview = preview_of(await place.settle())
        await place.say(place.confirm(JOB))
        done = completed_of(await place.settle())
        assert (done.created, done.changed, done.unchanged, done.refused) == (
            preview.creates, preview.changes, preview.unchanged, preview.rows - preview.valid,
        )  # fmt: skip
        assert (done.created, done.changed, done.differs) == (1, 1, None)


async def test_a_large_workbook_is_read_by_other_tasks_than_a_small_one(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(bytes(300_000)), *parts(article_workbook()))
        jobs = await place.bench.database.fetch("SELECT kind FROM job WHERE kind LIKE 'plan%'")
        assert sorted(j["kind"] for j in jobs) == ["plan", "plan-large"]


async def test_an_import_that_is_cancelled_under_way_stops_and_tells_how_far_it_came(
    postgres: Database,
) -> None:
    rows = [[f"Bedrijf {n}", 28900000 + n] for n in range(1, 41)]
    async with venue(postgres, import_window=5) as place:
        await place.say(
            *parts(sheet_workbook(["Bedrijf", "Rekening"], *rows), job_id=JOB, mode="import")
        )
        settling = asyncio.create_task(place.settle())
        while len(place.registry.accounts) < 3:
            await asyncio.sleep(0.01)
        await place.say(place.cancel(JOB))
        events = await settling
        failed = failed_of(events)
        assert (failed.reason, failed.report) == ("cancelled", True)  # which is waited for
        assert f"after {len(place.registry.accounts)} of 40 rows" in failed.message
        assert 3 <= len(place.registry.accounts) < 40


async def test_a_command_without_an_outcome_is_sent_again_with_the_same_bytes(
    postgres: Database,
) -> None:
    async with venue(postgres, import_resend_s=0.3) as place:
        place.deaf = 2
        content = sheet_workbook(["Bedrijf", "Rekening"], ["A", 1])
        await place.say(*parts(content, job_id=JOB, mode="import"))
        importing = asyncio.create_task(place.settle())
        while place.deaf == 2:
            await asyncio.sleep(0.01)
        await place.say(place.confirm(JOB).model_copy(update={"by": "Bo"}))  # under way already
        assert completed_of(await importing).created == 1
        sent = [a for a in place.commands if a.type == "registry.apply"]
        assert len(sent) >= 3
        assert len({(a.key, a.id, a.value) for a in sent}) == 1


async def test_no_more_commands_than_the_window_are_under_way(postgres: Database) -> None:
    rows = [[f"Bedrijf {n}", 28900000 + n] for n in range(1, 31)]
    async with venue(postgres, import_window=7) as place:
        done = completed_of(await place.imported(sheet_workbook(["Bedrijf", "Rekening"], *rows)))
        assert done.created == 30
        asked = [decode(a.topic, a.value) for a in place.commands]
        # Two commands a row, and a row is not cut.
        assert max(len(a.steps) for a in asked if isinstance(a, RegistryApply)) == 6
        assert place.most_at_once == 1


async def test_after_an_import_its_file_is_not_kept(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.imported(article_workbook())
        rows = await place.bench.database.fetch(
            "SELECT FROM upload_part WHERE content IS NOT NULL UNION ALL"
            " SELECT FROM upload WHERE kept_bytes > 0 OR last_planned IS NOT NULL UNION ALL"
            " SELECT FROM planned_customer"
        )
        assert rows == []


@pytest.mark.parametrize(
    ("damage", "heard", "says"),
    [
        ("needs = '5' WHERE sent_at IS NULL", True, "1 of 4 rows"),
        ("needs = '5'", False, "0 of 4 rows"),
        ("needs = '5', results = '5'", False, "what was imported before it stays"),
    ],
)
async def test_of_an_import_that_is_given_up_each_row_is_told(
    postgres: Database, damage: str, heard: bool, says: str
) -> None:
    """Nothing more is sent; what is under way is waited for, or where that fails too told as not
    known; and where not even that can be counted, it is still told that it ended. Method: planned
    rows that our own code fails on, once the first were sent."""
    content = sheet_workbook(["Bedrijf", "Rekening"], ["A", 1], ["B", 2], ["C", None], ["D", 4])
    async with venue(postgres, import_window=2, import_resend_s=0.2) as place:
        database = place.bench.database
        place.deaf = 99
        await place.say(*parts(content, job_id=JOB, mode="import"))
        going = asyncio.create_task(place.settle())
        while not place.commands:
            await asyncio.sleep(0.01)
        await database.execute(f"UPDATE bundle SET {damage}")
        if heard:
            place.deaf = 0
        events = await going
        failed = failed_of(events)
        assert failed.reason == "not_processed"
        assert says in failed.message
        (state,) = await database.fetch("SELECT status, rows, created, refused FROM upload")
        if "results" in damage:
            assert (tuple(state), failed.report) == (("failed", 4, 0, 0), None)
            return
        assert tuple(state) == ("failed", 4, int(heard), 4 - heard)
        told = [str(cell.value)[:15] for cell in report_of(events)["C"][1:]]
        first = "created: accoun" if heard else "not known: the "
        assert told == [first, *["refused: not ca"] * 3]
        place.deaf = 0  # however late it is heard what became of them, it can be taken back
        if not heard:
            await place.answer(place.commands[:1])
        said = only(await place.undone(JOB), ImportUndone)
        assert (said.closed, said.erased) == (1, 1)
