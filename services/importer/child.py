"""The parent's side of the reading child: started, asked, listened to, and killed in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from services.importer.domain.cells import Cell
from services.importer.domain.columns import Outline
from services.importer.domain.noticed import Noticed
from services.importer.workbook import lines

Row = tuple[int, Sequence[Cell]]

READ_AHEAD: Final = 128 * 1024
"""Bytes of a child's lines that are read before they are asked for; twice as many may be. It is
quicker than whoever takes them, so what may be held is held: with room for the longest line twice
that was 8 MiB, of which 10,000 rows filled a fourth and 100,000 all."""


class Unread(Exception):
    """The file was not read; `reason` as in import.failed, `kind` for not_a_workbook."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    """What one child may use. `silence_s`: it is killed when it says nothing for so long."""

    memory_bytes: int
    cpu_s: int
    file_bytes: int
    silence_s: float
    max_rows: int
    bounds: dict[str, int] = field(default_factory=dict)

    def request(self, **asked: Any) -> dict[str, Any]:
        limits = {
            "memory_bytes": self.memory_bytes,
            "cpu_s": self.cpu_s,
            "file_bytes": self.file_bytes,
        }
        return {"limits": limits, "bounds": self.bounds, "max_rows": self.max_rows, **asked}


class Child:
    """A running child."""

    def __init__(self, process: asyncio.subprocess.Process, silence_s: float) -> None:
        self._process = process
        self._silence_s = silence_s
        self._macros = False
        self._hidden_columns: dict[str, list[int]] = {}
        self.noticed = Noticed()
        """What a person should know of the sheet whose rows were all given."""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # it died: what it says next tells
            self._process.stdin.write(lines.write(value))
            await self._process.stdin.drain()

    async def hear(self) -> dict[str, Any]:
        """Its next line that says anything; signs of life between them count against silence.

        Raises Unread for what it found, and where it died or fell silent; OSError where a disk took
        no more of what it wrote.
        """
        while "busy" in (said := await self._line()):
            pass
        return said

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            # Not wait_for: on 3.11 a line that comes as its task is cancelled has it go on.
            async with asyncio.timeout(self._silence_s):
                line = await whole_line(self._process.stdout)
        except (TimeoutError, ValueError):
            raise Unread("too_demanding") from None
        if not line.endswith(b"\n"):
            # Killed for its CPU time, out of memory in a library that aborts, or the like.
            raise Unread("too_demanding")
        said = lines.read(line)
        if "no_room" in said:
            raise OSError(said["no_room"], os.strerror(said["no_room"]))
        if "failed" in said:
            raise Unread(str(said["failed"]), str(said.get("kind", "")))
        return said

    async def finished(self) -> None:
        """It has done what it was asked to."""
        await self.hear()

    async def outlines(self) -> list[Outline]:
        """The first rows of every sheet."""
        found: list[Outline] = []
        while "sheets" not in (said := await self.hear()):
            sheet = said["sheet"]
            rows = [(number, cells) for number, cells in sheet["rows"]]
            found.append(Outline(name=sheet["name"], hidden=sheet["hidden"], rows=rows))
            self._hidden_columns.setdefault(sheet["name"], sheet["hidden_columns"])
        self._macros = said["macros"]
        return found

    async def rows(self, sheet: str, header_row: int) -> AsyncIterator[list[Row]]:
        """The rows below the header, some at a time; no faster than they are taken."""
        await self.ask({"sheet": sheet, "header_row": header_row})
        while "end" not in (said := await self.hear()):
            yield [(number, cells) for number, cells in said["rows"]]
        self.noticed = Noticed(
            macros=self._macros,
            hidden_columns=tuple(self._hidden_columns.get(sheet, ())),
            **said["noticed"],
        )


async def whole_line(stream: asyncio.StreamReader) -> bytes:
    """The next line, however much longer it is than what the stream holds; without its end where
    the stream ends before. Raises ValueError for one that is longer than any of ours."""
    pieces: list[bytes] = []
    size = 0
    while size <= lines.MAX_LINE:
        try:
            pieces.append(await stream.readuntil(b"\n"))
        except asyncio.IncompleteReadError as end:
            pieces.append(end.partial)
        except asyncio.LimitOverrunError as more:
            pieces.append(await stream.readexactly(more.consumed))
            size += more.consumed
            continue
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    raise ValueError("a line of the child is too long")


@asynccontextmanager
async def opened(limits: ChildLimits, **asked: Any) -> AsyncIterator[Child]:
    """A child that was asked `asked`; killed and waited for at the end, whatever happens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "services.importer.reader",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LANG": "C.UTF-8"},  # no secret of ours
        limit=READ_AHEAD,
        start_new_session=True,
    )
    try:
        child = Child(process, limits.silence_s)
        await child.ask(limits.request(**asked))
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
