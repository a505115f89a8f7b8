"""Where the machine has no place for a workbook, an import waits, and loses nothing."""

import errno
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.jobs import Work
from schemas.imports import ImportFailed
from services.importer.child import opened
from services.importer.handlers.uploads import REPORT
from services.importer.settings import Settings
from tests.services.importer.venue import completed_of, parts, report_of, venue
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database

LIST = sheet_workbook(["Bedrijf", "Rekening"], ["A", 1], ["B", 2])
LIMITS = Settings(postgres="postgresql://unused").child_limits()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go; no folder can be made there yet."""
    where = tmp_path / "place"
    where.write_text("in the way")
    monkeypatch.setattr("tempfile.tempdir", str(where))
    return where


def make(place: Path) -> None:
    place.unlink()
    place.mkdir()


async def test_an_import_waits_for_a_place_and_then_all_of_it_comes(
    postgres: Database, place: Path
) -> None:
    async with venue(postgres) as at:
        await at.say(*parts(LIST, mode="import"))
        with capture_logs() as logs:
            await at.bench.run_jobs(at.kinds)
        said = f"room for a workbook in {place} ({os.strerror(errno.ENOTDIR)})"
        assert [line["cause"] for line in logs if line["event"] == "waiting"] == [said]
        assert at.events == []
        make(place)
        for kind in at.kinds:
            if kind.kind not in ("expire", "forget"):
                await at.bench.make_due(kind.kind)
        events = await at.settle()
        assert completed_of(events).created == 2
        assert report_of(events)
        assert not [e for e in events if isinstance(e, ImportFailed)]


async def test_a_report_for_which_there_is_no_place_is_made_when_there_is(
    postgres: Database, place: Path
) -> None:
    make(place)
    tries: list[Work] = []

    def at_first_without(run: Callable[[Work], Awaitable[None]]) -> Callable[[Work], Any]:
        async def once(work: Work) -> None:
            tries.append(work)
            if len(tries) > 1:
                return await run(work)
            place.rmdir()
            place.write_text("in the way")
            try:
                await run(work)
            finally:
                make(place)

        return once

    async with venue(postgres) as at:
        at.kinds = tuple(
            replace(kind, run=at_first_without(kind.run)) if kind.kind == REPORT else kind
            for kind in at.kinds
        )
        assert report_of(await at.imported(LIST))
        assert len(tries) == 2


@pytest.mark.parametrize("rewrite", [False, True])
async def test_a_disk_that_is_full_is_no_fault_of_the_workbook(
    tmp_path: Path, rewrite: bool
) -> None:
    """/dev/full takes nothing, as a disk without room."""
    path, told = tmp_path / "x.xlsx", tmp_path / "told.jsonl"
    path.write_bytes(LIST)
    told.write_text('[2, "created", "aangemaakt"]\n')
    asked = {
        "ask": "report", "path": str(path), "results": str(told), "to": "/dev/full",
        "sheet": "Blad1", "header_row": 1, "columns": 2, "title": "Resultaat", "note": "",
        "rewrite": rewrite,
    }  # fmt: skip
    async with opened(LIMITS, **asked) as child:
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            await child.finished()
