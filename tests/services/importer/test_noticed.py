"""A preview says what of a sheet was read otherwise than the person may think."""

import io
import uuid
from typing import Any

import xlsxwriter

from tests.services.importer.venue import completed_of, parts, preview_of, report_of, venue
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database


def filtered_list() -> bytes:
    """A list with macros, a filter that hides a row, a hidden column and a merged company."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet("Leden")
        page.write_row(0, 0, ["Bedrijf", "Rekening", "Omschrijving"])
        for row, (account, text) in enumerate([(1, "lid"), (2, "oud-lid"), (3, "lid")], 1):
            page.write_row(row, 1, [account, text])
        page.merge_range("A2:A3", "De Kraan")
        page.write("A4", "Het Anker")
        page.autofilter("A1:C4")
        page.filter_column("C", "x == lid")
        page.set_row(2, options={"hidden": True})
        page.set_column("C:C", None, None, {"hidden": True})
        book.add_vba_project(io.BytesIO(b"macros"), is_stream=True)
    return file.getvalue()


async def test_hidden_filtered_merged_and_macros_are_told_and_imported(postgres: Database) -> None:
    job = str(uuid.uuid4())
    async with venue(postgres) as place:
        await place.say(*parts(filtered_list(), job_id=job))
        preview = preview_of(await place.settle())
        assert (preview.rows, preview.creates, preview.problem_count) == (3, 3, 0)
        told = [(w.row, w.column, w.message) for w in preview.warnings if w.row == 1]
        words = (
            "may not buy on account yet: 3", "no limit is given: 3", "macros",
            "imported as well (1)", "hidden", "their group (1)",
        )  # fmt: skip
        assert all(word in message for word, (_, _, message) in zip(words, told, strict=True))
        assert [column for _, column, _ in told] == [None, None, None, None, "Omschrijving", None]

        await place.say(place.confirm(job))
        events = await place.settle()
        assert completed_of(events).created == 3
        page = report_of(events)
        assert page["D1"].value == "Result"
        assert page["E1"].value.startswith(
            "Note: • new accounts that may not buy on account yet: 3"
        )
        assert "• the workbook has macros;" in page["E1"].value
        assert "• Omschrijving: this column is hidden" in page["E1"].value
        assert [page.cell(row, 4).value[:7] for row in (2, 3, 4)] == ["created"] * 3
    holders = {a: v["holder"] for a, v in place.registry.accounts.items()}
    assert holders["1"] == holders["2"] != holders["3"]


NEW: list[list[Any]] = [["De Kraan", 28900001], ["Het Anker", 28900002]]


async def test_that_new_accounts_may_not_buy_is_told_before_and_after_each_with_what_to_do(
    postgres: Database,
) -> None:
    job = str(uuid.uuid4())
    async with venue(postgres) as place:
        await place.say(*parts(sheet_workbook(["Bedrijf", "Rekening"], *NEW), job_id=job))
        before = [w.message for w in preview_of(await place.settle()).warnings if w.row == 1]
        assert [message.partition(";")[0] for message in before] == [
            "new accounts that may not buy on account yet: 2",
            "new accounts for which no limit is given: 2",
        ]
        assert all("import with --" in message for message in before)

        await place.say(place.confirm(job))
        after = [w.message for w in completed_of(await place.settle()).warnings or ()]
        assert after == [
            "new accounts that may not buy on account yet: 2; write yes for them in a column"
            " 'On account' and import the workbook again, or `onaccount account change 2890"
            " NUMBERS --on-account`",
            "new accounts with the limit of the environment, 0.00: 2; nothing can be bought on"
            " them; fill in a limit ('none' for no limit) and import the workbook again, or"
            " `onaccount limits set 2890 100,00 NUMBERS`",
        ]


async def test_nothing_is_told_of_accounts_that_may_buy_or_whose_rows_say_that_they_may_not(
    postgres: Database,
) -> None:
    rows = [[*NEW[0], "ja", 50], [*NEW[1], "nee", 50]]
    async with venue(postgres) as place:
        events = await place.imported(
            sheet_workbook(["Bedrijf", "Rekening", "Op naam", "Limiet"], *rows)
        )
        assert completed_of(events).warnings is None
        assert report_of(events)["F1"].value is None

        await place.open(default_on_account=True)
        events = await place.imported(
            sheet_workbook(["Bedrijf", "Rekening", "Limiet"], ["Het Roer", 28900003, 50])
        )
        assert completed_of(events).warnings is None
