"""`onaccount invoices payments import`: what a bank's export says came in."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cli.amounts import Misuse, money
from cli.asking import asked, can_ask
from cli.bank.files import read
from cli.bank.lines import Line
from cli.client import Client
from cli.invoices import invoices
from cli.matches import Match, Recorded, Refunded, Verdict
from cli.messages import SAME_COMMAND, Json
from cli.options import DEFAULT, Common
from cli.payments import imported_on, noon_of
from cli.payments import match as matched
from cli.registry import settings_of
from cli.replies import holding
from cli.screen import Screen

app = App(name="payments", help="Payments out of a bank's export.", help_format="plaintext")

SIDE_BY_SIDE = 50
NOT_MATCHED: tuple[Verdict, ...] = ("differs", "no_number", "not_open")


@app.command(name="import")
async def import_(
    environment: int,
    file: Path,
    /,
    *,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    other_amounts: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """Record the payments in a bank's export: CAMT.053, MT940 or CSV, zipped too.

    A line counts where it names an invoice's number and pays what is open of it. What does not is
    listed, and left alone. The same line in a later export is the same payment. Of money that went
    out it tells what was paid back, and whether that was recorded; it records nothing of it.

    Parameters
    ----------
    file
        What the bank exports; docs/invoicing.md lists the kinds.
    yes
        Do not ask: record what matches.
    dry_run
        Only show what matches and what does not.
    other_amounts
        Also record what names one invoice and pays another amount: in part, or too much.
    """
    lines = await asyncio.to_thread(read, file)
    screen = common.screen
    async with common.client("payment.record") as client:
        zone = (await settings_of(client, environment)).zone
        matches = await _matches(client, environment, lines, zone, other_amounts)
        _show(screen, matches)
        paying = [m for m in matches if m.verdict == "pays"]
        if dry_run or not paying or not (yes or await _agreed(screen, paying)):
            screen.data(_report(matches, []))
            return 0 if dry_run or not paying else 1
        refused = await _record(client, environment, paying, zone, common)
    screen.data(_report(matches, refused))
    for one in refused:
        screen.bad(f"{one['number']}: refused, {one['reason']}: {one['message']}")
    done = sum(len(m.pays) for m in paying) - len(refused)
    screen.good(f"{done} payment{'' if done == 1 else 's'} recorded")
    return 1 if refused else 0


async def _matches(
    client: Client, environment: int, lines: Sequence[Line], zone: tzinfo, other_amounts: bool
) -> list[Match]:
    states = await invoices(client, environment)
    numbers = {s["invoice_id"]: str(s["number"]) for s in states if s.get("number")}
    recorded: dict[str, Recorded] = {}
    refunds: dict[str, Refunded] = {}
    credit_notes: dict[str, str] = {}
    async for said in client.replies(
        "invoices.events",
        wanted=holding("payment.received", "payment.refunded", "credit_note.issued"),
    ):
        its = said.message
        if its.get("environment") != environment:
            continue
        match said.type:
            case "payment.received":
                on = imported_on(its["at"], zone)
                recorded[its["payment_id"]] = Recorded(its["number"], its["amount"], on)
            case "payment.refunded" if its.get("method") != "offset":
                on = datetime.fromisoformat(its["at"]).astimezone(zone).date()
                refunds[its["refund_id"]] = Refunded(
                    its["number"], its["amount"], on, its.get("reverses")
                )
            case "credit_note.issued" if its["invoice_id"] in numbers:
                credit_notes[its["number"]] = numbers[its["invoice_id"]]
            case _:
                pass
    return matched(
        environment,
        lines,
        states,
        recorded,
        refunds=refunds.values(),
        credit_notes=credit_notes,
        other_amounts=other_amounts,
    )


async def _agreed(screen: Screen, paying: Sequence[Match]) -> bool:
    if screen.as_json or not can_ask():
        raise Misuse("Nobody can be asked here whether to record them: add --yes, or --dry-run.")
    amounts = [amount for m in paying for _, amount, _ in m.pays]
    what = "1 payment" if len(amounts) == 1 else f"{len(amounts)} payments"
    worth = money(sum(amounts), paying[0].line.currency)
    return await asked(f"Record {what}, {worth} in all?")


async def _record(
    client: Client, environment: int, paying: Sequence[Match], zone: tzinfo, common: Common
) -> list[Json]:
    """Send them, some side by side; gives what was refused."""
    at_once = asyncio.Semaphore(SIDE_BY_SIDE)
    refused: list[Json] = []
    done = 0
    every = [(m.line, *pays) for m in paying for pays in m.pays]
    with common.screen.progress("payments") as gauge:

        async def one(line: Line, number: str, amount: int, payment_id: str) -> None:
            nonlocal done
            message = {
                "type": "payment.record",
                "payment_id": payment_id,
                "environment": environment,
                "number": number,
                "amount": amount,
                "at": noon_of(line.on, zone),
                "method": "bank",
                "by": common.by,
            }
            async with at_once:
                answer = await client.ask(message, timeout_s=common.timeout, again=SAME_COMMAND)
            reply = answer.message
            if reply["type"] == "command.refused":
                refused.append({"number": number, **reply})
            done += 1
            gauge(done, len(every))

        await asyncio.gather(*(one(*each) for each in every))
    return refused


def _show(screen: Screen, matches: Sequence[Match]) -> None:
    shown = {
        "pays": "What matches",
        "known": "Recorded before",
    }
    for verdict, title in shown.items():
        its = [m for m in matches if m.verdict == verdict]
        if its:
            screen.table(
                ("Line", "Date", "From", "Invoice", "Amount"),
                (
                    (m.line.row, m.line.on, m.line.name, number, money(amount, m.line.currency))
                    for m in its
                    for number, amount, _ in m.pays
                ),
                title=title,
                right=("Line", "Amount"),
            )
    rest = [m for m in matches if m.verdict in NOT_MATCHED]
    if rest:
        screen.table(
            ("Line", "Date", "From", "Amount", "Why it does not match"),
            (
                (m.line.row, m.line.on, m.line.name, money(m.line.amount, m.line.currency), m.why)
                for m in rest
            ),
            title="What does not match",
            right=("Line", "Amount"),
        )
    _show_outgoing(screen, matches)
    _show_counts(screen, matches)


def _show_outgoing(screen: Screen, matches: Sequence[Match]) -> None:
    """What money that went out has to do with invoices: of anything else it is not told."""
    out: tuple[Verdict, ...] = ("refunded", "not_refunded", "outgoing", "reversed")
    told = [m for m in matches if m.verdict in out and m.why]
    if told:
        screen.table(
            ("Line", "Date", "Name", "Amount", "What it was"),
            (
                (m.line.row, m.line.on, m.line.name, money(m.line.amount, m.line.currency), m.why)
                for m in told
            ),
            title="Money that went out, or that the bank booked back",
            right=("Line", "Amount"),
        )
    to_do = [each for m in matches for each in m.to_do]
    if to_do:
        screen.say("Went out and is not recorded yet:")
        for each in to_do:
            screen.say(f"  {each}")


def _show_counts(screen: Screen, matches: Sequence[Match]) -> None:
    found = Counter(m.verdict for m in matches)
    counts = [
        (found["pays"], "to be recorded"),
        (found["known"], "recorded before"),
        (sum(found[verdict] for verdict in NOT_MATCHED), "not matched"),
        (found["reversed"], "booked back by the bank"),
        (found["refunded"], "paid back as recorded"),
        (found["not_refunded"], "paid back and not recorded"),
        (found["outgoing"], "of money that went out"),
    ]
    told = ", ".join(f"{count} {what}" for count, what in counts if count)
    screen.say(f"{len(matches)} line{'' if len(matches) == 1 else 's'}: {told or 'nothing'}")
    if found["differs"]:
        screen.say("--other-amounts records what names one invoice and pays another amount, too")


def _report(matches: Sequence[Match], refused: Sequence[Json]) -> Json:
    return {
        "lines": [
            {
                "line": m.line.row,
                "on": m.line.on.isoformat(),
                "amount": m.line.amount,
                "name": m.line.name,
                "verdict": m.verdict,
                "why": m.why,
                "payments": [{"number": n, "amount": a, "payment_id": i} for n, a, i in m.pays],
                "to_do": list(m.to_do),
            }
            for m in matches
        ],
        "refused": list(refused),
    }
