"""The report is the person's own workbook: a result beside each row, and nothing else changed."""

import codecs
import io
import json
import re
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from services.importer.child import ChildLimits, Unread, opened
from services.importer.settings import Settings
from tests.services.importer.corpus.markup import RELATIONS, edited
from tests.services.importer.corpus.odd import with_prefix
from tests.services.importer.files import (
    HEADER,
    SHEET,
    changed,
    sheet,
    sheet_xml,
    text_cell,
    zipped,
)

LIMITS = Settings(postgres="postgresql://unused").child_limits()
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0"
    "000003010100c9fe92ef0000000049454e44ae426082"
)
RESULTS = [(4, "created", "aangemaakt: rekeningen 1"), (5, "refused", "geweigerd: =1+1 & <meer>")]


async def report(
    folder: Path,
    content: bytes,
    results: list[tuple[int, str, str]],
    *,
    header_row: int = 1,
    title: str = "Blad1",
    note: str = "",
    rewrite: bool = False,
    limits: ChildLimits = LIMITS,
) -> bytes:
    """What the child makes of a workbook and these results."""
    path, told, to = folder / "x.xlsx", folder / "told.jsonl", folder / "report.xlsx"
    path.write_bytes(content)
    told.write_text("".join(json.dumps(r) + "\n" for r in results))
    asked: dict[str, Any] = {
        "ask": "report",
        "path": str(path),
        "results": str(told),
        "to": str(to),
        "sheet": title,
        "header_row": header_row,
        "columns": 3,
        "title": "Resultaat",
        "note": note,
        "rewrite": rewrite,
    }
    async with opened(limits, **asked) as child:
        await child.finished()
    return to.read_bytes()


def entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@cache
def rich(*, macros: bool = False) -> bytes:
    """A workbook with something of everything, as Excel users make them."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet("Leden")
        other = book.add_worksheet("Toelichting")
        grey, date = book.add_format({"bg_color": "#EEEEEE"}), book.add_format({"num_format": 14})
        page.merge_range("A1:C1", "Ledenlijst 2026")
        page.write_row(2, 0, ["Bedrijf", "Rekening", "Limiet"])
        page.write_row(3, 0, ["De Kraan", 28900001])
        page.write_formula("C4", "=10*12.5", None, 125)
        page.write_row(4, 0, ["'t Hoekje", 28900002, 50])
        page.write_datetime("B12", openpyxl.utils.datetime.from_excel(46000), date)
        page.set_column("A:A", 31)
        page.set_column("C:XFD", 12, grey)
        for row in range(3, 6):
            page.write_blank(row, 3, None, grey)
            page.write_blank(row, 4, None, grey)
        page.freeze_panes(1, 1)
        page.conditional_format("C4:C5", {"type": "data_bar"})
        page.data_validation("C4:C5", {"validate": "decimal", "criteria": ">=", "value": 0})
        page.write_comment("A4", "sinds 1987")
        page.insert_image("F2", "pixel.png", {"image_data": io.BytesIO(PIXEL)})
        page.autofilter("A3:C5")
        chart = book.add_chart({"type": "pie"})
        chart.add_series({"values": "=Leden!$C$4:$C$5"})
        other.insert_chart("A1", chart)
        if macros:
            book.add_vba_project(io.BytesIO(b"macros"), is_stream=True)
    return file.getvalue()


async def test_names_with_backslashes_come_back_as_others_have_them(tmp_path: Path) -> None:
    before = entries(rich(macros=True))
    content = zipped({name.replace("/", "\\"): each for name, each in before.items()})
    after = entries(await report(tmp_path, content, RESULTS, header_row=3, title="Leden"))
    assert list(after) == [name for name in before if "vbaProject" not in name]
    page = openpyxl.load_workbook(io.BytesIO(zipped(after)))["Leden"]
    assert "Resultaat" in [cell.value for cell in page[3]]


async def test_everything_but_the_result_is_as_it_was(tmp_path: Path) -> None:
    before = entries(rich())
    after = entries(await report(tmp_path, rich(), RESULTS, header_row=3, title="Leden"))
    assert list(after) == list(before)
    differing = {name for name in before if before[name] != after[name]}
    assert differing == {SHEET, "xl/styles.xml"}
    # What came is put out again, and what is left is the sheet that it was, but for its frozen
    # panes and the widths of its columns.
    old, new = (openpyxl.load_workbook(io.BytesIO(content)) for content in (rich(), pack(after)))
    values = [[c.value for c in row] for row in old["Leden"].iter_rows(max_col=3)]
    assert [[c.value for c in row] for row in new["Leden"].iter_rows(max_col=3)] == values
    for row in range(1, 13):
        for column in (1, 2, 3, 5, 6):
            cells = [book["Leden"].cell(row, column) for book in (old, new)]
            assert len({(c.number_format, c.fill.start_color.rgb, c.font.b) for c in cells}) == 1
    tail = before[SHEET].partition(b"</sheetData>")[2]
    assert tail
    assert after[SHEET].endswith(tail)


def pack(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


async def test_each_row_has_its_result_in_its_colour(tmp_path: Path) -> None:
    told = [RESULTS[0], (5, "refused", f"{RESULTS[1][2]} '_x0041_x0042_'")]
    content = await report(tmp_path, rich(), told, header_row=3, title="Leden")
    # What Excel would read as "A" and "B" (ECMA-376, 18.4.12).
    sheets = [part for name, part in entries(content).items() if "/worksheets/" in name]
    assert any(b"'_x005F_x0041_x005F_x0042_'" in part for part in sheets)
    page = openpyxl.load_workbook(io.BytesIO(content))["Leden"]
    read = [str(page.cell(row, 4).value).replace("_x005F_", "_") for row in range(3, 7)]
    assert read == ["Resultaat", "aangemaakt: rekeningen 1", told[1][2], "None"]
    assert page["D3"].font.b
    assert (page["D4"].fill.start_color.rgb, page["D4"].font.color.rgb) == ("FFC6EFCE", "FF006100")
    assert (page["D5"].fill.start_color.rgb, page["D5"].font.color.rgb) == ("FFFFC7CE", "FF9C0006")
    assert page["D5"].data_type == "s"
    assert not page["D4"].alignment.wrap_text  # rows keep their heights
    assert page["E4"].fill.start_color.rgb == "FFEEEEEE"  # the next cell's format stays its own
    assert page.freeze_panes == "B4"  # the column that was frozen still is
    widths = {k: (d.min, d.max, d.width) for k, d in page.column_dimensions.items()}
    assert widths["A"] == (1, 1, pytest.approx(31, abs=1))
    assert widths["C"][:2] == (3, 3)
    assert widths["D"] == (4, 4, 60)
    assert widths["E"][:2] == (5, 16384)


@pytest.mark.parametrize("rewrite", [False, True])
async def test_what_concerns_the_whole_sheet_stands_right_of_the_title(
    tmp_path: Path, rewrite: bool
) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page, grey = book.add_worksheet("Leden"), book.add_format({"bg_color": "#EEEEEE"})
        page.write_row(0, 0, ["Bedrijf", "Rekening", "Limiet"])
        for column in range(3, 7):
            page.write_blank(0, column, None, grey)
        page.write_row(1, 0, ["De Kraan", 28900001, 50])
    content = await report(
        tmp_path, file.getvalue(), [(2, "created", "aangemaakt")],
        title="Leden", note="Let op: <macro's>", rewrite=rewrite,
    )  # fmt: skip
    made = openpyxl.load_workbook(io.BytesIO(content))["Leden"]
    assert [[c.value for c in row] for row in made.iter_rows(min_col=3, max_col=6)] == [
        ["Limiet", "Resultaat", "Let op: <macro's>", None], [50, "aangemaakt", None, None],
    ]  # fmt: skip
    names = re.findall(rb'<c r="([A-Z]+1)"', entries(content)[SHEET])
    assert len(names) == len(set(names))
    assert made["D1"].font.b


async def test_macros_stay_behind_and_the_rest_is_an_xlsx(tmp_path: Path) -> None:
    content = await report(tmp_path, rich(macros=True), RESULTS, header_row=3, title="Leden")
    parts = entries(content)
    assert "xl/vbaProject.bin" in entries(rich(macros=True))
    assert not [name for name in parts if "vba" in name.lower()]
    assert b"vbaProject" not in parts["xl/_rels/workbook.xml.rels"]
    assert b"macroEnabled" not in parts["[Content_Types].xml"]
    assert openpyxl.load_workbook(io.BytesIO(content))["Leden"]["D4"].value


async def test_a_sheet_without_views_columns_or_styles_gets_what_it_lacks(tmp_path: Path) -> None:
    rows = HEADER + b'<row r="2" spans="1:1">' + text_cell("A2", "De Kraan") + b"</row><row r='3'/>"
    content = await report(tmp_path, sheet(rows), [(2, "unchanged", "ongewijzigd")])
    page: Any = openpyxl.load_workbook(io.BytesIO(content)).active
    assert [c.value for c in page[2]] == ["De Kraan", None, "ongewijzigd"]
    assert page.freeze_panes == "A2"
    assert page.column_dimensions["C"].width == 60
    assert b"spans" not in entries(content)[SHEET]


async def test_a_sheet_whose_tags_have_a_prefix_keeps_it(tmp_path: Path) -> None:
    content = await report(tmp_path, with_prefix(), [(2, "created", "aangemaakt")])
    assert b'<x:c r="C2"' in entries(content)[SHEET]
    page: Any = openpyxl.load_workbook(io.BytesIO(content)).active
    assert page["C2"].value == "aangemaakt"


async def test_a_byte_order_mark_moves_nothing(tmp_path: Path) -> None:
    rows = HEADER + b'<row r="2">' + text_cell("A2", "één") + b"</row>"
    content = changed(**{SHEET: b"\xef\xbb\xbf" + sheet_xml(rows)})
    made = await report(tmp_path, content, [(2, "created", "aangemaakt")])
    page: Any = openpyxl.load_workbook(io.BytesIO(made)).active
    assert [c.value for c in page[2]] == ["één", None, "aangemaakt"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
async def test_a_sheet_in_utf_16_is_annotated_like_any(tmp_path: Path, encoding: str) -> None:
    """And comes back in UTF-8, with all its letters."""
    rows = HEADER + b'<row r="2">' + text_cell("A2", "Café 't Hóekje € 😀") + b"</row>"
    text = sheet_xml(rows).decode().replace("?>", ' encoding="UTF-16" standalone="yes"?>', 1)
    assert text.count("UTF-16") == 1
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    content = changed(**{SHEET: mark + text.encode(encoding)})
    made = await report(tmp_path, content, [(2, "created", "déjà")])
    page: Any = openpyxl.load_workbook(io.BytesIO(made)).active
    assert [c.value for c in page[2]] == ["Café 't Hóekje € 😀", None, "déjà"]
    assert b'encoding="UTF-8"' in entries(made)[SHEET]


async def test_a_sheet_that_is_also_the_styles_is_a_sheet(tmp_path: Path) -> None:
    """The fuzzer's find: its results were lost, as the part was copied as one of styles."""
    content = edited(RELATIONS, b'"styles.xml"', b'"/xl/worksheets/sheet1.xml"')
    made = await report(tmp_path, content, [(2, "created", "aangemaakt")])
    page = entries(made)[SHEET]
    assert b"aangemaakt" in page


async def test_what_cannot_be_annotated_is_written_anew(tmp_path: Path) -> None:
    """Text that begins like a formula stays text there too."""
    rows = HEADER + b'<row r="2">' + text_cell("A2", "=cmd|' /C calc'!A0") + b"</row>"
    made = await report(tmp_path, sheet(rows), [(2, "created", "=1+1")], rewrite=True)
    page: Any = openpyxl.load_workbook(io.BytesIO(made)).active
    assert [c.data_type for c in page[2]] == ["s", "n", "n", "s"]
    # Made again it is the same: a worker that goes on after another says its other parts.
    assert b">2000-01-01T00:00:00Z<" in entries(made)["docProps/core.xml"]


async def test_rows_that_are_merged_whole_leave_no_place_for_a_result(tmp_path: Path) -> None:
    """Excel shows nothing of a merged range but its first cell: the list is written anew."""
    rows = HEADER + b'<row r="3">' + text_cell("A3", "De Kraan") + b"</row>"
    end = b"</sheetData>"
    for reference, fits in ((b"1:1", False), (b"2:3", False), (b"A2:A3", True)):
        merges = end + b'<mergeCells><mergeCell ref="%s"/></mergeCells>' % reference
        content = changed(**{SHEET: sheet_xml(rows).replace(end, merges)})
        if fits:
            await report(tmp_path, content, [(3, "created", "aangemaakt")])
        else:
            with pytest.raises(Unread):
                await report(tmp_path, content, [(3, "created", "aangemaakt")])


async def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Read whole, this workbook takes several times the memory that its child is given."""
    count = 10_000
    rows = b"".join(
        b'<row r="%d">%s<c r="B%d"><v>%d</v></c></row>' % (n, text_cell(f"A{n}", "x" * 400), n, n)
        for n in range(2, count)
    )
    results = [(n, "created", "aangemaakt " * 20) for n in range(2, count)]
    limits = replace(LIMITS, memory_bytes=56 * 1024 * 1024)
    made = await report(tmp_path, sheet(HEADER + rows), results, limits=limits)
    assert entries(made)[SHEET].count(b"aangemaakt") == 20 * len(results)
