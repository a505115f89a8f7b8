"""Whether what people type in can be right: addresses, numbers, time zones.

Each check gives a sentence that says what is wrong and what is expected, or None.
"""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

DEFAULT_COUNTRY = "NL"
_POSTCODES = {
    "NL": (re.compile(r"[1-9][0-9]{3} ?[A-Za-z]{2}"), "four digits and two letters, as in 1234 AB"),
    "BE": (re.compile(r"[1-9][0-9]{3}"), "four digits"),
    "LU": (re.compile(r"(L-)?[0-9]{4}"), "four digits"),
    "DE": (re.compile(r"[0-9]{5}"), "five digits"),
    "FR": (re.compile(r"[0-9]{5}"), "five digits"),
}
_CHAMBER = re.compile(r"[0-9]{8}")
_EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "EL",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
    ]
)
# Addresses that nobody reads: the help article's own example, and the names of RFC 2606 and 6761.
_NOBODY = frozenset({"test.nl", "test.com", "example.com", "example.org", "example.net"})
_NOWHERE = ("test", "example", "invalid", "localhost", "local")


def email(value: str) -> str | None:
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        # Addresses under .invalid or .example are taken as fictitious ones.
        if is_fictitious(value):
            return None
        return "is not an e-mail address; write it as name@example.com"
    return None


def is_fictitious(value: str) -> bool:
    """Whether mail to this address can't be meant (RFC 2606, RFC 6761, test@test.nl)."""
    domain = value.rpartition("@")[2].lower().rstrip(".")
    labels = domain.split(".")
    return domain in _NOBODY or labels[-1] in _NOWHERE or "example" in labels[:-1][-1:]


def postcode(value: str, country: str | None) -> str | None:
    rule = _POSTCODES.get(country or DEFAULT_COUNTRY)
    if rule is None or rule[0].fullmatch(value.strip()):
        return None
    return f"is not a postcode of {country or DEFAULT_COUNTRY}: {rule[1]}"


def chamber_number(value: str, country: str | None) -> str | None:
    if (country or DEFAULT_COUNTRY) != "NL" or _CHAMBER.fullmatch(value.replace(" ", "")):
        return None
    return "is not a KVK number: eight digits"


def vat_number(value: str) -> str | None:
    if value[:2].upper() not in _EU:
        return None  # we know no rule for it
    try:
        vat.validate(value)
    except ValidationError:
        return "is not a valid VAT number; compare its digits, as in NL004495445B01"
    return None


def iban(value: str) -> str | None:
    try:
        IBAN(value)
    except SchwiftyException:
        return "is not a valid IBAN; compare its digits"
    return None


def time_zone(value: str) -> str | None:
    if value in available_timezones():
        return None
    return "is not a time zone; write it as Europe/Amsterdam"
