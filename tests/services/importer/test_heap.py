"""Large blocks go back to the system, also after one of a megabyte was given back.

Method: a process of its own that asks glibc for blocks as parts of a workbook make them, and looks
at how much of the heap they leave.
"""

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from services.importer.heap import give_large_blocks_back

BLOCKS = """
import ctypes, sys
from services.importer.heap import give_large_blocks_back

print(give_large_blocks_back({}) if sys.argv[1] == "told" else False)
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.free(libc.malloc(2**20))


class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]


libc.mallinfo2.restype = Info
before = libc.mallinfo2().hblks
held = [libc.malloc(500_000) for _ in range(8)]
print(libc.mallinfo2().hblks - before)
"""

glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="what is told is glibc's, and 2.33 is the first that says what became of it",
)
OTHERS = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")


def mapped(how: str) -> list[str]:
    """Whether glibc was told, and how many of eight blocks of half a megabyte are mapped alone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OTHERS)}
    run = subprocess.run(
        [sys.executable, "-c", BLOCKS, how], capture_output=True, text=True, check=True, env=clean
    )
    return run.stdout.split()


@glibc
def test_large_blocks_are_mapped_by_themselves_after_one_was_given_back() -> None:
    assert mapped("told") == ["True", "8"]
    assert mapped("by itself") == ["False", "0"]


@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"])
def test_what_the_environment_says_of_malloc_stands(name: str) -> None:
    assert not give_large_blocks_back({name: "1"})
