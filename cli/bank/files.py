"""A bank's export as a file: what it is, and its lines; zipped ones too, as CAMT.053 often is."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from cli.amounts import Misuse
from cli.bank import camt, mt940, table
from cli.bank.lines import Line

MOST_BYTES = 20_000_000
"""Of a file, and of all that a zipped one holds."""

MOST_FILES = 1_000
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second: an empty one
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, LZMAError, RuntimeError, NotImplementedError, EOFError, OSError,
)  # fmt: skip


def read(file: Path) -> list[Line]:
    """The lines of an export, in the file's order; raises Misuse where it is none."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Misuse(f"{file} is larger than a bank's export can be; is it the right file?")
        content = file.read_bytes()
    except FileNotFoundError:
        raise Misuse(f"There is no file {file}.") from None
    except IsADirectoryError:
        raise Misuse(f"{file} is a folder; name the file in it.") from None
    if content.startswith(_ZIP):
        return _zipped(file)
    return _lines(content, str(file), 1)


def _lines(content: bytes, where: str, first: int) -> list[Line]:
    if camt.is_xml(content):
        return camt.lines(content, where, first)
    text = _text(content, where)
    return mt940.lines(text, where, first) if mt940.is_mt940(text) else table.lines(text, where)


def _zipped(file: Path) -> list[Line]:
    """The lines of all files within, as if they were imported one after another: what stands in
    two of them is one line. Sizes are counted as they come out, not as they are said."""
    found: list[Line] = []
    seen: Counter[str] = Counter()
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(file) as archive:
            members = [one for one in archive.infolist() if _is_export(one)]
            if any(one.filename == "[Content_Types].xml" for one in members):
                raise Misuse(
                    f"{file} is a workbook: save it from your bank as CAMT.053, MT940 or CSV, not "
                    "as Excel."
                )
            if not members or len(members) > MOST_FILES:
                raise Misuse(f"{file} holds {len(members)} files; a bank's export has one a day.")
            for one in members:
                with archive.open(one) as packed:
                    content = packed.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise Misuse(
                        f"{file} holds more than a bank's export can; is it the right one?"
                    )
                its = _lines(content, f"{one.filename} in {file}", len(found) + 1)
                found += _new(its, seen)
    except _DAMAGED as fault:
        why = "it needs a password" if "password" in str(fault) else "it is damaged"
        raise Misuse(f"{file} can't be unpacked: {why}.") from None
    return found


def _new(lines: list[Line], seen: Counter[str]) -> Iterator[Line]:
    """Those of a file's lines that no file before it had, as often."""
    own: Counter[str] = Counter()
    for line in lines:
        own[line.identity] += 1
        if own[line.identity] > seen[line.identity]:
            yield line
    seen |= own


def _is_export(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    return not (member.is_dir() or path.parts[:1] == ("__MACOSX",) or path.name.startswith("."))


def _text(content: bytes, where: str) -> str:
    if b"\x00" in content:
        raise Misuse(
            f"{where} is no text: save it from your bank as CAMT.053, MT940, CSV or TAB, not as "
            "Excel or PDF."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
