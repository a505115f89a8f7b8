"""Rows become the commands that are needed, and no others."""

from typing import Any

from services.importer.domain.book import Book, KnownAccount, KnownCustomer
from services.importer.domain.columns import Layout, Outline, lay_out
from services.importer.domain.planning import Planner, RowPlan
from services.importer.domain.rows import RowReader

JOB = "00000000-0000-0000-0000-000000000001"
ANN = "00000000-0000-0000-0000-0000000000aa"
BOB = "00000000-0000-0000-0000-0000000000bb"


def book(*known: KnownCustomer | KnownAccount) -> Book:
    found = Book(environment=2890, last_in_series=0)
    for one in known:
        if isinstance(one, KnownCustomer):
            found.know_customer(one)
        else:
            found.know_account(one)
            found.last_in_series = max(found.last_in_series, int(one.account[-4:]))
    return found


def customer(ident: str, **fields: Any) -> KnownCustomer:
    return KnownCustomer(customer_id=ident, fields=fields)


def account(number: str, holder: str | None = None, **fields: Any) -> KnownAccount:
    return KnownAccount(account=number, fields=fields, holder=holder)


def planned(
    known: Book, headers: list[str], *rows: list[Any], defaults: dict[str, Any] | None = None
) -> list[RowPlan]:
    sheet = Outline(name="x", hidden=False, rows=[(1, headers)])
    layout = lay_out([sheet], sheet=None, mapping=None, tongue="en")
    assert isinstance(layout, Layout), layout
    reader = RowReader(layout=layout, tongue="en", styles={})
    planner = Planner(job_id=JOB, tongue="en", defaults=defaults or {})
    plans = []
    for number, cells in enumerate(rows, start=2):
        entry = reader.read(number, cells)
        if entry is not None:
            plans.append(planner.plan(entry, known))
    return plans


def types(plan: RowPlan) -> list[str]:
    return [command.type for command in plan.commands]


def messages(plan: RowPlan) -> list[str]:
    return [problem.message for problem in plan.problems]


def test_a_new_company_is_registered_and_its_account_opened_after_that() -> None:
    (plan,) = planned(book(), ["Bedrijf", "Rekeningnummer", "Limiet"], ["A", 28900001, 100])
    assert (types(plan), plan.verdict) == (["customer.register", "account.open"], "create")
    register, opening = plan.commands
    assert opening.after == (2, 0)
    assert opening.body == {
        "account": "28900001", "limit": 10000, "holder": register.body["customer_id"],
    }  # fmt: skip


def test_defaults_of_the_upload_fill_what_a_new_row_leaves_open() -> None:
    defaults = {"limit": 500, "on_account": True, "language": "nl"}
    (plan,) = planned(book(), ["Bedrijf", "Rekening"], ["A", "1"], defaults=defaults)
    register, opening = plan.commands
    assert register.body["language"] == "nl"
    assert (opening.body["limit"], opening.body["on_account"]) == (500, True)
    assert "language" not in opening.body


def test_a_row_that_says_what_is_so_changes_nothing() -> None:
    known = book(customer(ANN, company="A", email="a@b.nl"), account("1", ANN, limit=100))
    (plan,) = planned(known, ["Bedrijf", "Rekening", "Limiet", "Mail"], ["a", 1, 1, "A@B.nl"])
    # Only the way the company is written differs.
    assert [c.body for c in plan.commands] == [{"customer_id": ANN, "company": "a"}]
    (plan,) = planned(known, ["Bedrijf", "Rekening", "Limiet", "Mail"], ["a", 1, 1, "A@B.nl"])
    assert plan.problems  # account 1 stands in an earlier row by now


def test_an_empty_cell_changes_nothing() -> None:
    known = book(customer(ANN, company="A", email="a@b.nl"), account("1", ANN, limit=100))
    (plan,) = planned(known, ["Bedrijf", "Rekening", "Limiet", "Mail"], ["A", 1, None, " "])
    assert (plan.commands, plan.verdict) == ((), "unchanged")


def test_only_what_differs_is_changed_and_what_it_was_is_noted() -> None:
    known = book(
        customer(ANN, company="A", city="Houten"), account("1", ANN, limit=100, status="active")
    )
    headers = ["Bedrijf", "Rekening", "Limiet", "Plaats", "Status"]
    (plan,) = planned(known, headers, ["A", 1, 2, "Utrecht", "actief"])
    change, limit = plan.commands
    assert (change.body, change.before) == (
        {"customer_id": ANN, "city": "Utrecht"}, {"city": "Houten"},
    )  # fmt: skip
    assert limit.body == {"accounts": ["1"], "limit": 200, "status": "active"}
    assert limit.before == {"1": {"limit": 100, "status": "active"}}
    assert plan.verdict == "change"


def test_an_account_without_a_holder_is_linked() -> None:
    (plan,) = planned(book(account("1")), ["Bedrijf", "Rekening"], ["A", 1])
    assert types(plan) == ["customer.register", "account.link"]
    assert plan.commands[1].after == (2, 0)


def test_an_account_alone_is_opened_without_a_holder() -> None:
    (plan,) = planned(book(), ["Rekening", "Limiet"], ["7", 10])
    assert [c.body for c in plan.commands] == [{"account": "7", "limit": 1000}]


def test_who_is_matched_by_e_mail_before_name() -> None:
    known = book(customer(ANN, company="A", email="a@b.nl"), customer(BOB, company="B"))
    (plan,) = planned(known, ["Bedrijf", "Mail"], ["C", "a@b.nl"])
    assert plan.commands[0].body["customer_id"] == ANN


def test_who_is_one_by_address_and_another_by_name_is_neither() -> None:
    known = book(
        customer(ANN, first_name="Ann", last_name="Bos", email="ann@bos.nl"),
        customer(BOB, first_name="Bob", last_name="Vos", email="bob@vos.nl"),
        account("1", ANN),
    )
    columns = ["Naam", "Mail", "Rekening", "Aantal rekeningen"]
    swapped = [["Ann Bos", "bob@vos.nl", None, 1], ["Bob Vos", "ann@bos.nl", None, 1]]
    first, second = planned(known, columns, *swapped)
    assert (first.verdict, second.verdict) == ("refused", "refused")
    assert messages(first) == [
        "e-mail address bob@vos.nl is that of Bob Vos, and the name is that of another customer;"
        " correct one of the two, or add the account number"
    ]
    assert [(p.column, p.value) for p in second.problems] == [("Mail", "ann@bos.nl")]
    # The account number settles it.
    (plan,) = planned(known, columns, ["Ann Bos", "bob@vos.nl", 1, None])
    assert plan.commands[0].body == {"customer_id": ANN, "email": "bob@vos.nl"}


def test_a_companys_address_that_is_a_persons_makes_no_company_of_the_person() -> None:
    known = book(
        customer(ANN, first_name="Ann", last_name="Bos", email="ann@bos.nl"),
        customer(BOB, company="Twelve B.V.", email="info@twelve.nl"),
    )
    (plan,) = planned(
        known, ["Bedrijf", "Contactpersoon", "Mail"], ["Twelve B.V.", "Ann Bos", "ann@bos.nl"]
    )
    assert plan.verdict == "refused"


def test_a_made_up_address_matches_nobody() -> None:
    known = book(customer(ANN, company="A", email="test@test.nl"))
    plans = planned(known, ["Bedrijf", "Mail"], ["B", "test@test.nl"], ["C", "test@test.nl"])
    assert [types(p) for p in plans] == [["customer.register"]] * 2


def test_a_name_that_two_customers_have_is_a_problem_of_its_row() -> None:
    known = book(customer(ANN, company="A"), customer(BOB, company="a."))
    first, second = planned(known, ["Bedrijf"], ["A"], ["C"])
    assert messages(first) == [
        "several customers are called so; add the account number or the e-mail address"
    ]
    assert types(second) == ["customer.register"]
    (new,) = planned(known, ["Bedrijf", "Rekening"], ["A", 28900009])
    assert messages(new)[0].startswith(
        "several customers are called so, and none of them has this account; add the e-mail"
    )


def test_an_address_of_two_customers_is_told_apart_by_name_or_refused() -> None:
    known = book(
        customer(ANN, company="A", email="x@y.nl"), customer(BOB, company="B", email="x@y.nl")
    )
    first, second = planned(known, ["Bedrijf", "Mail"], ["B", "x@y.nl"], ["C", "x@y.nl"])
    assert first.verdict == "unchanged"
    assert "e-mail address" in messages(second)[0]


def test_an_account_of_another_customer_is_not_taken_away() -> None:
    known = book(customer(ANN, company="A"), customer(BOB, company="B"), account("1", ANN))
    (plan,) = planned(known, ["Bedrijf", "Rekening"], ["B", 1])
    assert messages(plan) == [
        "account 1 belongs to A; give this row another number, or first change the holder"
        " (`onaccount account unlink`, then `onaccount account link`)"
    ]


def test_a_holder_who_is_called_otherwise_is_renamed_with_a_warning() -> None:
    known = book(customer(ANN, company="A"), account("1", ANN))
    (plan,) = planned(known, ["Bedrijf", "Rekening"], ["A Nieuw", 1])
    assert plan.commands[0].body == {"customer_id": ANN, "company": "A Nieuw"}
    assert "now A" in plan.warnings[0].message


def test_a_full_name_that_is_the_customers_changes_no_part_of_it() -> None:
    known = book(customer(ANN, first_name="Jan", infix="de", last_name="Vries"))
    (plan,) = planned(known, ["Naam", "Plaats"], ["Vries, Jan de", "Houten"])
    assert [c.body for c in plan.commands] == [{"customer_id": ANN, "city": "Houten"}]
    (plan,) = planned(book(customer(ANN, company="Jan de Vries")), ["Naam"], ["Jan de Vries"])
    assert plan.verdict == "unchanged"


def test_two_rows_of_one_company_are_one_customer_with_two_accounts() -> None:
    first, second = planned(book(), ["Bedrijf", "Rekening"], ["A", 1], ["A", 2])
    assert types(second) == ["account.open"]
    assert second.commands[0].after == (2, 0)
    assert second.commands[0].body["holder"] == first.commands[0].body["customer_id"]


def test_two_names_with_one_address_are_two_customers() -> None:
    plans = planned(book(), ["Bedrijf", "Mail"], ["A", "x@y.nl"], ["B", "x@y.nl"])
    assert [types(p) for p in plans] == [["customer.register"]] * 2


def test_a_row_that_contradicts_an_earlier_one_is_refused() -> None:
    plans = planned(
        book(), ["Bedrijf", "Rekening", "Plaats"], ["A", 1, "Houten"], ["A", 2, "Utrecht"]
    )
    assert messages(plans[1]) == [
        "row 2 is about the same customer and says 'Houten' here; make them the same, or give two"
        " customers each an e-mail address of their own"
    ]


def test_an_account_that_stands_twice_is_refused_the_second_time() -> None:
    plans = planned(book(), ["Bedrijf", "Rekening"], ["A", 1], ["B", "1"])
    assert [p.verdict for p in plans] == ["create", "refused"]
    assert messages(plans[1]) == [
        "account 1 stands in row 2 already, and has one holder; give one of them another number, or"
        " remove this row if it says the same or names who shares the account"
    ]


def test_so_many_accounts_are_numbered_after_the_last_one() -> None:
    known = book(account("28900041"))
    plans = planned(known, ["Naam", "Limiet", "Aantal rekeningen"], ["A", 50, 2], ["B", 50, 1])
    opened = [c.body["account"] for p in plans for c in p.commands if c.type == "account.open"]
    assert opened == ["28900042", "28900043", "28900044"]
    assert {c.after for c in plans[0].commands[1:]} == {(2, 0)}


def test_a_customer_who_has_so_many_accounts_gets_no_more() -> None:
    known = book(
        customer(ANN, company="A"), account("28900001", ANN, limit=5000),
        account("28900002", ANN, limit=1000),
    )  # fmt: skip
    headers = ["Naam", "Limiet", "Aantal rekeningen"]
    (plan,) = planned(known, headers, ["A", 50, 3])
    change, opening = plan.commands
    assert change.body == {"accounts": ["28900002"], "limit": 5000}
    assert opening.body == {"account": "28900003", "limit": 5000, "holder": ANN}
    (plan,) = planned(known, headers, ["A", 50, 3])
    assert plan.verdict == "unchanged"


def test_a_limit_without_an_account_is_a_warning() -> None:
    (plan,) = planned(book(), ["Bedrijf", "Limiet"], ["A", 100])
    assert (types(plan), plan.warnings[0].column) == (["customer.register"], "Limiet")


def test_a_row_with_a_wrong_cell_names_its_column_and_what_to_write() -> None:
    (plan,) = planned(book(), ["Bedrijf", "Rekening", "Limiet"], ["A", 1, "12,5O"])
    (problem,) = plan.problems
    assert (problem.row, problem.column, problem.value) == (2, "Limiet", "12,5O")
    assert problem.message == (
        "'12,5O' is not an amount; write a number like 12,50, or 'none' for no limit"
    )


def test_a_row_that_names_nobody_is_refused_and_an_empty_one_is_no_row() -> None:
    plans = planned(
        book(),
        ["Bedrijf", "Mail", "Limiet", "Pas"],
        [None, None, 5],
        [None, "a@b.nl"],
        ["", "", "", 9],
    )
    assert [p.verdict for p in plans] == ["refused", "refused"]


def test_ids_are_the_same_in_every_run() -> None:
    rows = (["Bedrijf", "Rekening"], ["A", 1])
    assert planned(book(), *rows) == planned(book(), *rows)


def test_a_house_number_joins_its_street() -> None:
    headers = ["Bedrijf", "Straat", "Huisnummer", "Toev."]
    (plan,) = planned(book(), headers, ["A", "Kade", 12, "b"])
    assert plan.commands[0].body["street"] == "Kade 12b"


def test_an_address_is_called_fictitious_only_where_nothing_will_be_mailed_to_it() -> None:
    """test.com is somebody's: it identifies no member, but the invoice goes there."""
    rows = (["A", "x@example.eu"], ["B", "test@test.com"], ["C", "test@test.nl"])
    told = [
        [w.value for w in plan.warnings if "fictitious" in w.message]
        for plan in planned(book(), ["Bedrijf", "Mail"], *rows)
    ]
    assert told == [["x@example.eu"], [], ["test@test.nl"]]
