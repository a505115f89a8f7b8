"""What is known while rows are planned: who has an address or a name now, and the next number."""

from __future__ import annotations

import pytest

from services.importer.domain.book import Book, series_of
from tests.services.importer.domain.test_planning import (
    ANN,
    BOB,
    account,
    book,
    customer,
    planned,
    types,
)


@pytest.mark.parametrize(
    ("number", "series"),
    [
        ("28900001", 1),
        ("28909999", 9999),
        ("289010000", 10_000),
        ("2890999999", 999_999),
        ("2890001", 0),
        ("28901000000", 0),
        ("2890", 0),
        ("28910001", 0),
        ("10002890", 0),
        ("2890000a", 0),
        ("2890-001", 0),
        ("2890\u0661\u0662\u0663\u0664", 0),
    ],
)
def test_a_number_is_of_the_series_by_its_beginning_and_its_length(
    number: str, series: int
) -> None:
    assert series_of(2890, number) == series


def test_numbers_are_handed_out_after_the_last_one_and_none_twice() -> None:
    known = Book(environment=2890, last_in_series=8)
    known.know_account(account("28900010"))
    assert known.next_accounts(3) == ["28900009", "28900011", "28900012"]
    assert known.next_accounts(1) == ["28900013"]
    assert known.next_accounts(0) == known.next_accounts(-1) == []


def test_a_lower_number_that_a_row_has_does_not_set_the_series_back() -> None:
    known = Book(environment=2890, last_in_series=41)
    known.note_account(account("28900007"))
    assert known.next_accounts(1) == ["28900042"]
    known.note_account(account("28900050"))
    assert known.next_accounts(1) == ["28900051"]


def test_who_got_another_address_or_name_is_not_known_by_the_old_one() -> None:
    known = book(customer(ANN, first_name="Ann", last_name="Bos", email="ann@bos.nl"))
    ann = known.customers[ANN]
    ann.fields |= {"last_name": "Vos", "email": "ann@vos.nl"}
    known.note_customer(ann)
    assert (known.with_email("ann@bos.nl"), known.with_name({"annbos"})) == ([], [])
    assert (known.with_email("ann@vos.nl"), known.with_name({"annvos"})) == ([ann], [ann])
    assert list(known.changed_customers) == [ANN]


def test_who_has_no_address_is_nobody_with_that_address() -> None:
    known = book(customer(ANN, company="A"), customer(BOB, company="B", email="b@b.nl"))
    assert known.with_email(None) == []


def test_an_address_that_a_row_calls_made_up_identifies_its_customer_no_longer() -> None:
    known = book(customer(ANN, company="A", email="x@y.nl"))
    first, second = planned(
        known, ["Bedrijf", "Mail", "Fictief"], ["A", "x@y.nl", "ja"], ["B", "x@y.nl", None]
    )
    assert first.commands[0].body == {"customer_id": ANN, "email_fictitious": True}
    assert types(second) == ["customer.register"]


def test_the_accounts_of_a_customer_are_told_in_the_order_of_their_numbers() -> None:
    known = book(account("2", ANN), account("1", ANN), account("3", BOB), account("4"))
    assert [one.account for one in known.held_by(ANN)] == ["1", "2"]
    assert known.held_by("nobody") == []
    known.note_account(account("7"))
    assert list(known.changed_accounts) == ["7"]
