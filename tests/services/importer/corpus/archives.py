"""Tricks with the zip archive that a workbook is."""

import io
import random
import struct
import zipfile

from tests.services.importer.corpus import samples
from tests.services.importer.files import (
    SHEET,
    changed,
    encrypted_entries,
    good,
    lying_sizes,
    overlapping,
    zipped,
)

MIB = 1024 * 1024


def entries_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def duplicate() -> bytes:
    """The sheet twice: which of the two a reader takes is its own choice."""
    twin = SHEET.replace("1", "7")
    return changed(**{twin: b""}).replace(twin.encode(), SHEET.encode())


def with_method(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries_of(good()).items():
            archive.writestr(name, content)
    return file.getvalue()


def patched(at: int, form: str, value: int, *, only: str = "") -> bytes:
    """A good file with one field of each entry of its directory changed, at `at` of the record."""
    content = bytearray(good())
    record = content.find(b"PK\x01\x02")
    while record >= 0:
        length = struct.unpack_from("<H", content, record + 28)[0]
        name = content[record + 46 : record + 46 + length].decode()
        if only in name:
            struct.pack_into(form, content, record + at, value)
        record = content.find(b"PK\x01\x02", record + 4)
    return bytes(content)


def huge_directory() -> bytes:
    """A hundred thousand entries in the directory, all of the same bytes."""
    content = good()
    first = content.find(b"PK\x01\x02")
    second = content.find(b"PK\x01\x02", first + 4)
    end = content.rfind(b"PK\x05\x06")
    records = content[first:second] * 100_000
    tail = bytearray(content[end:])
    struct.pack_into("<HHLL", tail, 8, 0xFFFE, 0xFFFE, len(records), first)
    return content[:first] + records + bytes(tail)


def other_local_name() -> bytes:
    """The directory and the entry itself disagree about the name."""
    content = bytearray(good())
    at = content.find(SHEET.encode())  # in the local header, which comes first
    content[at : at + 3] = b"XL/"
    return bytes(content)


def flipped_byte() -> bytes:
    """A digit of a stored sheet is not what its checksum says."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries_of(good()).items():
            archive.writestr(name, content)
    return file.getvalue().replace(b"28900001", b"28900007")


def noise() -> bytes:
    return b"PK\x03\x04" + random.Random(4).randbytes(50_000)


def matryoshka() -> bytes:
    inner = good()
    for n in range(5):
        inner = zipped({f"{n}.zip": inner})
    return inner


SAMPLES = {
    **samples(
        "unreadable",
        {
            "sizes that lie, too small": lying_sizes,
            "sizes that lie, too large": lambda: patched(24, "<L", 200_000, only=SHEET),
            "packed sizes that lie": lambda: patched(20, "<L", 100_000, only=SHEET),
            "a checksum that lies": lambda: patched(16, "<L", 1, only=SHEET),
            "a flipped digit": flipped_byte,
            "entries that share bytes": overlapping,
            "an entry beyond the end": lambda: patched(42, "<L", 0x7FFFFFF0, only=SHEET),
            "two entries of one name": duplicate,
            "two names that differ in case": lambda: changed(**{SHEET.upper(): b""}),
            "a name that climbs": lambda: changed(**{"../../etc/x": b""}),
            "an absolute name": lambda: changed(**{"/etc/x": b""}),
            "a name with a drive": lambda: changed(**{"C:/x": b""}),
            "a name that climbs by backslashes": lambda: changed(**{"xl\\..\\..\\x": b""}),
            "an absolute name with a backslash": lambda: changed(**{"\\etc\\x": b""}),
            "two names that differ in slashes": lambda: changed(**{SHEET.replace("/", "\\"): b""}),
            "another name in the entry": other_local_name,
            "a rare compression": lambda: with_method(zipfile.ZIP_LZMA),
            "an unknown compression": lambda: patched(10, "<H", 97),
            "cut in half": lambda: good()[: len(good()) // 2],
            "cut in its directory": lambda: good()[:-40],
            "cut at its beginning": lambda: b"PK\x03\x04" + good()[300:],
            "noise": noise,
            "a directory that is elsewhere": lambda: good()[:-6] + b"\xff\xff\xff\x7f\0\0",
        },
    ),
    **samples(
        "too_demanding",
        {
            "a directory of a hundred thousand entries": huge_directory,
            "thousands of entries": lambda: changed(**{f"xl/x{n}.xml": b"" for n in range(2100)}),
            "a sheet that unpacks a thousandfold": lambda: changed(**{SHEET: b" " * (32 * MIB)}),
            "a sheet that claims four gigabytes": lambda: patched(24, "<L", 2**32 - 2, only=SHEET),
            "a picture beyond its bound": lambda: changed(
                **{"xl/media/image1.png": random.Random(1).randbytes(64 * 1024) * 272}
            ),
        },
    ),
    **samples(
        "not_a_workbook",
        {
            "zips in zips": matryoshka,
            "entries with a password": encrypted_entries,
            "a directory of nothing": lambda: b"PK\x05\x06" + bytes(18),
        },
    ),
    **samples(
        "preview",
        {
            "stored and not packed": lambda: with_method(zipfile.ZIP_STORED),
            "bytes behind its end": lambda: good() + b"\0" * 10,
            "a comment": lambda: good()[:-2] + b"\x05\x00hello",
            "names with backslashes": lambda: zipped(
                {name.replace("/", "\\"): content for name, content in entries_of(good()).items()}
            ),
            "an entry that nobody needs": lambda: changed(**{"docProps/thumbnail.jpeg": b"x"}),
        },
    ),
}
