"""`onaccount invoices pay`, `refund` and `payments import`: money that came in, and went back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from cli.amounts import Misuse, cents, money
from cli.asking import asked, can_ask
from cli.bank import Line, read
from cli.client import Client
from cli.invoices import find, invoices
from cli.messages import Json, new_id, now
from cli.options import DEFAULT, Common
from cli.payments import Match, match, open_of
from cli.screen import Screen, outcome

app = App(name="payments", help="Payments out of a bank's export.", help_format="plaintext")

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SIDE_BY_SIDE = 50


async def pay(
    environment: int,
    invoice: str,
    amount: str,
    /,
    *,
    method: str = "bank",
    at: str | None = None,
    payment_id: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Record a payment of an invoice.

    Parameters
    ----------
    amount
        As 125,50.
    method
        How it was paid: bank, cash, card.
    at
        When, as RFC 3339; now unless given.
    payment_id
        Give one to repeat a payment without counting it twice.
    """
    which = {"invoice_id" if UUID.fullmatch(invoice) else "number": invoice}
    message = {
        "type": "payment.record",
        "payment_id": payment_id or new_id(),
        "environment": environment,
        **which,
        "amount": cents(amount),
        "at": at or now(),
        "method": method,
        "by": common.by,
    }
    screen = common.screen
    async with common.client("payment.record") as client:
        with client.watching("payment.received", _receipt_of(message)) as receipts:
            reply = (await client.ask(message, timeout_s=common.timeout)).message
            if reply["type"] == "command.refused":
                return outcome(screen, reply)
            receipt = (await receipts.next(common.timeout)).message
        released = await _released(client, environment, receipt["amount"])
    screen.data({**reply, "received": receipt})
    currency = receipt["currency"]
    screen.good(f"{money(receipt['amount'], currency)} received for {receipt['number']}")
    # Too much may be meant (it came in) or a slip: say it so that it is seen.
    style = "yellow" if receipt["open"] < 0 else ""
    screen.say(f"{'!' if style else ' '} open: {_open(receipt['open'], currency)}{released}", style)
    return 0


async def refund(
    environment: int,
    invoice: str,
    amount: str | None = None,
    /,
    *,
    method: str = "bank",
    at: str | None = None,
    refund_id: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Record that money was paid back which was paid too much, or for a credited invoice.

    It pays nothing by itself: transfer the money first. `onaccount invoices open` lists what guests
    are to have back.

    Parameters
    ----------
    amount
        As 125,50; all that is to be had back for this invoice unless given.
    method
        How it was paid back: bank, cash, card; offset where it was set off against another invoice.
    at
        When, as RFC 3339; now unless given.
    refund_id
        Give one to repeat a refund without counting it twice.
    """
    screen = common.screen
    async with common.client("payment.refund") as client:
        state = await find(client, environment, invoice)
        message = {
            "type": "payment.refund",
            "refund_id": refund_id or new_id(),
            "environment": environment,
            "invoice_id": state["invoice_id"],
            # Where nothing is to be had back the invoicer says why, so it is asked all the same.
            "amount": cents(amount) if amount else max(-open_of(state), 1),
            "at": at or now(),
            "method": method,
            "by": common.by,
        }
        with client.watching("payment.refunded", _receipt_of(message, "refund_id")) as receipts:
            reply = (await client.ask(message, timeout_s=common.timeout)).message
            if reply["type"] == "command.refused":
                return outcome(screen, reply)
            receipt = (await receipts.next(common.timeout)).message
    screen.data({**reply, "refunded": receipt})
    currency = receipt["currency"]
    screen.good(f"{money(receipt['amount'], currency)} paid back for {receipt['number']}")
    left = -receipt["open"]
    screen.say(f"  still to be paid back: {money(left, currency) if left > 0 else 'nothing'}")
    return 0


def _receipt_of(message: Json, id_field: str = "payment_id") -> Callable[[Json], bool]:
    kind = {"payment_id": "payment.received", "refund_id": "payment.refunded"}[id_field]

    def ours(said: Json) -> bool:
        return (
            said.get("type") == kind
            and said.get(id_field) == message[id_field].lower()
            and said.get("environment") == message["environment"]
        )

    return ours


def _open(amount: int, currency: str) -> str:
    if amount < 0:
        return f"nothing; {money(-amount, currency)} too much came in, to be paid back"
    return money(amount, currency) if amount else "nothing, it is paid"


async def _released(client: Client, environment: int, amount: int) -> str:
    """What the account's limit gets back: all at issue, or what is paid, as the venue chose."""
    states = await client.view("registry.state")
    venue = states.get(f"environment:{environment}:{environment}", {})
    if venue.get("limit_release") != "paid":
        return "; the limit was free again when the invoice was issued"
    return f"; of the limit {money(amount, venue.get('currency'))} at most is free again"


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
    """Record the payments in a bank's export (CSV of ING, Rabobank, ABN AMRO or with a header).

    A line counts where it names an invoice's number and pays what is open of it. What does not is
    listed, and left alone. The same line in a later export is the same payment.

    Parameters
    ----------
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
        matches = await _matches(client, environment, lines, other_amounts)
        _show(screen, matches)
        paying = [m for m in matches if m.verdict == "pays"]
        if dry_run or not paying or not (yes or await _agreed(screen, paying)):
            screen.data(_report(matches, []))
            return 0 if dry_run or not paying else 1
        refused = await _record(client, environment, paying, common)
    screen.data(_report(matches, refused))
    for one in refused:
        screen.bad(f"{one['number']}: refused, {one['reason']}: {one['message']}")
    done = sum(len(m.pays) for m in paying) - len(refused)
    screen.good(f"{done} payment{'' if done == 1 else 's'} recorded")
    return 1 if refused else 0


async def _matches(
    client: Client, environment: int, lines: Sequence[Line], other_amounts: bool
) -> list[Match]:
    states = await invoices(client, environment)
    recorded = {
        said.message["payment_id"]: int(said.message["amount"])
        for said in await client.read("invoices.events")
        if said.type == "payment.received" and said.message.get("environment") == environment
    }
    return match(environment, lines, states, recorded, other_amounts=other_amounts)


async def _agreed(screen: Screen, paying: Sequence[Match]) -> bool:
    if screen.as_json or not can_ask():
        raise Misuse("Nobody can be asked here whether to record them: add --yes, or --dry-run.")
    amounts = [amount for m in paying for _, amount, _ in m.pays]
    what = "1 payment" if len(amounts) == 1 else f"{len(amounts)} payments"
    return await asked(f"Record {what}, {money(sum(amounts))} in all?")


async def _record(
    client: Client, environment: int, paying: Sequence[Match], common: Common
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
                "at": f"{line.on}T12:00:00Z",
                "method": "bank",
                "by": common.by,
            }
            async with at_once:
                reply = (await client.ask(message, timeout_s=common.timeout)).message
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
    rest = [m for m in matches if m.verdict in ("differs", "no_number", "not_open")]
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
    out = sum(m.verdict == "outgoing" for m in matches)
    counts = [
        (sum(m.verdict == "pays" for m in matches), "to be recorded"),
        (sum(m.verdict == "known" for m in matches), "recorded before"),
        (len(rest), "not matched"),
        (out, "of money that went out"),
    ]
    told = ", ".join(f"{count} {what}" for count, what in counts if count)
    screen.say(f"{len(matches)} line{'' if len(matches) == 1 else 's'}: {told or 'nothing'}")
    if any(m.verdict == "differs" for m in matches):
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
            }
            for m in matches
        ],
        "refused": list(refused),
    }
