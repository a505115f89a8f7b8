"""Which row is the header, what is shown of the columns, and of what a person is asked."""

from __future__ import annotations

from typing import Any

from services.importer.domain.columns import Layout, Outline, Unclear, lay_out
from services.importer.domain.rows import RowReader
from tests.services.importer.domain.test_planning import book, planned


def sheet(*rows: list[Any], name: str = "x") -> Outline:
    return Outline(name=name, hidden=False, rows=list(enumerate(rows, start=1)))


def laid(*sheets: Outline) -> Layout | Unclear:
    return lay_out(list(sheets), sheet=None, mapping=None, tongue="nl")


def header_row(*rows: list[Any]) -> int | None:
    found = laid(sheet(*rows))
    return found.header_row if isinstance(found, Layout) else None


def test_one_known_word_among_many_cells_is_no_header_and_two_are() -> None:
    assert header_row(["Naam", "x", "y"]) is None
    assert header_row(["Naam", "x"]) == 1
    assert header_row(["Naam", "Plaats", "y"]) == 1
    assert header_row(["x", "y"]) is None


def test_the_first_of_equal_headers_counts_and_one_that_names_more_before_it() -> None:
    assert header_row(["Naam", "Plaats"], ["Jan", "Houten"], ["Naam", "Plaats"]) == 1
    assert header_row(["Naam", "Plaats"], ["Naam", "Plaats", "Limiet"]) == 2


def test_where_there_is_no_header_the_first_row_with_anything_is_shown() -> None:
    found = laid(sheet([None, None], [None, "Toelichting", "bij", "de"], ["lijst"]))
    assert isinstance(found, Unclear)
    assert found.choices == ("Toelichting", "bij", "de")
    # Of several sheets the one is told of in which something stands.
    told = laid(sheet(), sheet(["Toelichting", "bij", "de"], name="y"))
    assert isinstance(told, Unclear)
    assert told.choices == ("Toelichting", "bij", "de")


def test_a_member_s_cells_are_not_offered_as_names_of_columns() -> None:
    found = laid(sheet(["Jan de Vries", "28900001", "jan@devries.nl"]))
    assert isinstance(found, Unclear)
    assert found.choices == ()


def test_one_column_that_a_mapping_names_makes_a_header() -> None:
    rows = sheet(["Sponsor", "Pas", "Mobiel"], ["Slagerij Bos", "12", "06"])
    found = lay_out([rows], sheet=None, mapping={"Sponsor": "company"}, tongue="nl")
    assert isinstance(found, Layout)
    assert (found.header_row, found.fields()) == (1, {"company"})


def test_a_number_is_the_account_s_where_that_stands_above_it() -> None:
    """As in a heading of two rows, whose upper cells are merged."""
    rows = (["Naam", "E-mail", "Nr", "Limiet"], ["Jan", None, "28900001", 5])
    found = laid(sheet(["Lid", None, "Rekening"], *rows))
    assert isinstance(found, Layout)
    assert [(c.header, c.field) for c in found.columns][2] == ("Rekening Nr", "account")
    for above in (["Rekening"], ["Lid", None, "Kaart", "Rekening"], []):
        found = laid(sheet(above, *rows))
        assert isinstance(found, Layout)
        assert "account" not in found.fields()


def test_the_lower_row_of_such_a_heading_is_known_when_it_comes_again() -> None:
    names = ["Naam", "Plaats", "Nr", "Limiet"]
    found = laid(sheet(["Lid", None, "Rekening"], names, ["Jan", "Houten", 1, 5], names))
    assert isinstance(found, Layout)
    again = RowReader(layout=found, tongue="nl", styles={}).read(4, names)
    assert again is not None
    assert (again.customer, again.account) == ({}, None)


def test_of_a_column_three_values_are_shown() -> None:
    found = laid(sheet(["Naam", "Plaats"], ["A"], ["B", "Houten"], ["C"], ["D", None]))
    assert isinstance(found, Layout)
    assert [column.samples for column in found.columns] == [("A", "B", "C"), ("Houten",)]


def test_columns_that_are_called_the_same_are_told_as_the_first_is_written() -> None:
    found = laid(sheet(["Naam", "Budget", "BUDGET"]))
    assert isinstance(found, Unclear)
    assert found.message.startswith("Meer kolommen heten 'Budget'.")


def test_two_columns_of_house_numbers_beside_one_of_what_follows_are_not_clear() -> None:
    found = laid(sheet(["Naam", "Huisnr", "Huisnr toev", "Toevoeging"]))
    assert isinstance(found, Unclear)
    assert (found.field, found.choices) == ("house_number", ("Huisnr", "Huisnr toev"))


def test_a_missing_address_is_told_at_the_first_column_for_it_that_there_is() -> None:
    (plan,) = planned(book(), ["Bedrijf", "Rekening", "Postcode"], ["A", 28900001, None])
    assert [w.column for w in plan.warnings] == ["Postcode"]
    (none,) = planned(book(), ["Bedrijf", "Rekening"], ["A", 28900001])
    assert [w.column for w in none.warnings] == [""]


def test_a_long_name_is_told_by_its_first_hundred_letters() -> None:
    (plan,) = planned(book(), ["Bedrijf", "Rekening"], ["A" * 110, None])
    assert [w.value for w in plan.warnings] == ["A" * 100]
