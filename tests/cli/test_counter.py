"""What is typed at the till in the terminal, and what the till makes of it."""

import pytest

from cli.amounts import Misuse
from cli.counter.tab import Guest, Sold, Tab
from cli.counter.typed import HELP, WORDS, Typed, understand
from cli.till import Entry


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Typed(kind="charge")),
        ("  pay ", Typed(kind="charge")),
        ("twelve", Typed(kind="find", text="twelve")),
        ("find 3", Typed(kind="find", text="3")),
        ("sales office", Typed(kind="find", text="sales office")),
        ("on the roof", Typed(kind="find", text="on the roof")),
        ("3", Typed(kind="pick", number=3)),
        ("6", Typed(kind="find", text="6")),
        ("28900001", Typed(kind="find", text="28900001")),
        ("cancel", Typed(kind="cancelled")),
        ("c 2", Typed(kind="cancelled", number=2)),
        ("cancel 3,50", Typed(kind="cancelled", amount=350)),
        ("return 2 3,50", Typed(kind="returned", number=2, amount=350)),
        ("settle 1 €4", Typed(kind="settled", number=1, amount=400)),
        ("list 2", Typed(kind="list", number=2)),
        ("d", Typed(kind="drop")),
        ("OFFLINE", Typed(kind="offline")),
        ("?", Typed(kind="help")),
    ],
)
def test_a_line_is_understood(text: str, meant: Typed) -> None:
    assert understand(text, listed=5) == meant


def test_what_is_sold_is_put_on_the_tab() -> None:
    meant = understand("2 x Pils 3,50 21%", listed=0)
    assert (meant.kind, (meant.line or {})["total"]) == ("item", 700)


@pytest.mark.parametrize("text", ["cancel 0", "cancel 1 2 3", "cancel x", "list x", "drop 0"])
def test_half_a_command_is_told_with_how_it_is_written(text: str) -> None:
    with pytest.raises(Misuse):
        understand(text, listed=5)


def test_the_help_names_every_kind_of_thing_that_can_be_typed() -> None:
    shown = " ".join(words for words, _ in HELP)
    for word in ("drop", "cancel", "return", "settle", "sales", "repeat", "offline", "online",
                 "list", "on", "quit"):  # fmt: skip
        assert word in WORDS
        assert word in shown


def test_a_new_sign_on_says_what_came_and_what_went() -> None:
    tab = Tab(directory=[Guest(account="1", name="a"), Guest(account="2", name="b")])
    entries = [Entry(account=n, name="x", description="") for n in ("2", "3", "4")]
    assert tab.sign_on(entries) == (2, 1)
    assert tab.guest_of("3") is not None
    assert tab.guest_of("1") is None


def test_a_sale_says_how_it_stands() -> None:
    sale = Sold({"total": 500})
    assert "waits" in sale.status
    sale.answer = {"type": "sale.declined", "reason": "over_limit"}
    assert sale.status == "declined: over limit"
    sale.answer = {"type": "sale.approved"}
    assert sale.status == "approved"
    sale.taken_back = 200
    assert sale.status == "a part taken back"
    sale.taken_back = 500
    assert sale.status == "taken back"
