"""Amounts, as the contract reckons them. Minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor
from typing import Any


@dataclass(slots=True)
class Sums:
    """The five sums of docs/money.md, and what was refunded (decision 58)."""

    approved: int = 0
    reversed: int = 0
    issued: int = 0
    credited: int = 0
    paid: int = 0
    refunded: int = 0

    def used(self, release: str) -> int:
        """used = approved - reversed - released, and below zero it counts as nil."""
        on_invoices = self.issued - self.credited
        released = (
            on_invoices if release == "issued" else min(self.paid - self.refunded, on_invoices)
        )
        return max(0, self.approved - self.reversed - released)

    @property
    def unbilled(self) -> int:
        return self.approved - self.reversed - self.issued + self.credited

    @property
    def billed(self) -> int:
        return self.issued - self.credited - self.paid + self.refunded


def line_total(quantity: str, unit_price: int) -> int:
    """round_half_up(quantity x unit_price), away from zero on both sides (decision 4)."""
    return int((Decimal(quantity) * unit_price).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def wrong_sum(sale: Mapping[str, Any]) -> str | None:
    """Where a sale's amounts do not agree."""
    for number, line in enumerate(sale["lines"]):
        if line["total"] != line_total(line["quantity"], line["unit_price"]):
            return f"lines.{number}.total"
    total = sum(line["total"] for line in sale["lines"])
    return "total" if total != sale["total"] or total < 0 else None


def is_rate(text: str) -> bool:
    """A decimal string from 0 to 100, at most two decimals, without trailing zeros."""
    if not text.replace(".", "", 1).isdigit() or not text.isascii():
        return False
    rate = Decimal(text)
    exponent = rate.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    plain = format(rate.normalize(), "f") if rate else "0"
    return 0 <= rate <= 100 and exponent >= -2 and plain == text


def wrong_rate(sale: Mapping[str, Any]) -> str | None:
    for number, line in enumerate(sale["lines"]):
        if not is_rate(line["vat_rate"]):
            return f"lines.{number}.vat_rate"
    return None


def spread(amount: int, over: Sequence[int]) -> list[int]:
    """Largest remainder; of equal remainders the first line has the cent."""
    exact = [Fraction(amount * part, sum(over)) for part in over]
    shares = [floor(share) for share in exact]
    by_remainder = sorted(range(len(over)), key=lambda n: (shares[n] - exact[n], n))
    for number in by_remainder[: amount - sum(shares)]:
        shares[number] += 1
    return shares
