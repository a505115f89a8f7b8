"""The zip directory of a workbook, looked at before anything in it is unpacked.

A workbook of 289 KiB can fill a gigabyte of memory. Sizes are what the directory says; zipfile
gives no more bytes of an entry than that and then finds the checksum wrong, so a directory that
lies ends as a damaged file and not as a full memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024

_PARTS_OF: Final = (
    ("xl/workbook.xml", "xlsx"),
    ("xl/workbook.bin", "xlsb"),
    ("word/document.xml", "docx"),
    ("content.xml", "ods"),
    ("EncryptedPackage", "encrypted"),
    ("Index/Document.iwa", "numbers"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How large an unpacked workbook may be. Sizes in bytes; a ratio is unpacked to packed."""

    entries: int = 2_000
    total: int = 400 * MIB
    sheet: int = 300 * MIB
    shared_strings: int = 64 * MIB
    other: int = 16 * MIB
    ratio: int = 200
    ratio_from: int = 4 * MIB


class Unfit(Exception):
    """Why a file is not opened: `reason` as in import.failed, `kind` for not_a_workbook."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


def check(path: str, bounds: Bounds) -> None:
    """Raise Unfit unless the file is an .xlsx or .xlsm whose parts are within bounds."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, UnicodeError) as error:
        raise Unfit("unreadable") from error
    names = [entry.filename for entry in entries]
    if (kind := _kind(names)) != "xlsx":
        raise Unfit("not_a_workbook", kind)
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Unfit("not_a_workbook", "encrypted")
    if len(entries) > bounds.entries:
        raise Unfit("too_demanding")
    if len({name.casefold() for name in names}) != len(names) or not all(map(_is_plain, names)):
        raise Unfit("unreadable")
    _check_sizes(entries, bounds)
    _check_places(entries)


def _kind(names: Sequence[str]) -> str:
    known = {name.lstrip("/") for name in names}
    return next((kind for part, kind in _PARTS_OF if part in known), "zip")


def _is_plain(name: str) -> bool:
    return not (name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"))


def _check_sizes(entries: Sequence[zipfile.ZipInfo], bounds: Bounds) -> None:
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unfit("unreadable")
        if entry.file_size > _most(entry.filename, bounds):
            raise Unfit("too_demanding")
        large = entry.file_size > bounds.ratio_from
        if large and entry.file_size > bounds.ratio * max(entry.compress_size, 1):
            raise Unfit("too_demanding")
    if sum(entry.file_size for entry in entries) > bounds.total:
        raise Unfit("too_demanding")


def _most(name: str, bounds: Bounds) -> int:
    if name.startswith("xl/worksheets/"):
        return bounds.sheet
    return bounds.shared_strings if name == "xl/sharedStrings.xml" else bounds.other


def _check_places(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Two entries may not share bytes: that is how one kilobyte becomes a thousand entries."""
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            raise Unfit("unreadable")
        end = entry.header_offset + 30 + entry.compress_size
