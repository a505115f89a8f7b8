"""Which lines of a sale a reversal takes its amount from."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """A line as it was sold, and how much of it has been taken back so far."""

    description: str
    product: str | None
    quantity: str
    unit_price: int
    vat_rate: str
    approved: int
    reversed: int = 0

    @property
    def room(self) -> int:
        """What can still be taken back of it: negative of a discount or a return."""
        return self.approved - self.reversed


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenLine:
    """What a reversal takes: `total` is negative of a discount, the rest says of which line."""

    description: str
    product: str | None
    vat_rate: str
    total: int
    quantity: str | None = None
    unit_price: int | None = None


Match = Callable[[SoldLine, TakenLine], bool]

_MATCHES: tuple[Match, ...] = (
    lambda sold, taken: (
        sold.description == taken.description
        and sold.product == taken.product
        and sold.vat_rate == taken.vat_rate
        and taken.quantity == sold.quantity
        and taken.unit_price == sold.unit_price
    ),
    lambda sold, taken: (
        sold.description == taken.description
        and sold.product == taken.product
        and sold.vat_rate == taken.vat_rate
    ),
    lambda sold, taken: sold.vat_rate == taken.vat_rate,
    lambda sold, taken: True,
)
"""From the likeliest line to any line: no cent of a reversal may be lost."""


def apply(lines: Sequence[SoldLine], reversals: Iterable[Sequence[TakenLine]]) -> list[SoldLine]:
    """The lines after these reversals.

    Alike lines are taken from one after another, so per rate the sums do not depend on the order
    in which reversals came. When nothing is left of the sale as a whole, nothing is left on any
    line: discounts (negative lines), which a till may not have named, go with the rest. A sale of
    which nothing was taken stands, though it may come to nothing (a swap).

    Raises ValueError where more is taken back than was sold: the authorizer never says so.
    """
    found = list(lines)
    for taken_lines in reversals:
        for taken in taken_lines:
            _take(found, taken)
    nothing_left = sum(line.reversed for line in found) == sum(line.approved for line in found)
    if nothing_left and any(line.reversed for line in found):
        return [replace(line, reversed=line.approved) for line in found]
    return found


def _take(found: list[SoldLine], taken: TakenLine) -> None:
    sign = 1 if taken.total >= 0 else -1
    left = abs(taken.total)
    for match in _MATCHES:
        for i, sold in enumerate(found):
            part = min(left, sold.room * sign)
            if part > 0 and match(sold, taken):
                found[i] = replace(sold, reversed=sold.reversed + part * sign)
                left -= part
            if left == 0:
                return
    raise ValueError("a reversal takes back more than was sold")
