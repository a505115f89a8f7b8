"""What a row says of a customer and an account, cell by cell."""

from __future__ import annotations

from typing import Any

import pytest

from services.importer.domain.cells import (
    Odd,
    decimal_text,
    is_empty,
    shown,
    text_of,
)
from services.importer.domain.columns import Layout, Outline, lay_out
from services.importer.domain.numbers import chamber_of, count_of
from services.importer.domain.placeholders import says_none
from services.importer.domain.refusals import Refusal
from services.importer.domain.rows import MAX_ACCOUNTS_A_ROW, Entry, RowReader
from tests.services.importer.domain.test_planning import book, messages, planned


def read(headers: list[str], cells: list[Any], *, home: str = "NL") -> Entry:
    sheet = Outline(name="x", hidden=False, rows=[(1, headers)])
    layout = lay_out([sheet], sheet=None, mapping=None, tongue="en")
    assert isinstance(layout, Layout), layout
    entry = RowReader(layout=layout, tongue="en", styles={}, home=home).read(2, cells)
    assert entry is not None
    return entry


def test_a_row_may_end_before_the_last_column() -> None:
    entry = read(["Naam", "Plaats", "Limiet"], ["Jan Bos", "Houten"])
    assert entry.customer == {"first_name": "Jan", "last_name": "Bos", "city": "Houten"}
    assert (read(["Naam", "Land"], ["Jan Bos"]).problems, entry.problems) == ((), ())


@pytest.mark.parametrize(
    ("cells", "left_out"),
    [
        (["Bedrijf", "Rekening", None], True),
        (["Bedrijf", None, None], False),
        (["Bedrijf", "Rekening", 5], False),
        (["Bedrijf", None, "x"], False),
        (["Bedrijf", "Rekening"], True),
        (["Bedrijf"], False),
    ],
)
def test_a_row_repeats_the_header_where_two_cells_do_and_none_says_more(
    cells: list[Any], left_out: bool
) -> None:
    entry = read(["Bedrijf", "Rekening", "Plaats"], cells)
    assert (entry.customer == {}) == left_out
    assert bool(entry.warnings) == left_out


def test_only_a_short_cell_says_that_a_row_is_a_total() -> None:
    for spaces, left_out in ((34, True), (35, False)):
        entry = read(["Naam", "Limiet"], ["Totaal" + " " * spaces, 5])
        assert (entry.customer == {}) == left_out


@pytest.mark.parametrize(
    ("number", "country", "home", "taken"),
    [
        ("0403.170.701", "BE", "NL", True),
        ("0403.170.701", "NL", "BE", False),
        ("0403.170.701", None, "BE", True),
        ("0403.170.701", "?!", "BE", True),
        ("0403.170.701", None, "NL", False),
        ("12345678", "NL", "NL", True),
    ],
)
def test_a_chamber_number_is_read_by_the_country_of_its_row(
    number: str, country: str | None, home: str, taken: bool
) -> None:
    entry = read(["Bedrijf", "KvK", "Land"], ["A", number, country], home=home)
    assert (entry.customer.get("chamber_number") == number) == taken
    without = read(["Bedrijf", "KvK"], ["A", number], home=home)
    assert ("chamber_number" in without.customer) == (home == "BE" or number == "12345678")


def test_a_peppol_id_is_one_or_is_refused() -> None:
    headers = ["Bedrijf", "Peppol-ID"]
    assert read(headers, ["A", "0106:12345678"]).customer["peppol_id"] == "0106:12345678"
    (plan,) = planned(book(), headers, ["A", "nee hoor"])
    assert [p.column for p in plan.problems] == ["Peppol-ID"]
    assert "'nee hoor'" in messages(plan)[0]


def test_a_limit_below_a_header_of_another_currency_is_refused() -> None:
    entry = read(["Bedrijf", "Rekening", "Limiet ($)"], ["A", 1, 5])
    assert [(p.column, p.value) for p in entry.problems] == [("Limiet ($)", "5")]
    assert "limit" not in entry.settings


def test_a_row_makes_no_more_accounts_than_it_may() -> None:
    assert MAX_ACCOUNTS_A_ROW == 1000
    headers = ["Bedrijf", "Aantal rekeningen"]
    assert read(headers, ["A", 1000]).account_count == 1000
    assert [p.column for p in read(headers, ["A", 1001]).problems] == ["Aantal rekeningen"]


@pytest.mark.parametrize(("count", "problems"), [(None, 0), (1, 0), (0, 1), (2, 1)])
def test_a_number_and_how_many_go_together_only_for_one(count: int | None, problems: int) -> None:
    entry = read(["Bedrijf", "Rekening", "Aantal rekeningen"], ["A", 7, count])
    assert (entry.account, entry.account_count) == ("7", None)
    assert len(entry.problems) == problems


def test_beside_a_first_name_the_name_is_a_last_name_a_whole_one_or_a_companys() -> None:
    headers = ["Voornaam", "Naam"]
    for name, customer in (
        ("Bos", {"first_name": "Jan", "last_name": "Bos"}),
        ("Jan Bos", {"first_name": "Jan", "last_name": "Bos"}),
        ("De Kraan B.V.", {"first_name": "Jan", "company": "De Kraan B.V."}),
        ("Els Bos", {"first_name": "Jan", "last_name": "Els Bos"}),
    ):
        assert read(headers, ["Jan", name]).customer == customer


def test_the_column_that_says_what_somebody_is_called_is_one_in_which_something_stands() -> None:
    headers = ["Bedrijf", "Voornaam", "Achternaam", "Rekening"]
    assert read(headers, [None, "Jan", "Bos", 1]).name_column == "last_name"
    assert read(headers, [None, "Jan", None, 1]).name_column == "first_name"
    assert read(headers, ["A", "Jan", "Bos", 1]).name_column == "company"
    assert read(["Bedrijf", "Naam"], [None, "Jan Bos"]).name_column == "name"
    assert read(["Bedrijf", "Rekening"], [None, 1]).name_column == "name"


# --- cells --------------------------------------------------------------------------------


def test_numbers_as_text_have_the_digits_that_excel_keeps() -> None:
    assert text_of(10**15 - 1, at_most=40) == "999999999999999"
    for damaged in (10**15, -(10**15), 1e15):
        assert text_of(damaged, at_most=40) == Refusal(code="damaged_number")
    assert (decimal_text(1e15 - 1), decimal_text(1e15)) == ("999999999999999", "1e+15")
    assert decimal_text(-12.0) == "-12"


def test_a_chamber_number_that_is_no_text_is_refused_as_what_it_is() -> None:
    found = [chamber_of(cell, at_most=20, country="NL") for cell in
             (None, Odd(kind="date", text="2026-05-01"), 1234567, "KvK: 12.34.56.78")]  # fmt: skip
    assert found == [None, Refusal(code="is_date"), "01234567", "12345678"]


def test_what_is_shown_of_a_cell_has_an_end() -> None:
    assert shown(10**150) == "1" + "0" * 99
    assert shown("x" * 150) == "x" * 100
    assert shown(Odd(kind="long", text="x" * 150)) == "x" * 100


@pytest.mark.parametrize(
    ("count", "taken"), [(0, 0), (3, 3), ("3", 3), (4, None), ("9" * 25, None)]
)
def test_a_count_is_a_whole_number_up_to_the_most(count: int | str, taken: int | None) -> None:
    expected = Refusal(code="not_a_count", at_most=3) if taken is None else taken
    assert count_of(count, at_most=3) == expected


def test_a_cell_is_empty_where_nothing_in_it_can_be_seen() -> None:
    assert [is_empty(c) for c in (None, "", " ", "\u200b", "a", "-", " a", 0, False)] == (
        [True] * 4 + [False] * 5
    )


def test_only_a_short_cell_says_in_words_that_there_is_none() -> None:
    assert says_none("geen" + " " * 15)
    assert not says_none("geen" + " " * 16)
