"""What the command line says of an import: what changes, and whether rows were refused."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.commands.imports import _show_result
from cli.imported import show_completed, show_preview, show_states, show_undone
from cli.messages import Json
from cli.registry import Registry
from cli.screen import Screen
from cli.trouble import Trouble

COUNTS: Json = {"type": "import.completed", "created": 2, "changed": 1, "unchanged": 0}


@pytest.mark.parametrize(("refused", "status", "mark"), [(0, 0, "✓"), (3, 1, "!")])
def test_an_import_that_refused_rows_is_no_success(
    refused: int, status: int, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_completed(Screen(), {**COUNTS, "refused": refused}) == status
    assert capsys.readouterr().out.startswith(
        f"{mark} 2 created, 1 changed, 0 unchanged, {refused} refused"
    )


def test_what_was_imported_is_told_though_its_report_cannot_be_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job: Any = SimpleNamespace(id="0190", report=b"workbook")
    with pytest.raises(Trouble, match="can't be written"):
        _show_result(Screen(), {**COUNTS, "refused": 0}, tmp_path / "gone" / "leden.xlsx", job)
    told = capsys.readouterr().out
    assert "2 created" in told
    assert "onaccount import undo 0190" in told


def test_a_preview_shows_twenty_changes_and_how_many_more_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    change = {"account": "28900001", "column": "Limiet", "field": "limit", "old": "1,00"}
    preview: Json = {
        "columns": [], "rows": 25, "valid": 25, "creates": 0, "changes": 25, "unchanged": 0,
        "problems": [], "problem_count": 0, "warnings": [],
        "differences": [{**change, "row": row, "new": f"{row},50"} for row in range(2, 27)],
    }  # fmt: skip
    show_preview(Screen(), preview)
    shown = capsys.readouterr().out
    for part in ("From", "To", "Limiet", "28900001", "1,00", "21,50", "at least 5 more"):
        assert part in shown
    assert "22,50" not in shown


def test_a_column_that_changes_several_fields_says_which(
    capsys: pytest.CaptureFixture[str],
) -> None:
    change = {"row": 2, "account": None, "old": "Piet", "new": "Jan"}
    preview: Json = {
        "columns": [], "rows": 1, "valid": 1, "creates": 0, "changes": 1, "unchanged": 0,
        "problems": [], "problem_count": 0, "warnings": [],
        "differences": [
            {**change, "column": "Naam", "field": "first_name"},
            {**change, "column": "Naam", "field": "last_name"},
            {**change, "column": "Plaats", "field": "city"},
            {**change, "column": None, "field": "infix"},
        ],
    }  # fmt: skip
    show_preview(Screen(), preview)
    shown = capsys.readouterr().out
    for part in ("Naam (first_name)", "Naam (last_name)", " Plaats ", " infix "):
        assert part in shown


def test_what_an_undo_leaves_has_a_name_unless_it_was_erased(
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = [("kraan", {"company": "De Kraan"}), ("gone", {"erased": True})]
    registry = Registry(
        2890,
        [
            *({"type": "customer.state", "customer_id": c, **more} for c, more in people),
            {"type": "account.state", "account": "28900001", "holder": "kraan"},
        ],
    )
    kept = [("account", "28900001"), ("customer", "kraan"), ("customer", "gone")]
    undone: Json = {
        "closed": 1, "erased": 0, "restored": 2,
        "kept": [{"kind": kind, "id": ident, "why": "x"} for kind, ident in kept],
    }  # fmt: skip
    show_undone(Screen(), undone, registry)
    out = capsys.readouterr().out
    shown = [line.split() for line in out.splitlines()]
    assert out.startswith("✓ 1 account closed, 0 customers erased, 2 put back")
    assert ["account", "De", "Kraan", "28900001", "x"] in shown
    assert ["customer", "De", "Kraan", "kraan", "x"] in shown
    assert ["customer", "gone", "x"] in shown


def test_one_import_is_shown_without_being_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Before a question whether to take it back, "1 import" would be said of nothing."""
    counts = dict.fromkeys(("rows", "created", "changed", "unchanged", "refused"), 1)
    state = {"job_id": "j", "environment": 2890, "file_name": "leden.xlsx", "status": "completed",
             "by": "Ans", "at": "2026-10-31T22:58:00.000Z", **counts}  # fmt: skip
    show_states(Screen(), [state])
    told = capsys.readouterr().out
    assert ("leden.xlsx" in told, "1 import" in told) == (True, False)
