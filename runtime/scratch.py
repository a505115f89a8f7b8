"""A folder for what is not kept, which goes with its user: also where that is killed.

A process that ends without a word leaves its folder behind, with people's data in it. Each folder
is locked by who uses it, and the kernel lets go of a lock when its process ends, however that
comes: so whoever makes a folder, or asks for it, takes away those of his kind that nobody locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType


class Scratch:
    """Use as `with Scratch("onaccount-import-") as folder`, or close it when it is done with.

    `path` is for this user alone (mode 0700), below the machine's folder for such things.
    """

    def __init__(self, prefix: str) -> None:
        clear(prefix)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=prefix))
            # Whoever cleared in between may have it locked or taken away: then another one.
            with contextlib.suppress(FileNotFoundError, BlockingIOError):
                self._lock = _locked(self.path)
                break

    def __enter__(self) -> Path:
        return self.path

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        try:
            shutil.rmtree(self.path)
        finally:
            os.close(self._lock)


def clear(prefix: str) -> None:
    """Take away the folders of this kind whose users are gone; what is not ours to take stays."""
    with contextlib.suppress(OSError):  # whoever needs one says so where there can be none
        for path in list(_folders(prefix)):
            _take_away(path)


def _take_away(path: Path) -> None:
    with contextlib.suppress(OSError):
        lock = _locked(path)
        try:
            shutil.rmtree(path)
        finally:
            os.close(lock)


def _folders(prefix: str) -> Iterator[Path]:
    with os.scandir(tempfile.gettempdir()) as found:
        for one in found:
            if one.name.startswith(prefix) and one.is_dir(follow_symlinks=False):
                yield Path(one.path)


def _locked(folder: Path) -> int:
    """A descriptor of the folder that holds its lock; no child inherits it (PEP 446).

    Raises BlockingIOError where another has it, FileNotFoundError where the folder is gone.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder.stat()  # it may have gone between the two
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
