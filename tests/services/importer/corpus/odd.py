"""Files that are odd and do no harm: whoever has one gets a preview, or learns what to mend."""

from tests.services.importer.corpus import samples
from tests.services.importer.corpus.markup import (
    MIB,
    RELATIONS,
    ROW,
    WORKBOOK,
    edited,
    many_different,
    string_table,
    with_sheet,
    with_strings,
    with_tail,
)
from tests.services.importer.files import (
    HEADER,
    MAIN,
    changed,
    good,
    sheet,
    sheet_xml,
    text_cell,
)
from tests.support.article_workbook import sheet_workbook


def cell(value: bytes, kind: bytes = b"n") -> bytes:
    """A list of one row, whose account number is this."""
    account = b'<c r="B2" t="%s"><v>%s</v></c>' % (kind, value)
    return sheet(HEADER + b'<row r="2">' + text_cell("A2", "De Kraan") + account + b"</row>")


def formats(count: int, code: bytes = b"0") -> bytes:
    numbers = b"".join(
        b'<numFmt numFmtId="%d" formatCode="%s;%d"/>' % (n, code, n)
        for n in range(170, 170 + count)
    )
    styles = b"".join(b'<xf numFmtId="%d"/>' % n for n in range(170, 170 + count))
    whole = b'<styleSheet xmlns="%s"><numFmts>%s</numFmts><cellXfs>%s</cellXfs></styleSheet>'
    return changed(**{"xl/styles.xml": whole % (MAIN.encode(), numbers, styles)})


def defined_names(count: int) -> bytes:
    names = b"".join(
        b'<definedName name="n%d">n%d+n%d</definedName>' % (n, n + 1, n + 1) for n in range(count)
    )
    return edited(
        WORKBOOK, b"</workbook>", b"<definedNames>" + names + b"</definedNames></workbook>"
    )


def conditional(count: int) -> bytes:
    rules = b"".join(
        b'<conditionalFormatting sqref="A1:XFD1048576"><cfRule type="expression" priority="%d">'
        b"<formula>SUM(A:XFD)&gt;%d</formula></cfRule></conditionalFormatting>" % (n, n)
        for n in range(1, count)
    )
    return with_tail(rules)


def external_links() -> bytes:
    relation = (
        b'<Relationship Id="rId50" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        b'relationships/externalLink" Target="http://127.0.0.1:1/x.xlsx" TargetMode="External"/>'
    )
    return edited(RELATIONS, b"</Relationships>", relation + b"</Relationships>")


def circular_relations() -> bytes:
    """Sheet and workbook refer to each other, and to themselves."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    turn = "".join(
        f'<Relationship Id="r{n}" Type="{kind}/{what}" Target="{where}"/>'
        for n, (what, where) in enumerate(
            [("officeDocument", "/xl/workbook.xml"), ("worksheet", "sheet1.xml")]
        )
    )
    rels = f'<Relationships xmlns="{space}">{turn}</Relationships>'.encode()
    return changed(**{"xl/worksheets/_rels/sheet1.xml.rels": rels})


def many_sheets(count: int) -> bytes:
    """Ten thousand names for one and the same sheet."""
    names = b"".join(
        b'<sheet name="Blad%d" sheetId="%d" state="hidden" r:id="rId1"/>' % (n, n)
        for n in range(2, count)
    )
    return edited(
        WORKBOOK,
        b"<sheets>",
        b'<sheets xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        + names,
    )


def in_utf_16() -> bytes:
    text = sheet_xml(HEADER + ROW).decode().replace("?>", ' encoding="UTF-16"?>', 1)
    return with_sheet(text.encode("utf-16"))


def with_prefix() -> bytes:
    """As the Open XML SDK writes: every tag with a prefix."""
    text = sheet_xml(HEADER + ROW).decode().replace("</", "</x:").replace("<", "<x:")
    text = text.replace("<x:/x:", "</x:").replace("<x:?xml", "<?xml").replace("xmlns=", "xmlns:x=")
    return with_sheet(text.encode())


SAMPLES = {
    **samples(
        "preview",
        {
            "a good file": good,
            "one row": lambda: sheet(HEADER + ROW),
            "a row number that is left out": lambda: sheet(
                HEADER + b"<row><c t='inlineStr'><is><t>A</t></is></c><c><v>1</v></c></row>"
            ),
            "a huge number": lambda: cell(b"1" * 400),
            "a number beyond a double": lambda: cell(b"1E400"),
            "a number that is none": lambda: cell(b"NaN"),
            "a date that no calendar has": lambda: cell(b"99999999999"),
            "an ISO date": lambda: cell(b"2026-05-01T00:00:00", b"d"),
            "a type of cell that is unknown": lambda: cell(b"1", b"zz"),
            "a boolean that is neither": lambda: cell(b"7", b"b"),
            "a text of two megabytes": lambda: sheet(
                HEADER + b'<row r="2">' + text_cell("A2", "x" * (2 * MIB)) + b"</row>"
            ),
            "spaces of three megabytes": lambda: sheet(HEADER + b" \n" * (3 * MIB // 2) + ROW),
            "a column at the far end": lambda: sheet(
                HEADER + ROW.replace(b"</row>", text_cell("XFD2", "x") + b"</row>")
            ),
            "16,384 columns": lambda: sheet(
                HEADER + b'<row r="2">' + b"<c t='b'><v>1</v></c>" * 16_384 + b"</row>"
            ),
            "two hundred thousand rows of nothing": lambda: sheet(
                HEADER + ROW + b"".join(b'<row r="%d" s="1"/>' % n for n in range(3, 200_000))
            ),
            "64,000 formats": lambda: formats(64_000),
            "a format without end": lambda: formats(50, b"[" * 5000 + b"&quot;" * 5001),
            "defined names that double": lambda: defined_names(5_000),
            "conditional formats over all cells": lambda: conditional(5_000),
            "a merged range over all cells": lambda: with_tail(
                b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
            ),
            "merged ranges that overlap": lambda: with_tail(
                b"<mergeCells>" + b'<mergeCell ref="A2:B1048576"/>' * 5000 + b"</mergeCells>"
            ),
            "external links": external_links,
            "relations in a circle": circular_relations,
            "10,000 sheets": lambda: many_sheets(10_000),
            "a hundred thousand shared strings": lambda: with_strings(
                string_table(many_different(100_000))
            ),
            "UTF-16": in_utf_16,
            "prefixes": with_prefix,
            "phonetic runs within runs": lambda: with_strings(
                string_table(b"<si><rPh><t>x</t></rPh><r><t>De Kraan</t></r></si>")
            ),
            "processing instructions": lambda: sheet(HEADER + b"<?x y?>" * 100_000 + ROW),
            "a header below a hundred thousand empty rows": lambda: sheet(
                b"".join(b'<row r="%d"/>' % n for n in range(1, 100_000))
                + HEADER.replace(b"1", b"100001", 1)
                .replace(b'A1"', b'A100001"')
                .replace(b'B1"', b'B100001"')
            ),
            "text that runs in Excel": lambda: sheet_workbook(
                ["Bedrijf", "Rekeningnummer"], ["=cmd|' /C calc'!A0", "@SUM(1+1)"]
            ),
        },
    ),
    **samples(
        "columns_unclear",
        {
            "one cell": lambda: sheet(b'<row r="1">' + text_cell("A1", "x") + b"</row>"),
            "no header": lambda: sheet(ROW),
            "no row at all": lambda: sheet(b""),
        },
    ),
}
