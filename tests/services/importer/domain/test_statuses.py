"""A status is taken from words that can only be said of the account, and from no others."""

import pytest

from services.importer.domain.cells import Odd
from services.importer.domain.refusals import Refusal
from services.importer.domain.statuses import OF_A_DAY, OF_PEOPLE, WORDS, status_of

UNDERSTOOD = {
    "Actief": "active", "GEBLOKKEERD": "blocked", "nee": "inactive", "closed": "closed",
    "niet-actief": "inactive", "Beeindigd": "closed", " Opgeheven ": "closed",
    "Slapend": "inactive", "Vervallen": "closed", "Suspended": "blocked", "Dormant": "inactive",
    "on-hold": "blocked", "✓": "active",
}  # fmt: skip


@pytest.mark.parametrize("word", UNDERSTOOD)
def test_a_status_is_a_word_or_a_yes(word: str) -> None:
    assert status_of(word) == UNDERSTOOD[word]


def test_a_status_is_a_yes_of_any_kind_or_nothing() -> None:
    assert [status_of(x) for x in (True, 0, None, " ")] == ["active", "inactive", None, None]


@pytest.mark.parametrize("word", ["Lid", "oud lid", "Oud-Lid", "Erelid", "Former member"])
def test_what_somebody_is_says_nothing_of_the_account(word: str) -> None:
    assert status_of(word) == Refusal(code="of_people")


@pytest.mark.parametrize("word", ["Opgezegd", "cancelled", "Verlopen"])
def test_what_may_be_so_from_a_day_to_come_is_not_taken_for_closed(word: str) -> None:
    assert status_of(word) == Refusal(code="of_a_day")


@pytest.mark.parametrize("word", ["soms", "nieuw", "actieff", "2", "kaart vervallen"])
def test_any_other_word_is_no_status(word: str) -> None:
    assert status_of(word) == Refusal(code="not_a_status")


def test_an_odd_cell_is_refused_for_what_is_odd_about_it() -> None:
    assert status_of(Odd(kind="error", text="#N/A")) == Refusal(code="is_error")


def test_each_word_has_one_meaning() -> None:
    every = [word for words in (*WORDS.values(), OF_PEOPLE, OF_A_DAY) for word in words]
    known = [status_of(word) for word in every]
    assert None not in known
    assert Refusal(code="not_a_status") not in known
    assert [status_of(w) for words in WORDS.values() for w in words] == [
        status for status, words in WORDS.items() for _ in words
    ]
