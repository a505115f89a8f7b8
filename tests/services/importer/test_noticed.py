"""A preview says what of a sheet was read otherwise than the person may think."""

import io
import uuid

import xlsxwriter

from tests.services.importer.venue import completed_of, parts, preview_of, report_of, venue
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
        assert [column for _, column, _ in told] == [None, None, "Omschrijving", None, None]
        words = (
            "macros", "1 hidden or filtered rows", "hidden", "name no limit (3)", "1 merged",
        )  # fmt: skip
        assert all(word in message for word, (_, _, message) in zip(words, told, strict=True))

        await place.say(place.confirm(job))
        events = await place.settle()
        assert completed_of(events).created == 3
        heading = report_of(events)["D1"].value
        assert heading.startswith("Result (note: the workbook has macros;")
        assert "; Omschrijving: this column is hidden" in heading
        assert [report_of(events).cell(row, 4).value[:7] for row in (2, 3, 4)] == ["created"] * 3
    holders = {a: v["holder"] for a, v in place.registry.accounts.items()}
    assert holders["1"] == holders["2"] != holders["3"]
