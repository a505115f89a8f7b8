"""VAT out of gross prices: what must hold for whatever tills send."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicer.vat import (
    VatRow,
    in_euros,
    line_bases,
    net_of,
    rate_text,
    round_half_up,
    spread,
    vat_in,
    vat_rows,
)

rates = st.sampled_from(["21", "9", "0", "5.5", "19.25", "100", "0.01", "99.99"])
amounts = st.integers(-10_000_000, 10_000_000)
bills = st.lists(st.tuples(rates, amounts), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("gross", "rate", "vat"),
    [
        (12100, "21", 2100),
        (350, "21", 61),  # 60.743...
        (1000, "9", 83),  # 82.568...
        (605, "21", 105),
        (995, "0", 0),
        (1, "100", 1),  # a half goes up
        (3, "100", 2),
        (-1, "100", -1),  # and away from zero below it
        (-350, "21", -61),
        (0, "21", 0),
    ],
)
def test_vat_is_taken_out_of_the_gross_amount_and_a_half_goes_up(
    gross: int, rate: str, vat: int
) -> None:
    assert vat_in(gross, rate) == vat


def test_rates_that_mean_the_same_make_one_row_and_the_highest_comes_first() -> None:
    rows = vat_rows([("9", 109), ("21.0", 121), ("21", 121), ("0", 5), ("0.00", 5)])
    assert [(row.rate, row.base, row.vat, row.gross) for row in rows] == [
        ("21", 200, 42, 242),
        ("9", 100, 9, 109),
        ("0", 10, 0, 10),
    ]


def test_vat_is_reckoned_over_the_sum_and_not_line_by_line() -> None:
    lines = [("21", 35)] * 10  # 6.07 each: 60.7 together
    assert vat_rows(lines)[0].vat == 61


@pytest.mark.parametrize(
    ("given_rate", "text"),
    [("21", "21"), ("21.00", "21"), ("5.50", "5.5"), ("20", "20"), ("0", "0")],
)
def test_a_rate_is_named_as_on_the_wire(given_rate: str, text: str) -> None:
    assert rate_text(given_rate) == text


def test_a_row_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="21%"):
        VatRow(rate="21", base=100, vat=20, gross=121)


@given(bills)
def test_what_is_paid_is_what_the_till_took(bill: list[tuple[str, int]]) -> None:
    rows = vat_rows(bill)
    assert sum(row.gross for row in rows) == sum(gross for _, gross in bill)
    assert sum(row.base + row.vat for row in rows) == sum(gross for _, gross in bill)


@given(bills)
def test_vat_is_within_half_a_cent_of_exact(bill: list[tuple[str, int]]) -> None:
    for row in vat_rows(bill):
        assert abs(
            row.gross * Fraction(row.rate) / (100 + Fraction(row.rate)) - row.vat
        ) <= Fraction(1, 2)


@given(bills)
def test_crediting_all_of_it_gives_all_of_the_vat_back(bill: list[tuple[str, int]]) -> None:
    back = vat_rows([(rate, -gross) for rate, gross in bill])
    assert [(r.rate, -r.base, -r.vat) for r in back] == [
        (r.rate, r.base, r.vat) for r in vat_rows(bill)
    ]


@given(bills)
def test_the_lines_sum_to_the_base_of_their_rate(bill: list[tuple[str, int]]) -> None:
    rows = vat_rows(bill)
    bases = line_bases(bill, rows)
    for row in rows:
        of_rate = [
            b for (rate, _), b in zip(bill, bases, strict=True) if rate_text(rate) == row.rate
        ]
        assert sum(of_rate) == row.base


@given(bills)
def test_no_line_is_off_by_a_cent_also_among_returns(bill: list[tuple[str, int]]) -> None:
    for (rate, gross), base in zip(bill, line_bases(bill, vat_rows(bill)), strict=True):
        assert abs(net_of(gross, rate) - base) < 1


@given(bills, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(bill: list[tuple[str, int]], rng: object) -> None:
    """Equal lines may swap their cents; what a rate and an amount get stays the same."""
    mixed = list(bill)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    assert vat_rows(mixed) == vat_rows(bill)
    there = sorted(zip(bill, line_bases(bill, vat_rows(bill)), strict=True))
    here = sorted(zip(mixed, line_bases(mixed, vat_rows(mixed)), strict=True))
    assert here == there


@given(st.integers(-1000, 1000), st.lists(st.fractions(-500, 500), min_size=1, max_size=30))
def test_a_spread_always_sums_to_its_total(total: int, shares: list[Fraction]) -> None:
    assert sum(spread(total, shares)) == total


def test_a_spread_over_nothing_is_refused_unless_it_is_of_nothing() -> None:
    assert spread(0, []) == ()
    with pytest.raises(ValueError, match="nothing to spread 5 over"):
        spread(5, [])


def test_the_cent_goes_to_the_largest_remainder_then_to_the_greater_share() -> None:
    assert spread(10, [Fraction("3.3"), Fraction("3.3"), Fraction("3.4")]) == (3, 3, 4)
    assert spread(8, [Fraction("2.5"), Fraction("5.5")]) == (2, 6)
    assert spread(2, [Fraction("0.5")] * 3) == (1, 1, 0)


@given(st.fractions(-1000, 1000))
def test_rounding_is_to_the_nearest_and_symmetric(value: Fraction) -> None:
    assert abs(value - round_half_up(value)) <= Fraction(1, 2)
    assert round_half_up(-value) == -round_half_up(value)


@pytest.mark.parametrize(
    ("vat", "decimals", "rate_", "cents"),
    [
        (224, 2, "0.9215", 206),
        (50, 2, "0.01", 1),  # half a cent goes up
        (-50, 2, "0.01", -1),
        (1000, 0, "0.0059", 590),  # yen have no cents
        (1000, 3, "3", 300),  # a dinar has a thousand
    ],
)
def test_euro_cents_are_exact_whatever_the_currencys_decimals(
    vat: int, decimals: int, rate_: str, cents: int
) -> None:
    assert in_euros(vat, decimals, rate_) == cents
