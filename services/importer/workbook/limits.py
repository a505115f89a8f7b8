"""What a child that opens a stranger's file may use."""

from __future__ import annotations

import contextlib
import errno
import resource
from collections.abc import Mapping
from typing import Final

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""What a disk says that takes no more. Beyond file_bytes it is EFBIG, which is the file's doing."""


def confine(limits: Mapping[str, int]) -> None:
    """Bound this process for good: memory_bytes, cpu_s, file_bytes; few files, no core dump."""
    _bound(resource.RLIMIT_AS, limits["memory_bytes"])
    _bound(resource.RLIMIT_CPU, limits["cpu_s"])
    _bound(resource.RLIMIT_FSIZE, limits["file_bytes"])
    _bound(resource.RLIMIT_NOFILE, 64)
    _bound(resource.RLIMIT_CORE, 0)


def _bound(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    with contextlib.suppress(OSError, ValueError):  # not every system knows every limit
        resource.setrlimit(what, (most, most))
