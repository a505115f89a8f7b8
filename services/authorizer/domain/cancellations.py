"""Decides how much a cancellation takes off which lines of a sale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.pos import CancelledLine, ReversalRefusal, SaleCancelled, SaleLine
from services.authorizer.domain.standing import Standing, Venue

R = ReversalRefusal


@dataclass(slots=True, kw_only=True)
class SoldSale:
    """A sale as it stands under its account's lock; `taken` per line moves on within a batch."""

    account: str
    approved: bool
    total: int
    lines: Sequence[SaleLine]
    taken: list[int]

    @property
    def left(self) -> int:
        return self.total - sum(self.taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """What was taken off: (line's index, amount) of the lines concerned.

    `early`: the sale had not come yet, and will be declined when it does.
    """

    amount: int
    taken: tuple[tuple[int, int], ...]
    early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing was taken off. `remembered` is false for what may come right by itself."""

    reason: ReversalRefusal
    remembered: bool = True


def decide(
    asked: SaleCancelled,
    *,
    venue: Venue | None,
    standing: Standing | None,
    sale: SoldSale | None,
) -> Reversed | Refused:
    """Answer one cancellation, and count it in `standing` and `sale`. Never raises.

    Without an amount all that is left is taken off, line by line as it was sold (a returned line
    is negative there too). An amount without lines is spread over what is left of the lines.
    """
    if venue is None:
        return Refused(reason=R.ENVIRONMENT_UNKNOWN)
    if standing is None:
        return Refused(reason=R.ACCOUNT_UNKNOWN)
    if sale is None:
        if asked.amount is not None:
            return Refused(reason=R.SALE_UNKNOWN, remembered=False)
        return Reversed(amount=0, taken=(), early=True)
    if sale.account != asked.account:
        return Refused(reason=R.NOT_THIS_ACCOUNT)
    if not sale.approved:
        return Refused(reason=R.SALE_DECLINED)
    left = [line.total - taken for line, taken in zip(sale.lines, sale.taken, strict=True)]
    if asked.amount is None:
        shares: list[int] | None = left
    elif asked.amount > sale.left:
        shares = None
    elif asked.lines is None:
        shares = spread(asked.amount, left)
    else:
        shares = match(asked.lines, sale.lines, left)
    if shares is None:
        return Refused(reason=R.EXCEEDS_SALE)
    taken = tuple((index, share) for index, share in enumerate(shares) if share)
    amount = sum(shares)
    for index, share in taken:
        sale.taken[index] += share
    standing.reverse(amount)
    return Reversed(amount=amount, taken=taken)


def spread(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in proportion to weights that sum to at least it: largest remainder.

    Exact in integers: the shares sum to the amount, and none is larger in size than its weight
    (a weight may be negative: a returned line). Ties go to the first.
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    shares = [amount * weight // whole for weight in weights]
    rests = [amount * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-rests[index], index))
    for index in order[: amount - sum(shares)]:
        shares[index] += 1
    return shares


def match(
    asked: Sequence[CancelledLine], lines: Sequence[SaleLine], left: Sequence[int]
) -> list[int] | None:
    """Find each asked line among the sale's by whatever of it was given.

    None where one asks for more than is left of the lines that fit it.
    """
    rest = list(left)
    shares = [0] * len(lines)
    for wanted in asked:
        open_amount = wanted.total
        for index, line in enumerate(lines):
            if open_amount and rest[index] > 0 and _fits(wanted, line):
                share = min(open_amount, rest[index])
                shares[index] += share
                rest[index] -= share
                open_amount -= share
        if open_amount:
            return None
    return shares


def _fits(wanted: CancelledLine, line: SaleLine) -> bool:
    """Whether description, product, unit price and rate agree, as far as given.

    The quantity says how much is taken back, not which line it is.
    """
    return (
        wanted.description in (None, line.description)
        and wanted.product in (None, line.product)
        and wanted.unit_price in (None, line.unit_price)
        and wanted.vat_rate in (None, line.vat_rate)
    )
