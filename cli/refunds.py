"""Money that went out, by a bank's export: what it paid back, and whether that was recorded.

Nothing is recorded from here: of a venue's own payments the export says too little. A line belongs
to a refund where it names the invoice (or a credit note of it) and says the refund's amount. Each
refund answers for one line, so that money which went out twice is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from cli.amounts import decimal, money
from cli.bank.lines import Line
from cli.matches import Match, Recorded, Refunded

NEAR = timedelta(days=14)
"""So far from its day a line without a number may still be the refund of as much."""

MOST_NAMED = 3


class Outgoing:
    """Refunds and payments that were recorded, and what of each invoice came too much."""

    def __init__(
        self, environment: int, refunds: Iterable[Refunded], payments: Mapping[str, Recorded]
    ) -> None:
        self._environment = environment
        its = list(refunds)
        self._back = [one for one in its if one.reverses is None]
        self._undone = [one for one in its if one.reverses is not None]
        gone = {one.reverses for one in self._undone}
        self._payments = [(id_, one) for id_, one in payments.items() if id_ not in gone]

    def taken_back(self, line: Line, named: Sequence[str]) -> Match:
        """What the bank undid: a payment that it took back, or money out that came back."""
        if line.amount > 0:
            return Match(
                line=line, verdict="reversed", why="the bank booked back what went out: no payment"
            )
        if numbers := _take(self._undone, named, -line.amount):
            why = f"the bank took back what paid {numbers}: recorded"
            return Match(line=line, verdict="reversed", why=why)
        for place, (id_, one) in enumerate(self._payments):
            if one.number in named and one.amount == -line.amount:
                del self._payments[place]
                return Match(
                    line=line,
                    verdict="reversed",
                    why=f"the bank took back what paid {one.number}: not recorded",
                    to_do=(self._refund(line, one.number, f"--reverses {id_}"),),
                )
        why = "the bank took a payment back: `onaccount invoices refund --reverses` undoes it"
        return Match(line=line, verdict="reversed", why=why)

    def went_out(self, line: Line, named: Sequence[str], left: dict[str, int]) -> Match:
        """What a line of money that went out paid back. `left` is what is open of each invoice,
        and learns what is not recorded yet: no other line is told the same."""
        amount = -line.amount
        if not named:
            return self._without_number(line, left)
        if numbers := _take(self._back, named, amount):
            why = f"paid back for {numbers}: recorded"
            return Match(line=line, verdict="refunded", why=why)
        too_much = {n: -left[n] for n in named if left[n] < 0}
        names = ", ".join(named)
        if not too_much:
            why = f"names {names}, of which nothing is to be paid back"
            return Match(line=line, verdict="outgoing", why=why)
        if amount > sum(too_much.values()) or (
            amount < sum(too_much.values()) and len(too_much) > 1
        ):
            worth = ", ".join(f"{money(m, line.currency)} of {n}" for n, m in too_much.items())
            why = f"names {names}; paid too much was {worth}"
            return Match(line=line, verdict="not_refunded", why=why)
        parts = {n: min(m, amount) for n, m in too_much.items()}
        for number, part in parts.items():
            left[number] += part
        return Match(
            line=line,
            verdict="not_refunded",
            why=f"paid back for {', '.join(parts)}: not recorded",
            to_do=tuple(
                self._refund(line, number, decimal(part)) for number, part in parts.items()
            ),
        )

    def _without_number(self, line: Line, left: Mapping[str, int]) -> Match:
        same = [
            one.number
            for one in self._back
            if one.amount == -line.amount and abs(one.on - line.on) <= NEAR
        ]
        due = [number for number, open_ in left.items() if open_ == line.amount]
        why = ""
        if same:
            why = f"names no invoice; as much was paid back for {_some(same)}"
        elif due:
            why = f"names no invoice; as much is to be paid back for {_some(due)}"
        return Match(line=line, verdict="outgoing", why=why)

    def _refund(self, line: Line, number: str, what: str) -> str:
        return f"onaccount invoices refund {self._environment} {number} {what} --at {line.on}"


def _some(numbers: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(numbers[:MOST_NAMED]))


def _take(refunds: list[Refunded], named: Sequence[str], amount: int) -> str:
    """The invoices of the refunds that a line is, which no other line is then; "" for none. One of
    that amount, or together all that went back for what is named."""
    its = [one for one in refunds if one.number in named]
    found = [one for one in its if one.amount == amount][:1]
    if not found and sum(one.amount for one in its) == amount:
        found = its
    for one in found:
        refunds.remove(one)
    return ", ".join(dict.fromkeys(one.number for one in found))
