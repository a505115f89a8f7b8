"""Headers are known in Dutch and English, however they are written."""

import pytest

from services.importer.domain.fields import FIELDS, SYNONYMS, called, field_of, normalise

KNOWN = [
    ("Bedrijf", "company"),
    ("bedrijfsnaam", "company"),
    ("COMPANY NAME", "company"),
    ("Naam", "name"),
    ("Naam/bedrijfsnaam", "name"),
    ("Gast", "name"),
    ("Naam medewerker", "name"),
    ("Guest name", "name"),
    ("Voornaam", "first_name"),
    ("First name", "first_name"),
    ("tussen-voegsel", "infix"),
    ("Achternaam:", "last_name"),
    ("E-mail", "email"),
    ("e mail adres *", "email"),
    ("E-mailadres", "email"),
    ("Rekening", "account"),
    ("Rek.nr.", "account"),
    (" Rekening\u00a0nummer ", "account"),
    ("Account no.", "account"),
    ("Limiet", "limit"),
    ("Limiet (bestedingsbudget)", "limit"),
    ("de naam/bedrijfsnaam", "name"),
    ("Het aantal rekeningen", "account_count"),
    ("Limiet in EUR", "limit"),
    ("Limiet (€)", "limit"),
    ("Bestedingsbudget", "limit"),
    ("Credit limit", "limit"),
    ("Adres", "street"),
    ("Straat", "street"),
    ("Huisnr.", "house_number"),
    ("Postcode", "postcode"),
    ("Woonplaats", "city"),
    ("Land", "country"),
    ("BTW-nummer", "vat_number"),
    ("K.v.K.", "chamber_number"),
    ("KvK nummer", "chamber_number"),
    ("Omschrijving", "description"),
    ("Status", "status"),
    ("Op naam kopen toestaan", "on_account"),
    ("Standaard in op naam overzicht", "in_overview"),
    ("In overzicht", "in_overview"),
    ("Taal", "language"),
    ("Aantal rekeningen", "account_count"),
    ("# rekeningen", "account_count"),
    ("Account #", "account"),
    ("account_count", "account_count"),
    ("Voor- en achternaam", "name"),
    ("Achternaam, voornaam", "name"),
    ("Bedrijf naam", "company"),
    ("E-mail factuur", "email"),
    ("E-mailadres(sen)", "email"),
    ("ZIP/Postal Code", "postcode"),
    ("Postcode/Woonplaats", "postcode_and_city"),
    ("Country/Region", "country"),
    ("Rekeningnr. bar", "account"),
    ("Maximale limiet", "limit"),
    ("Limiet per maand", "limit"),
    ("Limiet in euro's", "limit"),
    ("In overzicht j/n", "in_overview"),
    ("Op naam kopen ja / nee", "on_account"),
    ("Limiet (max 1000)", "limit"),
    ("Limiet (bijv. 1.000,00)", "limit"),
    ("Rekening (1000-serie)", "account"),
]


@pytest.mark.parametrize(("header", "field"), KNOWN)
def test_a_header_is_known_by_its_words_alone(header: str, field: str) -> None:
    assert field_of(header) == field


@pytest.mark.parametrize(
    "header",
    [
        "Pasnummer",
        "Geboortedatum",
        "",
        "Opmerkingen",
        "Lidnummer",
        "Limiet (in centen)",
        "Limit in cents",
        "Limiet x 1.000",
        "#",
        " #. ",
        "Lid #",
    ],
)
def test_a_header_that_nobody_knows_is_left_alone(header: str) -> None:
    assert field_of(header) is None


def test_no_word_stands_for_two_fields() -> None:
    seen: dict[str, str] = {}
    for field, words in SYNONYMS.items():
        for word in words:
            assert seen.setdefault(normalise(word), field) == field, word


def test_every_field_has_words() -> None:
    assert set(SYNONYMS) == set(FIELDS)


def test_a_field_is_called_as_people_call_it() -> None:
    assert [called(f, "nl") for f in ("city", "on_account")] == ["Plaats", "Op naam kopen toestaan"]
    assert [called(f, "en") for f in ("city", "on_account")] == ["city", "on account"]
