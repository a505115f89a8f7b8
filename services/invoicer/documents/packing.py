"""A zip file (PKWARE's APPNOTE 6.3.3) of texts, byte for byte as Python's zipfile writes it.

Parts that are alike in most workbooks are compressed once: half of a small workbook's parts are,
and zipfile has no way to take one that is compressed already.
"""

import zlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

_QUICKEST = 1  # of a tenth more bytes
_HEAD = Struct("<4s2H")  # 4.3.7: which record it is, version needed, flags
_FACTS = Struct("<3H3L2H")  # method, time, day, CRC-32, sizes, lengths of the name and of no extra
_ENTRY = Struct("<4s3H")  # 4.3.12: as a head, before it who made it
# No comment, first disk, no attributes; the file's mode, where its head is.
_PLACE = Struct("<3H2L")
_END = Struct("<4s4H2LH")  # 4.3.16
_VERSION, _UNIX = 20, 3 << 8
_DEFLATED, _MIDNIGHT, _FIRST_DAY = 8, 0, 33  # 1 January 1980, zip's first: always the same
_MODE = 0o600 << 16
_REMEMBERED = 32  # of a few kB: as many as languages, currencies and kinds of workbook make


class _Part(NamedTuple):
    checksum: int
    size: int
    packed: bytes


def zipped(files: Mapping[str, str], alike: Collection[str]) -> bytes:
    """The files in their order, whose names are ASCII. `alike`: names of those that are remembered,
    for most workbooks have the same."""
    pieces: list[bytes] = []
    listed: list[bytes] = []
    at = 0
    for name, content in files.items():
        part = _alike(content) if name in alike else _part(content)
        named, packed = name.encode("ascii"), part.packed
        facts = _FACTS.pack(
            _DEFLATED, _MIDNIGHT, _FIRST_DAY, part.checksum, len(packed), part.size, len(named), 0
        )
        head = _HEAD.pack(b"PK\3\4", _VERSION, 0)
        entry = _ENTRY.pack(b"PK\1\2", _VERSION | _UNIX, _VERSION, 0)
        pieces += (head, facts, named, packed)
        listed += (entry, facts, _PLACE.pack(0, 0, 0, _MODE, at), named)
        at += len(head) + len(facts) + len(named) + len(packed)
    directory = b"".join(listed)
    end = _END.pack(b"PK\5\6", 0, 0, len(files), len(files), len(directory), at, 0)
    return b"".join((*pieces, directory, end))


def _part(content: str) -> _Part:
    plain = content.encode()
    deflate = zlib.compressobj(_QUICKEST, zlib.DEFLATED, -zlib.MAX_WBITS)
    return _Part(zlib.crc32(plain), len(plain), deflate.compress(plain) + deflate.flush())


_alike = lru_cache(_REMEMBERED)(_part)
