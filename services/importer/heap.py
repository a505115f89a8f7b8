"""What malloc does with large blocks in a worker that holds pieces of workbooks now and then."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from typing import Final

# malloc.h
M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3

LARGE_BYTES: Final = 128 * 1024
"""glibc's own threshold at first. By itself it grows to the largest block that was ever given back,
and blocks up to that size come from the heap then, where they leave holes (docs/performance.md)."""


def give_large_blocks_back(environment: Mapping[str, str] = os.environ) -> bool:
    """Have large blocks mapped by themselves for good, so that each is the system's again once it
    is free. What the environment says of malloc stands. Whether glibc took it: of another C library
    nothing is asked."""
    if any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in environment):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(what, LARGE_BYTES) for what in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD))
