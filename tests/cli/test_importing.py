"""From a workbook to its report: what is saved, and what is said where somebody goes away."""

import asyncio
import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.amounts import Misuse
from cli.importing import named, until_clear
from cli.imports import Job, Upload, from_file, job_state
from cli.replies import NoAnswer
from cli.screen import Screen

PREVIEW = {
    "type": "import.previewed", "columns": [], "rows": 2, "valid": 0, "creates": 0, "changes": 0,
    "unchanged": 0, "problem_count": 2, "warnings": [],
    "problems": [{"row": n, "column": "Limiet", "value": "x", "message": "no"} for n in (2, 3)],
}  # fmt: skip
CANCELLED = {"type": "import.failed", "reason": "cancelled", "message": "cancelled"}
REPORT = {"type": "import.report", "part": 1, "parts": 1,
          "content": base64.b64encode(b"workbook").decode()}  # fmt: skip


class Topics:
    """Stands for the topics at the far edge: says in turn what it was told to; None: Ctrl-C, and
    a fault comes instead."""

    def __init__(self, *answers: dict[str, Any] | Exception | None) -> None:
        self.answers = list(answers)
        self.sent: list[str] = []

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message["type"])

    @contextmanager
    def expecting(self, message: dict[str, Any]) -> Iterator[Any]:
        assert message["type"] == "import.uploaded"
        yield self

    async def next(self, patience_s: float) -> Any:
        assert patience_s > 0
        answer = self.answers.pop(0)
        if answer is None:
            raise asyncio.CancelledError
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(message=answer, type=answer["type"], header=answer.get)


async def said(topics: Topics, folder: Path) -> tuple[Job, Any]:
    upload = Upload(environment=2890, file_name="leden.xlsx", content=b"x", by="Ans", extra={})
    file = folder / "leden.xlsx"
    return await until_clear(topics, upload, file, Screen(), yes=True)  # type: ignore[arg-type]


async def test_where_each_row_has_a_problem_the_report_is_saved_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    topics = Topics(PREVIEW, {**CANCELLED, "report": True}, REPORT)
    assert (await said(topics, tmp_path))[1] is None
    assert topics.sent == ["import.uploaded", "import.cancelled"]
    report = tmp_path / "leden.result.xlsx"
    assert report.read_bytes() == b"workbook"
    assert str(report) in capsys.readouterr().out


async def test_an_empty_list_brings_no_report(tmp_path: Path) -> None:
    empty = {**PREVIEW, "rows": 0, "problem_count": 0, "problems": []}
    assert (await said(Topics(empty, CANCELLED), tmp_path))[1] is None
    assert list(tmp_path.iterdir()) == []


async def test_an_import_that_somebody_else_stops_brings_its_report_too(tmp_path: Path) -> None:
    stopped = {**CANCELLED, "report": True}
    topics = Topics({**PREVIEW, "valid": 2}, stopped, REPORT)
    job, end = await said(topics, tmp_path)
    assert (topics.sent[-1], end, job.report) == ("import.confirmed", stopped, b"workbook")
    assert (tmp_path / "leden.result.xlsx").exists()


def refused(of: str, reason: str = "not_possible") -> dict[str, Any]:
    ce_id = f"import.failed/2890/x/{reason}/{of}"
    return {"type": "import.failed", "reason": reason, "message": reason, "ce_id": ce_id}


async def test_somebody_elses_message_that_is_refused_ends_no_import(tmp_path: Path) -> None:
    done = {"type": "import.completed", "created": 2, "changed": 0, "unchanged": 0, "refused": 0}
    other = refused("import.undo/ab"), refused("0123456789abcdef", "invalid_message")
    topics = Topics(other[0], {**PREVIEW, "valid": 2}, *other, done, REPORT)
    assert (await said(topics, tmp_path))[1] == done
    assert (await said(Topics(other[1]), tmp_path))[1] == other[1], "our own can't be read"
    gone = refused("import.confirmed", "unknown_job")
    assert (await said(Topics({**PREVIEW, "valid": 2}, gone), tmp_path))[1] == gone


async def test_an_undo_ends_with_what_is_said_of_an_undo() -> None:
    upload = Upload(environment=2890, file_name="", content=b"", by="Ans", extra={})
    once_more = CANCELLED | {"ce_id": "import.failed/2890/x"}  # somebody cancels it again
    for end in (refused("import.undo/ab"), refused("undo/1.5", "not_processed")):
        topics = Topics(once_more, refused("0123456789abcdef", "invalid_message"), end)
        job = Job(topics, upload, job_id="x")  # type: ignore[arg-type]
        assert await job.undone(topics, print, first_s=1) == end  # type: ignore[arg-type]


async def test_who_leaves_before_answering_calls_the_preview_off(tmp_path: Path) -> None:
    topics = Topics(None)
    with pytest.raises(asyncio.CancelledError):
        await said(topics, tmp_path)
    assert topics.sent == ["import.uploaded", "import.cancelled"]


async def test_who_leaves_while_rows_are_imported_is_told_that_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    topics = Topics({**PREVIEW, "valid": 2}, None)
    with pytest.raises(asyncio.CancelledError):
        await said(topics, tmp_path)
    assert topics.sent[-1] == "import.confirmed"
    assert "onaccount import cancel" in capsys.readouterr().out


async def test_as_many_columns_are_named_as_the_person_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for typed, told in (
        ("Wie\nname\n1\naccount\n\n", {"Wie": "name", "Kaart": "account"}),
        ("3\nlimit\n2\n\n", {"Max": "limit"}),
        ("\n", {}),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert await named(["Wie", "Kaart", "Max"]) == told


class OneImport:
    """Stands for imports.state with a single import."""

    async def view(self, topic: str) -> dict[str, Any]:
        return {"k": {"job_id": "0191b0c4-7e3a-7cc1-9a51-000000000001", "environment": 1}}


async def test_an_import_that_is_named_by_nothing_is_not_the_only_one_there_is() -> None:
    assert (await job_state(OneImport(), "0191"))["job_id"].startswith("0191")  # type: ignore[arg-type]
    for nothing in ("", " "):
        with pytest.raises(Misuse, match="Say which import"):
            await job_state(OneImport(), nothing)  # type: ignore[arg-type]


async def test_an_import_whose_id_two_environments_have_is_told_by_its_environment() -> None:
    job = "0191b0c4-7e3a-7cc1-9a51-000000000001"

    class Two:
        async def view(self, topic: str) -> dict[str, Any]:
            return {str(n): {"job_id": job, "environment": n} for n in (7, 2890)}

    assert (await job_state(Two(), job, 2890))["environment"] == 2890  # type: ignore[arg-type]
    with pytest.raises(Misuse, match="--environment with one of 7, 2890"):
        await job_state(Two(), job)  # type: ignore[arg-type]
    with pytest.raises(Misuse, match="No import of environment 8 has an id"):
        await job_state(Two(), job, 8)  # type: ignore[arg-type]


async def test_the_progress_of_an_undo_ends_with_all_of_it(tmp_path: Path) -> None:
    progress = {"type": "import.progressed", "done": 0, "rows": 6}
    topics = Topics(progress, {"type": "import.undone"})
    upload = Upload(environment=2890, file_name="", content=b"", by="Ans", extra={})
    told: list[tuple[int, int]] = []
    job = Job(topics, upload, job_id="x")  # type: ignore[arg-type]
    await job.undone(topics, lambda *far: told.append(far), first_s=1)  # type: ignore[arg-type]
    assert told == [(0, 6), (6, 6)]


async def test_an_import_whose_report_does_not_come_is_done_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = {"type": "import.completed", "created": 2, "changed": 0, "unchanged": 0, "refused": 0}
    topics = Topics({**PREVIEW, "valid": 2}, done, NoAnswer("No answer within 120 seconds"))
    job, result = await said(topics, tmp_path)
    assert (result, job.report) == (done, None)
    assert f"onaccount import report {job.id}" in " ".join(capsys.readouterr().out.split())


def test_a_file_that_is_too_large_for_any_import_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "leden.xlsx"
    with large.open("wb") as file:
        file.truncate(81_000_000)
    with pytest.raises(Misuse, match="has 81 MB, more than an import takes; split it"):
        from_file(large, environment=2890, by="Ans", extra={})
