"""What a line of a bank's export is held against, and what it turns out to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from cli.bank.lines import Line

Verdict = Literal[
    "pays", "known", "differs", "no_number", "not_open", "reversed",
    "refunded", "not_refunded", "outgoing",
]  # fmt: skip
"""Of money that came in: pays, known (recorded before), differs (another amount), no_number,
not_open. reversed: the bank undid something. Of money that went out: refunded (as it was recorded),
not_refunded (paid back, and not recorded), outgoing (anything else)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a line is. `pays` are (number, amount, payment_id), to be recorded or known already;
    `to_do` is what a person would type to record what this line tells."""

    line: Line
    verdict: Verdict
    pays: tuple[tuple[str, int, str], ...] = ()
    why: str = ""
    to_do: tuple[str, ...] = ()


class Recorded(NamedTuple):
    """A payment that was recorded. `on`: the bank's day, where an import recorded it."""

    number: str
    amount: int
    on: date | None = None


class Refunded(NamedTuple):
    """What was recorded as paid back, or as a payment undone (`reverses`, its id)."""

    number: str
    amount: int
    on: date
    reverses: str | None = None
