"""What a cancellation takes off a sale, line by line, to the cent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    said = _quantities(wanted.lines or ())
    return Taken(
        amount=amount,
        of_lines=tuple(shares),
        lines=tuple(
            _reversed_line(line, share, said)
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
    """Find the lines that a till means. The most exactly described are found first.

    Of those that fit, one of which just so much is left, else the first of which more is left, else
    what is left of each in turn.
    """
    rest = list(left)
    alike = _alike(wanted, lines, rest)
    order = sorted(range(len(wanted)), key=lambda n: (-sum(_shape(wanted[n])[:-1]), n))
    for number in order:
        missing = wanted[number].total
        fitting = _fitting(wanted[number], alike)
        place = _one_that_has(missing, fitting, rest)
        if place is not None:
            rest[place] -= missing
            continue
        for each in (each for some in fitting for each in some.places):
            part = min(missing, rest[each])
            rest[each] -= part
            missing -= part
            if missing == 0:
                break
        if missing:
            return Refused(reason=ReversalRefusal.EXCEEDS_SALE, field=f"lines.{number}.total")
        for some in fitting:
            some.drop_first(rest)
    return [before - after for before, after in zip(left, rest, strict=True)]


class _Fitting:
    """Lines that fit alike, in their order, but for some of which nothing is left. Of none of them
    is more left than `most`."""

    __slots__ = ("most", "places")

    def __init__(self, places: Iterable[int], rest: Sequence[int]) -> None:
        self.places = list(places)
        self.look(rest)

    def look(self, rest: Sequence[int]) -> None:
        """What is left now: it only falls."""
        self.places = [place for place in self.places if rest[place] > 0]
        self.most = max([rest[place] for place in self.places], default=0)

    def drop_first(self, rest: Sequence[int]) -> None:
        """Those at the head of which nothing is left."""
        gone = next(
            (at for at, place in enumerate(self.places) if rest[place] > 0), len(self.places)
        )
        del self.places[:gone]


def _one_that_has(missing: int, fitting: Sequence[_Fitting], rest: Sequence[int]) -> int | None:
    """The line of which just so much is left, or else the first of which more is."""
    if missing in rest:
        for some in fitting:
            if missing <= some.most:
                for place in some.places:
                    if rest[place] == missing:
                        return place
    for some in fitting:
        if missing < some.most:
            for place in some.places:
                if rest[place] > missing:
                    return place
            some.look(rest)
    return None


_Words = tuple[str | int | None, ...]
_Shape = tuple[bool, ...]
_Alike = dict[tuple[_Shape, _Words], _Fitting]


def _words(line: SaleLine | CancelledLine) -> _Words:
    """What tells a line from others, the quantity last. None: nothing is said of it."""
    return line.description, line.product, line.unit_price, line.vat_rate, line.quantity


def _shape(asked: CancelledLine) -> _Shape:
    """Of which words something is said."""
    return tuple(word is not None for word in _words(asked))


def _loosely(shape: _Shape) -> _Shape:
    return (*shape[:-1], False)


def _of_shape(words: _Words, shape: _Shape) -> _Words:
    return tuple(word if said else None for word, said in zip(words, shape, strict=True))


def _alike(
    wanted: Sequence[CancelledLine], lines: Sequence[SaleLine], rest: Sequence[int]
) -> _Alike:
    """The lines by what is said of some of their words.

    A till may mean five hundred lines of five hundred, and a batch holds hundreds of such messages:
    so no line is held against the words of each, and of which nothing is left, no more.
    """
    shapes = {shape for asked in wanted for shape in (_shape(asked), _loosely(_shape(asked)))}
    found: dict[tuple[_Shape, _Words], list[int]] = {}
    for place, line in enumerate(lines):
        words = _words(line)
        for shape in shapes:
            found.setdefault((shape, _of_shape(words, shape)), []).append(place)
    return {key: _Fitting(places, rest) for key, places in found.items()}


def _fitting(asked: CancelledLine, alike: _Alike) -> list[_Fitting]:
    """The lines that fit what is said, those first of which just so many were sold.

    The quantity says how many are taken off, not how many were sold: it only decides between
    lines that fit alike.
    """
    words, shape = _words(asked), _shape(asked)
    loosely = _loosely(shape)
    keys = dict.fromkeys(((shape, words), (loosely, _of_shape(words, loosely))))
    return [alike[key] for key in keys if key in alike]


_Quantities = dict[tuple[int, str | None], set[str | None]]


def _quantities(wanted: Sequence[CancelledLine]) -> _Quantities:
    """What a till says of how many it takes off, by the amount and the description."""
    said: _Quantities = {}
    for asked in wanted:
        said.setdefault((asked.total, asked.description), set()).add(asked.quantity)
    return said


def _reversed_line(line: SaleLine, share: int, said: _Quantities) -> ReversedLine:
    """What is said of one line: its quantity where it is known for what is taken off."""
    whole = share == line.total
    quantity = line.quantity if whole else _quantity_of(line, share, said)
    return ReversedLine(
        description=line.description,
        product=line.product,
        quantity=quantity,
        unit_price=line.unit_price,
        vat_rate=line.vat_rate,
        total=share,
    )


def _quantity_of(line: SaleLine, share: int, said: _Quantities) -> str | None:
    """The whole pieces that a part of a line comes to, or else what a till said of it."""
    if line.unit_price and share % line.unit_price == 0:
        return str(share // line.unit_price)
    found = said.get((share, line.description), set()) | said.get((share, None), set())
    return found.pop() if len(found) == 1 else None
