"""Files that no one should be hurt by: broken, hostile and simply of another kind."""

import io
import struct
import zipfile
from collections.abc import Mapping
from functools import cache

from tests.support.article_workbook import sheet_workbook

LIST = (["Bedrijf", "Rekeningnummer"], ["De Kraan", 28900001])
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def good() -> bytes:
    return sheet_workbook(*LIST)


def zipped(entries: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def changed(base: bytes = b"", **replaced: bytes) -> bytes:
    """A good workbook with other parts: `changed(**{SHEET: b"..."})`."""
    with zipfile.ZipFile(io.BytesIO(base or good())) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**entries, **replaced})


def sheet_xml(rows: bytes) -> bytes:
    xml = f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>'.encode()
    return xml + rows + b"</sheetData></worksheet>"


def sheet(rows: bytes) -> bytes:
    return changed(**{SHEET: sheet_xml(rows)})


def text_cell(where: str, text: str) -> bytes:
    return f'<c r="{where}" t="inlineStr"><is><t>{text}</t></is></c>'.encode()


HEADER = b'<row r="1">' + text_cell("A1", "Bedrijf") + text_cell("B1", "Rekening") + b"</row>"


def lying_sizes() -> bytes:
    """The directory says that the sheet has 10 bytes, unpacked."""
    content = bytearray(good())
    at = content.rfind(b"PK\x01\x02")
    while at >= 0:
        length = struct.unpack_from("<H", content, at + 28)[0]
        if bytes(content[at + 46 : at + 46 + length]) == SHEET.encode():
            struct.pack_into("<I", content, at + 24, 10)
        at = content.rfind(b"PK\x01\x02", 0, at)
    return bytes(content)


def encrypted_entries() -> bytes:
    content = bytearray(good())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 4)
    return bytes(content)


def overlapping() -> bytes:
    """Two entries of the directory point to the same bytes."""
    content = bytearray(good())
    first = content.find(b"PK\x01\x02")
    second = content.find(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    return bytes(content)


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">]>
<worksheet><sheetData><row><c t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>"""

OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>
<worksheet><sheetData><row><c t="inlineStr"><is><t>&f;</t></is></c></row></sheetData></worksheet>"""


@cache
def hostile() -> dict[str, tuple[bytes, str]]:
    """name -> (file, the reason that it must be refused with)."""
    mib = 1024 * 1024
    blown = changed(**{SHEET: b" " * (32 * mib)})
    strings = changed(**{"xl/sharedStrings.xml": b"x" * (65 * mib)})
    picture = changed(**{"xl/media/x.png": b"0" * (17 * mib)})
    many = changed(**{f"xl/x{n}.xml": b"" for n in range(2100)})
    return {
        "a sheet that unpacks a thousandfold": (blown, "too_demanding"),
        "strings beyond their bound": (strings, "too_demanding"),
        "a picture beyond its bound": (picture, "too_demanding"),
        "thousands of entries": (many, "too_demanding"),
        "sizes that lie": (lying_sizes(), "unreadable"),
        "entries that share bytes": (overlapping(), "unreadable"),
        "a name that climbs": (changed(**{"../../etc/x": b""}), "unreadable"),
        "an absolute name": (changed(**{"/etc/x": b""}), "unreadable"),
        "two names that differ in case": (changed(**{SHEET.upper(): b""}), "unreadable"),
        "a billion laughs": (changed(**{SHEET: LAUGHS}), "unreadable"),
        "an entity from outside": (changed(**{SHEET: OUTSIDE}), "unreadable"),
        "a row beyond the last": (sheet(HEADER + b'<row r="99999999999"><c/></row>'), "unreadable"),
        "broken XML": (changed(**{SHEET: b"<worksheet><sheetData><row"}), "unreadable"),
        "no sheet": (changed(**{SHEET: b""}), "unreadable"),
        "a file cut in half": (good()[: len(good()) // 2], "unreadable"),
        "a directory of nothing": (b"PK\x05\x06" + bytes(18), "not_a_workbook"),
        "entries with a password": (encrypted_entries(), "not_a_workbook"),
        "a zip of other things": (zipped({"readme.txt": b"hello"}), "not_a_workbook"),
        "a Word document": (zipped({"word/document.xml": b"<x/>"}), "not_a_workbook"),
        "an OpenDocument sheet": (zipped({"content.xml": b"<x/>"}), "not_a_workbook"),
        "a binary workbook": (zipped({"xl/workbook.bin": b"x"}), "not_a_workbook"),
    }  # fmt: skip


OTHER_KINDS: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "empty"),
    "a workbook of Excel 97": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "xls"),
    "a csv": (b"Bedrijf;Rekening\r\nA;1\r\n", "csv"),
    "a csv in UTF-16": ("Bedrijf;Rekening".encode("utf-16"), "csv"),
    "a web page": (b"<html><table><tr><td>Bedrijf</td></tr></table></html>", "html"),
    "an XML file": (b'<?xml version="1.0"?><Workbook/>', "xml"),
    "a PDF": (b"%PDF-1.7 ...", "pdf"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "picture"),
    "nothing that is known": (b"\x00\x01\x02\x03", "unknown"),
}
