"""What people fill in where there is nothing to say is nobody's name, street or number."""

from typing import Any

import pytest

from services.importer.domain.amounts import amount_of
from services.importer.domain.fields import FIELDS
from services.importer.domain.numbers import account_of
from services.importer.domain.placeholders import BLANK, OWN_MEANING, says_nothing
from services.importer.domain.refusals import Refusal
from tests.services.importer.domain.test_planning import book, messages, planned, types

WORDS = ["-", "--", "–", "—", "- - -", " - ", "n.v.t.", "N.V.T.", "nvt", "n/a", "\u00a0-"]


def told(row: list[Any], headers: list[str]) -> list[tuple[str, str]]:
    return [(w.column, w.message) for w in planned(book(), headers, row)[0].warnings]


@pytest.mark.parametrize("word", WORDS)
def test_a_dash_and_what_does_not_apply_say_nothing(word: str) -> None:
    assert says_nothing(word)


@pytest.mark.parametrize("cell", ["", None, 0, "n", "Nee", "NA", "-5", "!!!", "A-B", "Naam", True])
def test_what_may_be_meant_says_something(cell: Any) -> None:
    assert not says_nothing(cell)


@pytest.mark.parametrize("word", WORDS)
def test_members_without_a_company_are_not_all_the_same_customer(word: str) -> None:
    headers = ["Bedrijf", "Voornaam", "Tussenvoegsel", "Achternaam", "E-mail", "Rekening"]
    jan, eva = planned(
        book(),
        headers,
        [word, "Jan", word, "Bos", word, "28900001"],
        [word, "Eva", word, "Dam", word, "28900002"],
    )
    assert types(jan) == types(eva) == ["customer.register", "account.open"]
    assert {"first_name", "last_name"} == jan.commands[0].body.keys() - {"customer_id"}


def test_a_dash_is_no_account_and_no_part_of_a_street() -> None:
    headers = ["Naam", "Adres", "Huisnummer", "Toevoeging", "Postcode", "Land", "Rekening"]
    [plan] = planned(book(), headers, ["Jan Bos", "Dorpsstraat", 12, "-", "-", "-", "-"])
    assert types(plan) == ["customer.register"]
    assert plan.commands[0].body["street"] == "Dorpsstraat 12"
    assert [w.column for w in plan.warnings] == ["Naam"]  # a customer without an account


def test_the_nought_of_a_formula_that_refers_to_an_empty_cell_says_nothing() -> None:
    headers = ["Voornaam", "Tussenvoegsel", "Achternaam", "Bedrijf", "Plaats", "KVK", "Huisnummer"]
    [plan] = planned(book(), headers, ["Jan", 0, "Bos", 0, 0, 0, 0.0])
    assert plan.commands[0].body.keys() - {"customer_id"} == {"first_name", "last_name"}
    [false] = planned(book(), headers, ["Jan", None, "Bos", None, False])
    assert false.verdict == "refused"
    [no, none] = planned(book(), ["Naam", "Rekening"], ["Jan Bos", 0], ["Els Smit", "0"])
    assert messages(no) == messages(none) == [
        "'0' is not an account number; write it like 28900001, or leave the cell empty"
    ]  # fmt: skip
    [nought] = planned(book(), ["Naam", "Rekening", "Limiet"], ["Jan Bos", "28900001", 0])
    assert nought.commands[1].body["limit"] == 0


def test_a_line_of_dashes_is_no_row() -> None:
    assert planned(book(), ["Naam", "Rekening"], ["-----", "-----"]) == []


def test_a_total_is_left_out_where_a_dash_stands_below_the_accounts() -> None:
    [plan] = planned(book(), ["Naam", "Rekening", "Limiet"], ["Totaal", "-", 250])
    assert (plan.verdict, plan.commands) == ("unchanged", ())


def test_where_a_dash_may_mean_something_it_keeps_its_meaning() -> None:
    assert frozenset(FIELDS) == BLANK | OWN_MEANING
    headers = ["Naam", "Rekening", "Op naam kopen", "Limiet"]
    [no] = planned(book(), headers, ["Jan Bos", "28900001", "-", 5])
    assert no.commands[1].body["on_account"] is False
    [limit] = planned(book(), headers, ["Jan Bos", "28900001", "ja", "-"])
    assert messages(limit) == [
        "'-' is not an amount; write a number like 12,50, or 'none' for no limit"
    ]


@pytest.mark.parametrize("header", ["Bedrijf", "E-mail", "Tussenvoegsel", "Plaats", "BTW"])
@pytest.mark.parametrize("word", ["geen", "Onbekend", "none", "?"])
def test_a_word_for_none_is_refused_where_nothing_is_called_so(header: str, word: str) -> None:
    [plan] = planned(book(), ["Achternaam", "Rekening", header], ["Bos", "28900001", word])
    assert messages(plan) == [
        f"'{word}' says that there is none, or that nobody knows; leave the cell empty, or write"
        " what is meant"
    ]


def test_somebody_is_called_geen() -> None:
    [plan] = planned(book(), ["Achternaam", "Tussenvoegsel"], ["Geen", "van"])
    assert plan.commands[0].body["last_name"] == "Geen"


@pytest.mark.parametrize("text", ["-10", "−10,00", "10,00-", "(10,00)", "€ -1.250,00", "( 5 )"])
def test_what_is_less_than_nothing_is_told_so_however_it_is_written(text: str) -> None:
    assert amount_of(text, style=None) == Refusal(code="negative_amount")


@pytest.mark.parametrize("text", ["-", "--", "()", "–", "(geen)", "-x"])
def test_a_sign_without_a_number_is_no_amount(text: str) -> None:
    found = amount_of(text, style=None)
    assert isinstance(found, Refusal)
    assert found.code == "not_an_amount"


@pytest.mark.parametrize(
    "text",
    ["NL91ABNA0417164300", "nl91 abna 0417 1643 00", "NL91ABNA0417164301", "BE68539007547034"],
)
def test_the_number_of_a_bank_account_is_no_account(text: str) -> None:
    assert account_of(text, at_most=50) == Refusal(code="is_iban")


@pytest.mark.parametrize("text", ["BE68539007547035", "NL-12", "LEDEN2026", "BESTUUR"])
def test_an_account_with_letters_is_kept_as_typed(text: str) -> None:
    assert account_of(text, at_most=50) == text


@pytest.mark.parametrize(
    "text",
    ["28900001, 28900002", "28900001/28900002", "28900001 en 28900002", "28900001 (was 28900099)",
     "28900001 t/m 28900009", "28900001\n28900002", "28900001 28900002, 28900003"],
)  # fmt: skip
def test_several_numbers_in_one_cell_are_no_account(text: str) -> None:
    assert account_of(text, at_most=50) == Refusal(code="several_accounts")


@pytest.mark.parametrize("text", ["12345 67890", "12345-67890", "2890/0001", "123456/12345"])
def test_one_number_with_signs_in_it_is_one(text: str) -> None:
    assert account_of(text, at_most=50) == text


@pytest.mark.parametrize("text", ["volgt", "Nieuw", "n.t.b.", "ja"])
def test_a_word_for_a_number_to_come_is_no_account(text: str) -> None:
    assert account_of(text, at_most=50) == Refusal(code="not_an_account")


@pytest.mark.parametrize("sign", ["'", "’", "`"])
def test_an_apostrophe_that_a_program_wrote_is_no_part_of_a_number(sign: str) -> None:
    assert account_of(f"{sign}28900001", at_most=50) == Refusal(code="not_an_account")


@pytest.mark.parametrize("number", ["2890 0001", "28.900.001", "2890-0001", "28900001-",
    "28900001 (Jan)", "28900001 oud"])  # fmt: skip
def test_a_number_with_signs_in_it_is_told_of(number: str) -> None:
    row = ["Jan Bos", number, "Straat 1", "1234 AB", "Houten"]
    assert told(row, ["Naam", "Rekening", "Adres", "Postcode", "Plaats"]) == [
        ("Rekening", f"'{number}' is another account than 28900001; write it so if that is meant")
    ]


def test_a_postcode_is_not_held_against_a_country_that_could_not_be_read() -> None:
    [plan] = planned(book(), ["Naam", "Postcode", "Land"], ["Ute Haas", "10115", "Duitslnd"])
    assert [p.column for p in plan.problems] == ["Land"]
