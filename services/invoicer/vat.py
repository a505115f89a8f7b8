"""VAT out of gross prices, exact per rate, and the spread of what is left over the lines.

Prices at a till include VAT, so what the guest pays is the fixed point and VAT is taken out of it:
for each rate `r` with gross sum `G`, `VAT = round_half_up(G * r / (100 + r))` and `base = G - VAT`
(art. 38 Wet OB 1968 for prices that include VAT; art. 5a Uitvoeringsbesluit OB: rounding half up,
one method throughout). The sum over the rates is therefore what the till took, to the cent.

Amounts are integer minor units of one currency. Rounding is half away from zero, so that a credit
note of a whole invoice carries the invoice's VAT with the sign turned.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm


@dataclass(frozen=True, slots=True, kw_only=True)
class VatRow:
    """What one document says about one VAT rate. `gross == base + vat`, always.

    `rate` is a percentage as on the wire ("21", "5.5", "0"); amounts are minor units.
    """

    rate: str
    base: int
    vat: int
    gross: int

    def __post_init__(self) -> None:
        if self.base + self.vat != self.gross:
            raise ValueError(f"VAT row of {self.rate}%: {self.base} + {self.vat} != {self.gross}")


_REMEMBERED = 4_096
"""Of the pure functions below that lines ask again and again: a menu has few prices and rates."""


def round_half_up(value: Fraction) -> int:
    """To the nearest integer; a half goes away from zero."""
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value.numerator) + value.denominator) // (2 * value.denominator))


def vat_in(gross: int, rate: str) -> int:
    """The VAT inside `gross` at `rate` percent, both in minor units."""
    r = Fraction(rate)
    return round_half_up(gross * r / (100 + r))


def in_euros(vat: int, decimals: int, rate: str) -> int:
    """VAT in euro cents, of minor units with so many decimals, at `rate` euros for one unit."""
    return round_half_up(Fraction(vat, 10**decimals) * Fraction(rate) * 100)


def vat_rows(lines: Iterable[tuple[str, int]]) -> tuple[VatRow, ...]:
    """One row per rate over `(rate, gross)` pairs, highest rate first.

    Rates that mean the same ("21", "21.0") make one row, named as on the wire (no trailing zeros).
    The order of the pairs does not matter.
    """
    sums: dict[Decimal, int] = {}
    for rate, gross in lines:
        key = Decimal(rate).normalize()
        sums[key] = sums.get(key, 0) + gross
    rows = []
    for key in sorted(sums, reverse=True):
        gross, rate = sums[key], rate_text(key)
        vat = vat_in(gross, rate)
        rows.append(VatRow(rate=rate, base=gross - vat, vat=vat, gross=gross))
    return tuple(rows)


@lru_cache(_REMEMBERED)
def rate_text(rate: str | Decimal) -> str:
    """A rate as the wire has it: "21", "5.5", "0"; never "21.0" or "2E+1"."""
    return f"{Decimal(rate).normalize():f}" if Decimal(rate) else "0"


def spread(total: int, shares: Sequence[Fraction]) -> tuple[int, ...]:
    """Round `shares` (exact, in minor units) so that they sum to `total`, by largest remainder.

    Each is rounded down, and what is left goes one by one to the largest remainders; of equal
    remainders to the greater share first, then to the earlier place. Where `total` is the sum of
    the shares rounded (half up), no share is moved by a whole minor unit, negative ones neither.

    Raises ValueError where there is something to divide and nothing to divide it over.
    """
    if not shares:
        if total:
            raise ValueError(f"nothing to spread {total} over")
        return ()
    common = lcm(*(share.denominator for share in shares))
    wholes = [share.numerator * (common // share.denominator) for share in shares]
    rounded = [whole // common for whole in wholes]
    each, rest = divmod(total - sum(rounded), len(shares))
    first = sorted(
        range(len(shares)), key=lambda i: (-(wholes[i] % common), -abs(wholes[i]), i)
    )  # the largest remainder first
    for place, i in enumerate(first):
        rounded[i] += each + (place < rest)
    return tuple(rounded)


@lru_cache(_REMEMBERED)
def net_of(gross: int, rate: str) -> Fraction:
    """`gross` without its VAT, exact."""
    return Fraction(gross) * 100 / (100 + Fraction(rate))


def line_bases(lines: Sequence[tuple[str, int]], rows: Iterable[VatRow]) -> tuple[int, ...]:
    """The base (amount without VAT) of each `(rate, gross)` line, in the lines' order.

    Within each rate the bases sum to that rate's `VatRow.base`, so that a document's lines add up
    to its totals (EN 16931 BR-CO-10, BR-S-08). No line is off by a minor unit or more.
    """
    by_rate: dict[str, list[int]] = {}
    for i, (rate, _) in enumerate(lines):
        by_rate.setdefault(rate_text(rate), []).append(i)
    base_of = {row.rate: row.base for row in rows}
    bases = [0] * len(lines)
    for rate, places in by_rate.items():
        shares = spread(base_of[rate], [net_of(lines[i][1], rate) for i in places])
        for i, share in zip(places, shares, strict=True):
            bases[i] = share
    return tuple(bases)
