"""XML that is broken, or built to explode."""

import random

from tests.services.importer.corpus import samples
from tests.services.importer.corpus.archives import entries_of
from tests.services.importer.files import (
    HEADER,
    LAUGHS,
    MAIN,
    OUTSIDE,
    SHEET,
    changed,
    good,
    sheet,
    sheet_xml,
    text_cell,
)

MIB = 1024 * 1024
STRINGS = "xl/sharedStrings.xml"
WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
ROW = b'<row r="2">' + text_cell("A2", "De Kraan") + b'<c r="B2"><v>28900001</v></c></row>'


def with_sheet(xml: bytes) -> bytes:
    return changed(**{SHEET: xml})


def with_tail(xml: bytes) -> bytes:
    """A list, and something behind its rows."""
    whole = sheet_xml(HEADER + ROW)
    return with_sheet(whole.replace(b"</worksheet>", xml + b"</worksheet>"))


def edited(part: str, old: bytes, new: bytes) -> bytes:
    content = entries_of(good())[part]
    assert old in content
    return changed(**{part: content.replace(old, new, 1)})


def with_strings(xml: bytes) -> bytes:
    """A list whose first cell is the first shared string."""
    relation = (
        b'<Relationship Id="rId99" Target="sharedStrings.xml" Type="http://schemas.openxmlformats'
        b'.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
    )
    relations = entries_of(good())[RELATIONS].replace(b"</Relationships>", relation)
    rows = HEADER + b'<row r="2"><c r="A2" t="s"><v>0</v></c></row>'
    return changed(**{STRINGS: xml, RELATIONS: relations, SHEET: sheet_xml(rows)})


def string_table(strings: bytes) -> bytes:
    return f'<sst xmlns="{MAIN}">'.encode() + strings + b"</sst>"


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


def long_tag() -> bytes:
    """One tag of thousands of attributes that hardly pack."""
    chance = random.Random(2)
    attributes = " ".join(f'a{n}="{chance.getrandbits(64):x}"' for n in range(120_000))
    return f"<row {attributes}/>".encode()


def many_different(count: int) -> bytes:
    chance = random.Random(3)
    return b"".join(b"<si><t>%x</t></si>" % chance.getrandbits(48) for _ in range(count))


DOCTYPE = b"<!DOCTYPE x [" + b"".join(b'<!ENTITY e%d "%s">' % (n, b"x" * 99) for n in range(99))

SAMPLES = {
    **samples(
        "unreadable",
        {
            "a billion laughs": lambda: with_sheet(LAUGHS),
            "an entity from outside": lambda: with_sheet(OUTSIDE),
            "a quadratic blowup": lambda: with_sheet(DOCTYPE + b"]><x>" + b"&e1;" * 9999 + b"</x>"),
            "a document type from outside": lambda: with_sheet(
                b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>'
            ),
            "laughs among shared strings": lambda: with_strings(LAUGHS),
            "laughs in the workbook": lambda: changed(**{WORKBOOK: LAUGHS}),
            "laughs in the relations": lambda: changed(**{RELATIONS: LAUGHS}),
            "laughs in the styles": lambda: changed(**{"xl/styles.xml": LAUGHS}),
            "broken XML": lambda: with_sheet(b"<worksheet><sheetData><row"),
            "XML that ends early": lambda: with_sheet(sheet_xml(HEADER + ROW)[:-30]),
            "tags that cross": lambda: sheet(HEADER + b'<row r="2"><c r="A2"></row></c>'),
            "an unknown encoding": lambda: with_sheet(b'<?xml version="1.0" encoding="x-no"?><x/>'),
            "bytes that are no UTF-8": lambda: sheet(HEADER + text_cell("A2", "x") + b"\xff\xfe"),
            "no sheet": lambda: with_sheet(b""),
            "a cell in a cell": lambda: sheet(HEADER + b'<row r="2"><c><c r="B2"/></c></row>'),
            "a row in a row": lambda: sheet(HEADER + b'<row r="2"><row r="3"/></row>'),
            "a row beyond the last": lambda: sheet(HEADER + b'<row r="99999999999"><c/></row>'),
            "row zero": lambda: sheet(b'<row r="0"/>' + HEADER),
            "the same row twice": lambda: sheet(HEADER + HEADER + ROW),
            "rows that go down": lambda: sheet(HEADER + ROW.replace(b"2", b"9") + ROW),
            "cells that go back": lambda: sheet(
                HEADER + b'<row r="2">' + text_cell("B2", "x") + text_cell("A2", "y") + b"</row>"
            ),
            "a cell of another row": lambda: sheet(
                HEADER + b'<row r="2">' + text_cell("A3", "x") + b"</row>"
            ),
            "a column beyond the last": lambda: sheet(
                HEADER + b'<row r="2">' + text_cell("XFE2", "x") + b"</row>"
            ),
            "a string that is not there": lambda: sheet(
                HEADER + b'<row r="2"><c r="A2" t="s"><v>7</v></c></row>'
            ),
            "a string before the first": lambda: sheet(
                HEADER + b'<row r="2"><c r="A2" t="s"><v>-1</v></c></row>'
            ),
            "a style that is not there": lambda: sheet(
                HEADER + b'<row r="2"><c r="A2" s="77"><v>1</v></c></row>'
            ),
            "a merged range that is none": lambda: with_tail(
                b'<mergeCells><mergeCell ref="x:y"/></mergeCells>'
            ),
            "a workbook that is its own sheet": lambda: edited(
                RELATIONS, b"/xl/worksheets/sheet1.xml", b"/xl/workbook.xml"
            ),
            "a relation to nothing": lambda: edited(RELATIONS, b"sheet1.xml", b"sheet9.xml"),
            "a sheet that lies outside": lambda: edited(
                RELATIONS, b'Target="/xl/worksheets/sheet1.xml"', b'Target="http://127.0.0.1:1/x"'
                b' TargetMode="External"'
            ),
            "a sheet that climbs": lambda: edited(
                RELATIONS, b"/xl/worksheets/sheet1.xml", b"../../../../etc/passwd"
            ),
        },
    ),
    **samples(
        "too_demanding",
        {
            "tags in tags in tags": lambda: sheet(HEADER + nested(500_000)),
            "deep XML behind the rows": lambda: with_tail(nested(100_000)),
            "deep XML in the workbook": lambda: changed(**{WORKBOOK: nested(100_000)}),
            "deep XML in a shared string": lambda: with_strings(
                string_table(b"<si>" + nested(1000) + b"</si>")
            ),
            "a tag of three megabytes": lambda: sheet(HEADER + long_tag() + ROW),
            "a comment of three megabytes": lambda: sheet(
                HEADER + b"<!-- " + random.Random(5).randbytes(1_500_000).hex().encode() + b" -->"
            ),
            "a shared string table that explodes": lambda: with_strings(
                string_table(b"<si><t>x</t></si>" * 2_000_000)
            ),
            "a shared string that explodes": lambda: with_strings(
                string_table(b"<si><t>" + b"x" * (40 * MIB) + b"</t></si>")
            ),
            "a hundred thousand merged ranges": lambda: with_tail(
                b"<mergeCells>"
                + b"".join(b'<mergeCell ref="A%d:A%d"/>' % (n, n + 1) for n in range(2, 200_002, 2))
                + b"</mergeCells>"
            ),
        },
    ),
}  # fmt: skip
