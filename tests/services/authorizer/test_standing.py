"""What is used of a limit, in plain values."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pos import DeclineReason
from services.authorizer.domain.standing import Standing, Sums, barred, open_amount


@pytest.mark.parametrize(
    ("sums", "issued", "paid"),
    [
        (Sums(), 0, 0),
        (Sums(approved=1000), 1000, 1000),
        (Sums(approved=1000, reversed=300), 700, 700),
        (Sums(approved=1000, issued=1000), 0, 1000),
        (Sums(approved=1000, issued=1000, paid=400), 0, 600),
        (Sums(approved=1000, issued=1000, paid=1500), 0, 0),
        (Sums(approved=1000, issued=1000, paid=1500, refunded=500), 0, 0),
        (Sums(approved=1000, issued=1000, paid=1000, refunded=300), 0, 300),
        (Sums(approved=1000, issued=1000, refunded=300), 0, 1300),
        (Sums(approved=1000, issued=1000, credited=1000), 1000, 1000),
        (Sums(approved=1000, issued=1000, credited=1000, paid=1000), 1000, 1000),
        (Sums(approved=1000, reversed=1000, issued=1000), -1000, 0),
        (Sums(issued=1000), -1000, 0),
    ],
)
def test_what_is_open_follows_from_the_five_sums(sums: Sums, issued: int, paid: int) -> None:
    assert (open_amount(sums, "issued"), open_amount(sums, "paid")) == (issued, paid)


def test_less_than_nothing_used_counts_as_nothing() -> None:
    standing = Standing(limit=500, open=-300)
    assert (standing.used, standing.available) == (0, 500)
    assert standing.has_room_for(500)
    assert not standing.has_room_for(501)


def test_a_limit_lower_than_what_is_used_leaves_less_than_nothing() -> None:
    standing = Standing(limit=100, open=250)
    assert standing.available == -150
    assert not standing.has_room_for(0)


def test_without_a_limit_there_is_always_room() -> None:
    standing = Standing(limit=None, open=10**15)
    assert standing.has_room_for(10**13)
    assert standing.available is None


@pytest.mark.parametrize("status", ["inactive", "blocked", "closed"])
def test_only_an_active_account_can_be_charged(status: str) -> None:
    assert barred(status, True) is DeclineReason.ACCOUNT_INACTIVE


def test_an_active_account_may_still_not_be_bought_on() -> None:
    assert barred("active", False) is DeclineReason.NOT_ALLOWED_ON_ACCOUNT
    assert barred("active", True) is None


@given(st.lists(st.tuples(st.sampled_from(Sums._fields), st.integers(0, 999))))
def test_what_is_used_is_the_same_in_every_order_of_events(events: list[tuple[str, int]]) -> None:
    def after(history: tuple[tuple[str, int], ...]) -> Sums:
        sums = dict.fromkeys(Sums._fields, 0)
        for name, amount in history:
            sums[name] += amount
        return Sums(**sums)

    orders = {after(order) for order in permutations(events[:5])}
    assert len(orders) == 1
    for release in ("issued", "paid"):
        assert len({open_amount(sums, release) for sums in orders}) == 1
