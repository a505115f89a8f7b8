"""What a row's commands wait for, what is noted of it, and what is counted for the whole list."""

from __future__ import annotations

from typing import Any

import pytest

from services.importer.domain.book import Book
from services.importer.domain.columns import Layout, Outline, lay_out
from services.importer.domain.house import House, Tally
from services.importer.domain.planning import Planner
from services.importer.domain.rows import RowReader
from tests.services.importer.domain.test_planning import (
    ANN,
    JOB,
    account,
    book,
    customer,
    messages,
    planned,
    types,
)

CEE = "00000000-0000-0000-0000-0000000000cc"


def test_a_change_of_who_was_made_by_an_earlier_row_waits_for_that() -> None:
    headers = ["Bedrijf", "Rekening", "Plaats", "Limiet"]
    first, second, third = planned(
        book(account("3", limit=0)), headers,
        ["A", 1, None, None], ["A", 2, "Houten", None], ["A", 3, "Houten", 5],
    )  # fmt: skip
    assert [c.after for c in first.commands] == [None, (2, 0)]
    assert types(second) == ["customer.change", "account.open"]
    assert [c.after for c in second.commands] == [(2, 0), (3, 0)]
    assert [c.step for c in second.commands] == [0, 1]
    assert types(third) == ["account.change", "account.link"]
    assert [(c.step, c.after) for c in third.commands] == [(0, (2, 0)), (1, (2, 0))]


def test_what_is_done_about_who_exists_waits_for_nothing_but_the_rows_own_change() -> None:
    known = book(customer(ANN, company="A"), account("1", ANN, limit=0))
    headers = ["Bedrijf", "Rekening", "Plaats", "Limiet"]
    (plan,) = planned(known, headers, ["A", 1, "Houten", 5])
    assert [(c.step, c.after) for c in plan.commands] == [(0, None), (1, (2, 0))]
    (plan,) = planned(book(customer(ANN, company="A")), headers, ["A", 2, None, 5])
    assert [(c.step, c.after) for c in plan.commands] == [(0, None)]


def test_of_a_row_that_changes_nothing_it_is_noted_who_it_is_about() -> None:
    """So that a later row that says otherwise is held against it, in another chunk too."""
    known = book(customer(ANN, company="A", city="Houten"))
    headers = ["Bedrijf", "Plaats", "Straat"]
    same, more, other = planned(
        known, headers, ["A", "Houten", None], ["A", None, "Kade 1"], ["A", "Zeist", None]
    )
    assert (same.verdict, more.verdict, other.verdict) == ("unchanged", "change", "refused")
    assert list(known.changed_customers) == [ANN]
    assert messages(other)[0].startswith("row 2 is about the same customer and says 'Houten' here")
    known = book(customer(ANN, company="A"))
    planned(known, ["Bedrijf"], ["A"])
    assert list(known.changed_customers) == [ANN]


def test_an_account_alone_says_nothing_of_its_holder() -> None:
    known = book(customer(ANN, company="A"), account("1", ANN, limit=0), account("2", CEE))
    first, _ = planned(known, ["Rekening", "Limiet", "Fictief"], [1, 5, None], [2, 5, "nee"])
    assert types(first) == ["account.change"]
    assert (list(known.changed_customers), CEE in known.customers) == ([], False)


def test_only_accounts_that_a_row_has_are_noted() -> None:
    known = book(customer(ANN, company="A"), account("28900001", ANN), account("28900002", ANN))
    planned(known, ["Bedrijf", "Rekening", "Aantal rekeningen"], ["A", None, None])
    assert list(known.changed_accounts) == []
    planned(known, ["Bedrijf", "Rekening", "Aantal rekeningen"], ["A", None, 2])
    assert list(known.changed_accounts) == ["28900001", "28900002"]
    # They were counted, and may be counted once more; no row has their numbers.
    (plan,) = planned(known, ["Bedrijf", "Rekening"], ["A", 28900001])
    assert plan.verdict == "unchanged"


def test_an_account_that_was_linked_is_its_holders_for_the_rows_after_it() -> None:
    known = book(account("28900001"), account("28900002"))
    headers = ["Bedrijf", "Rekening", "Aantal rekeningen"]
    first, more = planned(known, headers, ["A", 28900001, None], ["A", None, 2])
    assert types(first) == ["customer.register", "account.link"]
    assert [c.body["account"] for c in more.commands] == ["28900003"]


def test_an_account_that_is_closed_is_not_one_of_those_that_are_wanted() -> None:
    known = book(
        customer(ANN, company="A"),
        account("28900001", ANN, status="closed", limit=0),
        account("28900002", ANN, status="active", limit=0),
    )
    headers = ["Bedrijf", "Aantal rekeningen", "Limiet"]
    (plan,) = planned(known, headers, ["A", 2, 5])
    assert [c.body.get("accounts") or c.body["account"] for c in plan.commands] == [
        ["28900002"], "28900003",
    ]  # fmt: skip
    (fewer,) = planned(known, headers, ["A", 1, 5])
    (none,) = planned(known, headers, ["A", 0, 5])
    assert (fewer.verdict, none.verdict) == ("unchanged", "unchanged")


def test_a_limit_of_the_environment_that_is_written_out_changes_nothing() -> None:
    known = book()
    first = ["A", 28900001, None]
    assert counted(known, House(default_limit=500), [first]).limit_nought == 0
    assert known.accounts["28900001"].fields == {"limit": 500}
    assert known.accounts["28900001"].row == 2


def test_of_an_account_that_exists_only_that_it_is_closed_is_told() -> None:
    headers = ["Bedrijf", "Rekening", "Status"]
    fields = {"limit": 0, "on_account": True}
    for status, row, told in (
        ("active", ["A", 7, None], []),
        ("closed", ["A", 7, None], ["Rekening"]),
        ("closed", ["A", 7, "actief"], []),
    ):
        known = book(customer(ANN, company="A"), account("7", ANN, status=status, **fields))
        (plan,) = planned(known, headers, row)
        assert [w.column for w in plan.warnings] == told


def counted(known: Book, house: House, rows: list[list[Any]]) -> Tally:
    headers = ["Bedrijf", "Rekening", "Limiet", "Op rekening"]
    layout = lay_out(
        [Outline(name="x", hidden=False, rows=[(1, headers)])],
        sheet=None, mapping=None, tongue="en",
    )  # fmt: skip
    assert isinstance(layout, Layout)
    planner = Planner(job_id=JOB, tongue="en", defaults={}, house=house)
    reader = RowReader(layout=layout, tongue="en", styles={})
    for number, cells in enumerate(rows, start=2):
        entry = reader.read(number, cells)
        assert entry is not None
        planner.plan(entry, known)
    return planner.tally


@pytest.mark.parametrize(
    ("house", "nought", "may_not"),
    [
        (House(default_limit=0, default_on_account=False), 3, 3),
        (House(default_limit=0, default_on_account=True), 3, 0),
        (House(default_limit=500, default_on_account=False), 0, 3),
        (House(default_limit=None, default_on_account=None), 0, 0),
        (House(), 3, 0),
    ],
)
def test_new_accounts_of_which_nobody_says_that_they_may_buy_are_counted(
    house: House, nought: int, may_not: int
) -> None:
    rows = [["A", 1, None, None], ["B", 2, 5, None], ["C", 3, None, "ja"], ["D", 4, 0, "nee"],
            ["E", 5, None, None]]  # fmt: skip
    tally = counted(book(), house, rows)
    assert (tally.limit_nought, tally.may_not_buy) == (nought, may_not)
