"""The ledger's accounts as an auditor reads them: what each is, and on which sheet it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EARLIER = "equity:earlier-years"
"""Where the revenue of the years before stands when a year is opened. Only exports know it: the
ledger itself never closes a year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAccount:
    """`sheet`: B stands on the balance sheet, P in the profit and loss account (XAF's accTp)."""

    name: str
    description: str
    sheet: Literal["B", "P"]


def ledger_account(name: str) -> LedgerAccount:
    """An account of the ledger by its name, as `vat:21`."""
    head, _, rate = name.rpartition(":")
    described = {
        "bank": "Bank: payments received, less refunds",
        "receivable:unbilled": "Receivables, not yet invoiced (VAT included)",
        "receivable:billed": "Receivables, invoiced (VAT included)",
        EARLIER: "Result of earlier years",
    }
    if name in described:
        return LedgerAccount(name=name, description=described[name], sheet="B")
    match head:
        case "revenue:unbilled":
            # No revenue yet in the books' sense: its VAT is only known when it is invoiced.
            text = f"Sold and not yet invoiced at {rate}% (VAT included)"
            return LedgerAccount(name=name, description=text, sheet="B")
        case "vat":
            return LedgerAccount(name=name, description=f"VAT to pay at {rate}%", sheet="B")
        case _:
            return LedgerAccount(
                name=name, description=f"Revenue at {rate}% (without VAT)", sheet="P"
            )


def rate_of(name: str) -> str | None:
    """The VAT rate in an account's name; None where it has none."""
    head, _, rate = name.rpartition(":")
    return rate if head in ("revenue", "revenue:unbilled", "vat") else None
