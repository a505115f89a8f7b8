"""Every file of the corpus ends as it should, and what is refused costs next to nothing.

Method: each file goes to a real child, as a job would hand it over. Its processor time is what
the kernel counted, its memory the high-water mark in /proc while it ran; the child's own
interpreter is among both. A second is a second of a machine that has itself to itself: where one
takes longer, a good file of one row is read beside it, which takes a tenth of that, and both are
held against each other.
"""

import asyncio
import contextlib
import re
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.imports import ImportPreviewed
from services.importer.child import Child, Unread, opened
from services.importer.domain.columns import Unclear, lay_out
from services.importer.settings import Settings
from services.importer.workbook.kinds import kind_of
from tests.services.importer.corpus import all_samples
from tests.services.importer.venue import failed_of, parts, venue
from tests.support.databases import Database

MIB = 1024 * 1024
LIMITS = replace(Settings(postgres="postgresql://unused").child_limits(), silence_s=30)
SAMPLES = all_samples()


async def watch(pid: int, seen: list[int]) -> None:
    """The most memory that a process had, in bytes, for as long as it lives."""
    with contextlib.suppress(OSError, StopIteration):
        while True:
            status = Path(f"/proc/{pid}/status").read_text()
            line = next(x for x in status.splitlines() if x.startswith("VmHWM"))
            seen[0] = max(seen[0], int(line.split()[1]) * 1024)
            await asyncio.sleep(0.002)


async def read_all(child: Child) -> str:
    layout = lay_out(await child.outlines(), sheet=None, mapping=None, tongue="nl")
    if isinstance(layout, Unclear):
        return layout.reason
    async for _ in child.rows(layout.sheet, layout.header_row):
        pass
    return "preview"


async def outcome(path: Path) -> tuple[str, int]:
    """How a file ends, and the most memory that its child had."""
    if kind_of(path) != "zip":
        return "not_a_workbook", 0
    seen = [0]
    async with opened(LIMITS, ask="rows", path=str(path)) as child:
        watching = asyncio.create_task(watch(child.pid, seen))
        try:
            return await read_all(child), seen[0]
        except Unread as unread:
            return unread.reason, seen[0]
        finally:
            watching.cancel()


GOOD_FILES = 10
ATTEMPTS = 4


def seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def costs(path: Path) -> tuple[str, int, float]:
    """How a file ends, the most memory and the seconds of processor that its child took."""
    before = seconds_of_children()
    ended, memory = await outcome(path)
    return ended, memory, seconds_of_children() - before


def test_the_corpus_is_large_enough() -> None:
    assert len(SAMPLES) >= 60
    assert sum(sample.ends != "preview" for sample in SAMPLES.values()) >= 60


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_file_of_the_corpus_ends_as_it_should(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(SAMPLES[name].make())
    refused = SAMPLES[name].ends not in ("preview", "columns_unclear")
    for _ in range(ATTEMPTS):
        ended, memory, used = await costs(path)
        assert ended == SAMPLES[name].ends
        assert not refused or memory < 64 * MIB
        if not refused or used < 1:
            return
        (good := tmp_path / "good.xlsx").write_bytes(SAMPLES["a good file"].make())
        _, _, usual = await costs(good)
        if used < GOOD_FILES * usual:
            return
    pytest.fail(f"refused after {used:.2f} s, where a good file takes {usual:.2f} s")


SMALL = (
    "sizes that lie, too small", "one cell", "zips in zips", "deep XML in a shared string",
    "stored and not packed",
)  # fmt: skip


@pytest.mark.timeout(300)
async def test_whoever_uploads_one_gets_a_preview_or_a_sentence_and_the_next_is_served(
    postgres: Database,
) -> None:
    """One for each end; what they end with is told in Dutch, as the environment speaks."""
    good = SAMPLES["a good file"].make()
    some = [SAMPLES[name] for name in SMALL]
    # Of too many rows: test_large_lists.py.
    assert {s.ends for s in some} | {"too_many_rows"} == {s.ends for s in SAMPLES.values()}
    async with venue(postgres) as place:
        await place.open(language="nl")
        for sample in some:
            await place.say(*parts(sample.make()), *parts(good))
            events = await place.settle()
            assert any(isinstance(e, ImportPreviewed) and e.valid == 1 for e in events)
            if sample.ends == "preview":
                assert [e.type for e in events] == ["import.previewed"] * 2
            else:
                assert failed_of(events).reason == sample.ends
                assert re.search(r"\b(de|het|een)\b", failed_of(events).message.lower())
