"""What is used of a limit, in every order of every event that moves it, on the real store.

`make prove-interleavings` also walks all 5,040 orders of seven events.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof.interleaving import AllOrders, Event
from tests.proof.rig import Rig
from tests.support.databases import Database

pytestmark = pytest.mark.timeout(600)
ALL = os.environ.get("ONACCOUNT_ALL_ORDERS") == "1"

BILLED = (("sale", 1, 1000), ("cancel", 1, 1, 300), ("invoice", 1, 700), ("credit_note", 1, 200),
          ("payment", 1, 600))  # fmt: skip
PAID = ("release", "paid")
CALLED_OFF = (("sale", 1, 500), ("cancel", 1, 1, None), ("sale", 2, 800), ("invoice", 1, 1300),
              ("payment", 1, 100), PAID)  # fmt: skip


@pytest.fixture(scope="module")
def rig(module_postgres: Database) -> Iterator[Rig]:
    made = Rig(module_postgres)
    yield made
    made.close()


def test_every_order_of_sale_reversal_invoice_credit_note_and_payment_ends_alike(rig: Rig) -> None:
    assert AllOrders(rig, BILLED).walk() == {(1000, 300, 700, 200, 600, 0, "issued")}


@pytest.mark.skipif(not ALL, reason="make prove-interleavings")
def test_every_order_with_a_refund_and_a_change_of_release_ends_alike(rig: Rig) -> None:
    ends = AllOrders(rig, (*BILLED, ("refund", 1, 50), PAID)).walk()
    assert ends == {(1000, 300, 700, 200, 600, 50, "paid")}


@pytest.mark.skipif(not ALL, reason="make prove-interleavings")
def test_every_order_of_seven_events_ends_in_the_last_release_that_was_chosen(rig: Rig) -> None:
    ends = AllOrders(rig, (*BILLED, PAID, ("release", "issued"))).walk()
    assert ends == {(1000, 300, 700, 200, 600, 0, release) for release in ("issued", "paid")}


@pytest.mark.skipif(not ALL, reason="make prove-interleavings")
def test_a_sale_that_is_called_off_leaves_nothing_used_whichever_came_first(rig: Rig) -> None:
    ends = AllOrders(rig, CALLED_OFF).walk()
    assert ends == {(1300, 500, 1300, 0, 100, 0, "paid"), (800, 0, 1300, 0, 100, 0, "paid")}


amounts = st.integers(0, 2_000)
events: st.SearchStrategy[Event] = st.one_of(
    st.tuples(st.just("sale"), st.integers(1, 2), amounts),
    st.tuples(st.just("cancel"), st.integers(1, 2), st.integers(1, 2), st.none()),
    st.tuples(st.just("cancel"), st.integers(3, 4), st.integers(1, 2), st.integers(1, 2_000)),
    st.tuples(
        st.sampled_from(("invoice", "credit_note", "payment", "refund")), st.integers(1, 2), amounts
    ),
    st.tuples(st.just("release"), st.sampled_from(("issued", "paid"))),
)


def named(event: Event) -> tuple[Any, ...]:
    """One id, one content: a second would be refused, which is not what this is about."""
    return event[:1] if event[0] == "release" else event[:2]


@settings(max_examples=200 if ALL else 12, deadline=None, derandomize=not ALL, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(history=st.lists(events, min_size=2, max_size=4, unique_by=named))
def test_every_order_of_any_small_history_is_answered_and_summed_as_the_model_says(
    rig: Rig, history: list[Event]
) -> None:
    AllOrders(rig, history).walk()
