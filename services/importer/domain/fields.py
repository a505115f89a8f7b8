"""The fields a column can be taken for, and the words people write above such a column.

Fields are named as in the registry's commands (contract part 5), with four of the importer's own:
`name` (a full name or a company), `account_count` ("aantal rekeningen"), and house number and
its addition, which are joined to the street and shown as such.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal, get_args

Field = Literal[
    "company",
    "name",
    "first_name",
    "infix",
    "last_name",
    "email",
    "email_fictitious",
    "street",
    "house_number",
    "house_number_suffix",
    "postcode",
    "city",
    "country",
    "vat_number",
    "chamber_number",
    "peppol_id",
    "language",
    "account",
    "account_count",
    "description",
    "limit",
    "status",
    "on_account",
    "in_overview",
]

FIELDS: Final[tuple[Field, ...]] = get_args(Field)

WHO: Final[frozenset[Field]] = frozenset({"company", "name", "first_name", "last_name", "email"})
"""Fields that say whom a row is about; a sheet without one of these or an account is no list."""

SYNONYMS: Final[dict[Field, tuple[str, ...]]] = {
    "company": (
        "Bedrijf", "Bedrijfsnaam", "Naam bedrijf", "Company", "Company name", "Organisatie",
        "Organisatienaam", "Organisation", "Organization", "Firma", "Firmanaam", "Vereniging",
        "Stichting", "Business", "Business name", "Handelsnaam", "Verenigingsnaam", "Bedr.naam",
    ),
    "name": (
        "Naam", "Volledige naam", "Full name", "Name", "Klant", "Klantnaam", "Customer",
        "Customer name", "Naam/bedrijfsnaam", "Bedrijfsnaam/naam", "Naam of bedrijfsnaam", "Lid",
        "Naam lid", "Member", "Member name", "Contactpersoon", "Contact person", "Gebruiker",
        "User", "Debiteur", "Debiteurnaam", "Rekeninghouder", "Houder", "Account holder", "Holder",
    ),
    "first_name": (
        "Voornaam", "Voornamen", "Roepnaam", "Voorn.", "Vnaam", "First name", "Firstname",
        "Given name", "Forename",
    ),
    "infix": (
        "Tussenvoegsel", "Tussenvoegsels", "Tussenv.", "Tussenvgsl", "Tussen", "Tv", "Tvgsl",
        "Voorvoegsel", "Voorvoegsels", "Infix", "Name infix", "Surname prefix",
    ),
    "last_name": (
        "Achternaam", "Achtern.", "Anaam", "Familienaam", "Last name", "Lastname", "Surname",
        "Family name",
    ),
    "email": (
        "E-mail", "E-mailadres", "Mail", "Mailadres", "Mail adres", "E-mail address",
        "Mail address", "E-mailadres factuur", "Factuur e-mail", "Factuur e-mailadres",
        "Invoice e-mail", "Email adres facturatie", "E-post",
    ),
    "email_fictitious": ("Fictief", "E-mail fictief", "Fictief e-mailadres", "Fictitious"),
    "street": (
        "Adres", "Straat", "Straatnaam", "Straat en huisnummer", "Straat + nr", "Straat en nr",
        "Adresregel", "Adresregel 1", "Factuuradres", "Address", "Street", "Street name",
        "Street address", "Address line", "Address line 1",
    ),
    "house_number": ("Huisnummer", "Huisnr.", "Huis nr", "House number", "House no.", "Huisn."),
    "house_number_suffix": (
        "Toevoeging", "Huisnummertoevoeging", "Huisnummer toevoeging", "Huisletter", "Toev.",
        "House number suffix", "House number addition",
    ),
    "postcode": (
        "Postcode", "Postkode", "Pc", "Postal code", "Post code", "Zip", "Zip code",
    ),
    "city": (
        "Plaats", "Woonplaats", "Plaatsnaam", "Vestigingsplaats", "Stad", "Gemeente", "City",
        "Town", "Place",
    ),
    "country": ("Land", "Landcode", "Land code", "Country", "Country code"),
    "vat_number": (
        "BTW-nummer", "BTW", "BTW nr.", "BTW-id", "BTW identificatienummer", "OB-nummer",
        "VAT number", "VAT", "VAT no.", "VAT id", "VAT reg no",
    ),
    "chamber_number": (
        "KVK", "KVK-nummer", "KVK nr.", "K.v.K. nummer", "Kamer van Koophandel",
        "Handelsregister", "Handelsregisternummer", "Chamber number", "Chamber of commerce",
        "Chamber of commerce number", "CoC", "CoC number", "CoC no.",
    ),
    "peppol_id": ("Peppol", "Peppol-id", "Peppol nummer", "Peppol address", "Peppol adres"),
    "language": ("Taal", "Taalcode", "Language", "Language code", "Voorkeurstaal"),
    "account": (
        "Rekening", "Rekeningnummer", "Rek.nr.", "Rek.", "Reknummer", "Rekeningnr.",
        "Rekening nr", "Rekening no", "Account", "Account number", "Account no.", "Account nr.",
        "Accountnummer", "Acct", "Acct no",
    ),
    "account_count": (
        "Aantal rekeningen", "Aantal rek.", "Aantal rekeningnummers", "Rekeningen", "Aantal",
        "Aantal accounts", "Number of accounts", "No. of accounts", "Account count", "Accounts",
        "# rekeningen", "Aantal op te maken rekeningen",
    ),
    "description": (
        "Omschrijving", "Beschrijving", "Omschr.", "Rekeningomschrijving", "Omschrijving rekening",
        "Rekeningnaam", "Description", "Account description", "Account name",
    ),
    "limit": (
        "Limiet", "Limit", "Bestedingsbudget", "Bestedingslimiet", "Bestedingsruimte", "Budget",
        "Krediet", "Kredietlimiet", "Limiet (bestedingsbudget)", "Limiet bestedingsbudget",
        "Credits", "Credit", "Credit limit", "Spending limit", "Maximaal bedrag", "Max. bedrag",
        "Maximum", "Tegoed",
    ),
    "status": (
        "Status", "Rekeningstatus", "Status rekening", "Account status", "Actief", "Active",
        "Geactiveerd",
    ),
    "on_account": (
        "Op naam kopen toestaan", "Op naam kopen", "Op naam", "Maak op naam", "Op rekening",
        "Op rekening toestaan", "On account", "Allow on account", "On account allowed",
        "Buy on account",
    ),
    "in_overview": (
        "In overzicht", "Standaard in op naam overzicht", "In op naam overzicht", "Overzicht",
        "Standaard in overzicht", "Op naam overzicht", "In overview", "Overview",
        "Show in overview",
    ),
}  # fmt: skip

JOINED: Final[dict[Field, Field]] = {"house_number": "street", "house_number_suffix": "street"}
"""Columns that become part of another field; messages name that field."""

_SIGNS = re.compile("[^0-9a-z]+")
_ASIDE = re.compile(r"[(\[{][^)\]}]*[)\]}]")
_UNITS = ("euro", "eur", "ineuro", "ineur")


def normalise(header: str) -> str:
    """A header without case, accents, spaces and punctuation: "E-mail adres *" -> "emailadres"."""
    folded = header.casefold().replace("#", "aantal")
    if folded.isascii():
        return _SIGNS.sub("", folded)
    plain = unicodedata.normalize("NFKD", folded)
    return "".join(letter for letter in plain if letter.isalnum())


def _known() -> dict[str, Field]:
    known: dict[str, Field] = {}
    for field, words in SYNONYMS.items():
        for word in (*words, field):
            known[normalise(word)] = field
    return known


_KNOWN: Final[dict[str, Field]] = _known()


def field_of(header: str) -> Field | None:
    """The field that a header names in Dutch or English, or None when nobody knows it.

    What stands in brackets and a unit at the end are left out of account when the whole is not
    known: "Limiet (in EUR)", "Limiet EUR".
    """
    for words in (header, _ASIDE.sub(" ", header)):
        plain = normalise(words)
        if plain in _KNOWN:
            return _KNOWN[plain]
        for unit in _UNITS:
            if plain.endswith(unit) and plain.removesuffix(unit) in _KNOWN:
                return _KNOWN[plain.removesuffix(unit)]
    return None
