"""What a row changes of a customer that there is: what it says, and what goes with that."""

from services.importer.domain.book import Book
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
