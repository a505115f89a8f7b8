"""What a run will find, shown before numbers are given for good."""

from __future__ import annotations

from collections.abc import Sequence

from cli.amounts import money
from cli.client import Client
from cli.messages import Json
from cli.pending import pending, show_accounts
from cli.screen import Screen
from schemas.pending import MOST_LISTED

THE_RUNS_TOO = ("environment_unknown",)
"""Reasons for which the run is refused as well: whoever asked for it hears so from that."""


async def preview(client: Client, screen: Screen, run: Json, timeout_s: float) -> str | None:
    """Show what a run will find, and give the question to ask before numbers are given; None where
    the run will be refused, for the reason that this was. That the invoicer could not tell what is
    open keeps no run from issuing it: then it is asked without figures."""
    with screen.waiting("what is open is counted ..."):
        found = await pending(client, run["environment"], timeout_s)
    if found["type"] == "command.refused":
        if found["reason"] in THE_RUNS_TOO:
            return None
        screen.say(f"! {found.get('message') or found['reason']}", "yellow")
        return "Issue what there is, with numbers for good?"
    return show_found(screen, run, found)


def show_found(screen: Screen, run: Json, found: Json) -> str:
    """Show what is open (`pending.listed`, all parts together) as this run will find it; gives the
    question. Where only the first entries are listed, nobody is asked for less than is issued."""
    rows = [
        row
        for row in found["accounts"]
        if row["period"] <= run["period"]
        and row["account"] in run.get("accounts", [row["account"]])
    ]
    currency = found["currency"]
    if rows:
        show_accounts(screen, rows, currency)
    billed = [row for row in rows if row.get("why") is None]
    credited = [row for row in rows if row.get("why") == "credit_due"]
    total = money(sum(row["amount"] for row in billed), currency)
    told = f"{len(billed)} to invoice, {total} in all" if billed else "there is nothing to invoice"
    screen.say(told)
    if credited:
        screen.say(f"{len(credited)} to credit")
    than = "more than " if _may_be_more(run, found["accounts"]) else ""
    if than:
        screen.say(f"! of {money(found['amount'], currency)} not all is listed", "yellow")
    if found.get("lacking"):  # of drafts too: better said before they are reviewed
        screen.say(f"! {found['lacking']}", "yellow")
    if not billed and than:
        return "Nothing of it is listed. Issue what there is, with numbers for good?"
    if not billed:
        return "Give numbers to credit notes, for good?" if credited else "Run it all the same?"
    what = f"{than}1 invoice" if len(billed) == 1 else f"{than}{len(billed)} invoices"
    return f"Issue {what}, {than}{total} in all, with numbers for good?"


def _may_be_more(run: Json, listed: Sequence[Json]) -> bool:
    """Whether the list ends before all that the run will find; its last account may go on.

    Told by its length: the sum of all is taken a moment later, and a venue sells meanwhile.
    """
    if len(listed) < MOST_LISTED:
        return False
    whole = {row["account"] for row in listed} - {listed[-1]["account"]}
    return not run.get("accounts") or not whole.issuperset(run["accounts"])
