"""A list as people keep it: numbers twice, totals below it, words for no limit, odd headers."""

from typing import Any

import pytest

from services.importer.domain.book import KnownCustomer
from services.importer.domain.columns import Layout, Outline, Unclear, lay_out
from services.importer.domain.fields import field_of, nearest
from services.importer.domain.noticed import Noticed, still_to_do, warnings_of
from services.importer.domain.planning import Planner, RowPlan
from services.importer.domain.rows import RowReader
from tests.services.importer.domain.test_planning import (
    ANN,
    BOB,
    JOB,
    account,
    book,
    customer,
    messages,
    planned,
    types,
)

HEADERS = ["Naam", "Mail", "Rekening", "Limiet"]
DIJK = ["Piet van Dijk", "piet@dijk.nl", 28900105]
BAKER = ["Bakkerij Morgenrood", "info@morgenrood.nl", 28900105]


def told(plan: RowPlan) -> list[str]:
    return [warning.message for warning in plan.warnings]


def person(ident: str) -> KnownCustomer:
    return customer(ident, first_name="Piet", infix="van", last_name="Dijk", email="piet@dijk.nl")


def baker(ident: str) -> KnownCustomer:
    return customer(ident, company="Bakkerij Morgenrood", email="info@morgenrood.nl")


def test_an_account_of_a_refused_row_is_not_somebody_elses() -> None:
    plans = planned(book(), HEADERS, [*DIJK, "veel"], [*BAKER, 100], [*BAKER, 100])
    assert [p.verdict for p in plans] == ["refused"] * 3
    assert (plans[1].problems[0].column, messages(plans[1])) == (
        "Rekening",
        [
            "account 28900105 stands in row 2 too, for somebody else; give one of them another"
            " number"
        ],
    )


def test_who_was_refused_may_stand_once_more_with_the_same_account() -> None:
    plans = planned(book(), HEADERS, [*DIJK, "veel"], [*DIJK, 100])
    assert [p.verdict for p in plans] == ["refused", "create"]


def test_an_account_is_its_holders_whoever_else_named_it_before() -> None:
    known = book(baker(BOB), account("28900105", BOB, limit=10000))
    plans = planned(known, HEADERS, [*DIJK, 50], [*BAKER, 100])
    assert [p.verdict for p in plans] == ["refused", "unchanged"]
    assert messages(plans[0]) == [
        "account 28900105 belongs to Bakkerij Morgenrood; give this row another number, or first"
        " change the holder (`onaccount account unlink`, then `onaccount account link`)"
    ]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (["Bakkerij Morgenrood", "info@morgenrood.nl"], "refused"),
        (["Klaas de Boer", "klaas@boer.nl"], "refused"),
        (["Klaas de Boer", None], "change"),
        (["Klaas de Boer", "piet@dijk.nl"], "change"),
        (["Piet van Dijk", "nieuw@dijk.nl"], "change"),
        (["Klaas de Boer", "test@test.nl"], "change"),
        ([None, "nieuw@dijk.nl"], "change"),
    ],
)
def test_only_a_row_that_is_evidently_about_another_is_kept_from_an_account(
    row: list[Any], verdict: str
) -> None:
    (plan,) = planned(book(person(ANN), account("7", ANN)), HEADERS[:3], [*row, 7])
    assert plan.verdict == verdict
    assert "customer.register" not in types(plan)


def test_a_company_does_not_take_over_a_person_who_is_its_contact() -> None:
    headers = ["Bedrijf", "Contactpersoon", "Mail", "Rekening"]
    known = book(person(ANN), account("7", ANN))
    (plan,) = planned(known, headers, ["Dijk B.V.", "Piet van Dijk", "info@dijk.nl", 7])
    assert plan.verdict == "refused"


@pytest.mark.parametrize("word", ["onbeperkt", "Geen limiet", "geen", "NONE", "no limit "])
def test_no_limit_in_words_is_no_limit_and_an_empty_cell_says_nothing(word: str) -> None:
    known = book(baker(BOB), account("28900105", BOB, limit=10000))
    (plan,) = planned(known, HEADERS, [*BAKER, word])
    assert plan.commands[0].body == {"accounts": ["28900105"], "limit": None}
    (plan,) = planned(book(), HEADERS, [*BAKER, word])
    assert plan.commands[1].body["limit"] is None
    (plan,) = planned(book(), HEADERS, [*BAKER, None])
    assert "limit" not in plan.commands[1].body
    known = book(baker(BOB), account("28900105", BOB, limit=10000))
    (plan,) = planned(known, HEADERS, [*BAKER, None])
    assert plan.verdict == "unchanged"


@pytest.mark.parametrize("word", ["Totaal", "totaal:", "TOTAL", "Subtotaal", "Som", "Grand total"])
def test_a_total_is_left_out_unless_it_has_an_account_or_an_address(word: str) -> None:
    plans = planned(
        book(),
        HEADERS,
        [word, None, None, 350],
        [word, None, 28900001, 5],
        [word, "a@b.nl", None, 5],
    )
    assert [types(p)[:1] for p in plans] == [[], ["customer.register"], ["customer.change"]]
    assert told(plans[0]) == [
        f"'{word}' is a total and nobody's: the row is left out; if it is a customer, write an"
        " address or an account number beside it"
    ]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (["Total", "Kade 1", None, 100], "Total"),
        (["Totaal BV", None, None, 100], "Totaal BV"),
        (["Total", None, "x", 100], "Total"),  # an account of its own, though an odd one
        (["Total", None, 3, 100], "Total"),
        (["Kapper", None, None, 100, "som"], "Kapper"),
        (["Kapper", None, None, 100, "gemiddeld"], "Kapper"),
        (["Total", None, None, "€ 100,-"], ""),
        (["Total", "5 leden", None, 100], ""),
        (["Totaal leden", None, 3, 100], ""),
        (["Aantal leden: 3", None, None, None], ""),
        ([None, None, 3, 100, "Totaal"], ""),
        ([None, "Totaal Houten", None, 100], ""),
        ([None, "Houten Total", None, 100], ""),
        ([None, "Totaalstraat 1", None, 100], None),
        (["Totaal", "Totaal", None, 100], ""),
        (["Totaal"], ""),
        ([None, None, 28900001, 100, "Totaal"], None),
    ],
)
def test_who_is_called_as_a_total_is_not_taken_for_one(row: list[Any], name: str | None) -> None:
    """A row of sums has nothing but sums beside its word; a count may stand below the accounts."""
    headers = ["Bedrijf", "Straat", "Rekening", "Limiet", "Opmerking"]
    sheet = Outline(name="x", hidden=False, rows=[(1, headers)])
    layout = lay_out([sheet], sheet=None, mapping=None, tongue="en")
    assert isinstance(layout, Layout)
    reader = RowReader(layout=layout, tongue="en", styles={}, environment=2890)
    entry = reader.read(2, row)
    assert entry is not None
    assert entry.customer.get("company") == (name or None)
    left_out = [w.message for w in entry.warnings if "is a total and nobody's" in w.message]
    assert len(left_out) == (name == "")


@pytest.mark.parametrize(
    ("header", "value", "message"),
    [
        (
            "Postcode",
            "3991 A8",
            "'3991 A8' is not a postcode of NL; write it like 1234 AB"
            ", or the right country in a column Country",
        ),
        ("BTW-nummer", "NL123456789B01", "'NL123456789B01' is not a valid VAT number of NL;"),
        ("E-mail", "a@-b.nl", "'a@-b.nl' is not one e-mail address;"),
        ("E-mail", "jan.@dijk.nl", "'jan.@dijk.nl' is not one e-mail address;"),
        ("Land", "XX", "'XX' is not a country that we know;"),
    ],
)
def test_what_the_registry_would_refuse_is_refused_beforehand(
    header: str, value: str, message: str
) -> None:
    (plan,) = planned(book(), ["Bedrijf", header], ["A", value])
    (problem,) = plan.problems
    assert (problem.column, problem.value) == (header, value)
    assert problem.message.startswith(message)
    (plan,) = planned(book(customer(ANN, company="A")), ["Bedrijf", header], ["A", value])
    assert plan.verdict == "refused"


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    (plan,) = planned(
        book(), ["Bedrijf", "Rekening", "Limiet", "Postcode"], ["A", 28900001, "veel", "3991 A8"]
    )
    assert [p.column for p in plan.problems] == ["Limiet", "Postcode"]


def test_a_postcode_is_right_or_wrong_by_the_country_of_its_customer() -> None:
    headers = ["Bedrijf", "Postcode", "Land"]
    plans = planned(book(), headers, ["A", "1000", "BE"], ["B", "1000", "NL"], ["C", "1000", None])
    assert [p.verdict for p in plans] == ["create", "refused", "refused"]
    known = book(customer(ANN, company="A", country="BE", postcode="1000"))
    assert planned(known, ["Bedrijf", "Land"], ["A", "NL"])[0].verdict == "refused"


def test_common_dutch_headers_are_known() -> None:
    headers = ("Straat + huisnr", "Straat en huisnummer", "Straatnaam", "Adresregel")
    assert [field_of(h) for h in headers] == ["street"] * 4
    assert [field_of(h) for h in ("Voorletters", "Initialen", "Huisnummer")] == [
        "initials", "initials", "house_number",
    ]  # fmt: skip


def test_initials_are_a_first_name_where_there_is_none() -> None:
    headers = ["Voorletters", "Voornaam", "Achternaam"]
    plans = planned(book(), headers, ["J.", "Jan", "Vries"], ["K.", None, "Boer"])
    assert [p.commands[0].body["first_name"] for p in plans] == ["Jan", "K."]
    (plan,) = planned(book(), ["Voorletters", "Naam"], ["P.", "Dijk"])
    assert (plan.commands[0].body["first_name"], plan.commands[0].body["last_name"]) == (
        "P.", "Dijk",
    )  # fmt: skip


@pytest.mark.parametrize(
    "header",
    ["Bankrekeningnummer", "Bankrek.nr.", "Nummer", "customer_code", "Klantnr", "Debiteurnummer",
     "Member ID", "Totaal", "T.a.v."],
)  # fmt: skip
def test_what_is_nearly_another_word_is_not_advised(header: str) -> None:
    """Whoever follows the advice would open accounts with the numbers of bank accounts."""
    assert field_of(header) is None
    assert nearest(header) is None


def test_a_header_that_is_nearly_known_is_named_in_the_preview() -> None:
    assert nearest("Postcodee") == ("Postcode", "postcode")
    assert nearest("Pasnummer") is None
    assert nearest("#") is None
    assert nearest("Limiet per kamer") == ("Limiet", "limit")
    assert nearest("E-mailadres penningmeester") == ("E-mail", "email")
    sheet = Outline(
        name="x", hidden=False, rows=[(1, ["Bedrijf", "Rekenig", "Plaats", "Plaats 2"])]
    )
    layout = lay_out([sheet], sheet=None, mapping=None, tongue="nl")
    assert isinstance(layout, Layout)
    (warning,) = warnings_of(Noticed(), layout, "nl")
    assert (warning.column, "is 'Rekening' bedoeld" in warning.message) == ("Rekenig", True)


def test_a_column_without_a_name_is_told_of_where_most_rows_have_something_in_it() -> None:
    """As where Naam is merged over first and last names; not a remark here or there, or numbers."""
    rows = [
        (1, [None, "Naam", None, "Rekening"]),
        (2, [1, "Jan", "Bos", 28900001, None, "nieuw"]),
        (3, [2, "Els", "Smit", 28900002]),
        (4, [3, "Kim", None, 28900003]),
        (5, [4, "Bo", "Vos", 28900004, None, "nieuw"]),
    ]
    layout = lay_out(
        [Outline(name="x", hidden=False, rows=rows)], sheet=None, mapping=None, tongue="nl"
    )
    assert isinstance(layout, Layout)
    (warning,) = warnings_of(Noticed(), layout, "nl")
    assert warning.message.startswith("kolom C is in de meeste rijen gevuld en heeft geen naam")


def test_a_second_list_below_the_first_repeats_the_names_of_the_columns() -> None:
    headers = ["Bedrijf", "Rekening", "Limiet"]
    rows = [["A", 28900001, 10], ["Oud-leden"], headers, ["Bedrijf", 28900002, 10]]
    first, title, again, last = planned(book(), headers, *rows)
    assert (first.verdict, last.verdict) == ("create", "create")
    assert (again.commands, again.problems) == ((), ())
    assert told(again) == ["repeats the names of the columns: the row is left out"]
    assert told(title)[0].startswith("'Oud-leden' becomes a customer without an account; fill in")


def test_that_a_customer_has_no_account_is_told_only_where_it_could_have_one() -> None:
    assert told(planned(book(), ["Bedrijf", "Plaats"], ["A", "Houten"])[0]) == []
    _, again = planned(book(), ["Bedrijf", "Rekening"], ["A", 28900001], ["A", None])
    assert all("without an account" not in message for message in told(again))


def test_a_company_in_the_column_of_names_is_told_by_that_column() -> None:
    headers = ["Naam", "Bedrijf", "Rekening"]
    (plan,) = planned(book(), headers, ["Team 4", None, "-"])
    assert [warning.column for warning in plan.warnings if "without an account" in warning.message
            ] == ["Naam"]  # fmt: skip


def test_a_postcode_and_its_town_may_stand_in_one_cell() -> None:
    headers = ["Bedrijf", "Postcode / woonplaats", "Land"]
    rows = [
        ["A", "1234ab  De Bilt", None], ["B", "1234 AB, Houten", "NL"],
        ["C", "9840 De Pinte", "BE"], ["D", "Houten", None], ["E", "1234 AB", None],
        ["F", "1234 Houten", None], ["G", "0234 AB Houten", None], ["H", "3732 De Bilt", None],
        ["I", "SW1A 1AA London", "GB"], ["J", "D-10115 Berlin", "DE"],
        ["K", "1000 Bruxelles 1", "BE"], ["L", "5211 AA 's-Hertogenbosch", None],
    ]  # fmt: skip
    plans = planned(book(), headers, *rows)
    told_of = [p.commands[0].body if p.commands else None for p in plans]
    assert [body and (body.get("postcode"), body.get("city")) for body in told_of] == [
        ("1234ab", "De Bilt"), ("1234 AB", "Houten"), ("9840", "De Pinte"),
        (None, "Houten"), ("1234 AB", None), None, None, None, ("SW1A 1AA", "London"),
        ("10115", "Berlin"), ("1000", "Bruxelles 1"), ("5211 AA", "'s-Hertogenbosch"),
    ]  # fmt: skip
    assert [p.column for plan in plans for p in plan.problems] == ["Postcode / woonplaats"] * 3
    assert messages(plans[5]) == [
        "'1234 Houten' is not a postcode of NL with its town behind it; write it like 1234 AB"
        " Houten"
    ]
    assert messages(plans[6])[0].startswith("'0234 AB' is not a postcode of NL; write it like")
    own = planned(book(), [*headers[:2], "Plaats"], ["A", "1234 AB Houten", "Utrecht"])
    assert own[0].commands[0].body["city"] == "Utrecht"


def test_accounts_that_nobody_holds_are_told_of() -> None:
    """A list of teams with accounts, and no column that anybody knows for who they are."""
    sheet = Outline(name="x", hidden=False, rows=[(1, ["Elftal", "Rekening"])])
    layout = lay_out([sheet], sheet=None, mapping=None, tongue="en")
    assert isinstance(layout, Layout)
    planner = Planner(job_id=JOB, tongue="en", defaults={})
    reader = RowReader(layout=layout, tongue="en", styles={})
    known = book(account("28900003"))
    for row, number in enumerate([28900001, 28900002, 28900003], start=2):
        entry = reader.read(row, ["Heren", number])
        assert entry is not None
        planner.plan(entry, known)
    (told_of, _) = still_to_do(layout, "en", planner.tally, environment=2890, imported=False)
    assert told_of.message.startswith("new accounts that nobody holds, of which nothing can be")
    assert ": 2;" in told_of.message


def test_columns_with_the_same_name_are_not_told_apart_by_a_mapping() -> None:
    sheet = Outline(name="x", hidden=False, rows=[(1, ["Naam", "Rekening", "", "Rekening"])])
    titles = Outline(name="y", hidden=False, rows=[(1, ["Toelichting", "bij", "de", "lijst"])])
    found = lay_out([titles, sheet], sheet=None, mapping=None, tongue="nl")
    assert isinstance(found, Unclear)
    assert (found.field, found.choices) == ("account", ())
    assert found.message.startswith("Meer kolommen heten 'Rekening'. Geef er op één na een andere")


def test_a_field_that_several_columns_can_be_is_called_as_people_call_it() -> None:
    sheet = Outline(name="x", hidden=False, rows=[(1, ["Naam", "Limiet", "Budget"])])
    found = lay_out([sheet], sheet=None, mapping=None, tongue="nl")
    assert isinstance(found, Unclear)
    assert "'Limiet'" in found.message
    assert found.choices == ("Limiet", "Budget")


def test_a_missing_address_names_the_parts_that_are_missing() -> None:
    headers = ["Bedrijf", "Rekening", "Straat", "Postcode", "Plaats"]
    rows = [["A", 28900001, "Kade 1", None, "Houten"], ["B", 28900002, None, "1234 AB", None]]
    assert [told(p) for p in planned(book(), headers, *rows)] == [
        ["without postcode this customer cannot be invoiced"],
        ["without street and town this customer cannot be invoiced"],
    ]


def test_a_number_unlike_the_environments_and_a_second_row_are_told_beforehand() -> None:
    headers = ["Bedrijf", "Rekening", "Straat", "Postcode", "Plaats"]
    address = ["Kade 1", "1234 AB", "Houten"]
    first, second = planned(book(), headers, ["A", 28900001, *address], ["A", 12, *address])
    assert told(first) == []
    assert told(second) == [
        "is about the same customer as row 2, who is registered once",
        "this number does not begin with that of the environment, 2890",
    ]


def test_a_row_without_a_name_blames_no_column() -> None:
    (plan,) = planned(book(), ["Bedrijf", "Mail"], [None, "a@b.nl"])
    assert (plan.problems[0].column, messages(plan)) == (
        "", ["a new customer needs a name or a company"],
    )  # fmt: skip


def test_where_no_column_was_taken_for_a_name_each_row_says_so() -> None:
    (plan,) = planned(book(), ["Ingeschrevene", "Mail"], ["Els Smit", "a@b.nl"])
    assert messages(plan) == [
        "a new customer needs a name or a company, and no column was taken for one; write Name or"
        " Company above the column that holds it"
    ]


@pytest.mark.parametrize(
    ("headers", "told_of"),
    [(["Naam", "Mail"], 2), (["Naam", "Rekening"], 0), (["Naam", "Aantal rekeningen"], 0)],
)
def test_new_customers_whom_no_column_gives_an_account_are_counted(
    headers: list[str], told_of: int
) -> None:
    layout = lay_out(
        [Outline(name="x", hidden=False, rows=[(1, headers)])],
        sheet=None,
        mapping=None,
        tongue="en",
    )
    assert isinstance(layout, Layout)
    planner = Planner(job_id=JOB, tongue="en", defaults={})
    reader = RowReader(layout=layout, tongue="en", styles={})
    known = book(customer(ANN, first_name="Ann", last_name="Bos"))
    for row, name in enumerate(["Ann Bos", "Bob Vos", "Cor Mos"], start=2):
        entry = reader.read(row, [name, None])
        assert entry is not None
        planner.plan(entry, known)
    before, after = (
        still_to_do(layout, "en", planner.tally, environment=2890, imported=imported)
        for imported in (False, True)
    )
    words = "new customers without an account, who cannot buy: 2; give them one in a column"
    assert [p.message.startswith(words) for p in before] == [True] * (told_of > 0)
    assert [p.message.endswith("import the workbook again") for p in after] == [True] * (
        told_of > 0
    )
