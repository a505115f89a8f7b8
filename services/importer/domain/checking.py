"""What the registry would refuse of a customer's particulars, known before it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from runtime import particulars
from services.importer.domain.book import KnownCustomer
from services.importer.domain.changes import changes
from services.importer.domain.messages import Tongue, of_cell
from services.importer.domain.refusals import Problem, Refusal
from services.importer.domain.rows import Entry


def problems_of(
    entry: Entry, customer: KnownCustomer | None, *, home: str, tongue: Tongue
) -> tuple[Problem, ...]:
    """The particulars of a row that the registry would refuse; it looks only at what changes.

    `customer`: whom the row is about, None for a new one; `home`: the country of who has none.
    """
    known = customer.fields if customer else {}
    given = changes(entry, customer) if customer else entry.customer
    if not given:
        return ()
    fields = {**known, **given}
    if customer and fields.get("country") != known.get("country"):
        given = fields  # a postcode is right or wrong by its country
    unread = {problem.column for problem in entry.problems}
    if entry.headers.get("country") in unread:
        # What is right in a country that could not be read is not held against another's rules.
        given = {name: given[name] for name in given if name not in _BY_COUNTRY}
    return tuple(
        Problem(
            row=entry.row,
            column=entry.headers.get(name, ""),
            value=str(given[name])[:100],
            message=of_cell(refusal, str(given[name]), tongue),
        )
        for name, refusal in wrong_particulars(given, fields.get("country") or home)
    )


def wrong_particulars(given: Mapping[str, Any], country: str) -> list[tuple[str, Refusal]]:
    """Each field that can't be what it is said to be, and why; `country`: of the customer."""
    found = []
    for name, check in _CHECKS.items():
        value = given.get(name)
        if value and (refusal := check(value, country)):
            found.append((name, refusal))
    return found


def _email(address: str, _: str) -> Refusal | None:
    return Refusal(code="not_an_email") if particulars.email(address) else None


def _country(code: str, _: str) -> Refusal | None:
    return Refusal(code="not_a_country") if particulars.country(code) else None


def _postcode(text: str, country: str) -> Refusal | None:
    if particulars.postcode(text, country) is None:
        return None
    return Refusal(code="not_a_postcode", where=country, write=particulars.postcode_like(country))


def _vat_number(text: str, country: str) -> Refusal | None:
    if particulars.vat_number(text, country) is None:
        return None
    letters = re.sub(r"[\s.-]", "", text)[:2].upper()
    known = letters == "EL" or particulars.country(letters) is None  # "vrijgesteld" begins with VR
    return Refusal(code="not_a_vat_number", where=letters if known else country)


def _chamber_number(text: str, country: str) -> Refusal | None:
    wrong = particulars.chamber_number(text, country)
    return Refusal(code="not_a_chamber_number") if wrong else None


_BY_COUNTRY: Final = frozenset({"postcode", "vat_number", "chamber_number"})
_CHECKS: Final[dict[str, Callable[[str, str], Refusal | None]]] = {
    "email": _email,
    "country": _country,
    "postcode": _postcode,
    "vat_number": _vat_number,
    "chamber_number": _chamber_number,
}
