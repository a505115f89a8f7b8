"""The fields a column can be taken for, and the words people write above such a column.

Fields are named as in the registry's commands (schemas/registry.py), with six of our own:
`name` (a full name or a company), `account_count` ("aantal rekeningen"), initials, which are the
first name where there is none, house number and its addition, which are joined to the street, and
postcode and town in one; the last four are shown as what they become.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import Final, Literal, get_args

Field = Literal[
    "company",
    "name",
    "first_name",
    "initials",
    "infix",
    "last_name",
    "email",
    "email_fictitious",
    "street",
    "house_number",
    "house_number_suffix",
    "postcode",
    "postcode_and_city",
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
        "Naam organisatie", "Naam vereniging", "Organisation name", "Organization name",
        "Bedrijf naam", "Onderneming", "Naam onderneming", "Naam stichting", "Sponsornaam",
        "Naam sponsor",
    ),
    "name": (
        "Naam", "Volledige naam", "Full name", "Name", "Klant", "Klantnaam", "Customer",
        "Customer name", "Naam/bedrijfsnaam", "Bedrijfsnaam/naam", "Naam of bedrijfsnaam", "Lid",
        "Naam lid", "Member", "Member name", "Contactpersoon", "Contact person", "Gebruiker",
        "User", "Debiteur", "Debiteurnaam", "Rekeninghouder", "Houder", "Account holder", "Holder",
        "Relatie", "Relatienaam", "Naam relatie", "Naam klant", "Lidnaam", "Debiteurennaam",
        "Gast", "Gastnaam", "Naam gast", "Guest", "Guest name", "Medewerker", "Naam medewerker",
        "Werknemer", "Naam werknemer", "Employee", "Employee name", "Bewoner", "Naam bewoner",
        "Voor- en achternaam", "Voornaam en achternaam", "Voornaam + achternaam",
        "Achternaam, voornaam", "Naam, voornaam", "First and last name", "Last name, first name",
        "Bedrijf of naam", "Naam of bedrijf", "Klant/bedrijf", "Naam debiteur",
        "Naam contactpersoon", "Naam gebruiker", "Deelnemer", "Naam deelnemer", "Client",
        "Client name",
    ),
    "first_name": (
        "Voornaam", "Voornamen", "Roepnaam", "Voorn.", "Vnaam", "First name", "Firstname",
        "Given name", "Forename",
    ),
    "initials": (
        "Voorletters", "Voorletter", "Voorletter(s)", "Voorl.", "Initialen", "Initiaal", "Initials",
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
        "E-mail factuur", "E-mail facturen", "E-mail facturatie", "Facturatie e-mail",
        "E-mailadres facturatie", "Factuurmail", "E-mail 1", "E-mailadres 1", "E-mailadres(sen)",
        "E-mailadressen", "E-mail lid", "E-mailadres lid", "Billing e-mail",
    ),
    "email_fictitious": ("Fictief", "E-mail fictief", "Fictief e-mailadres", "Fictitious"),
    "street": (
        "Adres", "Straat", "Straatnaam", "Straat en huisnummer", "Straat + nr", "Straat en nr",
        "Straat + huisnr", "Straat en huisnr", "Straat/huisnummer", "Adres + huisnummer",
        "Adres en huisnummer", "Adres + nr", "Postadres", "Woonadres", "Bezoekadres",
        "Adresregel", "Adresregel 1", "Adres 1", "Address 1", "Factuuradres", "Address",
        "Street", "Street name", "Street address", "Address line", "Address line 1",
        "Straat + nummer", "Straat en nummer", "Straatadres", "Billing address", "Invoice address",
        "Street and number",
    ),
    "house_number": (
        "Huisnummer", "Huisnr.", "Huis nr", "House number", "House no.", "Huisn.",
        "Huisnummer en toevoeging", "Huisnr. + toev.",
    ),
    "house_number_suffix": (
        "Toevoeging", "Huisnummertoevoeging", "Huisnummer toevoeging", "Huisletter", "Toev.",
        "House number suffix", "House number addition", "Huisnr. toevoeging",
    ),
    "postcode": (
        "Postcode", "Postkode", "Pc", "Postc.", "Postal code", "Post code", "Zip", "Zip code",
        "Zip/postal code", "Postal/zip code", "Postal code/zip",
    ),
    "postcode_and_city": (
        "Postcode en plaats", "Postcode + plaats", "Postcode plaats", "Postcode en woonplaats",
        "Postcode + woonplaats", "Postcode/woonplaats", "Pc/plaats", "Pc + plaats",
        "Pc/woonplaats", "Postcode and town", "Postcode and city", "Zip and city", "Zip + city",
    ),
    "city": (
        "Plaats", "Woonplaats", "Plaatsnaam", "Woonpl.", "Vestigingsplaats", "Stad", "Gemeente",
        "City", "Town", "Place", "Town/city", "City/town",
    ),
    "country": ("Land", "Landcode", "Land code", "Country", "Country code", "Country/region"),
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
    "language": (
        "Taal", "Taalcode", "Language", "Language code", "Voorkeurstaal",
        "Taalvoorkeur", "Preferred language",
    ),
    "account": (
        "Rekening", "Rekeningnummer", "Rek.nr.", "Rek.", "Reknummer", "Rekeningnr.",
        "Rekening nr", "Rekening no", "Account", "Account number", "Account no.", "Account nr.",
        "Accountnummer", "Acct", "Acct no", "Rek.no.",
        "Barrekening", "Barrekeningnummer", "Rekeningnr. bar", "Rekeningnummer bar",
        "Nummer rekening", "Nr. rekening", "Rekeningcode", "Account code", "Account id",
        "Bar account", "Tab number", "Tab no.",
    ),
    "account_count": (
        "Aantal rekeningen", "Aantal rek.", "Aantal rekeningnummers", "Rekeningen", "Aantal",
        "Aantal accounts", "Number of accounts", "No. of accounts", "Account count", "Accounts",
        "# rekeningen", "Aantal op te maken rekeningen",
        "Hoeveel rekeningen", "Gewenst aantal rekeningen", "Aantal gewenste rekeningen",
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
        "Max. limiet", "Maximale limiet", "Maximumbedrag", "Max. besteding", "Maximale besteding",
        "Max. krediet", "Limietbedrag", "Rekeninglimiet", "Limiet rekening",
        "Maandlimiet", "Limiet per maand", "Bestedingslimiet per maand", "Budget per maand",
        "Limiet per rekening", "Account limit", "Limit per account", "Monthly limit", "Max. amount",
    ),
    "status": (
        "Status", "Rekeningstatus", "Status rekening", "Account status", "Actief", "Active",
        "Geactiveerd", "Rekening actief", "Account active",
    ),
    "on_account": (
        "Op naam kopen toestaan", "Op naam kopen", "Op naam", "Maak op naam", "Op rekening",
        "Op rekening toestaan", "On account", "Allow on account", "On account allowed",
        "Buy on account", "Op rekening kopen", "Mag op naam kopen", "Mag op rekening",
        "Mag op rekening kopen",
    ),
    "in_overview": (
        "In overzicht", "Standaard in op naam overzicht", "In op naam overzicht", "Overzicht",
        "Standaard in overzicht", "Op naam overzicht", "In overview", "Overview",
        "Show in overview", "Tonen in overzicht", "Toon in overzicht", "Zichtbaar op kassa",
    ),
}  # fmt: skip

JOINED: Final[dict[Field, Field]] = {
    "house_number": "street", "house_number_suffix": "street", "initials": "first_name",
    "postcode_and_city": "postcode",
}  # fmt: skip
"""Columns that become part of another field; messages name that field."""

_SIGNS = re.compile("[^0-9a-z]+")
_ASIDE = re.compile(r"[(\[{][^)\]}]*[)\]}]")
_ARTICLE = re.compile(r"^\s*(?:de|het|the)\s+", re.IGNORECASE)
_OTHER_UNIT = re.compile(
    r"\bcent(?:en|s)?\b|(?:[×*]|\b(?:x|in|per)) ?€? ?(?:1[.,]?000\b|duizend|thousand)",
    re.IGNORECASE,
)
"""Amounts in cents, or in thousands; not "max. 1.000"."""
_UNITS = ("euro", "eur", "ineuro", "ineur", "euros", "ineuros", "janee", "jn", "yesno", "yn")
"""What a header may end in: how its amounts are counted, or how its questions are answered."""


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
_WRITTEN: Final = {normalise(word): word for words in SYNONYMS.values() for word in reversed(words)}
_GIVING_WAY: Final = frozenset(map(normalise, (
    "Onderneming", "Naam onderneming", "Naam stichting", "Sponsornaam", "Naam sponsor",
    "Voor- en achternaam", "Voornaam en achternaam", "First and last name", "Bedrijf of naam",
    "Klant/bedrijf", "Naam debiteur", "Naam contactpersoon", "Naam gebruiker", "Deelnemer",
    "Naam deelnemer", "Client", "Client name", "E-mail 1", "E-mailadres 1", "E-mail lid",
    "E-mailadres lid", "Rekeningcode", "Account code", "Account id", "Rekening actief",
    "Account active", "Tonen in overzicht", "Toon in overzicht", "Zichtbaar op kassa",
)))  # fmt: skip
"""Names that may say another thing where a column has a plainer name for the same field. Not those
of invoices' addresses, of limits and of the bar's own accounts: there a person is asked."""
_STRANGERS: Final = frozenset(("nummer", "totaal", "total", "tav"))
"""Headers that are nearly a known one and mean another thing, as those of a bank's account do."""
_NUMBERED: Final = re.compile(r".+(?:nr|nummer|no|number|id|code)")
"""The number of something: of a customer, it is not what the customer is called."""
_MAIL: Final = re.compile(r".*email.*|.*mail(?:adres|address)?")
_LIMIT: Final = re.compile(r"(?:max)?(?:bestedings|krediet|spending|credit)?limi(?:et|t).*")
ALIKE: Final = 0.8
"""How much of a header has to be that of a known one to be taken for a slip of the keyboard."""


def field_of(header: str) -> Field | None:
    """The field that a header names in Dutch or English, or None when nobody knows it.

    What stands in brackets, a unit at the end and an article are left out of account when the whole
    is not known: "Limiet (in EUR)", "Limiet EUR", "Actief ja/nee", "Het aantal rekeningen". One in
    another unit is not known.
    """
    return _KNOWN.get(_word(header))


def gives_way(header: str) -> bool:
    """Whether a column of a plainer name is meant where there is one for the same field."""
    return _word(header) in _GIVING_WAY


def _word(header: str) -> str:
    """The known word that a header is; empty where it is none. "#" alone numbers the rows, before a
    word it counts ("# rekeningen"), and behind it is that one's number ("Account #")."""
    if _OTHER_UNIT.search(header) or not any(map(str.isalnum, header)):
        return ""
    if header.rstrip().endswith("#"):
        header = header.rstrip(" #") + " number"
    apart = _ASIDE.sub(" ", header)
    for words in (header, apart, _ARTICLE.sub("", apart)):
        plain = normalise(words)
        for known in (plain, *(plain.removesuffix(unit) for unit in _UNITS)):
            if known in _KNOWN:
                return known
    return ""


_DUTCH: Final[dict[str, str]] = {field: words[0] for field, words in SYNONYMS.items()}


def called(field: str, tongue: str) -> str:
    """A field as people know it: in Dutch by the first of its headers, in English by its name."""
    name = field.replace("_", " ")
    return _DUTCH.get(field, name) if tongue == "nl" else name


def nearest(header: str) -> tuple[str, Field] | None:
    """The known header that an unknown one is nearly, with its field; None where none is."""
    plain = normalise(header)[:40]
    if plain in _STRANGERS or "bank" in plain or not any(map(str.isalnum, header)):
        return None
    close = difflib.get_close_matches(plain, _WRITTEN, n=1, cutoff=ALIKE)
    if close and (_NUMBERED.fullmatch(close[0]) or not _NUMBERED.fullmatch(plain)):
        return _WRITTEN[close[0]], _KNOWN[close[0]]
    if _MAIL.fullmatch(plain):  # "E-mailadres van de penningmeester"
        return SYNONYMS["email"][0], "email"
    if _LIMIT.fullmatch(plain) and not _OTHER_UNIT.search(header):  # "Limiet per kamer"
        return "Limit" if "limit" in plain else "Limiet", "limit"
    return None
