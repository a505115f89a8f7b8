"""The same list as several programs write it; each is read like the others.

`samples/` holds what programs wrote that are not at hand where tests run (see its README).
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

from tests.services.importer.files import MAIN, zipped

SAMPLES = Path(__file__).parent / "samples"

HEADERS = ("Bedrijf", "Rekeningnummer", "Limiet", "Actief", "Omschrijving")
ROWS: tuple[tuple[Any, ...], ...] = (
    ("De Kraan", 28900001, 100, True, "'s avonds"),
    ("Café “Één” & Zn.", 28900010, 12.5, False, " spaties "),
    ("=geen formule", 123456789012345, 0.1, True, "+31 30 1234567"),
    ("Łódź 😀", 28900100, 1234.56, False, "twee\nregels"),
)
SUM = 1347.16
"""What a formula below the limits has as its stored value."""


def by_openpyxl() -> bytes:
    book = openpyxl.Workbook()
    page: Any = book.active
    page.title = "Leden"
    for row in (HEADERS, *ROWS):
        page.append(row)
    page["A4"].data_type = "s"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def by_xlsxwriter(*, constant_memory: bool = False) -> bytes:
    file = io.BytesIO()
    options = {"strings_to_formulas": False, "constant_memory": constant_memory}
    with xlsxwriter.Workbook(file, options) as book:
        page = book.add_worksheet("Leden")
        for number, row in enumerate((HEADERS, *ROWS)):
            page.write_row(number, 0, row)
    return file.getvalue()


def java(number: float) -> str:
    """A number as Java's Double.toString has it."""
    if number < 10_000_000:
        return repr(float(number))
    digits = f"{number:.0f}".rstrip("0")
    return f"{digits[0]}.{digits[1:] or '0'}E{len(f'{number:.0f}') - 1}"


def as_google_does() -> bytes:
    """As Google Sheets exports: numbers as Java writes them, its own order of parts, no cell types
    but s and b, rows of nothing up to 1000, relations without a slash."""
    strings = [*HEADERS, *(x for row in ROWS for x in row if isinstance(x, str))]
    table = "".join(f'<si><t xml:space="preserve">{escaped(x)}</t></si>' for x in strings)
    rows = ""
    for number, row in enumerate((HEADERS, *ROWS), start=1):
        cells = "".join(
            google_cell(f"{'ABCDE'[i]}{number}", value, strings) for i, value in enumerate(row)
        )
        rows += f'<row r="{number}">{cells}</row>'
    rows += "".join(f'<row r="{n}" ht="15.75" customHeight="1"/>' for n in range(6, 1001))
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    space = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    start = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    parts = {
        "xl/sharedStrings.xml": f'{start}<sst xmlns="{MAIN}">{table}</sst>',
        "xl/worksheets/sheet1.xml": f'{start}<worksheet xmlns="{MAIN}"><sheetData>{rows}'
        "</sheetData></worksheet>",
        "xl/styles.xml": f'{start}<styleSheet xmlns="{MAIN}"><cellXfs count="2">'
        '<xf numFmtId="0"/><xf numFmtId="3"/></cellXfs></styleSheet>',
        "xl/workbook.xml": f'{start}<workbook xmlns="{MAIN}" xmlns:r="{kind}"><sheets>'
        '<sheet state="visible" name="Leden" sheetId="1" r:id="rId4"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"{start}<Relationships {space}>"
        f'<Relationship Id="rId2" Type="{kind}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId3" Type="{kind}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId4" Type="{kind}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "_rels/.rels": f'{start}<Relationships {space}><Relationship Id="rId1"'
        f' Type="{kind}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f"{start}<Types"
        ' xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{types}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{types}.styles+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{types}.sharedStrings+xml"/>'
        "</Types>",
    }
    return zipped({name: text.encode() for name, text in parts.items()})


def google_cell(where: str, value: Any, strings: list[str]) -> str:
    match value:
        case bool():
            return f'<c r="{where}" s="1" t="b"><v>{value:d}</v></c>'
        case str():
            return f'<c r="{where}" s="1" t="s"><v>{strings.index(value)}</v></c>'
    return f'<c r="{where}" s="1"><v>{java(value)}</v></c>'


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def strict() -> bytes:
    """As Excel saves 'Strict Open XML Spreadsheet': the same in other namespaces."""
    from tests.services.importer.corpus.archives import entries_of

    return zipped(
        {
            name: content.replace(MAIN.encode(), b"http://purl.oclc.org/ooxml/spreadsheetml/main")
            .replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                b"http://purl.oclc.org/ooxml/officeDocument/relationships",
            )
            for name, content in entries_of(by_xlsxwriter()).items()
        }
    )  # fmt: skip


BY_PROGRAM: dict[str, Callable[[], bytes]] = {
    "openpyxl": by_openpyxl,
    "xlsxwriter": by_xlsxwriter,
    "xlsxwriter, text in its cells": lambda: by_xlsxwriter(constant_memory=True),
    "Google Sheets": as_google_does,
    "Excel, strict": strict,
    **{
        path.stem: path.read_bytes for path in sorted(SAMPLES.glob("*.xlsx"))
    },
}  # fmt: skip
