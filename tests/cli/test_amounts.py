"""Amounts as people write them become exact minor units, or are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.amounts import Misuse, cents, decimal, money


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12,50", 1250),
        ("12.5", 1250),
        ("12", 1200),
        ("€3,05", 305),
        ("€ 3", 300),
        ("-€16.75", -1675),
        ("-1,00", -100),
        ("0", 0),
    ],
)
def test_an_amount_is_read_with_a_comma_or_a_point(text: str, value: int) -> None:
    assert cents(text) == value


@pytest.mark.parametrize(
    "text", ["", "1.000,00", "1,005", "twaalf", "1e3", "1 000", "٣", "--1", "-€-1"]
)
def test_what_could_be_misread_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Misuse, match="without a separator of thousands, as in 12,50"):
        cents(text)


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_what_is_shown_can_be_read_back(amount: int) -> None:
    assert cents(money(amount).replace(",", "")) == amount
    assert cents(decimal(amount)) == amount
    assert "," not in decimal(amount)


def test_what_is_below_nothing_has_its_minus_before_the_sign() -> None:
    assert [money(-1675), money(-1675, "CHF"), money(-1675, None)] == [
        "-€16.75",
        "CHF -16.75",
        "-16.75",
    ]


@pytest.mark.parametrize(
    ("currency", "shown"),
    [("JPY", "JPY 125,000"), ("KWD", "KWD 125.000"), ("CHF", "CHF 1,250.00"), (None, "1,250.00")],
)
def test_a_currency_is_shown_with_the_decimals_that_it_has(
    currency: str | None, shown: str
) -> None:
    assert money(125_000, currency) == shown


def test_no_limit_is_said_in_words() -> None:
    assert money(None) == "no limit"


@pytest.mark.parametrize(("amount", "text"), [(0, "0.00"), (-5, "-0.05"), (123456, "1234.56")])
def test_cents_are_written_exactly(amount: int, text: str) -> None:
    assert decimal(amount) == text
