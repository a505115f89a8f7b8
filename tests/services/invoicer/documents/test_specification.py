"""The workbook has real values, adds up to the document, and runs nothing."""

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest

from services.invoicer.documents.model import EuroVat
from services.invoicer.documents.specification import render_specification
from tests.services.invoicer.documents.samples import (
    AWKWARD,
    REPLACED,
    credit_note,
    invoice,
    line,
    many_lines,
    random_documents,
)


def opened(content: bytes, *, values: bool = True) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content), data_only=values)


def test_the_lines_are_real_dates_times_and_numbers() -> None:
    sheet = opened(render_specification(invoice()))["Specificatie"]
    assert [cell.value for cell in sheet[4]] == [
        datetime(2026, 11, 14),  # noqa: DTZ001  (a cell has no zone)
        time(12, 14),
        "Kaas per kilo",
        0.35,
        18.99,
        0.09,
        6.10,
        0.55,
        6.65,
        "bar-1",
        "018f3a5c-0000-7000-8000-000000000001",
    ]
    assert sheet["A4"].number_format == "dd-mm-yyyy"
    assert sheet["E4"].number_format.startswith('"€" #,##0.00')


def test_the_header_is_frozen_the_filter_covers_the_lines_and_the_last_row_sums_them() -> None:
    content = render_specification(invoice(*many_lines(120), language="en"))
    sheet = opened(content)["Specification"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:K121"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet["A122"].value == "Total"
    for column in "GHI":
        parts = [sheet[f"{column}{row}"].value for row in range(2, 122)]
        assert sheet[f"{column}122"].value == pytest.approx(sum(parts))
    formulas = opened(content, values=False)["Specification"]
    assert formulas["I122"].value == "=SUBTOTAL(109,I2:I121)"


@pytest.mark.parametrize("text", [*AWKWARD, "+1", "@SUM(1)", "-2", "=1+1", "\x00\x1b"])
def test_text_stays_text(text: str) -> None:
    sheet = opened(render_specification(invoice(line(text))), values=False)["Specificatie"]
    cell = sheet["C2"]
    assert cell.data_type in {"s", "n"}  # never "f", a formula
    assert cell.value is None or isinstance(cell.value, str)


def test_every_sheet_adds_up_to_the_document_whatever_tills_sent() -> None:
    for document in random_documents(25, seed=4):
        book = opened(render_specification(document))
        lines, vat, _ = book.worksheets
        last = lines.max_row
        sums = [round(lines.cell(last, column).value * 100) for column in (7, 8, 9)]
        assert sums == [document.net, document.vat_total, document.total]
        last = vat.max_row
        sums = [round(vat.cell(last, column).value * 100) for column in (2, 3, 4)]
        assert sums == [document.net, document.vat_total, document.total]


def test_a_credit_notes_reason_stands_there_in_words_where_there_is_one() -> None:
    for reason, says in (("deleted", "de factuur is ingetrokken"), ("Dubbel", "Dubbel"), ("", "")):
        facts = opened(render_specification(credit_note(reason=reason)))["Creditnota"].values
        told = {row[0]: row[1] for row in facts}
        assert told.get("Reden", "") == says


def test_the_same_document_gives_the_same_bytes_and_the_time_of_making_is_its_date() -> None:
    content = render_specification(credit_note())
    assert content == render_specification(credit_note())
    properties = opened(content).properties
    assert properties.created is not None
    assert properties.created.date() == date(2026, 12, 1)


def test_a_row_is_as_tall_as_its_longest_text_for_who_does_not_reckon_it() -> None:
    sheet = opened(
        render_specification(invoice(line("Bier"), line("lang " * 60), line("東京" * 40)))
    )
    heights = [sheet["Specificatie"].row_dimensions[row].height for row in range(1, 5)]
    assert heights[:2] == [None, None]
    assert heights[2] > 5 * 15
    assert heights[3] >= 4 * 15
    longest = opened(render_specification(invoice(line("x" * 9_000))))["Specificatie"]
    assert longest.row_dimensions[2].height <= 409


def test_a_draft_says_so() -> None:
    sheet = opened(render_specification(invoice(number=None)))["Factuur"]
    assert "concept" in sheet["B1"].value
    said = [cell.value for cell in sheet["A"]]
    assert said[1:3] == ["Opgesteld op", "Periode"]  # no invoice date yet, and so no due date
    sheet = opened(render_specification(invoice(number=None, currency="USD")))["Factuur"]
    said = [cell.value for cell in sheet["B"]]
    assert "De btw in euro komt op de factuur, tegen de koers van de factuurdatum." in said


def test_a_drafts_vat_in_euros_is_called_provisional() -> None:
    draft = invoice(number=None, currency="USD", euro=EuroVat(vat=206, rate="0.9215"))
    sheet = opened(render_specification(draft))["Factuur"]
    said = [(a.value or "", b.value) for a, b in sheet.iter_rows(max_col=2)]
    place = [name for name, _ in said].index("Btw in euro, voorlopig (koers 0,9215)")
    assert said[place][1] == "€\u00a02,06"
    assert "De btw in euro is voorlopig: hier tegen de koers van" in said[place + 1][1]


def test_what_excel_would_take_for_an_escape_or_markup_stays_as_it_was_typed() -> None:
    content = render_specification(invoice(line("_x0041_x0042_ <b> & 'q'")))
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        strings = parts.read("xl/sharedStrings.xml").decode()
    assert "<t>_x005F_x0041_x005F_x0042_ &lt;b&gt; &amp; 'q'</t>" in strings  # ECMA-376, 18.4.12


def test_the_facts_name_the_invoices_that_it_replaces() -> None:
    facts = opened(render_specification(invoice(replaces=REPLACED)))["Factuur"]
    said = {row[0].value: row[1].value for row in facts.iter_rows(max_col=2)}
    assert said["Vervangt factuur"] == "2026-00007, F/9 & co"
