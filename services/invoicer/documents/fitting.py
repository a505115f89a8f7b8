"""What surely fits on a page, reckoned a little too wide: typst would find out by setting a thing
twice or three times, which takes most of its time.

In mm, in Noto Sans at the template's usual size, measured: no letter of its kind is wider.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

DIGIT_MM, PERCENT_MM, SMALL_LETTER_MM, INSET_MM = 1.95, 2.8, 1.9, 3.3
"""A digit or a mark of an amount; "%"; any letter of a caption; a cell's two sides."""

LINE_MM = 2.4
"""A capital's height: a paragraph of one line has it."""

_LEADING_MM, _SPACING_MM = 1.9, 2.7  # between lines, and between paragraphs
_SMALL = 0.85  # a caption, of the usual size
_NARROW, _USUAL, _CAPITAL, _WIDE = 1.4, 2.3, 2.65, 3.35
_NARROW_ONES, _WIDE_ONES = frozenset("iljtfr.,:;'! ()"), frozenset("mwMWQ@%&")
_LAST_LATIN = "\u017f"
_REMEMBERED = 4_096  # names and prices: a menu has few of them


@lru_cache(_REMEMBERED)
def width_mm(text: str) -> float:
    """At least as wide as `text` is set; of what may be wider or higher than Latin: endless."""
    if text.isascii() or all(c <= _LAST_LATIN or c in "\u20ac\u200b\u2212" for c in text):
        return sum(map(letter_mm, text))
    return float("inf")


def height_mm(paragraphs: Iterable[str], room_mm: float) -> float:
    """At least as high as these paragraphs, one below another; endless where it can't be told."""
    lines = [_lines(text, room_mm) for text in paragraphs]
    within = sum(each * LINE_MM + (each - 1) * _LEADING_MM for each in lines)
    return within + _SPACING_MM * max(len(lines) - 1, 0)


def table_mm(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> float:
    """At least as wide as a table of amounts and rates, with small heads."""
    each = zip(heads, *rows, strict=True)
    return sum(
        max([width_mm(head) * _SMALL, *map(amount_mm, cells)]) + INSET_MM for head, *cells in each
    )


def amount_mm(text: str) -> float:
    """At least as wide as an amount, its currency's letters too, or a rate."""
    return sum(letter_mm(c) if c.isalpha() or c == "%" else DIGIT_MM for c in text)


def _lines(text: str, room_mm: float) -> float:
    """As many as it takes to fill each as far as whole words go, as typst does."""
    lines, used = 1, 0.0
    for word in text.split(" "):
        wide = width_mm(word)
        if wide > room_mm:
            return float("inf")
        if used + wide > room_mm:
            lines, used = lines + 1, 0.0
        used += wide + _NARROW
    return lines


def letter_mm(letter: str) -> float:
    """At least as wide as a Latin letter, or a mark that stands among them."""
    if letter in _NARROW_ONES:
        return _NARROW
    if letter in _WIDE_ONES or not letter.isascii():
        return _WIDE
    return _CAPITAL if letter.isupper() else _USUAL
