"""The list is found in a workbook, or a person is asked."""

from typing import Any

import pytest

from services.importer.domain.columns import Layout, Outline, Unclear, lay_out


def outline(*rows: list[Any], name: str = "Blad1", hidden: bool = False) -> Outline:
    numbered = [(number, cells) for number, cells in enumerate(rows, start=1) if cells]
    return Outline(name=name, hidden=hidden, rows=numbered)


def found(*sheets: Outline, sheet: str | None = None, mapping: Any = None) -> Layout:
    layout = lay_out(sheets, sheet=sheet, mapping=mapping, tongue="en")
    assert isinstance(layout, Layout), layout
    return layout


def asked(*sheets: Outline, sheet: str | None = None, mapping: Any = None) -> Unclear:
    unclear = lay_out(sheets, sheet=sheet, mapping=mapping, tongue="en")
    assert isinstance(unclear, Unclear), unclear
    return unclear


LIST = (["Bedrijf", "Rekeningnummer"], ["De Kraan", 28900001])


def test_the_header_is_found_below_titles_and_empty_rows() -> None:
    layout = found(outline(["Ledenlijst 2026"], [], ["Peildatum", "1 juli"], [], LIST[0], LIST[1]))
    assert layout.header_row == 5
    assert [(c.header, c.field, c.samples) for c in layout.columns] == [
        ("Bedrijf", "company", ("De Kraan",)),
        ("Rekeningnummer", "account", ("28900001",)),
    ]


def test_one_known_column_alone_is_a_header() -> None:
    assert found(outline(["Bedrijf"], ["De Kraan"])).header_row == 1


def test_a_word_among_values_is_no_header() -> None:
    layout = found(outline(LIST[0], ["Naam", 28900001, "x"], ["Actief", 28900002, "y"]))
    assert layout.header_row == 1


def test_a_column_that_nobody_knows_is_shown_and_left_alone() -> None:
    layout = found(outline(["Bedrijf", "Pas", "Rekening"], ["A", "0012", 1]))
    assert [(c.header, c.field) for c in layout.columns] == [
        ("Bedrijf", "company"), ("Pas", None), ("Rekening", "account"),
    ]  # fmt: skip


def test_credit_beside_debit_is_a_side_of_the_books_and_no_limit() -> None:
    books = ["Account", "Debit", "Credit"]
    assert [c.field for c in found(outline(books, ["1", 5, 10])).columns] == ["account", None, None]
    asked_for = found(outline(books, ["1", 5, 10]), mapping={"Credit": "limit"})
    assert [c.field for c in asked_for.columns] == ["account", None, "limit"]
    alone = found(outline(["Account", "Credit"], ["1", 10]))
    assert [c.field for c in alone.columns] == ["account", "limit"]


def test_a_given_mapping_wins_over_names() -> None:
    # The help article itself maps the column Bedrijf to Voornaam.
    layout = found(outline(*LIST), mapping={"bedrijf": "first_name"})
    assert [c.field for c in layout.columns] == ["first_name", "account"]


def test_a_mapped_field_is_taken_from_the_column_that_would_have_had_it() -> None:
    rows = (["Naam", "Nummer", "Rekening"], ["A", 12, "NL91ABNA"])
    layout = found(outline(*rows), mapping={"Nummer": "account"})
    assert [c.field for c in layout.columns] == ["name", "account", None]


def test_two_columns_for_one_field_are_put_to_the_person() -> None:
    unclear = asked(outline(["Rekening", "Rek.nr.", "Bedrijf"], [1, 2, "A"]))
    assert (unclear.reason, unclear.choices) == ("columns_unclear", ("Rekening", "Rek.nr."))


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (["Client", "Naam", "Rekening"], [None, "name", "account"]),
        (["Naam", "Deelnemer", "Rekening"], ["name", None, "account"]),
        (["Account id", "Account", "Name"], [None, "account", "name"]),
        (["Client", "Rekening"], ["name", "account"]),
    ],
)
def test_a_name_that_may_say_another_thing_gives_way(headers: list[str], fields: list[Any]) -> None:
    """Lists that came in by the plainer column go on to do so."""
    assert [c.field for c in found(outline(headers)).columns] == fields


def test_of_two_limits_or_addresses_for_invoices_a_person_says_which() -> None:
    for headers in (["Naam", "Limiet", "Maandlimiet"], ["Naam", "E-mail", "E-mail factuur"]):
        assert asked(outline(headers)).choices == tuple(headers[1:])
    both = {"Client": "name", "Naam": "name"}
    assert asked(outline(["Client", "Naam"]), mapping=both).choices == ("Client", "Naam")


def test_what_follows_a_house_number_may_be_called_by_both() -> None:
    layout = found(outline(["Bedrijf", "Huisnr", "Huisnr toev"], ["A", 12, "b"]))
    assert [c.field for c in layout.columns] == ["company", "house_number", "house_number_suffix"]
    alone = found(outline(["Bedrijf", "Huisnr. toev."], ["A", "12b"]))
    assert [c.field for c in alone.columns] == ["company", "house_number"]
    both = asked(outline(["Bedrijf", "Huisnr", "Huisnr + toev"], ["A", 12, "12b"]))
    assert both.choices == ("Huisnr", "Huisnr + toev")
    headers = ["Bedrijf", "Huisnr", "Huisnr toev"]
    meant = found(outline(headers, ["A", 1, "12b"]), mapping={"Huisnr toev": "house_number"})
    assert [c.field for c in meant.columns] == ["company", None, "house_number"]


def test_a_number_just_right_of_a_street_is_that_of_the_house() -> None:
    layout = found(outline(["Nr", "Naam", "Straat", "Nr", "Plaats"], [1, "A", "Laan", 12, "B"]))
    assert [c.field for c in layout.columns] == [None, "name", "street", "house_number", "city"]
    for headers in (["Naam", "Straat", None, "Nr"], ["Naam", "Huisnr", "Straat", "Nr"]):
        assert found(outline(headers)).columns[-1].field is None
    whole = found(outline(["Naam", "Adres", "Nr"], ["A", "Kade 1", 17], ["B", "Kade 2", 18]))
    assert whole.columns[-1].field is None
    named = found(outline(["Naam", "Straat", "Nr"], ["A", "Plein 1945", 1], ["B", "Kade", 18]))
    assert named.columns[-1].field == "house_number"
    lone = ["De Hoeve", 3]
    most = found(
        outline(["Naam", "Adres", "Nr"], ["A", "Kade 1", 1], ["B", *lone], ["C", "Ra 2", 3])
    )
    assert most.columns[-1].field is None
    meant = found(outline(["Naam", "Straat", "Nr"]), mapping={"Nr": "account"})
    assert [c.field for c in meant.columns] == ["name", "street", "account"]


def test_two_lists_on_one_sheet_are_not_read_as_one() -> None:
    """The upper one's rows would be left out, or the lower one's read in the wrong columns."""
    short, long = ["Naam", "Rekening"], ["Naam", "Rekening", "E-mail"]
    turned = ["Rekening", "Naam"]
    row = ["Jan Bos", 28900001]
    mixed = ["Naam", "E-mail", "Rekening"]
    for first, second in (
        (short, long), (long, turned), (long, mixed), (long, [*long, "Wens"]),
    ):  # fmt: skip
        lists = outline(["Senioren"], first, row, row, ["Jeugd"], second, row, name="Leden")
        unclear = asked(lists)
        assert "in row 2 and in row 6" in unclear.message
        assert (unclear.reason, unclear.choices) == ("columns_unclear", ())
        assert asked(lists, outline(*LIST, name="Oud")).choices == ("Leden", "Oud")
    mails = [["Naam", "E-mail"], ["Els", "els@bos.nl"], ["Jan", "jan@bos.nl"]]
    for rows in ((short, row, long, row), (*mails, long, row)):  # of accounts, or of several
        assert "in row 1 and in row" in asked(outline(*rows)).message
    guest = [
        ["Naam", "Status", "Rekening"], ["Gast", "Actief", "28900001"], ["Lid", "Actief", "ja"],
        ["Gast", "Actief", "Bar", "Heren"], ["Gast"],
    ]  # fmt: skip
    kinds = [["Naam", "Soort", "Status"], *[[n, "Lid", "Actief"] for n in ("Gast", "Jan Bos")]]
    paid = [["Naam", "Soort", "Betaling"], ["Jan Bos", "Lid", "Op rekening"], ["Els", "Gast", "-"]]
    whose = [["Vereniging", "E-mail"], ["VV Houten", "info@vv.nl"], ["Leden"], long, row]
    capitals = [long, row, [name.upper() for name in long], row]
    for rows in (
        (short, long, row), (long, row, short, row), (["Plaats:", "Houten"], row, short), guest,
        kinds, paid, whose, capitals, (long, row, ["Plaats:", "Naam:"]),
        (long, row, ["Plaats"], row),
        (["Naam", "Plaats", "Soort", "Team"], ["Gast", "Stad", "Heren", "Bar"], ["Jan", "Houten"]),
    ):  # fmt: skip
        found(outline(*rows))


def test_two_sheets_that_fit_are_put_to_the_person() -> None:
    sheets = (outline(*LIST, name="Leden"), outline(*LIST, name="Oud"))
    unclear = asked(*sheets)
    assert (unclear.reason, unclear.choices) == ("sheet_unclear", ("Leden", "Oud"))
    assert found(*sheets, sheet="oud").sheet == "Oud"


def test_a_name_of_a_sheet_that_no_message_holds_is_put_to_the_person_as_it_is_shown() -> None:
    """Excel writes none such; whoever chooses it by what is shown is understood."""
    sheets = (outline(*LIST, name="Leden\n2025"), outline(*LIST, name="Oud\x85"))
    assert asked(*sheets).choices == asked(*sheets, sheet="?").choices == ("Leden 2025", "Oud")
    assert found(*sheets, sheet="Leden 2025").sheet == "Leden\n2025"


def test_a_sheet_with_a_column_that_is_not_clear_may_be_meant_too() -> None:
    unclear = outline(["Bedrijf", "Limiet", "Budget"], ["A", 1, 2], name="2026")
    asked_for = asked(outline(*LIST, name="2025"), unclear)
    assert (asked_for.reason, asked_for.choices) == ("sheet_unclear", ("2025", "2026"))
    rivals = asked(outline(*LIST, name="2025"), unclear, sheet="2026")
    assert (rivals.field, rivals.choices) == ("limit", ("Limiet", "Budget"))


def test_the_only_sheet_that_fits_is_taken_and_hidden_ones_are_not() -> None:
    sheets = (
        outline(["Toelichting"], ["Vul het blad Leden in"], name="Uitleg"),
        outline(*LIST, name="Leden"),
        outline(*LIST, name="Kopie", hidden=True),
    )
    assert found(*sheets).sheet == "Leden"


def test_a_sheet_that_is_not_there_is_answered_with_those_that_are() -> None:
    unclear = asked(outline(*LIST), sheet="Leden")
    assert (unclear.reason, unclear.choices) == ("sheet_unclear", ("Blad1",))


def test_a_mapping_of_columns_that_are_not_there_is_answered_with_those_that_are() -> None:
    unclear = asked(outline(*LIST), mapping={"Club": "company"})
    assert (unclear.reason, unclear.choices) == ("columns_unclear", ("Bedrijf", "Rekeningnummer"))


def test_what_a_mapping_names_in_vain_is_told_as_its_sender_wrote_it() -> None:
    mapping = {"Naam  Club": "company", "BEDRIJF": "last_name", "E-Mail": "email"}
    assert asked(outline(*LIST), mapping=mapping).message == (
        "The mapping names columns that the sheet does not have: E-Mail, Naam Club."
    )


def test_a_sheet_without_a_header_is_asked_about() -> None:
    assert asked(outline(["a", "b"], [1, 2])).reason == "columns_unclear"
    assert asked(outline()).choices == ()
    assert asked().reason == "columns_unclear"


def test_columns_that_name_nobody_are_asked_about() -> None:
    unclear = asked(outline(["Plaats", "Limiet"], ["Houten", 10]))
    assert "who the rows are about" in unclear.message
