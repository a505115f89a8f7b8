"""One account over the topics, and its statement on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cli.amounts import money
from cli.books.period import moment_of
from cli.books.statement import Line, Statement
from cli.books.venue import Venue, document_of, read_venue
from cli.client import Client
from cli.messages import Json
from cli.replies import holding
from cli.screen import Screen

KINDS = {
    "charge": "sold",
    "reversal": "taken back",
    "invoice": "invoiced",
    "credit_note": "credited",
    "payment": "paid",
}

WITH_IDS = 110
"""A terminal of so many columns has room for a statement's amounts beside a sale's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An account's entries by their ids, its balance as published, and its documents' numbers."""

    venue: Venue
    account: str
    entries: Mapping[str, Json]
    balance: Json | None
    documents: Mapping[str, str]


async def read_account(client: Client, environment: int, account: str, screen: Screen) -> Found:
    """Raises Misuse where there is no such environment."""
    venue = await read_venue(client, environment)
    about = holding(account)
    # Delivered at least once: the same entry may stand there twice.
    entries: dict[str, Json] = {}
    with screen.progress("reading the entries") as gauge:
        async for reply in client.replies("ledger.entries", wanted=about, gauge=gauge):
            message = reply.message
            if message.get("environment") == environment and message.get("account") == account:
                entries[message["entry_id"]] = message
    sources = {entry["source_id"] for entry in entries.values()}
    documents: dict[str, str] = {}
    async for reply in client.replies("invoices.events", wanted=about):
        named = document_of(reply.message, environment)
        if named is not None and named[0] in sources:
            documents[named[0]] = named[1]
    balances = await client.view("ledger.balances", environment=environment, wanted=about)
    balance = next((b for b in balances.values() if b["account"] == account), None)
    return Found(
        venue=venue, account=account, entries=entries, balance=balance, documents=documents
    )


def show_statement(screen: Screen, listed: Statement, found: Found, *, legs: bool) -> None:
    """Print a statement, and whether it comes to the balance that was published."""
    currency = str(found.venue.settings["currency"])
    name = found.venue.name(found.account)
    where = f"times are those of {found.venue.zone.key}"
    screen.say(f"Account {found.account}{f', {name}' if name else ''}; {where}", "bold")

    # A sale's id would leave no room for a line of amounts in most terminals.
    narrow = screen.console.width < WITH_IDS

    def cells(line: Line) -> tuple[str, ...]:
        when = moment_of(line.entry["at"]).astimezone(found.venue.zone)
        return (
            f"{when:%Y-%m-%d %H:%M}",
            _what(line),
            money(line.unbilled, currency) if line.unbilled else "",
            money(line.billed, currency) if line.billed else "",
            money(line.owed, currency),
            "" if narrow and line.document == line.entry["source_id"] else line.document,
        )

    opening = money(sum(listed.opening), currency)
    screen.table(
        ("When", "What", "Not invoiced", "Invoiced", "Owed", "Document"),
        [("", "opening", "", "", opening, ""), *map(cells, listed.lines)]
        if any(listed.opening)
        else [cells(line) for line in listed.lines],
        right=("Not invoiced", "Invoiced", "Owed"),
    )
    if legs:
        _show_legs(screen, listed, currency)
    unbilled, billed = (money(amount, currency) for amount in listed.closing)
    entries = "1 entry" if len(listed.lines) == 1 else f"{len(listed.lines)} entries"
    screen.say(f"{entries}; owed: {unbilled} not yet invoiced, {billed} invoiced")
    if narrow and any(line.document == line.entry["source_id"] for line in listed.lines):
        screen.say(f"in a terminal {WITH_IDS} wide, and with --json, sales have their ids", "dim")
    balance = found.balance
    if len(listed.lines) == len(found.entries) and balance is not None:
        published = (balance["unbilled"], balance["billed"])
        # More may have been posted while we read.
        if balance["version"] == len(found.entries) and published != listed.closing:
            screen.bad("the balance that was published is another; see `onaccount ledger verify`")


def _what(line: Line) -> str:
    """What an entry was; a refund is a payment the other way round."""
    kind = str(line.entry["kind"])
    return "paid back" if kind == "payment" and line.billed > 0 else KINDS.get(kind, kind)


def _show_legs(screen: Screen, listed: Statement, currency: str) -> None:
    screen.table(
        ("Entry", "Ledger account", "Debit", "Credit"),
        (
            (
                line.entry["entry_id"] if number == 0 else "",
                leg["ledger_account"],
                money(leg["debit"], currency) if leg["debit"] else "",
                money(leg["credit"], currency) if leg["credit"] else "",
            )
            for line in listed.lines
            for number, leg in enumerate(line.entry["legs"])
        ),
        right=("Debit", "Credit"),
    )
