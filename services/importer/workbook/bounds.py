"""The zip directory of a workbook, looked at before anything in it is unpacked.

A workbook of 289 KiB can fill a gigabyte of memory. Sizes are what the directory says; zipfile
gives no more bytes of an entry than that and then finds the checksum wrong, so a directory that
lies ends as a damaged file and not as a full memory.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024

_PARTS_OF: Final = (
    ("xl/workbook.xml", "xlsx"),
    ("xl/workbook.bin", "xlsb"),
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
    ("content.xml", "ods"),
    ("EncryptedPackage", "encrypted"),
    ("Index/Document.iwa", "numbers"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How large an unpacked workbook may be. Sizes in bytes; a ratio is unpacked to packed."""

    entries: int = 2_000
    directory: int = MIB
    total: int = 400 * MIB
    sheet: int = 300 * MIB
    shared_strings: int = 64 * MIB
    other: int = 16 * MIB
    ratio: int = 100
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
        if _directory_bytes(path) > bounds.directory:
            raise Unfit("too_demanding")
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise Unfit("unreadable") from error
    names = [plain_name(entry.filename) for entry in entries]
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


def plain_name(name: str) -> str:
    """An entry's name as it was meant: some writers on Windows put backslashes, and Excel opens
    what they wrote."""
    return name.replace("\\", "/")


_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_FAR: Final = 0xFFFFFFFF
"""In its place stands a larger number, in a record of its own (zip64)."""


def _directory_bytes(path: str) -> int:
    """How large the directory is that zipfile is going to read whole; found as zipfile does."""
    with open(path, "rb") as file:  # noqa: PTH123
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END_BYTES - 0xFFFF - 20))
        tail = file.read()
        plain = tail[-_END_BYTES:]
        at = len(tail) - _END_BYTES if plain[:4] == _END and plain[-2:] == b"\0\0" else -1
        if at < 0 and (at := tail.rfind(_END)) < 0:
            raise Unfit("unreadable")
        directory = int(struct.unpack_from("<L", tail, at + 12)[0])
        if tail[at - 20 : at - 16] != b"PK\x06\x07":
            return directory
        file.seek(struct.unpack_from("<Q", tail, at - 12)[0])
        return max(int(struct.unpack_from("<Q", file.read(56), 40)[0]), directory % _FAR)


def _kind(names: Sequence[str]) -> str:
    known = {name.lstrip("/").casefold() for name in names}
    kind = next((kind for part, kind in _PARTS_OF if part.casefold() in known), "zip")
    if kind == "zip" and "[content_types].xml" in known:
        return "xlsx"  # its workbook has another name, which only its relations tell
    return kind


def _is_plain(name: str) -> bool:
    return not (name.startswith("/") or ":" in name or ".." in name.split("/"))


def _check_sizes(entries: Sequence[zipfile.ZipInfo], bounds: Bounds) -> None:
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unfit("unreadable")
        if entry.file_size > _most(plain_name(entry.filename), bounds):
            raise Unfit("too_demanding")
        large = entry.file_size > bounds.ratio_from
        if large and entry.file_size > bounds.ratio * max(entry.compress_size, 1):
            raise Unfit("too_demanding")
    if sum(entry.file_size for entry in entries) > bounds.total:
        raise Unfit("too_demanding")


def _most(name: str, bounds: Bounds) -> int:
    name = name.casefold()
    if name.startswith("xl/worksheets/"):
        return bounds.sheet
    return bounds.shared_strings if name.endswith("/sharedstrings.xml") else bounds.other


def _check_places(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Two entries may not share bytes: that is how one kilobyte becomes a thousand entries."""
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            raise Unfit("unreadable")
        end = entry.header_offset + 30 + entry.compress_size
