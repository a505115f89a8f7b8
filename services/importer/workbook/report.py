"""The person's own workbook back, with a result beside each row. Runs in the child only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.styles import Alignment, Font, PatternFill

from services.importer.workbook.places import LAST_ROW
from services.importer.workbook.sheets import Sheets

FILLS: Final = {
    "created": "C6EFCE",
    "changed": "DDEBF7",
    "unchanged": "EDEDED",
    "refused": "FFC7CE",
}
INKS: Final = {"created": "006100", "changed": "1F4E78", "unchanged": "595959", "refused": "9C0006"}
WIDTH: Final = 60


def results(path: str) -> Iterator[tuple[int, str, str]]:
    """Lines of JSON: [row, outcome, sentence], in the order of rows."""
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            row, outcome, sentence = json.loads(line)
            yield row, outcome, sentence


def annotate(request: dict[str, Any]) -> None:
    """Write `request["to"]`: the workbook with a coloured result column and a frozen header.

    Everything that openpyxl keeps of a workbook stays (values, formulas, styles, other sheets);
    pictures and macros do not.
    """
    book = load_workbook(request["path"], keep_links=False)
    sheet = book[request["sheet"]]
    column = _last_column(sheet, request["header_row"]) + 1
    heading = sheet.cell(request["header_row"], column, request["title"])
    heading.font = Font(bold=True)
    for row, outcome, sentence in results(request["results"]):
        cell = sheet.cell(row, column)
        _as_text(cell, sentence)
        cell.fill = PatternFill("solid", start_color=FILLS[outcome])
        cell.font = Font(color=INKS[outcome])
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions[heading.column_letter].width = WIDTH
    sheet.freeze_panes = f"A{request['header_row'] + 1}"
    book.save(request["to"])


def _last_column(sheet: Any, header_row: int) -> int:
    """The last column with content; a sheet may be formatted far beyond it."""
    last = 0
    for row in sheet.iter_rows(min_row=header_row):
        for cell in reversed(row[last:]):
            if cell.value is not None:
                last = cell.column
                break
    return last


def _as_text(cell: Any, text: str) -> None:
    """Text that begins with = + - or @ stays text: it comes from a stranger's cell."""
    cell.value = text
    if cell.data_type == "f":
        cell.data_type = "s"
    cell.quotePrefix = True


def rewrite(request: dict[str, Any]) -> None:
    """The same for a workbook that is too large to be opened whole: the list's values and their
    results in a new workbook, written as it is read."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(request["to"], options) as book:
        styles = {
            outcome: book.add_format({"bg_color": f"#{FILLS[outcome]}", "font_color": f"#{ink}"})
            for outcome, ink in INKS.items()
        }
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(request["sheet"])
        sheet.freeze_panes(request["header_row"], 0)
        column = request["columns"]
        sheet.set_column(column, column, WIDTH)
        told = results(request["results"])
        upcoming = next(told, None)
        for number, cells in Sheets(request["path"]).rows(
            request["sheet"], after=0, at_most=LAST_ROW
        ):
            heading = number == request["header_row"]
            for index, cell in enumerate(cells[:column]):
                value = cell if isinstance(cell, str | int | float | None) else cell.text
                if value is not None:
                    sheet.write(number - 1, index, value, bold if heading else None)
            if heading:
                sheet.write_string(number - 1, column, request["title"], bold)
            if upcoming is not None and upcoming[0] == number:
                sheet.write_string(number - 1, column, upcoming[2], styles[upcoming[1]])
                upcoming = next(told, None)
