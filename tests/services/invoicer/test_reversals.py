"""Which lines a reversal takes from: every cent, in any order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicer.reversals import SoldLine, TakenLine, apply


def sold(description: str, approved: int, rate: str = "21", **changes: object) -> SoldLine:
    values: dict[str, object] = {
        "description": description, "product": None, "quantity": "1", "unit_price": approved,
        "vat_rate": rate, "approved": approved,
    }  # fmt: skip
    return SoldLine(**{**values, **changes})  # type: ignore[arg-type]


def taken(description: str, total: int, rate: str = "21") -> TakenLine:
    return TakenLine(description=description, product=None, vat_rate=rate, total=total)


def test_a_line_that_is_named_is_taken_from() -> None:
    after = apply([sold("Bier", 700), sold("Wijn", 500)], [[taken("Wijn", 200)]])
    assert [line.reversed for line in after] == [0, 200]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"quantity": "1", "unit_price": 350}, {"quantity": "1", "unit_price": 300}),
        ({"quantity": "2", "unit_price": 300}, {"quantity": "1", "unit_price": 300}),
    ],
)
def test_of_lines_of_one_name_that_of_this_quantity_and_price_is_taken_from(
    first: dict[str, object], second: dict[str, object]
) -> None:
    back = TakenLine(
        description="Bier", product=None, vat_rate="21", total=300, quantity="1", unit_price=300
    )
    after = apply([sold("Bier", 600, **first), sold("Bier", 300, **second)], [[back]])
    assert [line.reversed for line in after] == [0, 300]


def test_what_does_not_fit_the_line_named_is_taken_from_its_rate_then_from_any() -> None:
    lines = [sold("Lunch", 300, "9"), sold("Bier", 100), sold("Wijn", 100)]
    after = apply(lines, [[taken("Wijn", 150)]])
    assert [line.reversed for line in after] == [0, 50, 100]
    after = apply(lines, [[taken("Wijn", 250)]])
    assert [line.reversed for line in after] == [50, 100, 100]


def test_a_swap_stands_until_its_lines_are_taken_back() -> None:
    """A cancellation that came before the sale, on another account, takes nothing."""
    swap = [sold("Wijn", 500), sold("Ruil", -500, "9")]
    assert apply(swap, [[]]) == swap
    after = apply(swap, [[], [taken("Wijn", 500), taken("Ruil", -500, "9")]])
    assert [line.reversed for line in after] == [500, -500]


def test_a_discount_goes_with_the_last_of_its_sale() -> None:
    lines = [sold("Bier", 1000), sold("Korting", -200)]
    after = apply(lines, [[taken("Bier", 500)]])
    assert [line.reversed for line in after] == [500, 0]
    after = apply(after, [[taken("Bier", 300)]])
    assert [line.reversed for line in after] == [1000, -200]


def test_a_discount_that_is_named_is_taken_back_as_it_was_given() -> None:
    lines = [sold("Bier", 1000), sold("Statiegeld", -200, "0")]
    after = apply(lines, [[taken("Bier", 500), taken("Statiegeld", -100, "0")]])
    assert [line.reversed for line in after] == [500, -100]
    with pytest.raises(ValueError, match="more than was sold"):
        apply(after, [[taken("Statiegeld", -101, "0")]])


def test_more_than_was_sold_is_refused() -> None:
    with pytest.raises(ValueError, match="more than was sold"):
        apply([sold("Bier", 100)], [[taken("Bier", 101)]])


@given(st.data())
def test_per_rate_the_sums_do_not_depend_on_the_order_of_reversals(data: st.DataObject) -> None:
    names = st.sampled_from(["Bier", "Wijn"])
    rates = st.sampled_from(["9", "21"])
    lines = [
        sold(data.draw(names), data.draw(st.integers(0, 500)), data.draw(rates))
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    # As the authorizer spreads: each reversal takes of a line what is left of it.
    left = {i: line.approved for i, line in enumerate(lines)}
    reversals = []
    for _ in range(data.draw(st.integers(1, 3))):
        i = data.draw(st.sampled_from(sorted(left)))
        amount = data.draw(st.integers(0, left[i]))
        left[i] -= amount
        if amount:
            reversals.append([taken(lines[i].description, amount, lines[i].vat_rate)])
    if not reversals:
        return
    found = set()
    for order in itertools.permutations(reversals):
        after = apply(lines, order)
        found.add(
            tuple(sum(x.reversed for x in after if x.vat_rate == rate) for rate in ("9", "21"))
        )
        assert all(0 <= x.reversed <= x.approved for x in after)
    assert len(found) == 1
