"""The ledger of one environment: one journal a message, and what they add up to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.proof.reference.answers import Expected

Message = Mapping[str, Any]

# By the message's type: the entry's kind, what names its source, and when it happened.
SOURCES = {
    "sale.approved": ("charge", "sale_id", "booked_at"),
    "sale.reversed": ("reversal", "cancellation_id", "decided_at"),
    "invoice.issued": ("invoice", "invoice_id", "issued_at"),
    "credit_note.issued": ("credit_note", "credit_note_id", "issued_at"),
    "payment.received": ("payment", "payment_id", "at"),
    "payment.refunded": ("payment", "refund_id", "at"),
}


def legs_of(message: Message) -> dict[str, int]:
    """Debits above zero, credits below; as docs/money.md has them."""
    legs: Counter[str] = Counter()
    match message["type"]:
        case "sale.approved" | "sale.reversed" as kind:
            sign = 1 if kind == "sale.approved" else -1
            legs["receivable:unbilled"] += sign * message.get("total", message.get("amount"))
            for line in message["lines"]:
                legs[f"revenue:unbilled:{line['vat_rate']}"] -= sign * line["total"]
        case "invoice.issued" | "credit_note.issued" as kind:
            sign = 1 if kind == "invoice.issued" else -1
            legs["receivable:billed"] += sign * message["total"]
            legs["receivable:unbilled"] -= sign * message["total"]
            for rate in message["vat"]:
                legs[f"revenue:unbilled:{rate['rate']}"] += sign * rate["gross"]
                legs[f"revenue:{rate['rate']}"] -= sign * rate["base"]
                legs[f"vat:{rate['rate']}"] -= sign * rate["vat"]
        case kind:
            sign = -1 if kind == "payment.refunded" else 1
            legs["bank"] += sign * message["amount"]
            legs["receivable:billed"] -= sign * message["amount"]
    return {name: amount for name, amount in legs.items() if amount}


class Books:
    """Messages in, entries out; each source once, the first of it stands."""

    def __init__(self, environment: int) -> None:
        self.environment = environment
        self.entries: dict[str, dict[tuple[str, str], dict[str, int]]] = defaultdict(dict)
        self._posted: set[tuple[str, str]] = set()

    def post(self, message: Message) -> Expected | None:
        """The entry that is answered; None where nothing moves."""
        kind, id_name, when = SOURCES[message["type"]]
        source = (kind, message[id_name])
        legs = legs_of(message)
        if not legs:
            return None
        if source not in self._posted:
            self._posted.add(source)
            self.entries[message["account"]][source] = legs
        return Expected(
            type="entry.posted",
            memory=("entry", source),
            key=f"{self.environment}:{message['account']}",
            says={
                "environment": self.environment,
                "account": message["account"],
                "kind": kind,
                "source_id": message[id_name],
                "at": datetime.fromisoformat(message[when]),
                "currency": message["currency"],
                "moved": legs,
            },
        )

    def balances(self) -> dict[str, tuple[int, int, int]]:
        """By account: unbilled, billed, and the number of entries."""
        return {
            account: (
                sum(legs.get("receivable:unbilled", 0) for legs in entries.values()),
                sum(legs.get("receivable:billed", 0) for legs in entries.values()),
                len(entries),
            )
            for account, entries in self.entries.items()
        }
