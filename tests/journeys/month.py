"""What a month of a venue is made of: guests, seeded sales, and what the bank says of payments."""

from __future__ import annotations

import csv
import io
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schemas.values import line_total
from tests.support.article_workbook import sheet_workbook

VENUE = 2890
ZONE = ZoneInfo("Europe/Amsterdam")
MENU = (
    ("Pils", 350, "21"), ("Wijn", 475, "21"), ("Koffie", 295, "9"), ("Uitsmijter", 975, "9"),
    ("Bitterballen", 733, "9"), ("Cognac", 899, "21"), ("Contributie", 1250, "0"),
    ("Kaas per kilo", 1899, "9"), ("Appelsap", 265, "9"),
)  # fmt: skip
QUANTITIES = ("1", "1", "2", "3", "0.5", "1.25", "0.333")
Sale = dict[str, Any]


def account(number: int) -> str:
    return f"{VENUE}{number:05}"


def address(number: int) -> str:
    return f"gast{number}@gasten-van-twaalf.nl"


def months(now: datetime) -> tuple[str, str]:
    """Last month and this one, by the venue's clock."""
    here = now.astimezone(ZONE)
    return f"{here.replace(day=1) - timedelta(days=1):%Y-%m}", f"{here:%Y-%m}"


def guests(many: int, *, without_address: int, file: Path) -> None:
    """A workbook of guests, each with an account; one has no e-mail address."""
    rows: list[tuple[str, ...]] = [
        ("Voornaam", "Achternaam", "E-mailadres", "Adres", "Postcode", "Plaats", "Rekeningnummer")
    ]
    for n in range(1, many + 1):
        mail = "" if n == without_address else address(n)
        rows.append(("Gast", f"Nummer {n}", mail, f"Kade {n}", "3511 AB", "Utrecht", account(n)))
    file.write_bytes(sheet_workbook(*rows))


@dataclass
class Till:
    """Sells by a seed, and knows what it sold: the month's truth, apart from all services."""

    accounts: int
    now: datetime
    rng: random.Random = field(default_factory=lambda: random.Random(20261125))
    sold: dict[str, Sale] = field(default_factory=dict)
    month_of: dict[str, str] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def sales(self, many: int) -> Iterable[Sale]:
        """One in four was made last month and is told of only now."""
        before, this = months(self.now)
        first = datetime.fromisoformat(f"{before}-01").replace(tzinfo=ZONE)
        earliest = max(first.astimezone(UTC), self.now - timedelta(days=44))
        latest = datetime.fromisoformat(f"{this}-01").replace(tzinfo=ZONE).astimezone(UTC)
        for place in range(many):
            late = place % 4 == 0
            at = self.now
            if late:
                at = earliest + (latest - earliest) * self.rng.random()
            one = self._sale(account(1 + place % self.accounts), at, late=late)
            self.sold[one["sale_id"]] = one
            self.month_of[one["sale_id"]] = before if late else this
            self.left[one["sale_id"]] = one["total"]
            yield one

    def _sale(self, to: str, at: datetime, *, late: bool) -> Sale:
        lines = []
        for _ in range(self.rng.randint(1, 5)):
            what, price, rate = self.rng.choice(MENU)
            lines.append(_line(what, self.rng.choice(QUANTITIES), price, rate))
        if self.rng.random() < 0.1:
            first = lines[0]
            lines.append(_line("Korting", "-1", first["total"] // 2, first["vat_rate"]))
        return {
            "type": "sale.recorded" if late else "sale.requested",
            "sale_id": str(uuid.UUID(int=self.rng.getrandbits(128), version=4)),
            "environment": VENUE, "terminal": f"bar-{self.rng.randint(1, 5)}", "account": to,
            "at": at.isoformat(), "currency": "EUR", "total": sum(x["total"] for x in lines),
            "lines": lines,
        }  # fmt: skip

    def cancel(self, sale_ids: Iterable[str], reason: str) -> list[Sale]:
        """Messages that take these sales back as a whole."""
        found = []
        for sale_id in sale_ids:
            one = self.sold[sale_id]
            self.left[sale_id] = 0
            found.append(
                {
                    "type": "sale.cancelled", "cancellation_id": str(uuid.uuid4()),
                    "sale_id": sale_id, "environment": VENUE, "terminal": one["terminal"],
                    "account": one["account"], "at": self.now.isoformat(), "reason": reason,
                }
            )  # fmt: skip
        return found

    @property
    def total(self) -> int:
        return sum(self.left.values())

    def due(self) -> dict[tuple[str, str], int]:
        """What each account owes of each month."""
        found: dict[tuple[str, str], int] = defaultdict(int)
        for sale_id, amount in self.left.items():
            found[self.sold[sale_id]["account"], self.month_of[sale_id]] += amount
        return {key: amount for key, amount in found.items() if amount}


def _line(what: str, quantity: str, price: int, rate: str) -> dict[str, Any]:
    return {
        "description": what, "quantity": quantity, "unit_price": price, "vat_rate": rate,
        "total": line_total(quantity, price),
    }  # fmt: skip


def export(payments: Iterable[tuple[int, str]]) -> str:
    """A bank's export of (amount, what was written to it), as ING makes it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(
        ("Datum", "Naam / Omschrijving", "Rekening", "Tegenrekening", "Code", "Af Bij",
         "Bedrag (EUR)", "Mutatiesoort", "Mededelingen")
    )  # fmt: skip
    for amount, text in payments:
        euros = f"{abs(amount) // 100},{abs(amount) % 100:02}"
        sign = "Bij" if amount > 0 else "Af"
        writer.writerow(
            ("20261201", "Gast", "NL91ABNA0417164300", "NL20INGB0001234567", "OV", sign, euros,
             "Overschrijving", text)
        )  # fmt: skip
    return out.getvalue()
