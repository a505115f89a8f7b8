"""How long a text may be: as the registry's messages have it, read from them, so that what passes
here passes there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from schemas.entities import CustomerFields, OpeningFields
from services.importer.domain.fields import Field


def _of(*models: type[BaseModel]) -> dict[str, int]:
    """The most characters of each text field of these messages."""
    found: dict[str, int] = {}
    for model in models:
        for name, schema in model.model_json_schema()["properties"].items():
            for one in (schema, *schema.get("anyOf", ())):
                if "maxLength" in one:
                    found[name] = one["maxLength"]
    return found


LONGEST: Final[Mapping[str, int]] = _of(CustomerFields, OpeningFields)
"""The most characters of each text field of customers and accounts, by its name."""

_NUMBER: Final = 10
_SUFFIX: Final = 8

AT_MOST: Final[dict[Field, int]] = {
    "company": LONGEST["company"],
    "name": min(LONGEST[part] for part in ("first_name", "last_name", "company")),
    "first_name": LONGEST["first_name"],
    "initials": 40,
    "infix": LONGEST["infix"],
    "last_name": LONGEST["last_name"],
    "email": LONGEST["email"],
    # The three parts of an address become one line, with a space in it.
    "street": LONGEST["street"] - 1 - _NUMBER - _SUFFIX,
    "house_number": _NUMBER,
    "house_number_suffix": _SUFFIX,
    "postcode": LONGEST["postcode"],
    "postcode_and_city": LONGEST["city"],
    "city": LONGEST["city"],
    "vat_number": LONGEST["vat_number"],
    "chamber_number": LONGEST["chamber_number"],
    "peppol_id": LONGEST["peppol_id"],
    "account": LONGEST["account"],
    "description": LONGEST["description"],
}
"""The most characters of a cell, by what its column holds."""


def too_long(fields: Mapping[str, Any]) -> list[str]:
    """Those of a customer's or an account's fields whose text the registry would not take."""
    return [
        name
        for name, value in fields.items()
        if isinstance(value, str) and len(value) > LONGEST.get(name, len(value))
    ]
