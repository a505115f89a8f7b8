"""A row that is refused says of which cell, with what stands in it, and all that is wrong."""

from __future__ import annotations

from tests.services.importer.domain.test_planning import (
    ANN,
    BOB,
    account,
    book,
    customer,
    messages,
    planned,
)


def test_a_name_that_several_have_is_the_value_that_is_refused() -> None:
    known = book(customer(ANN, company="A B.V."), customer(BOB, company="A BV"))
    (plan,) = planned(known, ["Bedrijf"], ["A B.V."])
    assert [(p.column, p.value) for p in plan.problems] == [("Bedrijf", "A B.V.")]
    person = {"first_name": "Jan", "last_name": "Bos"}
    known = book(customer(ANN, **person), customer(BOB, **person))
    (plan,) = planned(known, ["Naam"], ["Jan Bos"])
    assert [(p.column, p.value) for p in plan.problems] == [("Naam", "Jan Bos")]
    (plan,) = planned(known, ["Voornaam", "Achternaam"], ["Jan", "Bos"])
    assert [(p.column, p.value) for p in plan.problems] == [("Achternaam", "Bos")]


def test_an_address_that_several_have_is_the_value_that_is_refused() -> None:
    mail = "x@y.nl"
    known = book(customer(ANN, company="A", email=mail), customer(BOB, company="B", email=mail))
    (plan,) = planned(known, ["Bedrijf", "Mail"], ["C", mail])
    assert [(p.column, p.value) for p in plan.problems] == [("Mail", mail)]


def test_a_long_value_is_told_by_its_first_hundred_letters() -> None:
    name = "A" * 110
    known = book(customer(ANN, company=name), customer(BOB, company=name))
    (plan,) = planned(known, ["Bedrijf"], [name])
    assert [p.value for p in plan.problems] == ["A" * 100]
    (wrong,) = planned(book(), ["Bedrijf", "Mail"], ["A", f"{'a' * 110}@-b.nl"])
    assert [(p.column, p.value) for p in wrong.problems] == [("Mail", "a" * 100)]
    assert "…' is not one e-mail address" in messages(wrong)[0]


def test_each_field_that_an_earlier_row_gave_is_told_with_what_that_says() -> None:
    """Another last name takes the infix away: that is said too, though its cell is empty."""
    headers = ["Voornaam", "Tussenvoegsel", "Achternaam", "Bedrijf"]
    rows = [["Ann", "van", "Bos", "A"], ["Ann", None, "Vos", "A"]]
    _, second = planned(book(), headers, *rows)
    assert [(p.row, p.column, p.value) for p in second.problems] == [
        (3, "Achternaam", "Vos"),
        (3, "Tussenvoegsel", ""),
    ]
    for message, says in zip(messages(second), ("Bos", "van"), strict=True):
        assert message.startswith(f"row 2 is about the same customer and says '{says}' here")


def test_only_what_a_row_would_change_is_held_against_it() -> None:
    """A postcode that stands in the registry already is not what keeps a limit from being set."""
    known = book(customer(ANN, company="A", postcode="3991 A8"))
    headers = ["Bedrijf", "Rekening", "Limiet", "Postcode", "Plaats"]
    (plan,) = planned(known, headers, ["A", 1, "veel", "3991 A8", "Houten"])
    assert [p.column for p in plan.problems] == ["Limiet"]
    (new,) = planned(book(), headers, ["A", 1, "veel", "3991 A8", "Houten"])
    assert [p.column for p in new.problems] == ["Limiet", "Postcode"]


def test_an_account_is_refused_by_the_row_that_has_it() -> None:
    known = book(customer(ANN, company="A"), account("1", ANN))
    first, second, third = planned(known, ["Bedrijf", "Rekening"], ["A", 1], ["A", 1], ["B", 2])
    assert [p.verdict for p in (first, second, third)] == ["unchanged", "refused", "create"]
    assert [(p.column, p.value) for p in second.problems] == [("Rekening", "1")]
    assert "stands in row 2 already" in messages(second)[0]


def test_a_row_whose_account_another_has_is_told_what_else_is_wrong_with_it() -> None:
    headers = ["Bedrijf", "Rekening", "Postcode"]
    _, plan = planned(book(), headers, ["A", 28900001, None], ["B", 28900001, "2000"])
    assert [problem.column for problem in plan.problems] == ["Rekening", "Postcode"]


def test_who_was_refused_is_known_again_by_the_address_alone() -> None:
    known = book(customer(ANN, first_name="Piet", last_name="Dijk", email="piet@dijk.nl"))
    headers = ["Naam", "Mail", "Rekening", "Limiet"]
    mail = "piet@dijk.nl"
    first, again, other = planned(
        known, headers, ["Piet Dijk", mail, 8, "veel"], [None, mail, 8, 5], ["Els Smit", None, 9, 5]
    )
    assert [p.verdict for p in (first, again, other)] == ["refused", "create", "create"]
    # Who is known by nothing may be anybody.
    _, anybody = planned(book(), headers, [None, None, 8, "veel"], [None, None, 8, 5])
    assert messages(anybody)[0].startswith("account 8 stands in row 2 too, for somebody else")
