"""What the parent holds of a child's lines before it asks for them: little, however many come."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from services.importer.child import READ_AHEAD, Child, opened, whole_line
from services.importer.settings import Settings
from services.importer.workbook import lines

LIMIT = 64


async def taken(pieces: list[bytes]) -> list[bytes]:
    """All lines of a stream that comes in these pieces."""
    stream = asyncio.StreamReader(limit=LIMIT)

    async def feed() -> None:
        for piece in pieces:
            stream.feed_data(piece)
            await asyncio.sleep(0)
        stream.feed_eof()

    feeding = asyncio.create_task(feed())
    found = []
    while line := await whole_line(stream):
        found.append(line)
    await feeding
    return found


def buffered(child: Child) -> int:
    stream = child._process.stdout
    assert stream is not None
    return len(stream._buffer)  # type: ignore[attr-defined]


def lines_of(whole: bytes) -> list[bytes]:
    found = [line + b"\n" for line in whole.split(b"\n")]
    found[-1] = found[-1][:-1]
    return [line for line in found if line]


@given(st.lists(st.binary(max_size=3 * LIMIT), max_size=12))
def test_lines_come_whole_in_whatever_pieces_and_however_long(pieces: list[bytes]) -> None:
    assert asyncio.run(taken(pieces)) == lines_of(b"".join(pieces))


async def test_a_line_longer_than_any_of_ours_is_refused() -> None:
    stream = asyncio.StreamReader(limit=LIMIT)
    stream.feed_data(b"a" * (lines.MAX_LINE + 2 * LIMIT))
    with pytest.raises(ValueError, match="too long"):
        await whole_line(stream)


async def test_a_large_list_is_not_held_though_nobody_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Leden")
        sheet.write_row(0, 0, ("Bedrijf", "Rekeningnummer"))
        for n in range(1, 12_001):
            sheet.write_row(n, 0, (f"{'Een lange naam ' * 8}{n}", 28_900_000 + n))
    limits = Settings(postgres="postgresql://unused").child_limits()
    async with opened(limits, ask="rows", path=str(path)) as child:
        await child.outlines()
        held, count, quiet = 0, 0, 0
        taking = child.rows("Leden", 1)
        async for rows in taking:
            count += len(rows)
            while (
                quiet < 20
            ):  # nobody takes more for two seconds: the child goes on until it must wait
                await asyncio.sleep(0.1)
                quiet += 1
            held = max(held, buffered(child))
    assert count == 12_000
    assert 0 < held <= 3 * READ_AHEAD  # it would be 1.7 MB
