"""Cells give what they hold, exactly, or are refused."""

from typing import Any

import pytest

from services.importer.domain.cells import (
    Odd,
    clean,
    country_of,
    email_of,
    language_of,
    shown,
    text_of,
    yes_or_no,
)
from services.importer.domain.numbers import account_of, chamber_of, count_of
from services.importer.domain.refusals import Refusal

ACCOUNTS: list[tuple[Any, str]] = [
    (28900001, "28900001"),
    (28900001.0, "28900001"),
    (2.89e7, "28900000"),
    ("28900001", "28900001"),
    ("28900001.0", "28900001"),
    ("00012", "00012"),
    (" 28 900 ", "28 900"),
    ("A-17:b", "A-17:b"),
    ("'=1+1", "'=1+1"),
    (Odd(kind="padded", text="00012"), "00012"),
    (999_999_999_999_999, "999999999999999"),
]

NO_ACCOUNTS: list[tuple[Any, str]] = [
    ("2.89E+07", "scientific"),
    ("2,89E+07", "scientific"),
    (10**15, "damaged_number"),
    (1e20, "damaged_number"),
    (12.5, "not_an_account"),
    (-1, "not_an_account"),
    (True, "not_text"),
    ("x" * 65, "too_long"),
    (Odd(kind="date", text="2026-01-01"), "is_date"),
    (Odd(kind="error", text="#REF!"), "is_error"),
]


@pytest.mark.parametrize(("cell", "account"), ACCOUNTS)
def test_an_account_number_stays_as_it_was_typed(cell: Any, account: str) -> None:
    assert account_of(cell, at_most=64) == account


@pytest.mark.parametrize(("cell", "code"), NO_ACCOUNTS)
def test_an_account_number_that_lost_digits_is_refused(cell: Any, code: str) -> None:
    found = account_of(cell, at_most=64)
    assert isinstance(found, Refusal)
    assert found.code == code


def test_what_nobody_sees_is_taken_out_of_a_text() -> None:
    assert clean(" Jan\u00a0\u200bde \u202eVries\u202c\x00\n ") == "Jan de Vries"
    assert clean("Cafe\u0301") == "Café"


def test_a_text_that_begins_like_a_formula_stays_text() -> None:
    assert text_of('=HYPERLINK("x")', at_most=100) == '=HYPERLINK("x")'


@pytest.mark.parametrize("text", ["#N/A", "#n/b", "#WAARDE!"])
def test_an_error_that_has_become_text_is_one(text: str) -> None:
    error = Refusal(code="is_error")
    assert text_of(text, at_most=100) == account_of(text, at_most=50) == error
    assert text_of("#1 Club", at_most=100) == "#1 Club"


def test_a_number_gives_its_digits_as_text() -> None:
    assert (text_of(1900, at_most=10), text_of(12.5, at_most=10)) == ("1900", "12.5")


@pytest.mark.parametrize(
    "cell", ["ja", "J", "Yes", "x", "✓", "WAAR", 1, 1.0, True, " aan ", "[x]", "Ja!"]
)
def test_yes_is_said_in_many_ways(cell: Any) -> None:
    assert yes_or_no(cell) is True


@pytest.mark.parametrize("cell", ["nee", "N", "No", "-", "onwaar", 0, False, "✗", "uit", "Nee."])
def test_no_is_said_in_many_ways(cell: Any) -> None:
    assert yes_or_no(cell) is False


@pytest.mark.parametrize("cell", ["misschien", 2, 0.5, "[ ]"])
def test_anything_else_is_neither_yes_nor_no(cell: Any) -> None:
    assert yes_or_no(cell) == Refusal(code="not_yes_or_no")


def test_an_odd_cell_is_refused_for_what_is_odd_about_it() -> None:
    assert yes_or_no(Odd(kind="date", text="2026-01-01")) == Refusal(code="is_date")
    assert count_of(Odd(kind="formula", text="=A1"), at_most=9) == Refusal(code="no_result")
    assert account_of(Odd(kind="shortened", text="2.89e+07"), at_most=64) == Refusal(
        code="scientific"
    )
    assert account_of(Odd(kind="masked", text="1"), at_most=64) == Refusal(code="is_masked")


def test_languages_and_countries_are_known_by_name_and_code() -> None:
    assert [language_of(x) for x in ("NL", "Engels", None)] == ["nl", "en", None]
    assert language_of("Frans") == Refusal(code="not_a_language")
    assert [country_of(x) for x in ("Nederland", "be", "België", None)] == ["NL", "BE", "BE", None]
    assert country_of("Absurdistan") == Refusal(code="not_a_country")


@pytest.mark.parametrize(
    "cell",
    ["info@club.nl", " mailto:Info@Club.nl ", "info@club.nl;", "De Club <info@club.nl>, "],
)
def test_one_address_is_taken(cell: str) -> None:
    assert str(email_of(cell, at_most=254)).casefold() == "info@club.nl"


@pytest.mark.parametrize(
    "cell",
    ["a@b.nl; c@d.nl", "a@b", "niemand", "a b@c.nl", "a..b@c.nl", "A <a@b.nl>; C <c@d.nl>", "<>"],
)
def test_what_is_not_one_address_is_refused(cell: str) -> None:
    assert email_of(cell, at_most=254) == Refusal(code="not_an_email")


def test_a_chamber_number_gets_back_the_nought_that_a_number_cell_cannot_hold() -> None:
    assert chamber_of(1234567, at_most=20, country=None) == "01234567"
    assert chamber_of("KvK 12.34.56.78", at_most=20, country="NL") == "12345678"
    assert chamber_of("12345678 0000", at_most=20, country="NL") == "123456780000"
    assert chamber_of(12345678, at_most=20, country="NL") == "12345678"
    assert chamber_of(123456789, at_most=20, country="NL") == Refusal(code="not_a_chamber_number")
    assert chamber_of(12345670000, at_most=20, country="NL") == "012345670000"
    assert chamber_of("1234567", at_most=20, country="NL") == Refusal(code="not_a_chamber_number")
    assert chamber_of("0123.456.789", at_most=20, country="BE") == "0123.456.789"


def test_a_count_is_a_whole_number_within_bounds() -> None:
    assert [count_of(x, at_most=10) for x in (3, "3", 3.0, None, 0)] == [3, 3, 3, None, 0]
    assert count_of(11, at_most=10) == Refusal(code="not_a_count", at_most=10)
    assert isinstance(count_of("drie", at_most=10), Refusal)


def test_a_cell_is_shown_as_a_person_knows_it() -> None:
    assert [shown(x) for x in (None, True, 3.0, 2.5, " a ", Odd(kind="error", text="#N/A"))] == [
        "", "TRUE", "3", "2.5", "a", "#N/A",
    ]  # fmt: skip
