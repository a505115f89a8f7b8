"""The child reads what Excel and its like write, and nothing that comes in can hurt its parent."""

import datetime as dt
import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from services.importer.child import Child, ChildLimits, Row, Unread, opened
from services.importer.domain.cells import Odd
from services.importer.workbook.kinds import kind_of
from tests.services.importer.files import (
    HEADER,
    MAIN,
    OTHER_KINDS,
    SHEET,
    changed,
    good,
    sheet,
    sheet_xml,
    text_cell,
)
from tests.support.article_workbook import article_workbook

MIB = 1024 * 1024
HEAVY = ("pydantic", "schemas", "runtime", "asyncpg", "aiokafka", "openpyxl")
LIMITS = ChildLimits(
    memory_bytes=512 * MIB, cpu_s=20, file_bytes=32 * MIB, silence_s=20, max_rows=1000
)


async def read(folder: Path, content: bytes, limits: ChildLimits = LIMITS) -> list[Row]:
    """The rows below the header of the first sheet."""
    path = folder / "x.xlsx"
    path.write_bytes(content)
    rows: list[Row] = []
    async with opened(limits, ask="rows", path=str(path)) as child:
        outlines = await child.outlines()
        async for some in child.rows(outlines[0].name, 1):
            rows += some
    return rows


async def test_cells_come_as_they_are_stored(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page: Any = book.active
    page.append(["Kop"])
    page.append(["tekst", 28900001, 12.5, True, None, dt.date(2026, 5, 1), "=1+1", "#N/A"])
    page.append(["'=1", 17, "x" * 600])
    page["B3"].number_format = "00000"
    page["G2"].data_type = "s"  # a text that begins like a formula
    page["A3"].quotePrefix = True
    file = io.BytesIO()
    book.save(file)
    first, second = await read(tmp_path, file.getvalue())
    assert first == (
        2,
        ["tekst", 28900001, 12.5, True, None, Odd(kind="date", text="2026-05-01"), "=1+1",
         Odd(kind="error", text="#N/A")],
    )  # fmt: skip
    assert second[1][:2] == ["'=1", Odd(kind="padded", text="00017")]
    assert second[1][2] == Odd(kind="long", text="x" * 500)


async def test_a_formula_gives_its_stored_value(tmp_path: Path) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Bedrijf", "Limiet"])
        page.write(1, 0, "A")
        page.write_formula(1, 1, "=10*12.5", None, 125)
    assert await read(tmp_path, file.getvalue()) == [(2, ["A", 125])]


async def test_empty_rows_are_left_out_and_rows_keep_excels_numbers(tmp_path: Path) -> None:
    content = sheet(HEADER + b'<row r="900000">' + text_cell("A900000", "A") + b"</row>")
    assert await read(tmp_path, content) == [(900000, ["A"])]


async def test_a_claimed_dimension_is_not_believed(tmp_path: Path) -> None:
    rows = HEADER + b'<row r="2">' + text_cell("A2", "A") + text_cell("B2", "1") + b"</row>"
    claim = b'<dimension ref="A1:A1"/><sheetData>'
    content = changed(**{SHEET: sheet_xml(rows).replace(b"<sheetData>", claim)})
    assert await read(tmp_path, content) == [(2, ["A", "1"])]


async def test_more_rows_than_are_imported_are_refused(tmp_path: Path) -> None:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(2, 20))
    with pytest.raises(Unread, match="too_many_rows"):
        await read(tmp_path, sheet(HEADER + rows), replace(LIMITS, max_rows=17))


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_a_file_of_another_kind_is_known_by_its_bytes(name: str, tmp_path: Path) -> None:
    content, kind = OTHER_KINDS[name]
    path = tmp_path / "leden.xlsx"
    path.write_bytes(content)
    assert kind_of(path) == kind
    path.write_bytes(good())
    assert kind_of(path) == "zip"


async def test_a_child_that_wants_too_much_memory_is_refused_it(tmp_path: Path) -> None:
    cells = "".join(f"<si><t>{n:0200}{os.urandom(8).hex()}</t></si>" for n in range(200_000))
    strings = f'<?xml version="1.0"?><sst xmlns="{MAIN}">{cells}</sst>'.encode()
    # xlsxwriter shares its strings among cells as Excel does; openpyxl writes them into each.
    content = changed(article_workbook(), **{"xl/sharedStrings.xml": strings})
    assert len(await read(tmp_path, content, replace(LIMITS, memory_bytes=300 * MIB))) == 10
    with pytest.raises(Unread, match="too_demanding"):
        await read(tmp_path, content, replace(LIMITS, memory_bytes=60 * MIB))


def empty_rows(count: int) -> bytes:
    """A sheet that says nothing for long."""
    return sheet(HEADER + b"".join(b'<row r="%d" s="1"/>' % n for n in range(2, count)))


async def test_a_child_that_computes_without_end_is_killed(tmp_path: Path) -> None:
    content = changed(empty_rows(1_000_000))
    with pytest.raises(Unread, match="too_demanding"):
        await read(tmp_path, content, replace(LIMITS, cpu_s=1, bounds={"ratio": 10**6}))


async def hear_all(child: Child) -> None:
    while True:
        await child.hear()


async def test_a_child_that_falls_silent_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(good())
    async with opened(replace(LIMITS, silence_s=1), ask="rows", path=str(path)) as child:
        os.kill(child.pid, signal.SIGSTOP)
        begin = time.monotonic()
        with pytest.raises(Unread, match="too_demanding"):
            await hear_all(child)
        assert time.monotonic() - begin < LIMITS.silence_s  # what others are given
    assert not Path(f"/proc/{child.pid}").exists()


async def test_a_child_that_is_busy_for_long_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(empty_rows(500_000))
    async with opened(LIMITS, ask="rows", path=str(path)) as child:
        said: list[str] = []
        while "sheets" not in said:
            said += await child._line()
    assert said.count("busy") > 1


async def test_the_child_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONACCOUNT_POSTGRES_IMPORTER", "postgresql://secret")
    path = tmp_path / "x.xlsx"
    path.write_bytes(good())
    async with opened(LIMITS, ask="rows", path=str(path)) as child:
        await child.outlines()
        environ = Path(f"/proc/{child.pid}/environ").read_text()
    assert "ONACCOUNT" not in environ


def test_what_opens_workbooks_starts_without_our_messages_and_what_they_need() -> None:
    """With pydantic it took 35 MiB instead of 24, and 0.4 s longer for a workbook of any size."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, services.importer.reader; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert "services.importer.workbook.rows" in loaded
    heavy = {name for name in loaded if name.split(".")[0] in HEAVY}
    assert heavy <= {"runtime", "runtime.priority"}  # which need nothing
