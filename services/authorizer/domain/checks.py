"""Whether an address, a number or a picture can be what it is said to be.

Each check gives None, or what is wrong in words that follow the field's name. Those of people and
companies are in runtime/particulars.py, for the importer to know them too.
"""

from __future__ import annotations

import base64
import binascii
import zoneinfo
from typing import Final

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from runtime.particulars import (
    HOME,
    chamber_number,
    country,
    email,
    is_fictitious,
    postcode,
    vat_number,
)
from schemas.currencies import HUNDREDTHS, decimals
from schemas.numbering import writes_numbers
from schemas.registry import MAX_LOGO_BYTES
from services.authorizer.domain import pictures
from services.authorizer.domain.explanations import is_currency

__all__ = (
    "HOME",
    "chamber_number",
    "country",
    "currency",
    "email",
    "iban",
    "is_fictitious",
    "logo",
    "number_format",
    "postcode",
    "time_zone",
    "vat_number",
)


def currency(code: str) -> str | None:
    if not is_currency(code):
        return "is not a currency (three letters, like EUR)"
    if (places := decimals(code)) != HUNDREDTHS:
        return (
            "has to be one of two decimals, as amounts are typed and imported; "
            f"{code} has {places or 'none'}"
        )
    return None


_OF_A_MACHINE: Final = {"localtime", "posixrules", "Factory", "posix", "right"}
"""What lies beside the zones on some machines and not on others. The first is the machine's own,
and a zone of `right` lies half a minute beside the one that everybody means."""


def time_zone(name: str) -> str | None:
    try:
        zoneinfo.ZoneInfo(name)
        known = name.partition("/")[0] not in _OF_A_MACHINE
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    return None if known else "is not a time zone (like Europe/Amsterdam)"


def number_format(text: str) -> str | None:
    return None if writes_numbers(text) else "must not begin or end with a blank"


def iban(text: str) -> str | None:
    try:
        IBAN(text)
    except SchwiftyException:
        return "is not a valid IBAN"
    return None


def logo(text: str) -> str | None:
    """A PNG or SVG as base64, that invoices can show."""
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return "is not base64"
    if len(picture) > MAX_LOGO_BYTES:
        return "is larger than 200 kB"
    return pictures.wrong(picture)
