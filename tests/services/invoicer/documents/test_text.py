"""Amounts, dates and odd text, as people in two languages read them."""

from datetime import date
from decimal import Decimal

import pytest

from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.mail_words import _REASONS, WORDS, reason_text
from services.invoicer.documents.text import (
    breakable,
    clean,
    day,
    iban_text,
    money,
    month,
    net_price,
    quantity_text,
    rate_label,
    weekday,
)


@pytest.mark.parametrize(
    ("amount", "currency", "dutch", "english"),
    [
        (123450, "EUR", "€\u00a01.234,50", "€1,234.50"),
        (5, "EUR", "€\u00a00,05", "€0.05"),
        (0, "EUR", "€\u00a00,00", "€0.00"),
        (-350, "EUR", "€\u00a0−3,50", "−€3.50"),
        (123450, "SEK", "SEK\u00a01.234,50", "SEK\u00a01,234.50"),
        (1234, "JPY", "JPY\u00a01.234", "JPY\u00a01,234"),
    ],
)
def test_money_reads_as_in_its_language(
    amount: int, currency: str, dutch: str, english: str
) -> None:
    assert (money(amount, currency, "nl"), money(amount, currency, "en")) == (dutch, english)


def test_dates_quantities_and_rates_read_as_in_their_language() -> None:
    assert day(date(2026, 3, 1), "nl") == "1 maart 2026"
    assert day(date(2026, 3, 1), "en") == "1 March 2026"
    assert weekday(date(2026, 11, 3), "nl") == "dinsdag 3 november"
    assert month("2026-12", "en") == "December 2026"
    assert quantity_text(Decimal("0.350"), "nl") == "0,35"
    assert quantity_text(Decimal("-2"), "en") == "−2"
    assert quantity_text(Decimal("1E+3"), "nl") == "1.000"
    assert rate_label("5.5", "nl") == "5,5%"
    assert iban_text("NL91ABNA0417164300") == "NL91 ABNA 0417 1643 00"


def test_a_price_without_vat_is_rounded_where_it_is_told_to() -> None:
    assert net_price(350, "21", 4) == Decimal("289.2562")
    assert net_price(350, "0", 2) == Decimal("350.00")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\x00b\x1bc", "a b c"),
        ("regel 1\nregel 2\ttab", "regel 1 regel 2 tab"),
        ("om\u202egedraaid", "omgedraaid"),
        ("\ud800los", "los"),
        ("👨‍👩‍👧 gezin", "👨‍👩‍👧 gezin"),
        ("  twee  spaties ", "twee  spaties"),
    ],
)
def test_only_what_no_document_can_carry_is_taken_out(typed: str, kept: str) -> None:
    assert clean(typed) == kept


def test_a_word_that_is_too_long_may_be_broken_and_others_stay_as_they_are() -> None:
    assert breakable("gewoon woord") == "gewoon woord"
    assert breakable("x" * 30).replace("\u200b", "") == "x" * 30
    assert "\u200b" in breakable("x" * 30)


def test_both_languages_have_the_same_words_with_the_same_blanks() -> None:
    for table in (LABELS, WORDS, _REASONS):
        assert table["nl"].keys() == table["en"].keys()
        for key in table["nl"]:
            blanks = [sorted(_blanks(table[language][key])) for language in ("nl", "en")]
            assert blanks[0] == blanks[1], key


def test_a_reason_without_words_reads_as_its_code() -> None:
    assert reason_text("no_holder", "nl") == "geen houder gekoppeld"
    assert reason_text("something_new", "en") == "something new"


def _blanks(text: str) -> list[str]:
    return [part.split("}")[0] for part in text.split("{")[1:]]
