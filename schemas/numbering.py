"""Number formats (`{year}-{seq:05}`): what they write, and whether two could write the same.

An environment may count invoices and credit notes in series of their own, each in a format of its
own. A number must mean one document for ever (art. 35a(1)(b) Wet OB 1968), so the formats must
never meet, however far either series counts.
"""

from __future__ import annotations

import re
import string
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

_PIECE: Final = re.compile(r"\{(year)\}|\{(seq)(?::0([1-9]))?\}")
_ZERO: Final = frozenset("0")
_DIGITS: Final = frozenset(string.digits)
_UPWARDS: Final = _DIGITS - _ZERO


def pieces(number_format: str) -> Iterator[tuple[str, str]]:
    """("text", what stands there), ("year", "") and ("seq", its least width), in order."""
    end = 0
    for found in _PIECE.finditer(number_format):
        if found.start() > end:
            yield "text", number_format[end : found.start()]
        yield ("year", "") if found[1] else ("seq", found[3] or "1")
        end = found.end()
    if end < len(number_format):
        yield "text", number_format[end:]


def writes_numbers(number_format: str) -> bool:
    """Whether messages take what a checked format writes: a number has no blanks at either end
    (values.InvoiceNumber)."""
    return number_format == number_format.strip()


def pattern(number_format: str) -> tuple[str, int, int]:
    """A regular expression of all that a format writes, and its groups of year and sequence.

    Year and separators have fixed lengths, so a number is read in one way only.
    """
    made, groups = "", []
    for kind, content in pieces(number_format):
        if kind == "text":
            made += re.escape(content)
        else:
            groups.append(kind)
            made += r"([0-9]{4})" if kind == "year" else rf"([0-9]{{{content},}})"
    return f"^{made}$", groups.index("year") + 1, groups.index("seq") + 1


@dataclass(slots=True)
class _Automaton:
    """Accepts what a format writes: for any year of four digits and any sequence from 1."""

    steps: list[list[tuple[frozenset[str], int]]] = field(default_factory=lambda: [[]])
    end: int = 0

    def state(self) -> int:
        self.steps.append([])
        return len(self.steps) - 1

    def take(self, characters: frozenset[str], start: int, then: int | None = None) -> int:
        target = self.state() if then is None else then
        self.steps[start].append((characters, target))
        return target

    def text(self, content: str, start: int) -> int:
        for character in content:
            start = self.take(frozenset(character), start)
        return start

    def year(self, _: str, start: int) -> int:
        start = self.take(_UPWARDS, start)
        for _digit in range(3):
            start = self.take(_DIGITS, start)
        return start

    def seq(self, width: str, start: int) -> int:
        """Zeros up to the width, then a number without: never nothing but zeros."""
        least, end = int(width), self.state()
        zeros = start
        for zero in range(least):
            counting = self.take(_UPWARDS, zeros, end if zero == least - 1 else None)
            for place in range(zero + 1, least):
                counting = self.take(_DIGITS, counting, end if place == least - 1 else None)
            if zero < least - 1:
                zeros = self.take(_ZERO, zeros)
        # Longer than its width it never begins with a zero.
        longer = self.take(_UPWARDS, start)
        for _place in range(least - 1):
            longer = self.take(_DIGITS, longer)
        self.take(_DIGITS, longer, end)
        self.take(_DIGITS, longer, longer)
        return end


def _automaton(number_format: str) -> _Automaton:
    made, place = _Automaton(), 0
    ways: dict[str, Callable[[str, int], int]] = {
        "text": made.text, "year": made.year, "seq": made.seq,
    }  # fmt: skip
    for kind, content in pieces(number_format):
        place = ways[kind](content, place)
    made.end = place
    return made


def in_common(one: str, other: str) -> str | None:
    """The shortest number that both formats could write, in whatever years; None: there is none."""
    a, b = _automaton(one), _automaton(other)
    seen = {(0, 0)}
    waiting = deque([(0, 0, "")])
    while waiting:
        here, there, written = waiting.popleft()
        if (here, there) == (a.end, b.end):
            return written
        for left, next_here in a.steps[here]:
            for right, next_there in b.steps[there]:
                both = left & right
                if both and (next_here, next_there) not in seen:
                    seen.add((next_here, next_there))
                    waiting.append((next_here, next_there, written + min(both)))
    return None
