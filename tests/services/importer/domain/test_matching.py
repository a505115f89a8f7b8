"""Whom a row is about, where its account, its address and its names do not say the same."""

from __future__ import annotations

from typing import Any

import pytest

from services.importer.domain.book import KnownCustomer
from services.importer.domain.planning import RowPlan
from tests.services.importer.domain.test_planning import (
    ANN,
    BOB,
    account,
    book,
    customer,
    messages,
    planned,
    types,
)

CEE = "00000000-0000-0000-0000-0000000000cc"


def about(plan: RowPlan) -> str:
    """The customer whom a row changes."""
    ident: str = plan.commands[0].body["customer_id"]
    return ident


def dijk(**fields: Any) -> KnownCustomer:
    whole = {"first_name": "Piet", "infix": "van", "last_name": "Dijk", "email": "piet@dijk.nl"}
    return customer(ANN, **whole | fields)


# --- an account that somebody holds ------------------------------------------------------------


def test_a_person_who_is_also_called_otherwise_is_no_other_than_the_holder() -> None:
    headers = ["Voornaam", "Tussenvoegsel", "Achternaam", "Naam", "Mail", "Rekening"]
    known = book(dijk(), account("7", ANN))
    (plan,) = planned(known, headers, ["Piet", "van", "Dijk", "P. van Dijk", "nieuw@dijk.nl", 7])
    assert (plan.verdict, plan.commands[0].body["email"]) == ("change", "nieuw@dijk.nl")


@pytest.mark.parametrize(
    ("holder", "company", "verdict"),
    [
        # A company that is renamed and has the same contact.
        ({"company": "Dijk V.O.F."}, "Dijk B.V.", "change"),
        # A company of a person of the same name, and one of another.
        ({}, "Piet van Dijk", "change"),
        ({}, "Dijk B.V.", "refused"),
    ],
)
def test_only_a_company_that_is_not_its_contact_is_another_than_a_person(
    holder: dict[str, str], company: str, verdict: str
) -> None:
    headers = ["Bedrijf", "Contactpersoon", "Mail", "Rekening"]
    known = book(dijk(**holder), account("7", ANN))
    contact = "Els Smit" if company == "Piet van Dijk" else "Piet van Dijk"
    (plan,) = planned(known, headers, [company, contact, "info@dijk.nl", 7])
    assert plan.verdict == verdict


@pytest.mark.parametrize("mail", [None, "piet@dijk.nl", "nieuw@dijk.nl"])
def test_another_customer_who_is_known_gets_no_account_of_the_holder(mail: str | None) -> None:
    known = book(dijk(), customer(BOB, first_name="Klaas", last_name="Boer"), account("7", ANN))
    (plan,) = planned(known, ["Naam", "Mail", "Rekening"], ["Klaas Boer", mail, 7])
    assert plan.verdict == ("refused" if mail != "piet@dijk.nl" else "change")
    if mail is None:
        assert messages(plan)[0].startswith("account 7 belongs to Piet van Dijk")


def test_a_holder_whose_state_has_not_come_is_who_the_row_is_about() -> None:
    (plan,) = planned(book(account("7", CEE)), ["Bedrijf", "Rekening"], ["A", 7])
    assert [c.body for c in plan.commands] == [{"customer_id": CEE, "company": "A"}]


# --- an address, a name -------------------------------------------------------------------------


def test_an_account_for_who_has_the_address_under_another_name_is_refused_but_not_without_one() -> (
    None
):
    headers = ["Naam", "Mail", "Rekening", "Plaats"]
    (nobody,) = planned(book(dijk()), headers, [None, "piet@dijk.nl", 8, "Houten"])
    assert about(nobody) == ANN
    (other,) = planned(book(dijk()), headers, ["Klaas Boer", "piet@dijk.nl", 8, None])
    assert messages(other)[0].startswith("e-mail address piet@dijk.nl is that of Piet van Dijk")
    (number,) = planned(book(dijk()), headers, [None, None, 8, None])
    assert [c.body for c in number.commands] == [{"account": "8"}]


def test_of_companies_of_one_name_the_contact_tells_which_is_meant() -> None:
    def twins(*contacts: str) -> list[KnownCustomer]:
        return [
            customer(ident, company="A", first_name=name, last_name="Smit")
            for ident, name in zip((ANN, BOB, CEE), contacts, strict=False)
        ]

    headers = ["Bedrijf", "Contactpersoon", "Plaats"]
    for contacts in (("Els", "Jan"), ("Els", "Jan", "Kim")):
        (plan,) = planned(book(*twins(*contacts)), headers, ["A", "Jan Smit", "Houten"])
        assert about(plan) == BOB
        for contact in ("Bob Smit", None):
            (plan,) = planned(book(*twins(*contacts)), headers, ["A", contact, "Houten"])
            assert messages(plan) == [
                "several customers are called so; add the account number or the e-mail address"
            ]
    (plan,) = planned(book(*twins("Els", "Els")), headers, ["A", "Els Smit", "Houten"])
    assert plan.verdict == "refused"


def test_of_several_with_one_address_the_one_of_that_name_is_meant_and_no_two() -> None:
    mail = "info@a.nl"
    twins = [customer(i, company="A", email=mail) for i in (ANN, BOB)]
    other = customer(CEE, company="C", email=mail)
    headers = ["Bedrijf", "Mail", "Plaats"]
    (plan,) = planned(book(*twins, other), headers, ["C", mail, "Houten"])
    assert about(plan) == CEE
    (plan,) = planned(book(*twins, other), headers, ["A", mail, "Houten"])
    assert "e-mail address" in messages(plan)[0]
    # The address tells two of one name apart.
    known = book(customer(ANN, company="A", email=mail), customer(BOB, company="A"))
    (plan,) = planned(known, headers, ["A", mail, "Houten"])
    assert about(plan) == ANN


def test_a_company_is_not_its_contact_who_is_a_customer_too() -> None:
    (plan,) = planned(book(dijk()), ["Bedrijf", "Contactpersoon"], ["Dijk B.V.", "Piet van Dijk"])
    assert types(plan) == ["customer.register"]


# --- a customer whom an earlier row makes -------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (["A", None], ["A", None], True),
        (["A", "a@a.nl"], ["A", "a@a.nl"], True),
        (["A", "a@a.nl"], ["A", None], True),
        (["A", None], ["A", "a@a.nl"], True),
        (["A", "a@a.nl"], [None, "a@a.nl"], True),
        (["A", "a@a.nl"], ["A", "b@b.nl"], False),
        (["A", "a@a.nl"], ["B", "a@a.nl"], False),
        (["A", None], ["B", None], False),
    ],
)
def test_a_row_joins_an_earlier_one_unless_its_name_or_address_is_another(
    first: list[Any], second: list[Any], same: bool
) -> None:
    headers = ["Bedrijf", "Mail", "Rekening"]
    _, plan = planned(book(), headers, [*first, 1], [*second, 2])
    assert ("customer.register" not in types(plan)) == same
    if same:
        assert plan.commands[0].after == (2, 0)
