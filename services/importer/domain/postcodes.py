"""A column that holds a postcode with the town behind it: "1234 AB Houten"."""

from __future__ import annotations

import re
from typing import Final

from runtime import particulars
from services.importer.domain.cells import Cell, text_of
from services.importer.domain.refusals import Refusal

_BEHIND: Final = r"(?:[ ,-]+(['’]?[^\W\d_].*))?"
_DUTCH: Final = re.compile(r"(\d{4} ?(?:[A-Z]{2}|[a-z]{2}))" + _BEHIND)
"""Not "3732 De Bilt"."""
_OTHERS: Final = re.compile(r"(?:[A-Z]{1,3}-)?(\w*\d[\w-]*(?: \w*\d\w*)?)" + _BEHIND)
"""One or two words with digits ("111 22", "SW1A 1AA"), without the country's sign before them."""
_TOWN: Final = re.compile(r"\D+")


def apart(cell: Cell, country: str, *, at_most: int) -> dict[str, str] | Refusal | None:
    """A postcode and a town as `postcode` and `city`, or the one of them that is there.

    Whether it is a postcode of the country is looked at later, as in a column of its own. Refused:
    what falls apart otherwise.
    """
    text = text_of(cell, at_most=at_most)
    if text is None or isinstance(text, Refusal):
        return text
    if _TOWN.fullmatch(text):
        return {"city": text}
    found = (_DUTCH if country == "NL" else _OTHERS).fullmatch(text)
    if found is None:
        like = f"{particulars.postcode_like(country) or '12345'} Houten"
        return Refusal(code="not_a_postcode_and_city", where=country, write=like)
    return {"postcode": found[1], **({"city": found[2]} if found[2] else {})}
