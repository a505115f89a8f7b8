"""A job's workbook as a file, for as long as a child needs it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from runtime.faults import Said
from runtime.jobs import Work
from runtime.scratch import Scratch
from services.importer.child import Unread
from services.importer.store import uploads
from services.importer.store.uploads import Upload
from services.importer.workbook.kinds import kind_of
from services.importer.workbook.limits import NO_ROOM

FOLDERS: Final = "onaccount-import-"
"""What the names of their folders begin with."""


class NoPlace(Said, OSError):
    """The folder for temporary files takes no workbook: a fault of the surroundings."""


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Raise NoPlace for what befalls our files: in the same words at each try, though each has a
    folder with another name."""
    try:
        yield
    except OSError as fault:
        if fault.errno not in NO_ROOM and FOLDERS not in str(fault.filename):
            raise
        why = os.strerror(fault.errno or 0)
        raise NoPlace(f"room for a workbook in {tempfile.gettempdir()} ({why})") from fault


@asynccontextmanager
async def workbook(work: Work, upload: Upload) -> AsyncIterator[Path]:
    """The parts put together in a folder of its own, which goes when the block ends.

    Raises Unread for a file that is not what its sender had, or plainly no workbook, and NoPlace
    where it has no place, or what is made of it in the block has none.
    """
    with _in_our_words(), Scratch(FOLDERS) as folder:
        path = folder / "workbook.xlsx"
        await _put_together(work, upload, path)
        yield path


async def _put_together(work: Work, upload: Upload, path: Path) -> None:
    whole = sha256()
    with path.open("wb") as file:
        for part in range(1, upload.parts + 1):
            async with work.step() as tx:
                content = await uploads.content(tx, upload, part)
            if content is None:
                raise Unread("expired")  # it ended meanwhile
            whole.update(content)
            await asyncio.to_thread(file.write, content)
    if whole.hexdigest() != upload.sha256:
        raise Unread("checksum_mismatch")
    if (kind := await asyncio.to_thread(kind_of, path)) != "zip":
        raise Unread("not_a_workbook", kind)
