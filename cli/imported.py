"""What the importer says, as tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence

from cli.messages import Json
from cli.registry import Registry, name_of
from cli.screen import Screen, when

SHOWN = 50
CHANGES_SHOWN = 20
COUNTS = ("Rows", "Valid", "New", "Changed", "Unchanged", "Problems", "Warnings")


def show_preview(screen: Screen, preview: Json) -> None:
    """Show import.previewed."""
    screen.data(preview)
    screen.table(
        ("Column", "Taken as", "For instance"),
        (
            (c["header"], c["field"] or "not used", ", ".join(c.get("samples", ())[:3]))
            for c in preview["columns"]
        ),
    )
    row = (
        preview["rows"],
        preview["valid"],
        preview["creates"],
        preview["changes"],
        preview["unchanged"],
        preview["problem_count"],
        len(preview["warnings"]),
    )
    screen.table(COUNTS, [row], right=COUNTS)
    _show_differences(screen, preview.get("differences") or ())
    for title, style, what, entries in (
        ("Problems (these rows are refused)", "red", "What is wrong", preview["problems"]),
        ("Warnings (these refuse nothing)", "yellow", "What to know", preview["warnings"]),
    ):
        if entries:
            screen.say(title, style)
            screen.table(
                ("Row", "Column", "Value", what),
                (
                    (p["row"], p.get("column"), p.get("value"), p["message"])
                    for p in entries[:SHOWN]
                ),
                right=("Row",),
            )
    if preview["problem_count"] > SHOWN:
        screen.say(f"... and {preview['problem_count'] - SHOWN} more; the report has them all")
    if len(preview["warnings"]) > SHOWN:
        screen.say("... and more warnings; the report has them all")


def _show_differences(screen: Screen, differences: Sequence[Json]) -> None:
    if not differences:
        return
    screen.say("What changes of what is known", "bold")
    screen.table(
        ("Row", "Account", "Column", "From", "To"),
        (
            (d["row"], d["account"], _changing(d, differences), d["old"], d["new"])
            for d in differences[:CHANGES_SHOWN]
        ),
        right=("Row",),
    )
    if len(differences) > CHANGES_SHOWN:
        screen.say(f"... and at least {len(differences) - CHANGES_SHOWN} more")


def _changing(one: Json, differences: Sequence[Json]) -> str:
    """The column; with its field where it gives several, as a column Naam gives all of a name."""
    column, field = one["column"], one["field"]
    same = {d["field"] for d in differences if column and d["column"] == column}
    return f"{column} ({field})" if len(same) > 1 else column or field


def show_failed(screen: Screen, failed: Json, what: str = "not imported") -> int:
    """Show import.failed; gives the exit status."""
    screen.data(failed)
    screen.bad(f"{what}, {failed['reason']}: {failed['message']}")
    if choices := failed.get("choices"):
        option = "--sheet" if failed["reason"] == "sheet_unclear" else "--mapping HEADER=FIELD"
        screen.say(f"Choose with {option} from: {', '.join(choices)}")
    return 1


def show_completed(screen: Screen, completed: Json) -> int:
    """Show import.completed; gives the exit status: 1 where rows were refused."""
    counts = (
        f"{completed['created']} created, {completed['changed']} changed, "
        f"{completed['unchanged']} unchanged, {completed['refused']} refused"
    )
    if completed["refused"]:
        screen.say(f"! {counts}", "yellow")
    else:
        screen.good(counts)
    if differs := completed.get("differs"):
        screen.say(
            f"! {counted(differs, 'row')} came out otherwise than the preview said, because "
            "customers or accounts changed in between; the report names them",
            "yellow",
        )
    for warning in completed.get("warnings") or ():
        column = f"column {warning['column']}: " if warning.get("column") else ""
        screen.say(f"! {column}{warning['message']}", "yellow")
    return 1 if completed["refused"] else 0


def show_undone(screen: Screen, undone: Json, registry: Registry) -> None:
    """Show import.undone, with the names as `registry` has them now."""
    screen.good(
        f"{counted(undone['closed'], 'account')} closed, "
        f"{counted(undone['erased'], 'customer')} erased, {undone['restored']:,} put back"
    )
    if undone["kept"]:
        screen.say("What stays", "yellow")
        screen.table(
            ("Kind", "Name", "Id", "Why"),
            ((k["kind"], _called(k, registry), k["id"], k["why"]) for k in undone["kept"][:SHOWN]),
        )
    if len(undone["kept"]) > SHOWN:
        screen.say(f"... and {len(undone['kept']) - SHOWN} more; --json gives them all")


def _called(kept: Json, registry: Registry) -> str:
    """A customer's name, or that of an account's holder; nothing once it is erased."""
    who = kept["id"]
    if kept["kind"] == "account":
        who = registry.accounts.get(who, {}).get("holder") or ""
    return name_of(registry.customers.get(who, {}))


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 account, 2 accounts."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def show_states(screen: Screen, states: list[Json]) -> None:
    """Show imports as they stand, the newest last."""
    numbers = ("Rows", "Created", "Changed", "Same", "Refused")
    screen.table(
        ("Job", "Env", "File", "Status", *numbers, "By", "At"),
        (
            (
                s["job_id"],
                s["environment"],
                s["file_name"],
                s["status"],
                s["rows"],
                s["created"],
                s["changed"],
                s["unchanged"],
                s["refused"],
                s["by"],
                when(s["at"]),
            )
            for s in states
        ),
        right=numbers,
    )
