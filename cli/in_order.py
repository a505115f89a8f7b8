"""Lists in the order in which people count."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"([0-9]+)")


def counted_up(number: str) -> tuple[str | int, ...]:
    """A key that puts invoice numbers by series, year and place in it: as text 2026-10000 stands
    before 2026-9999.

    Texts and integers take turns, a text first, so any two keys compare.
    """
    return tuple(
        int(part) if place % 2 else part for place, part in enumerate(_DIGITS.split(number))
    )
