"""What mutation testing found that no test had seen (docs/proof.md), in plain values."""

from __future__ import annotations

import pytest

from schemas.pos import SaleLine
from services.authorizer.domain.accounts import MAX_VIEWERS, change, link, unlink
from services.authorizer.domain.entities import (
    Account,
    Applied,
    Customer,
    Environment,
    Refusal,
    Registry,
)
from services.authorizer.domain.reversals import Taken, take_back
from services.authorizer.domain.standing import Sums
from tests.services.authorizer.support import GUEST, VENUE, cancelled, command, uid


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
