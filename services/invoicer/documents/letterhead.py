"""What stands around a page's own content: who sends it, their address, their logo."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.invoicer.documents.countries import country_name
from services.invoicer.documents.fitting import width_mm
from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.logo import accent_colour, logo_data
from services.invoicer.documents.model import Address, Language, Seller
from services.invoicer.documents.text import breakable, iban_text, shortened

# As templates/letter.typ has them; a name is larger than usual, and bold.
_VENUE_MM, _VENUES_SIZE = 98.0, 2.25
_BUYER_MM, _NAMES_SIZE, _FACTS_MM, _FACTS_GAP_MM = 74.0, 1.2, 86.0, 4.0

_MANY = 2  # rows below the legal name

_REPEATED = 90  # characters of a name on every page; in full it stands on the first


def letterhead_data(
    seller: Seller, language: Language, *, with_logo: bool, seen_from: str | None = None
) -> dict[str, Any]:
    """`words`, `colour`, `logo` and `seller`, as templates/letter.typ takes them. `seen_from`: the
    reader's country, where it is known. `name_is_lower`: surely, in one line beside three or more,
    half as high each."""
    words = LABELS[language]
    logo = logo_data(seller.logo) if with_logo and seller.logo else None
    name = breakable(seller.shown_name)
    address = address_rows(seller.address, language, seen_from=seen_from)
    facts = present(
        (words["chamber_number"], seller.chamber_number),
        (words["vat_number"], seller.vat_number),
        (words["iban"], iban_text(seller.iban) if seller.iban else None),
        ("", seller.email),
        longest=34,
    )
    fits = width_mm(name) * _VENUES_SIZE <= _VENUE_MM
    return {
        "language": language,
        "words": dict(words),
        "colour": accent_colour(seller.colour),
        "logo": logo,
        "name_is_lower": logo is None and fits and len(address) + len(facts) >= _MANY,
        "seller": {
            "name": name,
            "legal_name": breakable(seller.legal_name),
            "address": address,
            "facts": facts,
            "running": breakable(shortened(seller.shown_name, _REPEATED)),
            "footer": _footer(seller, words),
        },
    }


def addressed_data(buyer: Mapping[str, Any], facts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """To whom and what, which stand beside each other. `facts_fit`: each surely takes one line.
    `buyer_is_lower`: surely, for it has no more rows than the facts, above which is the heading."""
    rows = [buyer["name"], *buyer["address"], *map(" ".join, buyer["facts"])]
    room = _FACTS_MM - _FACTS_GAP_MM - max((width_mm(name) for name, _ in facts), default=0)
    return {
        "buyer": buyer,
        "facts": facts,
        "facts_fit": all(width_mm(value) <= room for _, value in facts),
        "buyer_is_lower": len(rows) <= len(facts)
        and all(width_mm(row) * _NAMES_SIZE <= _BUYER_MM for row in rows),
    }


def address_rows(
    address: Address, language: Language, *, seen_from: str | None = None
) -> list[str]:
    """Street, then postcode and city; the country by its name only where it is not `seen_from`."""
    place = f"{address.postcode}  {address.city}".strip()
    abroad = ""
    if address.country and address.country != (seen_from or address.country):
        abroad = country_name(address.country, language)
    return [breakable(row) for row in (address.street, place, abroad) if row]


def present(*pairs: tuple[str, str | None], longest: int = 22) -> list[tuple[str, str]]:
    """The pairs that have a value, as text that fits its column."""
    return [(name, breakable(value, longest=longest)) for name, value in pairs if value]


def _footer(seller: Seller, words: Mapping[str, str]) -> str:
    parts = [
        shortened(seller.legal_name, _REPEATED),
        f"KVK {seller.chamber_number}" if seller.chamber_number else "",
        f"{words['vat_number']} {seller.vat_number}" if seller.vat_number else "",
        iban_text(seller.iban) if seller.iban else "",
    ]
    return breakable(" · ".join(part for part in parts if part), longest=45)
