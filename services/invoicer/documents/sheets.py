"""The parts of an .xlsx file (ECMA-376, part 1) that our workbooks have: sheets of cells with
styles, shared strings, the properties. workbook.py says what stands in them.

Written by ourselves: a library makes the same in three times as long, and a month has ten thousand.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from typing import NamedTuple

from services.invoicer.documents.packing import zipped
from services.invoicer.documents.xml import attribute, escaped

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SCHEMAS = "http://schemas.openxmlformats.org"
_MAIN = f'xmlns="{_SCHEMAS}/spreadsheetml/2006/main"'
_RELATIONS = f"{_SCHEMAS}/officeDocument/2006/relationships"
_PACKAGE = f"{_SCHEMAS}/package/2006"
_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FIRST_OWN_FORMAT = 164  # 18.8.30: those below are built in
_WIDTH_MARGIN = 0.7109375  # 18.3.1.13: cell margins in the default font
_DAY_ZERO = date(1899, 12, 30)
_DAY_S = 86_400
_ALIKE = {"[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
_OF_A_STRING = ' t="s">'  # a cell's type (18.18.11)
_READ_AS_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


class Style(NamedTuple):
    """How a cell looks; the last four are what the schema calls them."""

    code: str = "General"
    bold: bool = False
    fill: str = ""
    edge: str = ""
    """Side of a thin line: "top" or "bottom"."""
    horizontal: str = ""
    vertical: str = ""
    wrap: bool = False


@dataclass(slots=True)
class Sheet:
    """`rows` are `<row>` elements. A `table` has a header that stays, a filter over `filtered` and
    prints landscape, as wide as a page."""

    name: str
    widths: Sequence[float]
    rows: list[str] = field(default_factory=list)
    filtered: str = ""


class Parts:
    """Collects the styles and strings of one workbook, by the numbers that cells know them by."""

    def __init__(self) -> None:
        self._styles: dict[Style, int] = {Style(): 0}
        self._strings: dict[str, int] = {}

    def style(self, style: Style) -> int:
        return self._styles.setdefault(style, len(self._styles))

    def string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def strings_xml(self, uses: int) -> str:
        items = "".join(f"<si><t>{_string(text)}</t></si>" for text in self._strings)
        counts = f'count="{uses}" uniqueCount="{len(self._strings)}"'
        return f"{_HEAD}<sst {_MAIN} {counts}>{items}</sst>"

    def styles_xml(self) -> str:
        return _styles(tuple(self._styles))


def column_letters(place: int) -> str:
    """0 is A, 26 is AA."""
    letters = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def serial(value: date | time) -> str:
    """A day or a time of day as Excel counts: days since 1900, their fractions."""
    if isinstance(value, time):
        return repr((value.hour * 3600 + value.minute * 60 + value.second) / _DAY_S)
    return str((value - _DAY_ZERO).days)


def package(
    sheets: Sequence[Sheet], parts: Parts, *, title: str, author: str, made_at: datetime
) -> bytes:
    """The .xlsx file. The same content gives the same bytes."""
    filled = {f"xl/worksheets/sheet{n + 1}.xml": _sheet(s, n == 0) for n, s in enumerate(sheets)}
    files = {
        "[Content_Types].xml": _content_types(len(sheets)),
        "_rels/.rels": _relations(
            ("officeDocument", "xl/workbook.xml"),
            ("metadata/core-properties", "docProps/core.xml"),
            base=f"{_PACKAGE}/relationships",
        ),
        "docProps/core.xml": _properties(title, author, made_at),
        "xl/workbook.xml": _workbook(sheets),
        "xl/_rels/workbook.xml.rels": _relations(
            *(("worksheet", f"worksheets/sheet{n + 1}.xml") for n in range(len(sheets))),
            ("styles", "styles.xml"),
            ("sharedStrings", "sharedStrings.xml"),
        ),
        **filled,
        "xl/styles.xml": parts.styles_xml(),
        "xl/sharedStrings.xml": parts.strings_xml(
            sum(each.count(_OF_A_STRING) for each in filled.values())
        ),
    }
    return zipped(files, _ALIKE)


def _sheet(sheet: Sheet, first: bool) -> str:
    view = (
        '<sheetView tabSelected="1" workbookViewId="0"'
        if first
        else '<sheetView workbookViewId="0"'
    )
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width + _WIDTH_MARGIN}" customWidth="1"/>'
        for n, width in enumerate(sheet.widths, start=1)
    )
    margins = (
        '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
    )
    fit = '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
    before, after = f"{view}/>", '<pageSetup paperSize="9" fitToHeight="0"/>'
    if sheet.filtered:
        before = (
            f'{view}><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            '<selection pane="bottomLeft"/></sheetView>'
        )
        after = (
            '<pageSetup paperSize="9" fitToHeight="0" orientation="landscape"/>'
            "<headerFooter><oddFooter>&amp;L&amp;A&amp;R&amp;P / &amp;N</oddFooter></headerFooter>"
        )
        margins = f'<autoFilter ref="{sheet.filtered}"/>{margins}'
    return (
        f"{_HEAD}<worksheet {_MAIN}>{fit}<sheetViews>{before}</sheetViews>"
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols>'
        f"<sheetData>{''.join(sheet.rows)}</sheetData>{margins}{after}</worksheet>"
    )


def _workbook(sheets: Sequence[Sheet]) -> str:
    entries, names = [], []
    for n, sheet in enumerate(sheets):
        entries.append(
            f'<sheet name="{attribute(sheet.name)}" sheetId="{n + 1}" r:id="rId{n + 1}"/>'
        )
        if not sheet.filtered:
            continue
        of = escaped("'" + sheet.name.replace("'", "''") + "'!")
        ends = re.sub(r"([A-Z]+)([0-9]+)", r"$\1$\2", sheet.filtered)
        own = f'localSheetId="{n}"'
        names.append(
            f'<definedName name="_xlnm._FilterDatabase" {own} hidden="1">{of}{ends}</definedName>'
        )
        names.append(f'<definedName name="_xlnm.Print_Titles" {own}>{of}$1:$1</definedName>')
    defined = f"<definedNames>{''.join(sorted(names))}</definedNames>" if names else ""
    return (
        f'{_HEAD}<workbook {_MAIN} xmlns:r="{_RELATIONS}"><bookViews><workbookView/></bookViews>'
        f'<sheets>{"".join(entries)}</sheets>{defined}<calcPr fullCalcOnLoad="1"/></workbook>'
    )


@cache
def _content_types(sheets: int) -> str:
    own = {
        "/xl/workbook.xml": f"{_MIME}.sheet.main+xml",
        **{f"/xl/worksheets/sheet{n + 1}.xml": f"{_MIME}.worksheet+xml" for n in range(sheets)},
        "/xl/styles.xml": f"{_MIME}.styles+xml",
        "/xl/sharedStrings.xml": f"{_MIME}.sharedStrings+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    listed = "".join(
        f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in own.items()
    )
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )


def _relations(*targets: tuple[str, str], base: str = "") -> str:
    listed = "".join(
        f'<Relationship Id="rId{n}" Target="{target}" '
        f'Type="{base if base and "/" in kind else _RELATIONS}/{kind}"/>'
        for n, (kind, target) in enumerate(targets, start=1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _properties(title: str, author: str, made_at: datetime) -> str:
    made = f'xsi:type="dcterms:W3CDTF">{made_at:%Y-%m-%dT%H:%M:%SZ}'
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escaped(title)}</dc:title><dc:creator>{escaped(author)}</dc:creator>"
        f"<dcterms:created {made}</dcterms:created><dcterms:modified {made}</dcterms:modified>"
        "</cp:coreProperties>"
    )


@cache
def _styles(styles: tuple[Style, ...]) -> str:
    """The same few for each invoice of a currency and language."""
    codes = list(dict.fromkeys(s.code for s in styles if s.code != "General"))
    fills = list(dict.fromkeys(s.fill for s in styles if s.fill))
    edges = list(dict.fromkeys(s.edge for s in styles if s.edge))
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
    formats = "".join(
        f'<numFmt numFmtId="{_FIRST_OWN_FORMAT + n}" formatCode="{attribute(code)}"/>'
        for n, code in enumerate(codes)
    )
    filled = "".join(
        f'<fill><patternFill patternType="solid"><fgColor rgb="FF{colour}"/>'
        '<bgColor indexed="64"/></patternFill></fill>'
        for colour in fills
    )
    lined = "".join(f"<border><left/><right/>{_edges(edge)}<diagonal/></border>" for edge in edges)
    used = "".join(
        f'<xf numFmtId="{_FIRST_OWN_FORMAT + codes.index(s.code) if s.code in codes else 0}" '
        f'fontId="{int(s.bold)}" fillId="{fills.index(s.fill) + 2 if s.fill else 0}" '
        f'borderId="{edges.index(s.edge) + 1 if s.edge else 0}" xfId="0" applyNumberFormat="1" '
        f'applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1">{_alignment(s)}</xf>'
        for s in styles
    )
    none = '<fill><patternFill patternType="none"/></fill>'
    grey = '<fill><patternFill patternType="gray125"/></fill>'  # 18.8.20: the first two are fixed
    return (
        f'{_HEAD}<styleSheet {_MAIN}><numFmts count="{len(codes)}">{formats}</numFmts>'
        f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        f'<fills count="{len(fills) + 2}">{none}{grey}{filled}</fills>'
        f'<borders count="{len(edges) + 1}"><border><left/><right/><top/><bottom/><diagonal/>'
        f'</border>{lined}</borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" '
        f'borderId="0"/></cellStyleXfs><cellXfs count="{len(styles)}">{used}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    )


def _edges(edge: str) -> str:
    thin = f'<{edge} style="thin"><color auto="1"/></{edge}>'
    return f"{thin}<bottom/>" if edge == "top" else f"<top/>{thin}"


def _alignment(style: Style) -> str:
    given = (
        (f' horizontal="{style.horizontal}"' if style.horizontal else "")
        + (f' vertical="{style.vertical}"' if style.vertical else "")
        + (' wrapText="1"' if style.wrap else "")
    )
    return f"<alignment{given}/>" if given else ""


def _string(text: str) -> str:
    """18.4.12: what looks like one of Excel's escapes is escaped itself."""
    if "_x" in text:
        text = _READ_AS_ESCAPE.sub("_x005F_", text)
    return escaped(text)
