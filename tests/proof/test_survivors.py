"""What mutation testing found that no test had seen (docs/proof.md), in plain values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.pos import SaleLine
from services.authorizer.domain.accounts import (
    MAX_VIEWERS,
    MOST_WARNINGS,
    change,
    link,
    open_account,
    unlink,
)
from services.authorizer.domain.entities import (
    Account,
    Applied,
    Customer,
    Environment,
    Refusal,
    Registry,
)
from services.authorizer.domain.environments import accept_gdpr, configure
from services.authorizer.domain.reversals import Taken, spread, take_back
from services.authorizer.domain.standing import Standing, Sums
from tests.services.authorizer.support import GUEST, NOON, VENUE, cancelled, command, uid


def pils(quantity: str, unit_price: int, total: int) -> SaleLine:
    return SaleLine(
        description="Pils", quantity=quantity, unit_price=unit_price, vat_rate="21", total=total
    )


def taken(lines: list[SaleLine], amount: int, **asked: str) -> Taken:
    wanted = cancelled("c", "s", amount, lines=[{"total": amount, **asked}])
    found = take_back(wanted, lines, (0,) * len(lines))
    assert isinstance(found, Taken)
    return found


@pytest.mark.parametrize(("quantity", "place"), [("1", 0), ("2", 1)])
def test_of_lines_that_fit_alike_the_one_of_that_quantity_is_meant(
    quantity: str, place: int
) -> None:
    lines = [pils("1", 500, 500), pils("2", 250, 500), pils("1", 900, 900)]
    assert taken(lines, 500, quantity=quantity).of_lines[place] == 500


def test_the_quantity_that_a_till_says_of_a_part_is_told() -> None:
    """A part of a litre is no whole number of prices: only the till knows how much it was."""
    litre = [pils("1.5", 333, 500)]
    assert [x.quantity for x in taken(litre, 100, quantity="0.3").lines] == ["0.3"]
    assert [x.quantity for x in taken(litre, 100).lines] == [None]
    wanted = cancelled("c", "s", 150, lines=[{"total": 100, "quantity": "0.3"}, {"total": 50}])
    found = take_back(wanted, litre, (0,))
    assert isinstance(found, Taken)
    assert [x.quantity for x in found.lines] == [None]  # said of another amount


@pytest.mark.parametrize(("viewers", "taken_in"), [(MAX_VIEWERS - 1, True), (MAX_VIEWERS, False)])
def test_an_account_has_no_more_viewers_than_its_state_can_tell(
    viewers: int, taken_in: bool
) -> None:
    account = Account(
        environment=VENUE, account=GUEST, viewers=frozenset(uid(n) for n in range(viewers))
    )
    jo = Customer(environment=VENUE, customer_id=uid("jo"), version=1, fields={"company": "Jo"})
    registry = Registry(customers={(VENUE, jo.customer_id): jo}, accounts={(VENUE, GUEST): account})
    wanted = command("account.link", "l", account=GUEST, customer_id=uid("jo"), role="viewer")
    outcome = link(wanted, registry, Environment(environment=VENUE))
    assert MAX_VIEWERS == 1_000  # as schemas/registry.py, account.state, has it
    assert isinstance(outcome, Applied if taken_in else Refusal)


def known(account: Account) -> Registry:
    jo = Customer(environment=VENUE, customer_id=uid("jo"), version=1, fields={"company": "Jo"})
    return Registry(
        customers={(VENUE, jo.customer_id): jo}, accounts={(VENUE, account.account): account}
    )


def test_a_viewer_who_is_unlinked_may_look_no_longer() -> None:
    viewers = frozenset({uid("jo"), uid("an")})
    account = Account(environment=VENUE, account=GUEST, version=3, viewers=viewers)
    gone = command("account.unlink", "u", account=GUEST, customer_id=uid("jo"), role="viewer")
    outcome = unlink(gone, known(account), Environment(environment=VENUE))
    assert isinstance(outcome, Applied)
    (after,) = outcome.entities
    assert isinstance(after, Account)
    assert (after.viewers, after.version) == ({uid("an")}, 4)


@pytest.mark.parametrize(
    ("before", "after", "warns"),
    [("active", "closed", True), ("active", "blocked", False), ("closed", "closed", False),
     ("closed", "active", False)],
)  # fmt: skip
def test_only_closing_warns_of_what_is_not_invoiced(before: str, after: str, warns: bool) -> None:
    account = Account(environment=VENUE, account=GUEST, status=before, sums=Sums(approved=500))
    wanted = command("account.change", "c", accounts=[GUEST], status=after, description="x")
    outcome = change(wanted, known(account), Environment(environment=VENUE))
    assert isinstance(outcome, Applied)
    assert bool(outcome.warnings) == warns


def test_accounts_beyond_those_that_are_named_are_told_of_together() -> None:
    """By the first of them; an account on which nothing is open is not counted."""

    def closed(owing: Sums, count: int) -> Applied:
        names = [f"2890{n:05}" for n in range(count)]
        registry = Registry(
            accounts={
                (VENUE, name): Account(environment=VENUE, account=name, sums=owing)
                for name in names
            }
        )
        wanted = command("account.change", "c", accounts=names, status="closed")
        outcome = change(wanted, registry, Environment(environment=VENUE))
        assert isinstance(outcome, Applied)
        return outcome

    assert MOST_WARNINGS == 100  # as decision 18 has it
    warned = closed(Sums(approved=500), MOST_WARNINGS + 2).warnings
    assert len(warned) == MOST_WARNINGS + 1
    assert warned[-1].id == f"2890{MOST_WARNINGS:05}"
    assert "10.00 on 2 more accounts" in warned[-1].message
    assert closed(Sums(), MOST_WARNINGS + 2).warnings == ()
    assert len(closed(Sums(approved=1), 1).warnings) == 1


def test_unlinking_a_holder_warns_of_money_only_where_there_is_some() -> None:
    gone = command("account.unlink", "u", account=GUEST, customer_id=uid("jo"), role="holder")
    for sums, warnings in ((Sums(), 0), (Sums(approved=1), 1)):
        account = Account(environment=VENUE, account=GUEST, holder=uid("jo"), sums=sums)
        outcome = unlink(gone, known(account), Environment(environment=VENUE))
        assert isinstance(outcome, Applied)
        assert len(outcome.warnings) == warnings


@pytest.mark.parametrize("do", [link, unlink])
def test_who_or_what_is_not_known_can_not_be_tied_or_untied(do: Any) -> None:
    kind, house = f"account.{do.__name__}", Environment(environment=VENUE)
    registry = known(Account(environment=VENUE, account=GUEST))
    for account, customer, field in (("1", "jo", "account"), (GUEST, "an", "customer_id")):
        wanted = command(kind, "x", account=account, customer_id=uid(customer), role="viewer")
        outcome = do(wanted, registry, house)
        assert isinstance(outcome, Refusal)
        assert outcome.field == field


def test_a_customer_has_no_accounts_of_another_environment() -> None:
    account = Account(environment=VENUE, account=GUEST, viewers=frozenset({uid("jo")}))
    registry = known(account)
    assert registry.accounts_of(VENUE, uid("jo")) == [account]
    assert registry.accounts_of(VENUE + 1, uid("jo")) == []


def test_an_environment_begins_switched_off() -> None:
    begun = configure(command("environment.configure", "c", name="De Bar"), None)
    assert isinstance(begun, Applied)
    (environment,) = begun.entities
    assert isinstance(environment, Environment)
    assert not environment.active
    assert environment.settings["import_enabled"]
    assert environment.settings["payment_days"] == 14


def test_an_account_of_which_no_limit_is_said_has_nothing_to_spend() -> None:
    outcome = open_account(
        command("account.open", "o", account=GUEST), Registry(), Environment(environment=VENUE)
    )
    assert isinstance(outcome, Applied)
    (account,) = outcome.entities
    assert isinstance(account, Account)
    assert account.limit == 0


def test_what_is_missing_goes_to_the_largest_remainder_not_to_the_largest_part() -> None:
    """Of 5: 8/13 is 3 and a thirteenth, 5/13 is 1 and twelve."""
    assert spread(5, (8, 5)) == [3, 2]


def test_two_that_fit_the_same_lines_take_no_more_off_one_than_is_left() -> None:
    lines = [pils("1", 500, 500), pils("1", 200, 200)]
    wanted = cancelled("c", "s", 650, lines=[{"total": 300}, {"total": 350}])
    found = take_back(wanted, lines, (0, 0))
    assert isinstance(found, Taken)
    assert sum(found.of_lines) == 650
    assert all(part <= each.total for part, each in zip(found.of_lines, lines, strict=True))


def test_the_last_cent_of_a_line_can_be_taken_back() -> None:
    assert taken([pils("1", 1, 1)], 1).of_lines == (1,)


def test_terms_that_are_accepted_again_stay_as_they_were_unless_they_are_others() -> None:
    """The day on which they were accepted counts for whoever asks."""

    def accepted(by: str, document: str, day: int, before: Environment | None) -> Environment:
        wanted = command("environment.accept_gdpr", day, accepted_by=by, document=document)
        outcome = accept_gdpr(wanted.model_copy(update={"at": NOON + timedelta(days=day)}), before)
        assert isinstance(outcome, Applied)
        (after,) = outcome.entities or (before,)
        assert isinstance(after, Environment)
        return after

    first = accepted("Jo", "terms-1", 0, None)
    assert first.gdpr is not None
    assert accepted("Jo", "terms-1", 1, first).gdpr == first.gdpr
    for by, document in (("An", "terms-1"), ("Jo", "terms-2")):
        again = accepted(by, document, 2, first).gdpr
        assert again is not None
        assert (again.accepted_by, again.document) == (by, document)
        assert again.at == NOON + timedelta(days=2)


def test_an_account_that_is_opened_again_without_naming_its_holder_is_unchanged() -> None:
    account = Account(environment=VENUE, account=GUEST, version=1, holder=uid("jo"))
    again = command("account.open", "again", account=GUEST)
    outcome = open_account(again, known(account), Environment(environment=VENUE))
    assert isinstance(outcome, Applied)
    assert [change.change for change in outcome.changes] == ["unchanged"]


def test_what_a_till_says_of_one_line_is_not_told_of_another() -> None:
    def litre(of: str) -> SaleLine:
        return SaleLine(description=of, quantity="1.5", unit_price=333, vat_rate="21", total=500)

    said = [{"total": 100, "description": of, "quantity": quantity}
            for of, quantity in (("Bier", "0.3"), ("Wijn", "0.2"))]  # fmt: skip
    found = take_back(cancelled("c", "s", 200, lines=said), [litre("Bier"), litre("Wijn")], (0, 0))
    assert isinstance(found, Taken)
    assert [line.quantity for line in found.lines] == ["0.3", "0.2"]


def test_what_stands_on_no_invoice_is_what_was_sold_less_what_came_back_and_was_invoiced() -> None:
    sums = Sums(approved=1_000, reversed=200, issued=300, credited=50, paid=7)
    assert sums.unbilled == 1_000 - 200 - 300 + 50


def test_a_description_is_kept_and_null_empties_it() -> None:
    account = Account(environment=VENUE, account=GUEST, version=1, description="Tafel 8")
    for said, kept in (("Tafel 9", "Tafel 9"), (None, "")):
        wanted = command("account.change", "c", accounts=[GUEST], description=said)
        outcome = change(wanted, known(account), Environment(environment=VENUE))
        assert isinstance(outcome, Applied)
        (after,) = outcome.entities
        assert isinstance(after, Account)
        assert after.description == kept


@pytest.mark.parametrize(("open_", "used"), [(-1, 0), (0, 0), (1, 1)])
def test_what_is_used_is_to_the_cent(open_: int, used: int) -> None:
    standing = Standing(limit=100, open=open_)
    assert standing.used == used
    assert standing.has_room_for(100 - used)
    assert not standing.has_room_for(100 - used + 1)
