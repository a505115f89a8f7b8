"""Amounts are exact or refused: nothing is guessed."""

from typing import Any

import pytest

from services.importer.domain.amounts import amount_of, evidence, is_unclear, style_of
from services.importer.domain.cells import Odd
from services.importer.domain.currencies import currency_in
from services.importer.domain.refusals import Refusal

EXACT: list[tuple[Any, int]] = [
    (100, 10000),
    (12.5, 1250),
    (0, 0),
    (0.1 + 0.2, 30),
    (1234.56, 123456),
    ("12,50", 1250),
    ("12.50", 1250),
    ("12,5", 1250),
    ("100", 10000),
    ("1.250,00", 125000),
    ("1,250.00", 125000),
    ("1.250.000", 125000000),
    ("1 250,00", 125000),
    ("€ 100,-", 10000),
    ("€100", 10000),
    ("EUR 100", 10000),
    ("100 euro", 10000),
    ("1.250,-", 125000),
    (" 75\u00a0", 7500),
    (Odd(kind="padded", text="0050"), 5000),
    (99_999_999.99, 9_999_999_999),
    ("99.999.999,99", 9_999_999_999),
    (Odd(kind="padded", text="0"), 0),
]

REFUSED: list[tuple[Any, str]] = [
    ("12,5O", "not_an_amount"),
    ("veel", "not_an_amount"),
    ("€", "not_an_amount"),
    ("12,50 per maand", "not_an_amount"),
    ("1.250", "unclear_amount"),
    ("1,250", "unclear_amount"),
    ("0,125", "too_many_decimals"),
    (12.345, "too_many_decimals"),
    (-5, "negative_amount"),
    ("-5", "negative_amount"),
    (True, "not_an_amount"),
    (10**15, "damaged_number"),
    (10**9, "amount_too_large"),
    (100_000_000, "amount_too_large"),
    (10**15 - 1, "amount_too_large"),
    (-(10**15), "damaged_number"),
    (Odd(kind="long", text="1" * 100), "not_an_amount"),
    (-0.01, "negative_amount"),
    (Odd(kind="date", text="2026-05-01"), "is_date"),
    (Odd(kind="error", text="#N/A"), "is_error"),
    ("$50", "other_currency"),
    ("GBP 50", "other_currency"),
    (Odd(kind="money", text="$ 50"), "other_currency"),
]


@pytest.mark.parametrize(("cell", "cents"), EXACT)
def test_an_amount_is_read_to_the_cent(cell: Any, cents: int) -> None:
    assert amount_of(cell, style=None) == cents


@pytest.mark.parametrize(("cell", "code"), REFUSED)
def test_what_is_not_plainly_an_amount_is_refused(cell: Any, code: str) -> None:
    found = amount_of(cell, style=None)
    assert isinstance(found, Refusal)
    assert found.code == code


@pytest.mark.parametrize(
    ("text", "own", "other"),
    [
        ("€ 50", ["EUR"], ["USD", "CHF"]),
        ("50 euro", ["EUR"], ["USD"]),
        ("$50", ["USD", "CAD", "SRD"], ["EUR", "GBP"]),
        ("US$ 50", ["USD"], ["CAD", "EUR"]),
        ("C$50", ["CAD"], ["USD"]),
        ("usd 50", ["USD"], ["EUR", "CAD"]),
        ("50 dollar", ["USD", "CAD"], ["EUR"]),
        ("£50", ["GBP"], ["EUR"]),
        ("50 kr", ["DKK", "SEK"], ["EUR"]),
        ("CHF 50", ["CHF"], ["EUR"]),
        ("ƒ 50", ["AWG", "XCG"], ["EUR"]),
        ("XCG 50,00", ["XCG"], ["EUR"]),
        ("₿ 50", [], ["EUR", "USD"]),
    ],
)
def test_an_amount_is_of_the_environments_currency_or_refused(
    text: str, own: list[str], other: list[str]
) -> None:
    assert [amount_of(text, style=None, currency=c) for c in own] == [5000 for _ in own]
    for currency in other:
        found = amount_of(text, style=None, currency=currency)
        assert found == Refusal(code="other_currency", where=currency)


@pytest.mark.parametrize(
    ("text", "named"),
    [("€ 5 of $ 6", "€"), ("5 Euros", "Euros"), ("US$ 5", "US$"), ("5", ""), ("Eurosport", "")],
)
def test_the_currency_that_a_text_names_first_is_told_as_it_stands_there(
    text: str, named: str
) -> None:
    assert currency_in(text) == named


def test_a_letter_for_a_digit_is_answered_with_what_to_write() -> None:
    found = amount_of("12,5O", style=None)
    assert isinstance(found, Refusal)
    assert found.write == "12,50"


@pytest.mark.parametrize("empty", [None, "", "  ", "\u00a0"])
def test_an_empty_cell_says_nothing(empty: Any) -> None:
    assert amount_of(empty, style=None) is None


def test_the_column_settles_what_one_cell_leaves_open() -> None:
    dutch, english = (
        style_of(map(evidence, ["100", "1.250", "12,50"])),
        style_of(map(evidence, ["1,250.00", "1.250"])),
    )
    assert (dutch, english) == ("dutch", "english")
    assert amount_of("1.250", style=dutch) == 125000
    assert amount_of("1,250", style=english) == 125000
    too_fine = amount_of("1.250", style=english)
    assert isinstance(too_fine, Refusal)
    assert too_fine.code == "too_many_decimals"


def test_a_column_that_contradicts_itself_settles_nothing() -> None:
    assert style_of(map(evidence, ["12,50", "12.50"])) is None
    assert style_of(map(evidence, ["100", "1.250"])) is None


def test_only_one_group_of_three_is_unclear() -> None:
    assert is_unclear("€ 1.250")
    assert not any(is_unclear(x) for x in ("0.125", "1.250,00", "1250", 1.25, None))
    assert evidence("0.125") is None
