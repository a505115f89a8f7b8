"""Files that no one should be hurt by: broken, hostile and simply of another kind."""

import io
import struct
import zipfile
from collections.abc import Mapping

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


def ole(stream: str) -> bytes:
    """A container of Microsoft's older programs, which holds a stream of this name."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + stream.encode("utf-16-le")


OTHER_KINDS: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "empty"),
    "a workbook of Excel 97": (ole("Workbook"), "xls"),
    "a workbook with a password": (ole("EncryptedPackage"), "encrypted"),
    "a document of Word 97": (ole("WordDocument"), "unknown"),
    "a csv": (b"Bedrijf;Rekening\r\nA;1\r\n", "csv"),
    "a csv in UTF-16": ("Bedrijf;Rekening".encode("utf-16"), "csv"),
    "a web page": (b"<html><table><tr><td>Bedrijf</td></tr></table></html>", "html"),
    "an XML file": (b'<?xml version="1.0"?><Workbook/>', "xml"),
    "a PDF": (b"%PDF-1.7 ...", "pdf"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "picture"),
    "a packed file": (b"7z\xbc\xaf\x27\x1c", "archive"),
    "Excel's own file beside an open workbook": (
        b"\x03" + b"Ans".ljust(54) + b"\x03\x00" + "Ans".ljust(54).encode("utf-16-le"),
        "owner",
    ),
    "nothing that is known": (b"\x00\x01\x02\x03", "unknown"),
}
