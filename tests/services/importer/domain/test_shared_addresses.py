"""An e-mail address that several have: who is known by it, and who is only told to share it."""

from services.importer.domain.book import Book
from tests.services.importer.domain.test_planning import (
    ANN,
    BOB,
    account,
    book,
    customer,
    messages,
    planned,
)

COLUMNS = ["Naam", "Mail", "Rekening"]
FAMILY = "fam@bos.nl"


def bos() -> Book:
    known = book(customer(ANN, first_name="Ann", last_name="Bos", email=FAMILY))
    known.know_account(account("1", ANN))
    return known


def test_another_name_with_a_new_account_is_not_who_has_the_address() -> None:
    (plan,) = planned(bos(), COLUMNS, ["Tim Bos", FAMILY, 2])
    assert messages(plan) == [
        "e-mail address fam@bos.nl is that of Ann Bos; write that name if this is the same"
        " customer; if not, leave the address empty, and fill it in once the account is there"
    ]
    (company,) = planned(
        book(customer(ANN, company="Twelve B.V.", last_name="Bos", email=FAMILY)),
        ["Bedrijf", "Achternaam", "Mail", "Rekening"],
        ["Twelve Beheer B.V.", "Bos", FAMILY, 2],
    )
    assert company.verdict == "refused"


def test_an_account_that_nobody_holds_goes_to_nobody_of_another_name_either() -> None:
    known = bos()
    known.know_account(account("101"))
    (plan,) = planned(known, COLUMNS, ["Tim Bos", FAMILY, 101])
    assert plan.verdict == "refused"


def test_the_address_is_left_out_first_and_filled_in_later_as_the_sentence_says() -> None:
    known = bos()
    (first,) = planned(known, COLUMNS, ["Tim Bos", None, 2])
    assert first.verdict == "create"
    tim = customer(BOB, first_name="Tim", last_name="Bos")
    known = bos()
    known.know_customer(tim)
    known.know_account(account("2", BOB))
    (second,) = planned(known, COLUMNS, ["Tim Bos", FAMILY, 2])
    assert second.commands[0].body == {"customer_id": BOB, "email": FAMILY}
    # From then on the name tells the two apart.
    (third,) = planned(known, ["Naam", "Mail", "Plaats"], ["Tim Bos", FAMILY, "Houten"])
    assert third.commands[0].body == {"customer_id": BOB, "city": "Houten"}


def test_a_third_one_at_a_shared_address_is_told_what_to_do() -> None:
    known = bos()
    known.know_customer(customer(BOB, first_name="Tim", last_name="Bos", email=FAMILY))
    (plan,) = planned(known, COLUMNS, ["Lia Bos", FAMILY, 3])
    assert (plan.problems[0].column, messages(plan)) == (
        "Mail",
        [
            "several customers have this e-mail address, and none of them is called so; leave it"
            " empty if this is a new customer, and fill it in once the account is there"
        ],
    )


def test_the_same_name_at_the_address_gets_another_account() -> None:
    (plan,) = planned(bos(), COLUMNS, ["Ann Bos", FAMILY, 2])
    assert [c.body for c in plan.commands] == [{"account": "2", "holder": ANN}]


def test_a_new_name_without_an_account_number_is_a_change_that_is_told_of() -> None:
    (plan,) = planned(bos(), ["Naam", "Mail"], ["Ann Vos", FAMILY])
    assert plan.commands[0].body == {"customer_id": ANN, "last_name": "Vos"}
    assert [w.message for w in plan.warnings] == [
        "changes the name of the customer with this e-mail address, now Ann Bos; leave the address"
        " empty if this is somebody else"
    ]
    (holders,) = planned(bos(), COLUMNS, ["Ann Vos", FAMILY, 1])
    assert holders.verdict == "change"
    assert not any("changes the name" in w.message for w in holders.warnings)
