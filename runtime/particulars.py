"""Whether an address or a number of a person or a company can be what it is said to be.

Here and not in a service, because the authorizer refuses by it what the importer has to tell of
beforehand. Each check gives None, or what is wrong in words that follow the field's name. Nothing
is looked up outside: an e-mail address may be well-formed and yet nobody's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import pycountry
import stdnum
from email_validator import EmailNotValidError, validate_email
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

HOME: Final = "NL"
"""Whose rules hold where neither a customer nor its environment names a country."""

# RFC 2606 and RFC 6761 set these aside, but for example under other top-level domains, where nobody
# who is mailed lives either; test.nl is what the help article tells people to use.
_FICTITIOUS: Final = re.compile(
    r"@(?:[^@]*\.)?(?:example\.[a-z]{2,63}|example|invalid|test|localhost|test\.nl)\.?\Z",
    re.IGNORECASE,
)

# What stands before the "@" most often, and is right whatever follows.
_PLAIN: Final = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*", re.IGNORECASE)
_LONGEST_LOCAL: Final = 64

_POSTCODES: Final[dict[str, tuple[str, str]]] = {
    # SA, SD and SS are not given out.
    "NL": (r"[1-9][0-9]{3} ?(?!SA|SD|SS)[A-Z]{2}", "1234 AB"),
    "BE": (r"[1-9][0-9]{3}", "1000"),
    "LU": (r"(?:L-)?[0-9]{4}", "1234"),
    "DE": (r"[0-9]{5}", "10115"),
    "FR": (r"[0-9]{5}", "75001"),
    "AT": (r"[1-9][0-9]{3}", "1010"),
    "CH": (r"[1-9][0-9]{3}", "8001"),
    "DK": (r"[0-9]{4}", "1050"),
    "NO": (r"[0-9]{4}", "0150"),
    "SE": (r"[0-9]{3} ?[0-9]{2}", "111 22"),
    "FI": (r"[0-9]{5}", "00100"),
    "ES": (r"[0-9]{5}", "28001"),
    "IT": (r"[0-9]{5}", "00118"),
    "PT": (r"[0-9]{4}-[0-9]{3}", "1000-001"),
    "PL": (r"[0-9]{2}-[0-9]{3}", "00-001"),
    "CZ": (r"[0-9]{3} ?[0-9]{2}", "110 00"),
    "GB": (r"[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}", "SW1A 1AA"),
    "US": (r"[0-9]{5}(?:-[0-9]{4})?", "10001"),
}


# Asked for each row of an import, by both who plans it and who is asked: compiled once, and not
# looked up by their text each time.
_POSTCODE: Final = {where: re.compile(pattern) for where, (pattern, _) in _POSTCODES.items()}
_CHAMBER: Final = re.compile(r"[0-9]{8}(?:[0-9]{4})?")


def is_fictitious(email: str) -> bool:
    """Whether an address is one that can't be anybody's, so that it is never mailed."""
    return _FICTITIOUS.search(email) is not None


def email(address: str) -> str | None:
    """Domains are looked at once: that takes long, and of a list most have one of a few."""
    local, _, domain = address.rpartition("@")
    if len(local) <= _LONGEST_LOCAL and _PLAIN.fullmatch(local):
        wrong = _domain_wrong(domain.casefold())
    else:
        wrong = _email_wrong(address)
    return "is not a valid e-mail address" if wrong else None


@lru_cache(maxsize=10_000)
def _domain_wrong(domain: str) -> bool:
    return _email_wrong(f"x@{domain}")


def _email_wrong(address: str) -> bool:
    if is_fictitious(address):
        # Its domain is refused as such: look at what stands before it.
        address = address.rpartition("@")[0] + "@onaccount.nl"
    try:
        validate_email(address, check_deliverability=False, strict=True)
    except EmailNotValidError:
        return True
    return False


@lru_cache(maxsize=1_000)
def country(code: str) -> str | None:
    known = pycountry.countries.get(alpha_2=code) is not None
    return None if known else "is not a country (two letters, like NL)"


def postcode(text: str, country_code: str) -> str | None:
    known = _POSTCODE.get(country_code)
    if known is None or known.fullmatch(text.strip().upper()):
        return None
    return f"is not a postcode of {country_code} (like {postcode_like(country_code)})"


def postcode_like(country_code: str) -> str:
    """How a postcode of a country is written; empty where its rules are not known."""
    known = _POSTCODES.get(country_code)
    return known[1] if known else ""


def vat_number(text: str, country_code: str) -> str | None:
    """With or without the country before it. Countries whose rules are not known pass."""
    number = re.sub(r"[\s.-]", "", text).upper()
    prefix = number[:2] if number[:2].isalpha() else ""
    where = prefix or country_code
    if not prefix:
        number = where + number
    if not any(letter.isdigit() for letter in number):  # a word, that may begin like a country
        return "is not a VAT number"
    wrong = f"is not a valid VAT number of {where}"
    if where.lower() in eu_vat.MEMBER_STATES or where == "EL":
        return None if eu_vat.is_valid(number) else wrong
    module: Any = stdnum.get_cc_module(where, "vat")
    if module is None:
        return None
    try:
        module.validate(number[2:])
    except ValidationError:
        return None if module.is_valid(number) else wrong
    return None


def chamber_number(text: str, country_code: str) -> str | None:
    if country_code != HOME or _CHAMBER.fullmatch(text.replace(" ", "")):
        return None
    return "is not a number of the Dutch chamber of commerce (eight digits)"
