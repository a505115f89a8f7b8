"""What a cancellation takes off a sale, line by line, to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.pos import CancelledLine, ReversalRefusal, ReversedLine, SaleCancelled, SaleLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a cancellation takes back. `of_lines` is in the order of the sale's lines."""

    amount: int
    of_lines: tuple[int, ...]
    lines: tuple[ReversedLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A cancellation that changes nothing."""

    reason: ReversalRefusal
    field: str | None = None


NOTHING = Taken(amount=0, of_lines=(), lines=())
"""What is taken off a sale that has not come yet."""


def take_back(
    wanted: SaleCancelled, lines: Sequence[SaleLine], reversed_: Sequence[int]
) -> Taken | Refused:
    """Take an amount off a sale: all that is left, a share of every line, or the lines given.

    `reversed_` is what earlier cancellations took off each line. A line of a return or a discount
    is negative, and so is what is taken off it: a sale of which nothing is left is undone line by
    line, so that nothing stays behind at any VAT rate, a swap too, which comes to nothing. Shares
    go by largest remainder over what is left: they sum to the amount, and none exceeds its line.
    """
    left = [line.total - taken for line, taken in zip(lines, reversed_, strict=True)]
    all_left = sum(left)
    amount = all_left if wanted.amount is None else wanted.amount
    if amount > all_left:
        return Refused(reason=ReversalRefusal.EXCEEDS_SALE, field="amount")
    shares: Sequence[int] = left
    if wanted.lines is not None:
        found = _pick(wanted.lines, lines, left)
        if isinstance(found, Refused):
            return found
        shares = found
    if amount == all_left:
        shares = left  # the discounts go with the last of what they were given on
    elif wanted.lines is None:
        shares = spread(amount, left)
    return Taken(
        amount=amount,
        of_lines=tuple(shares),
        lines=tuple(
            _reversed_line(line, share, wanted.lines)
            for line, share in zip(lines, shares, strict=True)
            if share
        ),
    )


def spread(amount: int, parts: Sequence[int]) -> list[int]:
    """Share an amount out in proportion to `parts`, whose sum is positive and not less.

    Largest remainder: the shares sum to the amount exactly, each lies between 0 and its part (of
    either sign), and of equal remainders the first has the cent.
    """
    whole = sum(parts)
    # Floors never exceed their quotients, those of negative parts neither: what is missing from
    # the amount is not negative, and less than there are remainders.
    shares = [amount * part // whole for part in parts]
    missing = amount - sum(shares)
    order = sorted(range(len(parts)), key=lambda n: (-(amount * parts[n] % whole), n))
    for number in order[:missing]:
        shares[number] += 1
    return shares


def _pick(
    wanted: Sequence[CancelledLine], lines: Sequence[SaleLine], left: Sequence[int]
) -> list[int] | Refused:
    """Find the lines that a till means. The most exactly described are found first."""
    taken = [0] * len(lines)
    order = sorted(range(len(wanted)), key=lambda n: (-_said(wanted[n]), n))
    for number in order:
        asked = wanted[number]
        rest = asked.total
        for place in _candidates(asked, lines, left, taken):
            part = min(rest, left[place] - taken[place])
            taken[place] += part
            rest -= part
            if rest == 0:
                break
        if rest:
            return Refused(reason=ReversalRefusal.EXCEEDS_SALE, field=f"lines.{number}.total")
    return taken


def _said(asked: CancelledLine) -> int:
    given = (asked.description, asked.product, asked.unit_price, asked.vat_rate)
    return sum(value is not None for value in given)


def _candidates(
    asked: CancelledLine, lines: Sequence[SaleLine], left: Sequence[int], taken: Sequence[int]
) -> list[int]:
    """The lines that fit what was said, those first that fit the whole amount best.

    The quantity says how many are taken off, not how many were sold: it only decides between
    lines that fit alike.
    """
    fitting = [
        place
        for place, line in enumerate(lines)
        if left[place] - taken[place] > 0
        and asked.description in (None, line.description)
        and asked.product in (None, line.product)
        and asked.unit_price in (None, line.unit_price)
        and asked.vat_rate in (None, line.vat_rate)
    ]

    def rank(place: int) -> tuple[bool, bool, bool, int]:
        rest = left[place] - taken[place]
        other_quantity = asked.quantity is not None and asked.quantity != lines[place].quantity
        return rest < asked.total, rest != asked.total, other_quantity, place

    return sorted(fitting, key=rank)


def _reversed_line(
    line: SaleLine, share: int, wanted: Sequence[CancelledLine] | None
) -> ReversedLine:
    """What is said of one line: its quantity where it is known for what is taken off."""
    whole = share == line.total
    quantity = line.quantity if whole else _quantity_of(line, share, wanted or ())
    return ReversedLine(
        description=line.description,
        product=line.product,
        quantity=quantity,
        unit_price=line.unit_price,
        vat_rate=line.vat_rate,
        total=share,
    )


def _quantity_of(line: SaleLine, share: int, wanted: Sequence[CancelledLine]) -> str | None:
    """The whole pieces that a part of a line comes to, or else what a till said of it."""
    if line.unit_price and share % line.unit_price == 0:
        return str(share // line.unit_price)
    said = {
        asked.quantity
        for asked in wanted
        if asked.total == share and asked.description in (None, line.description)
    }
    return said.pop() if len(said) == 1 else None
