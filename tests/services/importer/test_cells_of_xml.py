"""A cell's XML -> the cell: exactly what was written, or what is odd about it."""

import io
import tempfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.importer.domain.cells import Cell, Odd
from services.importer.domain.numbers import account_of
from services.importer.domain.refusals import Refusal
from services.importer.workbook.bounds import Bounds, Unfit, check
from services.importer.workbook.rows import Row
from services.importer.workbook.sheets import Sheets
from tests.services.importer.corpus.markup import edited, string_table, with_strings, with_tail
from tests.services.importer.corpus.odd import many_sheets
from tests.services.importer.files import HEADER, MAIN, SHEET, changed, sheet, sheet_xml, text_cell
from tests.services.importer.workbooks import BY_PROGRAM, HEADERS, ROWS


def read(content: bytes, currency: str | None = "EUR") -> list[Row]:
    """All rows with content of the first sheet."""
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        Path(file.name).write_bytes(content)
        check(file.name, Bounds())
        sheets = Sheets(file.name, currency=currency)
        return list(sheets.rows(sheets.package.sheets[0].name, after=0, at_most=10_000))


def one(cell: bytes, **parts: bytes) -> Cell:
    """The cell A2 of a sheet that holds this XML there."""
    rows = read(changed(**{SHEET: sheet_xml(HEADER + b'<row r="2">' + cell + b"</row>"), **parts}))
    return rows[1][1][0] if len(rows) > 1 else None


def number(raw: str, style: str = "0", code: str = "General") -> Cell:
    styles = (
        f'<styleSheet xmlns="{MAIN}"><numFmts>'
        f'<numFmt numFmtId="200" formatCode="{code}"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="200"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    )
    cell = f'<c r="A2" s="{style}"><v>{raw}</v></c>'
    return one(cell.encode(), **{"xl/styles.xml": styles.encode()})


@pytest.mark.parametrize(
    ("raw", "account"),
    [
        ("28900001", "28900001"),
        ("28900001.0", "28900001"),
        ("2.8900001E7", "28900001"),  # as Google Sheets writes it
        ("2.89E7", "28900000"),
        ("2.8900001E+07", "28900001"),
        ("28900001.000000000", "28900001"),
        ("2.89E+07", "scientific"),  # as C's %g writes 28900001
        ("2.89e+07", "scientific"),
        ("3E+7", "scientific"),
        ("1234567890123456", "damaged_number"),
        ("123456789012345680", "damaged_number"),
        ("1.2345678901234568E+17", "damaged_number"),
        ("28900001.5", "not_an_account"),
        ("28900001.000000004", "not_an_account"),
        ("-5", "not_an_account"),
        ("1E400", "damaged_number"),
        ("9" * 400, "damaged_number"),
        ("NaN", "is_error"),
        ("0x10", "is_error"),
        ("1_000", "is_error"),
        ("\u0661\u0662", "is_error"),
    ],
)
def test_an_account_number_is_exact_or_refused(raw: str, account: str) -> None:
    found = account_of(number(raw), at_most=64)
    assert (found.code if isinstance(found, Refusal) else found) == account


@pytest.mark.parametrize(
    ("raw", "code", "cell"),
    [
        ("123", "00000", Odd(kind="padded", text="00123")),
        ("123456", "00000", 123456),
        ("1", "&quot;2890&quot;0000", Odd(kind="masked", text="1")),  # shown as 28900001
        ("0.5", "0%", Odd(kind="masked", text="0.5")),
        ("1250", "#,##0,", Odd(kind="masked", text="1250")),  # shown as 1
        ("1250000", "0.0,,&quot; M&quot;", Odd(kind="masked", text="1250000")),
        ("1250", "#,##0.00", 1250),
        ("5", "00-00", Odd(kind="masked", text="0005")),
        ("28900001", "0000-0000", 28900001),
        ("12.5", "[$\u20ac-413] #,##0.00", 12.5),
        ("12.5", "&quot;EUR &quot;0.00", 12.5),
        ("12.5", "[$EUR] 0.00", 12.5),
        ("50", "[$$-409]#,##0.00", Odd(kind="money", text="$ 50")),
        ("12.5", "&quot;$&quot;#,##0.00", Odd(kind="money", text="$ 12.5")),
        ("50", "_($* #,##0.00_);_($* (#,##0.00)", Odd(kind="money", text="$ 50")),
        ("50", "\\£0", Odd(kind="money", text="£ 50")),
        ("50", "0 &quot;CHF&quot;", Odd(kind="money", text="CHF 50")),
        ("50", "[$zł-415] 0", Odd(kind="money", text="zł 50")),
        ("50", "[$BTC] 0", Odd(kind="money", text="BTC 50")),
        ("50", "($#,##0)", Odd(kind="money", text="$ 50")),
        ("50", "[$-409]0.00", 50),
        ("50", "0 &quot;p.p.&quot;", 50),
        ("12", "Standaard", 12),
        ("46143", "d mmmm yyyy", Odd(kind="date", text="2026-05-01")),
        ("46143.5", "yyyy-mm-dd hh:mm", Odd(kind="date", text="2026-05-01 12:00:00")),
        ("1.5", "[h]:mm", Odd(kind="date", text="36:00:00")),
        ("0.25", "hh:mm", Odd(kind="date", text="06:00:00")),
        ("99999999999", "yyyy", Odd(kind="date", text="99999999999")),
        ("60", "yyyy", Odd(kind="date", text="1900-02-29")),
        ("12", "0 &quot;dagen&quot;", 12),
        ("12", "#,##0_);[Red]\\(#,##0\\)", 12),
    ],
)
def test_a_format_says_what_a_number_is(raw: str, code: str, cell: Cell) -> None:
    assert number(raw, "1", code) == cell


@pytest.mark.parametrize("numfmt", ["7", "44"])
def test_excels_own_amount_is_in_the_currency_of_who_reads_it(numfmt: str) -> None:
    styles = (
        f'<styleSheet xmlns="{MAIN}"><numFmts>'
        f'<numFmt numFmtId="{numfmt}" formatCode="$0"/></numFmts>'
        f'<cellXfs><xf numFmtId="0"/><xf numFmtId="{numfmt}"/></cellXfs></styleSheet>'
    )
    assert one(b'<c r="A2" s="1"><v>50</v></c>', **{"xl/styles.xml": styles.encode()}) == 50


def test_the_formats_of_conditions_are_none_of_the_cells() -> None:
    """ClosedXML writes workbooks in which 14, a date, is a percentage of a pivot table."""
    styles = (
        f'<styleSheet xmlns="{MAIN}"><cellXfs><xf/><xf numFmtId="14"/></cellXfs>'
        '<dxfs><dxf><numFmt numFmtId="14" formatCode="0"/></dxf></dxfs></styleSheet>'
    )
    cell = one(b'<c r="A2" s="1"><v>46143</v></c>', **{"xl/styles.xml": styles.encode()})
    assert cell == Odd(kind="date", text="2026-05-01")


def test_where_no_currency_is_asked_for_an_amount_in_any_is_its_number() -> None:
    """So a report that is written anew has numbers where the list had them."""
    styles = (
        f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="200" formatCode="[$$-409]0"/>'
        '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="200"/></cellXfs></styleSheet>'
    )
    rows = HEADER + b'<row r="2"><c r="A2" s="1"><v>50</v></c></row>'
    content = changed(**{SHEET: sheet_xml(rows), "xl/styles.xml": styles.encode()})
    assert [read(content, given)[1][1] for given in (None, "USD", "EUR")] == [
        [50], [50], [Odd(kind="money", text="$ 50")],
    ]  # fmt: skip


def test_dates_count_from_1904_where_the_workbook_says_so() -> None:
    content = edited("xl/workbook.xml", b"<workbookPr", b'<workbookPr date1904="1"')
    rows = HEADER + b'<row r="2"><c r="A2" s="1"><v>44681</v></c></row>'
    styles = f'<styleSheet xmlns="{MAIN}"><cellXfs><xf/><xf numFmtId="14"/></cellXfs></styleSheet>'
    parts = {SHEET: sheet_xml(rows), "xl/styles.xml": styles.encode()}
    assert read(changed(content, **parts))[1][1] == [Odd(kind="date", text="2026-05-01")]


@pytest.mark.parametrize(
    ("xml", "cell"),
    [
        ("<c r='A2' t='str'><f>A1</f><v>De Kraan</v></c>", "De Kraan"),
        ("<c r='A2'><f>10*12.5</f><v>125</v></c>", 125),
        ("<c r='A2'><f>10*12.5</f></c>", Odd(kind="formula", text="=10*12.5")),
        ("<c r='A2'><f>10*12.5</f><v/></c>", Odd(kind="formula", text="=10*12.5")),
        ("<c r='A2' t='str'><f>A9</f><v></v></c>", None),
        ("<c r='A2' t='e'><f>1/0</f><v>#DIV/0!</v></c>", Odd(kind="error", text="#DIV/0!")),
        ("<c r='A2' t='e'><v>#N/A</v></c>", Odd(kind="error", text="#N/A")),
        ("<c r='A2' t='b'><v>1</v></c>", True),
        ("<c r='A2' t='b'><v>0</v></c>", False),
        ("<c r='A2' t='s'><v></v></c>", None),
        ("<c r='A2' s=''><v>5</v></c>", 5),
        ("<c r='A2' t='inlineStr'><is><t>a</t></is><v>b</v></c>", "a"),
        ("<c r='A2' t='inlineStr'><is><r><t>De </t></r><r><t>Kraan</t></r></is></c>", "De Kraan"),
        ("<c r='A2' t='inlineStr'><is><t>\u6771</t><rPh><t>x</t></rPh></is></c>", "\u6771"),
        ("<c r='A2' t='str'><v>a_x000D_b_x005F_x</v></c>", "a\rb_x"),
        ("<c r='A2' t='str'><v>_xD83D__xDE00_</v></c>", "\U0001f600"),
        ("<c r='A2' t='str'><v>=1+1</v></c>", "=1+1"),
        ("<c r='A2' t='str'><v>\u200f28900001\u00a0</v></c>", "\u200f28900001\u00a0"),
        ("<c r='A2' t='str'><v>x<!-- y -->z</v></c>", "xz"),
        ("<c r='A2' t='str'><v><![CDATA[<b>]]></v></c>", "<b>"),
        ("<c r='A2' t='d'><v>2026-05-01</v></c>", Odd(kind="date", text="2026-05-01")),
        ("<c r='A2'/>", None),
    ],
)
def test_a_cell_is_what_its_xml_says(xml: str, cell: Cell) -> None:
    found = one(xml.encode())
    assert found == cell
    assert type(found) is type(cell)


def test_a_formula_that_its_writer_never_computed_is_not_nought() -> None:
    """xlsxwriter stores 0 for a formula, and asks Excel to compute it when it opens the file."""
    rows = HEADER + b'<row r="2"><c r="A2"><f>B2*2</f><v>0</v></c></row>'
    content = changed(**{SHEET: sheet_xml(rows)})  # openpyxl asks the same of Excel
    assert read(content)[1][1] == [Odd(kind="formula", text="=B2*2")]


def test_phonetic_guides_are_not_part_of_a_shared_string() -> None:
    strings = b"<si><t>De Kraan</t><rPh sb='0' eb='1'><t>DE</t></rPh></si>"
    assert read(with_strings(string_table(strings)))[1][1] == ["De Kraan"]


def test_a_text_over_merged_rows_stands_for_each_and_a_number_for_none() -> None:
    def row(number: int, *cells: bytes) -> bytes:
        return b'<row r="%d">%s</row>' % (number, b"".join(cells))

    limit = b'<c r="B2"><v>500</v></c>'
    rows = (
        HEADER
        + row(2, text_cell("A2", "De Kraan"), limit, text_cell("C2", "1"))
        + row(3, b'<c r="A3" s="0"/>', text_cell("C3", "2"))
        + row(4, text_cell("C4", "3"))
        + row(5, b'<c r="A5"/>')
    )
    merged = b"".join(b'<mergeCell ref="%s2:%s5"/>' % (c, c) for c in (b"A", b"B"))
    tail = b"<mergeCells>" + merged + b"</mergeCells></worksheet>"
    found = read(changed(**{SHEET: sheet_xml(rows).replace(b"</worksheet>", tail)}))
    assert found[1:] == [
        (2, ["De Kraan", 500, "1"]),
        (3, ["De Kraan", Odd(kind="merged", text="500"), "2"]),
        (4, ["De Kraan", Odd(kind="merged", text="500"), "3"]),
    ]


@pytest.mark.parametrize("reference", ["$A$2:$A$3", "2:3"])
def test_whole_rows_and_fixed_references_are_merged_as_other_ranges(reference: str) -> None:
    rows = HEADER + b'<row r="2">' + text_cell("A2", "De Kraan") + text_cell("B2", "1") + b"</row>"
    rows += b'<row r="3">' + text_cell("B3", "2") + b"</row>"
    assert merged(rows, reference)[1:] == [(2, ["De Kraan", "1"]), (3, ["De Kraan", "2"])]


def test_a_whole_merged_column_shows_its_first_cell_in_every_row() -> None:
    """Excel has its list in the other columns then, and below a title in the merged one."""
    rows = b'<row r="1">' + text_cell("C1", "Leden") + b"</row>"
    rows += b'<row r="2">' + text_cell("A2", "Bedrijf") + text_cell("B2", "Rekening") + b"</row>"
    rows += b'<row r="3">' + text_cell("A3", "De Kraan") + text_cell("B3", "1") + b"</row>"
    assert merged(rows, "C:C")[-1] == (3, ["De Kraan", "1", "Leden"])
    assert merged(rows, "D:XFD")[-1] == (3, ["De Kraan", "1"])


@pytest.mark.parametrize("reference", ["", "A:1", "A1:B", ":", "0:3", "x:y", "A1:B2:C3"])
def test_what_is_no_range_of_cells_makes_a_workbook_unreadable(reference: str) -> None:
    with pytest.raises(Unfit, match="unreadable"):
        merged(HEADER, reference)


def merged(rows: bytes, reference: str) -> list[Row]:
    tail = f'<mergeCells><mergeCell ref="{reference}"/></mergeCells></worksheet>'.encode()
    return read(changed(**{SHEET: sheet_xml(rows).replace(b"</worksheet>", tail)}))


def test_a_merged_title_makes_no_rows() -> None:
    rows = b'<row r="1">' + text_cell("A1", "Leden") + b'</row><row r="2"><c r="A2"/></row>'
    content = changed(**{SHEET: sheet_xml(rows)})
    assert read(content) == [(1, ["Leden"])]
    assert read(with_tail(b"<mergeCells><mergeCell ref='A1:B1'/></mergeCells>"))


def test_hidden_rows_and_columns_are_read_and_noticed(tmp_path: Path) -> None:
    rows = (
        HEADER
        + b'<row r="2" hidden="1">' + text_cell("A2", "A") + b"</row>"
        + b'<row r="3" hidden="1"/><row r="4">' + text_cell("A4", "B") + b"</row>"
    )  # fmt: skip
    xml = sheet_xml(rows).replace(
        b"<sheetData>", b'<cols><col min="2" max="3" hidden="1"/></cols><sheetData>'
    )
    path = tmp_path / "x.xlsx"
    path.write_bytes(changed(**{SHEET: xml}))
    sheets = Sheets(str(path))
    assert [o["hidden_columns"] for o in sheets.outlines()] == [[1, 2]]
    assert [n for n, _ in sheets.rows("Blad1", after=1, at_most=9)] == [2, 4]
    assert sheets.noticed() == {"hidden_rows": 1, "merged": 0, "beyond": False}


def test_cells_far_to_the_right_are_left_alone_and_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(sheet(HEADER.replace(b"</row>", text_cell("XFD1", "x") + b"</row>")))
    sheets = Sheets(str(path))
    assert list(sheets.rows("Blad1", after=0, at_most=9)) == [(1, ["Bedrijf", "Rekening"])]
    assert sheets.noticed()["beyond"]


def test_a_sheet_that_is_named_is_found_among_thousands(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(many_sheets(3000))
    sheets = Sheets(str(path))
    seen = [outline["name"] for outline in sheets.outlines()]
    assert (seen[0], len(seen)) == ("Blad1", 50)  # the one that is not hidden
    assert next(sheets.outlines("blad2718"))["name"] == "Blad2718"


@pytest.mark.parametrize("program", BY_PROGRAM)
def test_every_program_s_workbook_reads_the_same(program: str) -> None:
    rows = read(BY_PROGRAM[program]())
    assert [cells for _, cells in rows] == [list(HEADERS), *map(list, ROWS)]


TEXTS = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=20
).filter(lambda text: "_x" not in text)
CELLS = (
    st.none() | st.booleans() | TEXTS | st.integers(-(10**14), 10**14)
    | st.floats(-1e14, 1e14, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-90)
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), min_size=1, max_size=8))
def test_what_openpyxl_wrote_is_read_as_openpyxl_reads_it(rows: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    page: Any = book.active
    for row_number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            cell = page.cell(row_number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
    file = io.BytesIO()
    book.save(file)
    theirs: Any = openpyxl.load_workbook(file, data_only=True).active
    ours = dict(read(file.getvalue()))
    for row in theirs.iter_rows():
        for cell in row:
            cells = ours.get(cell.row, [])
            found = cells[cell.column - 1] if cell.column <= len(cells) else None
            if isinstance(cell.value, str) and not cell.value.strip():
                continue
            assert found == cell.value or (found is None and cell.value is None)
