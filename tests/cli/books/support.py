"""Entries of a small venue over two years, as ledger.entries has them."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from cli.books.period import Period
from cli.books.spool import Spool
from cli.books.tables import Books
from cli.books.venue import Venue

VENUE = 2890
HOLDER = "0e8f9d5e-53f5-4c3c-8f1e-000000000001"
LONG = "a-very-long-number-of-an-account-that-no-auditor-foresaw-0001"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")

SETTINGS: dict[str, Any] = {
    "type": "environment.state",
    "environment": VENUE,
    "version": 1,
    "legal_name": "Sportclub De Twaalf B.V.",
    "street": "Sportlaan 12",
    "postcode": "3991 AB",
    "city": "Houten",
    "country": "NL",
    "vat_number": "NL856432106B01",
    "iban": "NL91ABNA0417164300",
    "currency": "EUR",
    "time_zone": "Europe/Amsterdam",
}
THE_VENUE = Venue(
    settings=SETTINGS,
    accounts={
        "0007": {"account": "0007", "holder": HOLDER, "description": "tafel 7"},
        LONG: {"account": LONG, "description": "=HYPERLINK(1)"},
    },
    customers={
        HOLDER: {
            "customer_id": HOLDER,
            "company": "Café & Zoon <Houten>" + "!" * 60,
            "street": "Dorpsstraat 3-bis",
            "postcode": "3991 AB",
            "city": "Houten",
            "country": "NL",
            "vat_number": "NL123456782B90",
            "chamber_number": "66221355",
        }
    },
)


def uid(name: object) -> str:
    return str(uuid5(NAMESPACE_URL, str(name)))


def entry(
    name: str, kind: str, at: str, legs: Mapping[str, int], *, account: str = "0007"
) -> dict[str, Any]:
    """An entry.posted; debit above zero."""
    return {
        "type": "entry.posted",
        "entry_id": uid(f"entry {name}"),
        "environment": VENUE,
        "account": account,
        "at": at,
        "kind": kind,
        "source_id": uid(name),
        "currency": "EUR",
        "legs": [
            {"ledger_account": one, "debit": max(x, 0), "credit": max(-x, 0)}
            for one, x in legs.items()
        ],
    }


def sold(name: str, at: str, amount: int, *, account: str = "0007") -> dict[str, Any]:
    legs = {"receivable:unbilled": amount, "revenue:unbilled:21": -amount}
    return entry(name, "charge", at, legs, account=account)


def invoiced(name: str, at: str, amount: int, vat: int) -> dict[str, Any]:
    return entry(
        name,
        "invoice",
        at,
        {
            "receivable:billed": amount,
            "revenue:unbilled:21": amount,
            "receivable:unbilled": -amount,
            "revenue:21": vat - amount,
            "vat:21": -vat,
        },
    )


def paid(name: str, at: str, amount: int) -> dict[str, Any]:
    return entry(name, "payment", at, {"bank": amount, "receivable:billed": -amount})


ENTRIES = (
    sold("last year", "2025-12-30T20:00:00Z", 12100),
    invoiced("bill of last year", "2025-12-31T09:00:00Z", 12100, 2100),
    sold("spring", "2026-03-01T12:00:00Z", 242),
    invoiced("bill of spring", "2026-04-01T06:00:00Z", 242, 42),
    paid("pay", "2026-04-02T06:00:00Z", 12342),
    # In Amsterdam it is July already, and still; then August.
    sold("first of july", "2026-06-30T22:00:00Z", 250),
    sold("july", "2026-07-10T12:00:00.123456Z", 350, account=LONG),
    sold("same second", "2026-07-10T12:00:00Z", 450),
    invoiced("bill of july", "2026-07-31T21:59:59Z", 700, 121),
    paid("too much", "2026-07-31T21:59:59.999999Z", 1000),
    sold("august", "2026-07-31T22:00:00Z", 999),
)


def books(spool: Spool, period: Period) -> Books:
    return Books(spool, THE_VENUE, period, AMSTERDAM)


def spooled(period: Period, *entries: dict[str, Any]) -> Spool:
    """These entries, last first, and all of them twice."""
    spool = Spool(
        begins=period.begins(AMSTERDAM),
        ends=period.ends(AMSTERDAM),
        year_begins=period.year_begins(AMSTERDAM),
    )
    for one in [*reversed(entries), *entries]:
        spool.add(one)
    spool.name_document(uid("bill of july"), "2026-00012")
    return spool
