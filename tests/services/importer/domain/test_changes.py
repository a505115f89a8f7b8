"""What a row changes of a customer that there is: what it says, and what goes with that."""

from typing import Any

import pytest

from services.importer.domain.book import Book
from services.importer.domain.differences import Changing, differences
from tests.services.importer.domain.test_planning import ANN, book, customer, planned


def test_a_new_last_name_takes_the_infix_of_the_old_one_away() -> None:
    def berg() -> Book:
        fields = {"first_name": "Anna", "infix": "van der", "last_name": "Berg"}
        return book(customer(ANN, email="a@b.nl", **fields))

    columns = ["Voornaam", "Tussenvoegsel", "Achternaam", "Mail"]
    (married,) = planned(berg(), columns, ["Anna", None, "Visser", "a@b.nl"])
    assert married.commands[0].body == {"customer_id": ANN, "infix": None, "last_name": "Visser"}
    assert married.commands[0].before == {"infix": "van der", "last_name": "Berg"}
    # In one column the infix is part of what stands there.
    (whole,) = planned(
        berg(), ["Voornaam", "Achternaam", "Mail"], ["Anna", "van der Berg", "a@b.nl"]
    )
    assert whole.commands[0].body == {
        "customer_id": ANN, "infix": None, "last_name": "van der Berg",
    }  # fmt: skip
    (same,) = planned(berg(), columns, ["Anna", None, "berg", "a@b.nl"])
    assert same.commands[0].body == {"customer_id": ANN, "last_name": "berg"}
    (column,) = planned(berg(), ["Naam", "Mail"], ["Anna VanDerBerg", "a@b.nl"])
    assert column.verdict == "unchanged"


def test_another_contact_of_the_same_company_is_a_change() -> None:
    def twelve() -> Book:
        return book(customer(ANN, company="Twelve B.V.", first_name="Els", last_name="Smit"))

    columns = ["Bedrijf", "Contactpersoon"]
    (plan,) = planned(twelve(), columns, ["Twelve B.V.", "Els Smit-Bos"])
    assert plan.commands[0].body == {"customer_id": ANN, "last_name": "Smit-Bos"}
    (other,) = planned(twelve(), columns, ["Twelve B.V.", "Jan de Vries"])
    assert other.commands[0].body == {
        "customer_id": ANN, "first_name": "Jan", "infix": "de", "last_name": "Vries",
    }  # fmt: skip
    (same,) = planned(twelve(), columns, ["Twelve B.V.", "Smit, Els"])
    (none,) = planned(twelve(), columns, ["Twelve B.V.", None])
    assert (same.verdict, none.verdict) == ("unchanged", "unchanged")


def test_a_company_that_had_no_contact_gets_the_one_that_the_row_names() -> None:
    known = book(customer(ANN, company="Twelve B.V."))
    (plan,) = planned(known, ["Bedrijf", "Contactpersoon"], ["Twelve B.V.", "Els Smit"])
    assert plan.commands[0].body == {"customer_id": ANN, "first_name": "Els", "last_name": "Smit"}


def test_a_company_in_the_column_of_names_is_the_same_however_its_legal_form_is_written() -> None:
    known = book(customer(ANN, company="De Kraan B.V."))
    (same,) = planned(known, ["Naam"], ["De Kraan BV"])
    assert same.verdict == "unchanged"


@pytest.mark.parametrize(
    ("old", "new", "changed", "told"),
    [
        ("test@test.nl", "info@a.nl", {"email": "info@a.nl", "email_fictitious": None}, []),
        ("jan@a.nl", "info@a.nl", {"email": "info@a.nl", "email_fictitious": None}, []),
        (
            "jan@a.nl",
            "test@test.nl",
            {"email": "test@test.nl", "email_fictitious": True},
            ["test@test.nl"],
        ),
    ],
)
def test_that_an_address_was_made_up_is_not_said_of_the_next_one(
    old: str, new: str, changed: dict[str, Any], told: list[str]
) -> None:
    """The registry has it so; it is asked for in so many words, and an undo puts it back too."""
    fields = {"email": old, "email_fictitious": True}
    known = book(customer(ANN, company="A", **fields))
    (plan,) = planned(known, ["Bedrijf", "Mail"], ["A", new])
    assert plan.commands[0].body == {"customer_id": ANN, **changed}
    assert plan.commands[0].before == {name: fields[name] for name in changed}
    assert [w.value for w in plan.warnings if "fictitious" in w.message] == told


@pytest.mark.parametrize(
    ("mail", "says", "changed"),
    [
        ("JAN@a.nl", None, {}),
        ("els@a.nl", "ja", {"email": "els@a.nl", "email_fictitious": True}),
        ("els@a.nl", "nee", {"email": "els@a.nl", "email_fictitious": None}),
    ],
)
def test_an_address_is_made_up_still_where_it_is_the_same_or_the_row_says_so(
    mail: str, says: str | None, changed: dict[str, Any]
) -> None:
    known = book(customer(ANN, company="A", email="jan@a.nl", email_fictitious=True))
    (plan,) = planned(known, ["Bedrijf", "Mail", "Fictief"], ["A", mail, says])
    assert [c.body for c in plan.commands] == [{"customer_id": ANN, **changed}] * bool(changed)


def test_what_is_said_again_is_no_difference() -> None:
    known = book(customer(ANN, company="A", email="jan@a.nl", email_fictitious=True))
    (plan,) = planned(known, ["Bedrijf", "Mail", "Fictief"], ["A", "els@a.nl", "ja"])
    change = plan.commands[0]
    told = Changing(row=2, type=change.type, body=change.body, before=change.before, holder={})
    assert [(d.field, d.old, d.new) for d in differences([told], {}, "en", most=9)] == [
        ("email", "jan@a.nl", "els@a.nl")
    ]
