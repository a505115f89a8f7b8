"""What a file is by its bytes, whatever its name says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

HEAD: Final = 4096
"""How many bytes of a file `sniff` wants to see."""

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (_OLE, "ole"),
    (b"\x09\x08", "xls"),
    (b"%PDF-", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
)

_STREAMS: Final = (("EncryptedPackage", "encrypted"), ("Workbook", "xls"), ("Book", "xls"))
"""Streams of an OLE container: .xls, or an .xlsx that is wrapped because it has a password."""


def kind_of(path: Path) -> str:
    """The kind of a file, one of domain.kinds.KINDS; "zip" says only that it may be a workbook."""
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD))
        if kind != "ole":
            return kind
        file.seek(0)
        content = file.read()
    streams = (kind for name, kind in _STREAMS if name.encode("utf-16-le") in content)
    return next(streams, "unknown")


def sniff(head: bytes) -> str:
    """The same by the first bytes alone; "ole" is a container that has to be looked into."""
    if not head:
        return "empty"
    if _is_owner(head):
        return "owner"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table")):
        return "html"
    if start.startswith(b"<?xml"):
        return "xml"
    return "csv" if _is_text(head) else "unknown"


def _is_owner(head: bytes) -> bool:
    """A file such as ~$leden.xlsx, which Excel keeps beside a workbook that somebody has open: the
    length of the person's name, the name, and both once more in UTF-16."""
    return len(head) == 165 and 0 < head[0] <= 54 and head[55] == head[0] and head[56] == 0


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not any(byte < 9 or 13 < byte < 32 for byte in head)
