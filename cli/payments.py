"""Payments out of a bank's export: which line pays which invoice.

A line is matched where its description names an invoice's number and its amount is what is open of
it (or of all the invoices that it names). What is named with another amount is matched only when
asked for; an amount alone never is: two guests may owe the same.

A payment's id is made from the line, so the same line in a second export is the same payment. In an
export of another shape it reads otherwise: there a payment that an import recorded for the same
invoice, day and amount is taken for it, once. What went out is no payment: cli/refunds.py tells of
it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from types import MappingProxyType
from uuid import NAMESPACE_URL, uuid5

from cli.amounts import money
from cli.bank.lines import Line
from cli.in_order import counted_up
from cli.matches import Match, Recorded, Refunded
from cli.messages import Json
from cli.refunds import Outgoing

_SPACE = uuid5(NAMESPACE_URL, "https://onaccount/payments")
_NOT_IN_NUMBERS = re.compile(r"[^A-Z0-9]+")


def open_of(state: Json) -> int:
    """What of an invoice is still to be paid; negative where too much came."""
    if state["status"] in ("draft", "deleted"):
        return 0
    credited = state.get("credited") or 0
    if state["status"] == "credited":
        credited = state["total"]
    return int(state["total"] - credited - state["paid"])


def payment_ids(environment: int, lines: Sequence[Line]) -> list[str]:
    """An id for each line, made from what it says; of equal lines each gets one of its own."""
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        seen[line.identity] += 1
        found.append(f"{environment}\n{line.identity}\n{seen[line.identity]}")
    return found


def payment_id(of_line: str, number: str) -> str:
    """The id of what a line pays of one invoice."""
    return str(uuid5(_SPACE, f"{of_line}\n{number}"))


def noon_of(day: date, zone: tzinfo) -> str:
    """When money of that day is said to have moved, where no hour is named (no export names one):
    noon by the venue's clock, so that it stands in its books on that day, in that year."""
    return datetime.combine(day, time(12), zone).isoformat()


def typed_on(day: date, zone: tzinfo, method: str) -> str:
    """When a person says that money moved who names a day alone. Of the bank's it is that line's
    noon, so that an import knows it again; cash is not, and stands an hour later."""
    noon = datetime.combine(day, time(12), zone)
    return (noon if method == "bank" else noon.replace(hour=13)).isoformat()


def imported_on(at: str, zone: tzinfo) -> date | None:
    """The day, where an import said so, or a person of a bank's line; None for any other payment.
    Imports of before said noon in UTC."""
    for clock in (zone, UTC):
        moment = datetime.fromisoformat(at).astimezone(clock)
        if moment.time() == time(12):
            return moment.date()
    return None


def match(
    environment: int,
    lines: Sequence[Line],
    invoices: Iterable[Json],
    recorded: Mapping[str, Recorded],
    *,
    refunds: Iterable[Refunded] = (),
    credit_notes: Mapping[str, str] = MappingProxyType({}),
    other_amounts: bool = False,
) -> list[Match]:
    """A verdict for each line. `recorded` are the payments that are known, by id; `credit_notes`
    their numbers, with that of the invoice.

    Lines are taken in order, and each counts on what those before it pay.
    """
    states = {str(s["number"]): s for s in invoices if s.get("number")}
    left = {number: open_of(state) for number, state in states.items()}
    outgoing = Outgoing(environment, refunds, recorded)
    finder = _Finder(states, credit_notes)
    each = [
        (line, of_line, finder.named(line))
        for line, of_line in zip(lines, payment_ids(environment, lines), strict=True)
    ]
    own = {payment_id(of_line, number) for _, of_line, named in each for number in named}
    others = _Others(recorded, own)
    found = []
    for line, of_line, named in each:
        foreign = [n for n in named if states[n]["currency"] != line.currency]
        if line.reversal:
            one = outgoing.taken_back(line, named)
        elif foreign:
            why = f"{', '.join(foreign)}: not in {line.currency}"
            one = Match(line=line, verdict="differs" if line.amount > 0 else "outgoing", why=why)
        elif line.amount <= 0:
            one = outgoing.went_out(line, named, left)
        else:
            one = _verdict(line, of_line, named, left, recorded, others, other_amounts)
        if one.verdict == "pays":
            for number, amount, _ in one.pays:
                left[number] -= amount
        found.append(one)
    return found


def _verdict(
    line: Line,
    of_line: str,
    named: Sequence[str],
    left: Mapping[str, int],
    recorded: Mapping[str, Recorded],
    others: _Others,
    other_amounts: bool,
) -> Match:
    if not named:
        same = [n for n, open_ in left.items() if open_ == line.amount]
        hint = f"; as much is open of {', '.join(same[:3])}" if same else ""
        return Match(line=line, verdict="no_number", why=f"names no invoice{hint}")
    ids = {number: payment_id(of_line, number) for number in named}
    known = tuple((n, recorded[i].amount, i) for n, i in ids.items() if i in recorded)
    if known and sum(amount for _, amount, _ in known) == line.amount:
        return Match(line=line, verdict="known", pays=known, why="recorded before")
    if known:  # of several invoices some were recorded: an import was stopped in between
        rest = line.amount - sum(amount for _, amount, _ in known)
        named = [n for n in named if ids[n] not in recorded]
        if sum(left[n] for n in named) == rest:
            pays = tuple((n, left[n], ids[n]) for n in named)
            return Match(line=line, verdict="pays", pays=pays)
    elif ours := others.take(line, named):
        return Match(line=line, verdict="known", pays=ours, why="recorded from another export")
    wanted = sum(left[n] for n in named)
    if wanted == line.amount and all(left[n] > 0 for n in named):
        return Match(line=line, verdict="pays", pays=tuple((n, left[n], ids[n]) for n in named))
    if len(named) == 1 and other_amounts and not known:
        return Match(line=line, verdict="pays", pays=((named[0], line.amount, ids[named[0]]),))
    if wanted <= 0:
        names = ", ".join(named)
        return Match(line=line, verdict="not_open", why=f"nothing is open of {names}")
    open_ = ", ".join(f"{number} has {money(left[number], line.currency)} open" for number in named)
    return Match(line=line, verdict="differs", why=f"another amount: {open_}")


class _Others:
    """Payments that imports recorded, and that no line of this file has the id of."""

    def __init__(self, recorded: Mapping[str, Recorded], own: Container[str]) -> None:
        self._left: defaultdict[tuple[str, date], dict[str, int]] = defaultdict(dict)
        for id_, one in recorded.items():
            if one.on is not None and id_ not in own:
                self._left[one.number, one.on][id_] = one.amount

    def take(self, line: Line, named: Sequence[str]) -> tuple[tuple[str, int, str], ...]:
        """Those that are this line: of its day, one of each invoice, its amount together. Each is
        taken once; nothing where there are none."""
        if len(named) == 1:
            its = self._left.get((named[0], line.on), {})
            found = [(named[0], a, id_) for id_, a in its.items() if a == line.amount][:1]
        else:
            firsts = [(n, self._left.get((n, line.on), {})) for n in named]
            found = [(n, *next((a, id_) for id_, a in its.items())) for n, its in firsts if its]
            if len(found) < len(named) or sum(a for _, a, _ in found) != line.amount:
                return ()
        for number, _, id_ in found:
            del self._left[number, line.on][id_]
        return tuple(found)


class _Finder:
    """Finds invoice numbers in what people type into a transfer: in any case, with other signs or
    none between its parts, but never inside a longer run of digits or letters. Where money went
    out a credit note's number stands for its invoice."""

    def __init__(self, numbers: Iterable[str], credit_notes: Mapping[str, str]) -> None:
        self._credited = credit_notes
        self._numbers: dict[str, list[str]] = {}
        for number in (*numbers, *credit_notes):
            self._numbers.setdefault("".join(_parts(number)), []).append(number)
        self._lengths = {len(squeezed) for squeezed in self._numbers}

    def named(self, line: Line) -> list[str]:
        """The invoices that a line names, in order of number."""
        text = f"{line.description} {line.reference}".upper()
        squeezed = _NOT_IN_NUMBERS.sub("", text)
        pieces = {
            squeezed[start : start + length]
            for length in self._lengths
            for start in range(len(squeezed) - length + 1)
        }
        found = {
            number
            for piece in pieces & self._numbers.keys()
            for number in self._numbers[piece]
            if _as_typed(number).search(text)
        }
        if line.amount > 0:
            found -= self._credited.keys()
        else:
            found = {self._credited.get(number, number) for number in found}
        return sorted(found, key=counted_up)


def _parts(number: str) -> list[str]:
    return [part for part in _NOT_IN_NUMBERS.split(number.upper()) if part]


def _as_typed(number: str) -> re.Pattern[str]:
    """Made of the few that a line may name: of all of a venue's it takes minutes."""
    between = r"[^A-Z0-9]{0,3}".join(map(re.escape, _parts(number)))
    return re.compile(rf"(?<![A-Z0-9]){between}(?![A-Z0-9])")
