"""What a cancellation takes off a sale, line by line, in plain values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pos import ReversalRefusal, SaleLine
from services.authorizer.domain.reversals import Refused, Taken, spread, take_back
from tests.services.authorizer.support import cancelled


def sold(total: int, rate: str = "21", name: str = "Pils", quantity: str = "1") -> SaleLine:
    return SaleLine(
        description=name, quantity=quantity, unit_price=total, vat_rate=rate, total=total
    )


def take(
    sale: list[SaleLine], amount: int | None = None, before: tuple[int, ...] = (), **more: Any
) -> Taken | Refused:
    return take_back(cancelled("c", "s", amount, **more), sale, before or (0,) * len(sale))


def test_without_an_amount_all_that_is_left_is_taken() -> None:
    found = take([sold(500), sold(300, "9")], before=(100, 0))
    assert isinstance(found, Taken)
    assert (found.amount, found.of_lines) == (700, (400, 300))


def test_of_a_whole_line_the_quantity_is_told() -> None:
    found = take([SaleLine(description="Pils", quantity="2.5", unit_price=100, vat_rate="21",
                           total=250)])  # fmt: skip
    assert isinstance(found, Taken)
    assert [(line.quantity, line.total) for line in found.lines] == [("2.5", 250)]


def test_of_a_part_the_pieces_are_told_where_they_are_whole() -> None:
    line = SaleLine(description="Pils", quantity="3", unit_price=250, vat_rate="21", total=750)
    for amount, quantity in ((500, "2"), (400, None)):
        found = take([line], amount)
        assert isinstance(found, Taken)
        assert found.lines[0].quantity == quantity


def test_an_amount_is_spread_by_largest_remainder() -> None:
    found = take([sold(100), sold(100, "9"), sold(100, "0")], 100)
    assert isinstance(found, Taken)
    assert found.of_lines == (34, 33, 33)


def test_more_than_is_left_is_refused() -> None:
    assert take([sold(500)], 501) == Refused(reason=ReversalRefusal.EXCEEDS_SALE, field="amount")
    assert isinstance(take([sold(500)], 101, (400,)), Refused)


def test_a_sale_that_comes_to_nothing_is_undone_at_each_rate() -> None:
    swap = [sold(500), sold(-500, "9")]
    found = take(swap)
    assert isinstance(found, Taken)
    assert (found.amount, found.of_lines) == (0, (500, -500))
    again = take(swap, before=found.of_lines)
    assert isinstance(again, Taken)
    assert (again.amount, again.lines) == (0, ())


def test_nothing_is_left_of_what_was_taken_back_before() -> None:
    found = take([sold(500)], before=(500,))
    assert isinstance(found, Taken)
    assert (found.amount, found.lines) == (0, ())


def test_the_lines_that_a_till_means_are_found() -> None:
    lines = [sold(500, name="Pils"), sold(500, "9", name="Tosti"), sold(300, "9", name="Soep")]
    found = take(lines, 800, lines=[{"total": 500, "description": "Tosti"}, {"total": 300}])
    assert isinstance(found, Taken)
    assert found.of_lines == (0, 500, 300)


def test_one_line_that_is_meant_twice_gives_no_more_than_is_left_of_it() -> None:
    twice = [{"total": 400, "description": "Pils"}, {"total": 400, "description": "Pils"}]
    assert take([sold(700, name="Pils"), sold(100, name="Wijn")], 800, lines=twice) == Refused(
        reason=ReversalRefusal.EXCEEDS_SALE, field="lines.1.total"
    )


def test_a_line_of_which_too_little_is_left_is_not_the_first_that_is_meant() -> None:
    found = take(
        [sold(500, name="Pils"), sold(500, name="Pils")],
        700,
        lines=[{"total": 300, "description": "Pils"}, {"total": 400, "description": "Pils"}],
    )
    assert isinstance(found, Taken)
    assert found.of_lines == (300, 400)


def test_of_lines_alike_the_quantity_decides_where_as_much_is_left_of_both() -> None:
    lines = [sold(500, quantity="1"), sold(500, quantity="2"), sold(700, quantity="3")]
    for quantity, total, of_lines in (
        ("2", 500, (0, 500, 0)),
        ("3", 500, (500, 0, 0)),  # of another just so much is left
        ("3", 200, (0, 0, 200)),
        ("4", 200, (200, 0, 0)),
    ):
        found = take(lines, total, lines=[{"total": total, "quantity": quantity}])
        assert isinstance(found, Taken)
        assert found.of_lines == of_lines


def test_the_most_exactly_described_line_is_found_first() -> None:
    lines = [sold(500, name="Pils"), sold(500, name="Wijn")]
    found = take(lines, 1000, lines=[{"total": 500}, {"total": 500, "description": "Pils"}])
    assert isinstance(found, Taken)
    assert found.of_lines == (500, 500)


def test_how_many_are_taken_off_describes_no_line() -> None:
    lines = [sold(500, name="Pils"), sold(500, name="Wijn")]
    wanted = [{"total": 500, "quantity": "1"}, {"total": 500, "description": "Pils"}]
    found = take(lines, 1000, lines=wanted)
    assert isinstance(found, Taken)
    assert found.of_lines == (500, 500)


def test_not_a_cent_more_is_taken_of_a_line_than_is_left_of_it() -> None:
    lines = [sold(500, name="Pils"), sold(500, name="Wijn")]
    assert take(lines, 501, lines=[{"total": 501, "description": "Pils"}]) == Refused(
        reason=ReversalRefusal.EXCEEDS_SALE, field="lines.0.total"
    )


def test_a_discount_that_is_called_alike_is_no_line_to_take_from() -> None:
    found = take([sold(500), sold(-100), sold(300)], 650, lines=[{"total": 650}])
    assert isinstance(found, Taken)
    assert found.of_lines == (500, 0, 150)


@pytest.mark.parametrize(
    ("totals", "wanted", "of_lines"),
    [
        ((100, 500), [500], (0, 500)),  # just so much
        ((100, 700), [500], (0, 500)),  # more
        ((300, 300), [500, 100], (300, 300)),  # some of each, and of the second the rest
        ((300, 3, 3), [5, 1], (6, 0, 0)),
        ((3, 3), [5, 1], (3, 3)),  # to the last cent
    ],
)
def test_of_lines_alike_one_that_has_enough_is_taken_from(
    totals: tuple[int, ...], wanted: list[int], of_lines: tuple[int, ...]
) -> None:
    lines = [{"total": total} for total in wanted]
    found = take([sold(total) for total in totals], sum(wanted), lines=lines)
    assert isinstance(found, Taken)
    assert found.of_lines == of_lines


def test_the_rate_too_tells_one_line_from_another() -> None:
    lines = [sold(500, rate="21"), sold(500, rate="9")]
    wanted = [{"total": 500, "description": "Pils"}]
    found = take(lines, 1000, lines=[*wanted, {**wanted[0], "vat_rate": "21"}])
    assert isinstance(found, Taken)
    assert found.of_lines == (500, 500)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ([{"total": 300, "quantity": "0.3"}], "0.3"),
        ([{"total": 300, "quantity": "0.3", "description": "Pils"}], "0.3"),
        ([{"total": 300}], None),
        ([{"total": 250, "quantity": "0.3"}, {"total": 50, "quantity": "0.3"}], None),
    ],
)
def test_of_a_part_that_is_no_whole_piece_the_quantity_is_what_its_till_says(
    wanted: list[dict[str, Any]], told: str | None
) -> None:
    """Where it says it of just so much."""
    found = take([sold(1000)], sum(each["total"] for each in wanted), lines=wanted)
    assert isinstance(found, Taken)
    assert [line.quantity for line in found.lines] == [told]


def test_one_line_may_be_taken_from_several_that_are_alike() -> None:
    found = take([sold(250), sold(250)], 500, lines=[{"total": 500, "description": "Pils"}])
    assert isinstance(found, Taken)
    assert found.of_lines == (250, 250)


def test_the_last_cent_is_taken_from_the_next_line_that_is_alike() -> None:
    found = take([sold(500), sold(500)], 501, lines=[{"total": 501, "description": "Pils"}])
    assert isinstance(found, Taken)
    assert found.of_lines == (500, 1)


@pytest.mark.parametrize(
    "wanted",
    [
        {"description": "Wijn"},
        {"vat_rate": "9"},
        {"unit_price": 499},
        {"product": "p"},
    ],
)
def test_a_line_that_was_not_sold_is_refused(wanted: dict[str, Any]) -> None:
    found = take([sold(500)], 100, lines=[{"total": 100, **wanted}])
    assert found == Refused(reason=ReversalRefusal.EXCEEDS_SALE, field="lines.0.total")


def test_a_sale_that_is_taken_back_as_a_whole_is_undone_line_by_line() -> None:
    lines = [sold(1000), sold(-200, "0", name="Statiegeld"), sold(500, "9")]
    found = take(lines)
    assert isinstance(found, Taken)
    assert (found.amount, found.of_lines) == (1300, (1000, -200, 500))
    assert [(line.vat_rate, line.total) for line in found.lines] == [
        ("21", 1000), ("0", -200), ("9", 500),
    ]  # fmt: skip


def test_a_part_of_a_sale_with_a_discount_takes_a_part_of_the_discount_too() -> None:
    found = take([sold(1000), sold(-200, "0")], 400)
    assert isinstance(found, Taken)
    assert found.of_lines == (500, -100)


def test_the_last_of_the_lines_takes_the_discount_with_it() -> None:
    found = take([sold(1000), sold(-200, "0")], 800, lines=[{"total": 800, "vat_rate": "21"}])
    assert isinstance(found, Taken)
    assert found.of_lines == (1000, -200)


def test_a_line_beside_a_discount_may_be_taken_back_in_full() -> None:
    lines = [sold(500, name="Pils"), sold(500, name="Wijn"), sold(-200, name="Korting")]
    first = take(lines, 500, lines=[{"total": 500, "description": "Pils"}])
    assert isinstance(first, Taken)
    rest = take(lines, before=first.of_lines)
    assert isinstance(rest, Taken)
    assert rest.of_lines == (0, 500, -200)


parts = st.lists(st.integers(-(10**5), 10**6), min_size=1, max_size=12).filter(
    lambda given_parts: sum(given_parts) > 0
)


@given(parts, st.data())
def test_shares_sum_to_the_amount_and_none_exceeds_its_part(
    given_parts: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(given_parts)))
    shares = spread(amount, given_parts)
    assert sum(shares) == amount
    assert all(
        min(0, part) <= share <= max(0, part)
        for share, part in zip(shares, given_parts, strict=True)
    )


@given(parts, st.data())
def test_a_share_is_less_than_a_cent_from_its_exact_part(
    given_parts: list[int], data: st.DataObject
) -> None:
    amount = data.draw(st.integers(0, sum(given_parts)))
    for share, part in zip(spread(amount, given_parts), given_parts, strict=True):
        assert abs(share * sum(given_parts) - amount * part) < sum(given_parts)


sale_lines = st.lists(
    st.tuples(st.integers(-500, 1000), st.sampled_from(["0", "9", "21"])), min_size=1, max_size=8
).filter(lambda lines: sum(total for total, _ in lines) >= 0)


@given(sale_lines, st.lists(st.integers(1, 600), max_size=6))
def test_however_a_sale_is_taken_back_no_cent_too_much_or_too_little_goes(
    given_lines: list[tuple[int, str]], amounts: list[int]
) -> None:
    lines = [sold(total, rate) for total, rate in given_lines]
    total = sum(line.total for line in lines)
    taken = (0,) * len(lines)
    for amount in [*amounts, None]:
        found = take(lines, amount, taken)
        if isinstance(found, Refused):
            assert amount is not None
            assert amount > total - sum(taken)
            continue
        assert sum(found.of_lines) == found.amount == sum(line.total for line in found.lines)
        taken = tuple(a + b for a, b in zip(taken, found.of_lines, strict=True))
        assert all(
            min(0, line.total) <= t <= max(0, line.total)
            for t, line in zip(taken, lines, strict=True)
        )
    assert sum(taken) == total
    assert taken == tuple(line.total for line in lines)
