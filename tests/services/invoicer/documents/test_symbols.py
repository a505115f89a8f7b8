"""A symbol that is added up from earlier ones is the one that segno draws."""

import random
import string

import pytest
import segno

from services.invoicer.documents import symbols
from services.invoicer.documents.symbols import MASK, symbol

HEAD = "BCD\n002\n1\nSCT\n\n{}\nNL91ABNA0417164300\nEUR"


def drawn(text: str) -> str:
    """By segno alone, as text: a row a line."""
    code = segno.make(
        text, error="m", encoding="utf-8", eci=not text.isascii(), micro=False, boost_error=False,
        mask=MASK,
    )  # fmt: skip
    return "\n".join("".join(map(str, row)) for row in code.matrix)


def made(text: str) -> str:
    side, modules = symbol(text)
    assert len(modules) == side * side
    return "\n".join(modules[at : at + side] for at in range(0, side * side, side))


@pytest.mark.parametrize("name", ["De Club", "Café De Club", "龍 بار", "x" * 70])
def test_it_is_segnos_whatever_was_asked_before(name: str) -> None:
    rng = random.Random(5)
    for number in range(60):
        amount = f"{rng.randrange(1, 99_999) / 100:.2f}\n\n\n2026-{number:05}"
        text = HEAD.format(name) + amount
        assert made(text) == made(text) == drawn(text)


def test_texts_that_share_nothing_but_their_length_do_not_disturb_one_another() -> None:
    rng = random.Random(6)
    letters = string.printable
    for _ in range(300):  # more than are remembered
        text = "".join(rng.choice(letters) for _ in range(60)) + "a"
        assert made(text) == drawn(text)


def test_after_a_few_dozen_invoices_of_a_venue_none_is_drawn_any_more() -> None:
    symbols._known.cache_clear()
    texts = [
        f"{HEAD.format('Een andere club')}{cents / 100:.2f}\n\n\n2026-{cents:05}"
        for cents in range(10_000, 99_999, 17)
    ]
    for text in texts:
        symbol(text)
    known = symbols._known(True, len(texts[0].encode()))
    assert len(texts) > 5_000
    assert len(known) <= 41  # ten digits of four bits that change, and where it began
