"""What happened, counted from the topics. Pure: messages in, figures out.

Topics deliver at least once, so everything is counted by id.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cli.messages import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that must be so."""

    what: str
    expected: object
    actual: object

    @property
    def right(self) -> bool:
        """Whether it is."""
        return self.expected == self.actual


@dataclass(slots=True)
class Sold:
    """What the authorizer decided (pos.decisions). Amounts are minor units, VAT included."""

    approved: dict[str, Json] = field(default_factory=dict)
    declined: dict[str, Json] = field(default_factory=dict)
    reversed: dict[str, Json] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """What was approved in all."""
        return sum(sale["total"] for sale in self.approved.values())

    @property
    def taken_back(self) -> int:
        """What was reversed in all."""
        return sum(one["amount"] for one in self.reversed.values())

    def by_account(self) -> dict[str, int]:
        """Approved less reversed, for each account."""
        found: Counter[str] = Counter(self.approved_by_account())
        for one in self.reversed.values():
            found[one["account"]] -= one["amount"]
        return dict(found)

    def approved_by_account(self) -> dict[str, int]:
        """Approved, for each account."""
        found: Counter[str] = Counter()
        for sale in self.approved.values():
            found[sale["account"]] += sale["total"]
        return dict(found)

    def used_by_account(self) -> dict[str, int]:
        """The most that the authorizer said was used, for each account: its own running sum."""
        found: dict[str, int] = {}
        for sale in self.approved.values():
            found[sale["account"]] = max(sale["used"], found.get(sale["account"], 0))
        return found

    def by_rate(self) -> dict[str, int]:
        """Approved less reversed, for each VAT rate; gross."""
        found: Counter[str] = Counter()
        for sign, messages in ((1, self.approved), (-1, self.reversed)):
            for message in messages.values():
                for one in message["lines"]:
                    found[one["vat_rate"]] += sign * one["total"]
        return dict(found)


def sold(decisions: Iterable[Json]) -> Sold:
    """Sum up pos.decisions; approved beats declined for every reader (docs/tills.md)."""
    found = Sold()
    for message in decisions:
        match message.get("type"):
            case "sale.approved":
                found.approved[message["sale_id"]] = message
            case "sale.declined":
                found.declined[message["sale_id"]] = message
            case "sale.reversed":
                found.reversed[message["cancellation_id"]] = message
    for sale_id in found.approved:
        found.declined.pop(sale_id, None)
    return found


@dataclass(slots=True)
class Invoiced:
    """What the invoicer issued and mailed (invoices.events)."""

    issued: dict[str, Json] = field(default_factory=dict)
    credited: dict[str, Json] = field(default_factory=dict)
    sent: dict[str, Json] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Gross, of the invoices alone."""
        return sum(one["total"] for one in self.issued.values())

    def by_account(self) -> dict[str, int]:
        """Invoiced less credited, for each account."""
        found: Counter[str] = Counter()
        for one in self.issued.values():
            found[one["account"]] += one["total"]
        for one in self.credited.values():
            found[one["account"]] -= one["total"]
        return dict(found)

    def by_rate(self) -> dict[str, int]:
        """Gross for each VAT rate."""
        found: Counter[str] = Counter()
        for one in self.issued.values():
            for part in one["vat"]:
                found[part["rate"]] += part["gross"]
        return dict(found)

    def vat_adds_up(self) -> bool:
        """Whether base + VAT = gross for each rate, and these make each invoice's total."""
        return all(
            all(part["base"] + part["vat"] == part["gross"] for part in one["vat"])
            and sum(part["gross"] for part in one["vat"]) == one["total"]
            for one in self.issued.values()
        )

    def numbers(self) -> list[str]:
        """The invoices' numbers, in order."""
        return sorted(one["number"] for one in self.issued.values())


def invoiced(events: Iterable[Json]) -> Invoiced:
    """Sum up invoices.events."""
    found = Invoiced()
    for message in events:
        match message.get("type"):
            case "invoice.issued":
                found.issued[message["invoice_id"]] = message
            case "credit_note.issued":
                found.credited[message["credit_note_id"]] = message
            case "invoice.sent":
                found.sent[message["invoice_id"]] = message
    return found


def gapless(numbers: Iterable[str]) -> bool:
    """Whether numbers that end in digits follow one another without a gap."""
    tails = sorted(int(number[-5:]) for number in numbers)
    return tails == list(range(tails[0], tails[0] + len(tails))) if tails else True


def journal(entries: Iterable[Json]) -> tuple[int, int]:
    """Debits and credits of all entries (ledger.entries), each entry once."""
    distinct = {entry["entry_id"]: entry for entry in entries if "entry_id" in entry}
    legs = [leg for entry in distinct.values() for leg in entry["legs"]]
    return sum(leg["debit"] for leg in legs), sum(leg["credit"] for leg in legs)


def unbalanced(entries: Iterable[Json]) -> list[str]:
    """Ids of entries whose own debits and credits differ."""
    return [
        entry["entry_id"]
        for entry in entries
        if "entry_id" in entry
        and sum(leg["debit"] for leg in entry["legs"])
        != sum(leg["credit"] for leg in entry["legs"])
    ]


def owed(balances: Mapping[str, Json], environment: int) -> dict[str, tuple[int, int]]:
    """Unbilled and billed of each account (ledger.balances)."""
    found: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for balance in balances.values():
        if balance.get("environment") == environment:
            found[balance["account"]] = (balance["unbilled"], balance["billed"])
    return dict(found)
