"""An account's statement: what was sold, taken back, invoiced and paid, and what is owed then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import NamedTuple

from cli.books.period import Period, microseconds, moment_of
from cli.messages import Json


class Line(NamedTuple):
    """An entry on a statement. `unbilled` and `billed` are what it adds to either; `owed` is what
    the account owes after it. Amounts in minor units."""

    entry: Json
    document: str
    unbilled: int
    billed: int
    owed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`opening` and `closing` are (not yet invoiced, invoiced)."""

    lines: tuple[Line, ...]
    opening: tuple[int, int]
    closing: tuple[int, int]


def statement(
    entries: Iterable[Json],
    documents: Mapping[str, str],
    *,
    period: Period | None = None,
    zone: tzinfo = UTC,
) -> Statement:
    """The statement of an account's entries, in the order of time, or of a period of them.

    `documents` gives the numbers of invoices and credit notes by their ids.
    """
    in_order = sorted(entries, key=lambda e: (moment_of(e["at"]), str(e["entry_id"])))
    unbilled = billed = 0
    opening = (0, 0)
    lines: list[Line] = []
    for entry in in_order:
        at = microseconds(moment_of(entry["at"]))
        if period is not None and at >= period.ends(zone):
            break
        more_unbilled = moved(entry, "receivable:unbilled")
        more_billed = moved(entry, "receivable:billed")
        unbilled, billed = unbilled + more_unbilled, billed + more_billed
        if period is not None and at < period.begins(zone):
            opening = (unbilled, billed)
            continue
        document = documents.get(entry["source_id"], entry["source_id"])
        lines.append(Line(entry, document, more_unbilled, more_billed, unbilled + billed))
    return Statement(lines=tuple(lines), opening=opening, closing=(unbilled, billed))


def moved(entry: Json, ledger_account: str) -> int:
    """What an entry adds to a ledger account: debit above zero."""
    return sum(
        leg["debit"] - leg["credit"]
        for leg in entry["legs"]
        if leg["ledger_account"] == ledger_account
    )
