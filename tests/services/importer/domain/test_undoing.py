"""What takes an import back, thing by thing: what goes, what goes back, and why the rest stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from services.importer.domain.undoing import (
    KINDS,
    Kind,
    Standing,
    Step,
    Touched,
    left,
    undo_account,
    undo_customer,
    undo_link,
)

ANN, BOB = "ann", "bob"


def touched(
    kind: Kind,
    given: Mapping[str, Any] | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    holder: str | None = None,
    made: bool = True,
) -> Touched:
    return Touched(
        kind=kind,
        id=ANN if kind == "customer" else "1",
        made=made,
        given=given or {},
        before=before or {},
        holder=holder,
    )


def stands(holder: str | None = None, **fields: Any) -> Standing:
    return Standing(fields=fields, holder=holder)


def acts(steps: tuple[Step, ...]) -> list[tuple[str, str | None, dict[str, Any]]]:
    return [(step.act, step.type, dict(step.body)) for step in steps]


def test_a_customer_comes_last() -> None:
    assert KINDS == ("account", "link", "customer")


# --- accounts -----------------------------------------------------------------------------


@pytest.mark.parametrize("holder", [None, ANN])
def test_an_account_that_was_made_is_closed_unless_somebody_bought_on_it(
    holder: str | None,
) -> None:
    made = touched("account", {"limit": 5}, holder=ANN)
    (step,) = undo_account(made, stands(holder, status="active", limit=7), "en")
    assert acts((step,)) == [
        ("close", "account.change",
         {"accounts": ["1"], "status": "closed", "only_if_unused": True}),
    ]  # fmt: skip
    assert step.kept == ""


def test_an_account_that_was_made_stays_with_whoever_holds_it_since() -> None:
    (step,) = undo_account(touched("account", holder=ANN), stands(BOB, status="active"), "en")
    assert (step.act, step.type) == ("keep", None)
    assert step.kept == "it belongs to another customer since"
    (nobodys,) = undo_account(touched("account"), stands(BOB, status="active"), "nl")
    assert (nobodys.act, nobodys.kept) == ("keep", "zij is sindsdien van een andere klant")


def test_what_a_row_only_repeated_neither_goes_back_nor_is_told_as_changed_since() -> None:
    given, before = {"limit": 75, "on_account": True}, {"limit": 50, "on_account": True}
    changed = touched("account", given, before=before, made=False)
    (step,) = undo_account(changed, stands(limit=100, on_account=True), "en")
    assert (step.type, step.kept) == (None, "changed since the import: limit")
    (step,) = undo_account(changed, stands(limit=75, on_account=False), "en")
    assert (step.body, step.kept) == ({"accounts": ["1"], "limit": 50}, "")


def test_an_account_that_is_closed_or_not_known_is_left() -> None:
    assert undo_account(touched("account"), stands(status="closed"), "en") == ()
    assert undo_account(touched("account"), None, "en") == ()
    assert undo_account(touched("account", {"limit": 5}, made=False), None, "en") == ()


def test_an_account_that_was_changed_gets_back_what_is_still_as_the_import_left_it() -> None:
    changed = touched(
        "account", {"limit": 20, "description": "Bar"}, before={"limit": 10}, made=False
    )
    (step,) = undo_account(changed, stands(limit=20, description="Bar"), "en")
    assert acts((step,)) == [
        ("restore", "account.change", {"accounts": ["1"], "limit": 10, "description": None})
    ]
    assert step.kept == ""
    (partly,) = undo_account(changed, stands(limit=20, description="Kantine"), "en")
    assert acts((partly,)) == [("restore", "account.change", {"accounts": ["1"], "limit": 10})]
    assert partly.kept == "changed since the import: description"
    (not_at_all,) = undo_account(changed, stands(limit=30, description="Kantine"), "nl")
    assert acts((not_at_all,)) == [("restore", None, {})]
    assert not_at_all.kept == "sinds de import gewijzigd: Omschrijving, Limiet"


@pytest.mark.parametrize(
    ("given", "now", "goes_back"),
    [(0, 0, True), (None, None, True), (0, None, False), (None, 0, False), (5, 6, False)],
)
def test_no_limit_is_another_than_a_limit_of_nothing(
    given: int | None, now: int | None, goes_back: bool
) -> None:
    changed = touched("account", {"limit": given}, before={"limit": 100}, made=False)
    (step,) = undo_account(changed, stands(limit=now), "en")
    assert (step.type == "account.change") == goes_back
    assert bool(step.kept) != goes_back


def test_of_other_fields_nothing_and_an_empty_one_are_alike() -> None:
    changed = touched("account", {"description": None}, before={"description": "Bar"}, made=False)
    (step,) = undo_account(changed, stands(description=""), "en")
    assert step.body == {"accounts": ["1"], "description": "Bar"}


@pytest.mark.parametrize("name", ["status", "on_account", "in_overview"])
def test_a_field_that_is_never_null_is_not_put_back_to_nothing(name: str) -> None:
    given = {name: True, "description": "Bar"}
    changed = touched("account", given, before={"description": "Kantine"}, made=False)
    (step,) = undo_account(changed, stands(**given), "en")
    assert acts((step,)) == [
        ("restore", "account.change", {"accounts": ["1"], "description": "Kantine"})
    ]
    assert step.kept == ""
    known = touched("account", {name: True}, before={name: False}, made=False)
    (back,) = undo_account(known, Standing(fields={name: True}), "en")
    assert back.body == {"accounts": ["1"], name: False}
    alone = touched("account", {name: True}, made=False)
    assert undo_account(alone, Standing(fields={name: True}), "en") == ()


# --- links --------------------------------------------------------------------------------


def test_a_holder_is_taken_away_once_it_is_asked_whether_the_account_is_unused() -> None:
    steps = undo_link(touched("link", holder=ANN, made=False), stands(ANN), "en")
    assert acts(steps) == [
        ("probe", "account.change", {"accounts": ["1"], "only_if_unused": True}),
        ("unlink", "account.unlink", {"account": "1", "customer_id": ANN, "role": "holder"}),
    ]
    assert [step.kept for step in steps] == ["", ""]


def test_another_holder_stays_and_no_holder_is_nothing_to_take_away() -> None:
    link = touched("link", holder=ANN, made=False)
    (step,) = undo_link(link, stands(BOB), "en")
    assert (step.act, step.type) == ("keep", None)
    assert step.kept == "it belongs to another customer since"
    assert undo_link(link, stands(), "en") == ()
    assert undo_link(link, None, "en") == ()


# --- customers ----------------------------------------------------------------------------


def test_a_customer_who_was_made_is_erased() -> None:
    made = touched("customer", {"company": "A", "city": None})
    now = stands(company="A", city="", email_fictitious=True)
    assert acts(undo_customer(made, now, (), "en")) == [
        ("erase", "customer.erase", {"customer_id": ANN})
    ]


def test_a_customer_who_is_gone_is_left() -> None:
    for made in (True, False):
        one = touched("customer", {"company": "A"}, before={"company": "B"}, made=made)
        assert undo_customer(one, None, (), "en") == ()
        assert undo_customer(one, Standing(fields={"company": "A"}, erased=True), (), "en") == ()


@pytest.mark.parametrize(
    ("accounts", "kept"),
    [
        (["1"], "it still has account 1"),
        (["1", "2"], "it still has accounts 1, 2"),
        (["1", "2", "3", "4", "5"], "it still has accounts 1, 2, 3, 4, 5"),
        (["1", "2", "3", "4", "5", "6"], "it still has accounts 1, 2, 3, 4, 5 ..."),
    ],
)
def test_a_customer_who_is_in_use_stays(accounts: list[str], kept: str) -> None:
    (step,) = undo_customer(
        touched("customer", {"company": "A"}), stands(company="A"), accounts, "en"
    )
    assert (step.act, step.type, step.kept) == ("keep", None, kept)


def test_a_customer_of_whom_something_was_changed_or_added_stays() -> None:
    made = touched("customer", {"company": "A", "city": "Houten", "street": "Kade 1"})
    now = stands(company="A", city="Zeist", email="a@b.nl")
    (step,) = undo_customer(made, now, (), "en")
    assert (step.act, step.type) == ("keep", None)
    assert step.kept == "changed since the import: city, email, street"


def test_that_an_address_is_fictitious_counts_where_the_import_said_otherwise() -> None:
    made = touched("customer", {"company": "A", "email_fictitious": True})
    (step,) = undo_customer(made, stands(company="A", email_fictitious=False), (), "en")
    assert step.kept == "changed since the import: email fictitious"


def test_a_customer_who_was_changed_gets_back_what_it_was_though_it_is_in_use() -> None:
    changed = touched(
        "customer", {"city": "Zeist", "email": "a@b.nl"}, before={"city": "Houten"}, made=False
    )
    (step,) = undo_customer(changed, stands(city="Zeist", email="a@b.nl"), ["1"], "en")
    assert acts((step,)) == [
        ("restore", "customer.change", {"customer_id": ANN, "city": "Houten", "email": None})
    ]
    (partly,) = undo_customer(changed, stands(city="Zeist", email="c@d.nl"), (), "en")
    assert partly.body == {"customer_id": ANN, "city": "Houten"}
    assert partly.kept == "changed since the import: email"
    (not_at_all,) = undo_customer(changed, stands(city="Bunnik"), (), "en")
    assert acts((not_at_all,)) == [("restore", None, {})]
    assert not_at_all.kept == "changed since the import: city, email"


# --- what the registry refuses ---------------------------------------------------------------


def test_what_the_registry_would_not_take_back_is_told_in_our_words_or_in_its_own() -> None:
    assert left("account_used", "X", "en") == (
        "it was bought on; close it by hand once it is settled"
    )
    assert left("other", "no such thing", "en") == "the registry refused it: no such thing"
    assert left(None, None, "en") == "the registry refused it: "
