"""The person's own workbook back, with a result beside each row. Runs in the child only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from services.importer.workbook.annotate import WIDTH, Annotating, Annotation, Result, survey
from services.importer.workbook.bounds import Unfit
from services.importer.workbook.package import Package
from services.importer.workbook.places import LAST_ROW
from services.importer.workbook.repack import Change, Writer, repack
from services.importer.workbook.restyle import FILLS, INKS, restyle
from services.importer.workbook.sheets import Sheets

MADE: Final = datetime(2000, 1, 1)  # noqa: DTZ001  (a workbook's times have no zone)


def results(path: str) -> Iterator[Result]:
    """Lines of JSON: [row, outcome, sentence], in the order of rows."""
    with Path(path).open(encoding="utf-8") as file:
        for line in file:
            row, outcome, sentence = json.loads(line)
            yield row, outcome, sentence


def annotate(request: dict[str, Any], sign: Callable[[], None] = lambda: None) -> None:
    """Write `request["to"]`: the workbook with a coloured result column and a frozen header, and
    what concerns the whole sheet in a cell right of the results' title.

    Everything else is as it was, byte for byte, but for macros, which are left out. Memory does
    not grow with the file. `sign` is called now and then while it goes on. Raises Unfit for a
    workbook that is built too oddly for that.
    """
    package = Package(request["path"], sign)
    sheet = next((s for s in package.sheets if s.name == request["sheet"]), None)
    if sheet is None:
        raise Unfit("unreadable")
    found = survey(package.pieces(sheet.part), request["header_row"])
    styles: dict[str, int] = {}

    def restyled(pieces: Iterable[bytes], write: Writer) -> None:
        restyle(pieces, write)

    def annotated(pieces: Iterable[bytes], write: Writer) -> None:
        wanted = Annotation(
            header_row=request["header_row"],
            title=request["title"],
            note=request["note"],
            results=results(request["results"]),
            styles=styles,
        )
        Annotating(found, wanted, write).run(pieces)

    changes: dict[str, Change] = {sheet.part: annotated}
    part = package.related("styles")
    if part and part.casefold() != sheet.part.casefold():
        # Once to learn the new styles' numbers: the sheet may come before them in the archive.
        styles.update(restyle(package.pieces(part), lambda _: None))
        changes[part] = restyled
    repack(package, request["to"], changes)


def rewrite(request: dict[str, Any], sign: Callable[[], None] = lambda: None) -> None:
    """The same for a workbook that cannot be annotated: the list's values and their results in a
    new workbook, written as it is read."""
    import xlsxwriter

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        # What it puts aside meanwhile holds people's data: it goes with the folder of the workbook.
        "tmpdir": str(Path(request["to"]).parent),
    }
    with xlsxwriter.Workbook(request["to"], options) as book:
        book.set_properties({"created": MADE})  # made again it is the same
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
        for number, cells in Sheets(request["path"], sign).rows(
            request["sheet"], after=0, at_most=LAST_ROW
        ):
            heading = number == request["header_row"]
            for index, cell in enumerate(cells[:column]):
                value = cell if isinstance(cell, str | int | float | None) else cell.text
                if value is not None:
                    sheet.write(number - 1, index, value, bold if heading else None)
            if heading:
                sheet.write_string(number - 1, column, request["title"], bold)
                if request["note"]:
                    sheet.write_string(number - 1, column + 1, request["note"], bold)
            if upcoming is not None and upcoming[0] == number:
                sheet.write_string(number - 1, column, upcoming[2], styles[upcoming[1]])
                upcoming = next(told, None)
