"""The demo's venue: its legal data, its menu, and what its guests order (seeded)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.messages import Json
from cli.till import line

ENVIRONMENT = 2890  # the customer number of the help article
TILLS = 20
SALES_A_TILL = 15
SENT_TWICE_EVERY = 25
LIMIT = 2_500_00
SMALL_LIMIT = 50_00
SEED = 2890

LEGAL: Json = {
    "name": "Clubhuis De Twaalf",
    "legal_name": "Sportclub De Twaalf B.V.",
    "street": "Sportlaan 12",
    "postcode": "3991 AB",
    "city": "Houten",
    "country": "NL",
    "vat_number": "NL856432106B01",
    "chamber_number": "66221355",
    "iban": "NL91ABNA0417164300",
    "currency": "EUR",
    "time_zone": "Europe/Amsterdam",
    "language": "nl",
    "finance_email": "financien@detwaalf.example",
    "payment_days": 14,
    "import_enabled": True,
}
GDPR: Json = {"accepted_by": "M. de Vries", "document": "verwerkersovereenkomst 3.1"}

# Drinks with alcohol 21%, food and soft drinks 9% (Wet op de omzetbelasting 1968, tabel I).
MENU: tuple[tuple[str, int, str, int], ...] = (
    ("Pils 25 cl", 3_20, "21", 10),
    ("Witbier", 4_60, "21", 4),
    ("Speciaalbier van de tap", 5_40, "21", 5),
    ("Huiswijn rood", 4_75, "21", 3),
    ("Huiswijn wit", 4_75, "21", 3),
    ("Cola", 2_90, "9", 6),
    ("Spa rood", 2_60, "9", 4),
    ("Verse jus d'orange", 4_25, "9", 3),
    ("Koffie", 2_75, "9", 8),
    ("Cappuccino", 3_15, "9", 6),
    ("Verse muntthee", 3_40, "9", 3),
    ("Tosti ham kaas", 5_50, "9", 4),
    ("Broodje kroket", 6_25, "9", 4),
    ("Uitsmijter", 9_75, "9", 2),
    ("Clubsandwich", 11_95, "9", 2),
    ("Bitterballen (8 stuks)", 8_00, "9", 5),
    ("Friet met mayonaise", 4_50, "9", 4),
    ("Dagschotel", 14_50, "9", 2),
    ("Appeltaart met slagroom", 4_95, "9", 3),
)
COFFEE = line("Koffie", 2_75, "9", quantity="8")
LUNCH = line("Lunchbuffet per persoon", 16_50, "9", quantity="3")
FAREWELL = line("Speciaalbier van de tap", 5_40, "21", quantity="6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one guest orders at one till."""

    account: str
    lines: tuple[Json, ...]

    @property
    def total(self) -> int:
        """Minor units, VAT included."""
        return sum(int(one["total"]) for one in self.lines)


def terminals() -> list[str]:
    """The tills' names."""
    return [f"bar-{number:02}" for number in range(1, TILLS + 1)]


def orders(accounts: Sequence[str]) -> dict[str, list[Order]]:
    """What every till sells, by terminal; each account is sold to. The same each time."""
    chance = random.Random(SEED)  # noqa: S311 - a menu, not a secret
    guests = _guests(accounts, chance)
    return {
        terminal: [Order(account=next(guests), lines=_round(chance)) for _ in range(SALES_A_TILL)]
        for terminal in terminals()
    }


def _guests(accounts: Sequence[str], chance: random.Random) -> Iterator[str]:
    yield from accounts
    while True:
        yield chance.choice(accounts)


def _round(chance: random.Random) -> tuple[Json, ...]:
    weights = [weight for *_, weight in MENU]
    picked = dict.fromkeys(chance.choices(MENU, weights, k=chance.choice((1, 1, 2, 2, 3, 4))))
    return tuple(
        line(name, price, rate, quantity=str(chance.choice((1, 1, 1, 2, 2, 3, 4))))
        for name, price, rate, _ in picked
    )
