"""Invoices over the topics: asking for a run and following it, finding one as it stands."""

from __future__ import annotations

import re
from datetime import date, timedelta

from cli.amounts import Misuse, money
from cli.client import Client
from cli.messages import Json, given, me, new_id
from cli.replies import Expectation
from cli.screen import Gauge, Screen, outcome


def last_month(today: date) -> str:
    """The month before today's, as YYYY-MM."""
    return (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


def run_message(
    environment: int,
    period: str,
    *,
    issue: bool,
    send: bool,
    run_id: str | None = None,
    accounts: list[str] | None = None,
    by: str | None = None,
) -> Json:
    """invoices.run; raises Misuse for a period that is none."""
    if not re.fullmatch(r"[1-9]\d{3}-(0[1-9]|1[0-2])", period):
        raise Misuse(f"{period!r} is not a month: write YYYY-MM, as in 2026-10.")
    return {
        "type": "invoices.run",
        "run_id": run_id or new_id(),
        "environment": environment,
        "period": period,
        **given({"accounts": accounts or None}),
        "mode": "issue" if issue else "draft",
        "send": send,
        "by": by or me(),
    }


async def follow_run(answers: Expectation, gauge: Gauge, silence_s: float) -> Json:
    """run.completed or command.refused; `gauge` hears how far the run is."""
    while True:
        message = (await answers.next(silence_s)).message
        if message["type"] == "run.progressed":
            gauge(message["done"], message["total"])
        elif message["type"] in ("run.completed", "command.refused"):
            return message


def show_run(screen: Screen, result: Json) -> int:
    """Show a run's outcome; gives the exit status."""
    if result["type"] == "command.refused":
        return outcome(screen, result)
    screen.data(result)
    if reason := result.get("reason"):
        screen.bad(f"refused, {reason}: {result.get('message')}")
        return 1
    screen.good(
        f"{result['period']}: {result['drafted']} drafted, {result['issued']} issued, "
        f"{result['sent']} given to the mailer, {money(result['total'])} in all"
    )
    if result["vat"]:
        screen.table(
            ("VAT", "Base", "VAT amount", "Gross"),
            (
                (f"{v['rate']}%", money(v["base"]), money(v["vat"]), money(v["gross"]))
                for v in result["vat"]
            ),
            right=("Base", "VAT amount", "Gross"),
        )
    for skipped in result["skipped"]:
        reason = str(skipped["reason"]).replace("_", " ")
        screen.say(f"! account {skipped['account']} left out: {reason}", "yellow")
    for left in result["open"]:
        why = str(left["why"]).replace("_", " ")
        screen.say(
            f"! account {left['account']} keeps {money(left['amount'])} uninvoiced: {why}",
            "yellow",
        )
    return 0


async def invoices(client: Client, environment: int) -> list[Json]:
    states = (await client.view("invoices.state")).values()
    ours = [s for s in states if s.get("environment") == environment]
    return sorted(ours, key=lambda s: (s["period"], s.get("number") or "~", s["account"]))


async def find(client: Client, environment: int, invoice: str) -> Json:
    for state in await invoices(client, environment):
        if invoice.lower() in (state["invoice_id"], str(state.get("number")).lower()):
            return state
    raise Misuse(
        f"Environment {environment} has no invoice {invoice}; `onaccount invoices list "
        f"{environment}` shows which it has."
    )
