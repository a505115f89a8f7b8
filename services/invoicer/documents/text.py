"""How amounts, dates and names read in Dutch and English. No locale of the machine is asked."""

import re
import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from schemas import currencies
from schemas.currencies import decimals
from services.invoicer.documents.model import Language
from services.invoicer.vat import net_of, round_half_up

_MONTHS: dict[Language, str] = {
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "en": "January February March April May June July August September October November December",
}
_DAYS: dict[Language, str] = {
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
}
_MARKS: dict[Language, tuple[str, str]] = {"nl": (".", ","), "en": (",", ".")}
MINUS = "\u2212"
_TYPESET = {ord("-"): MINUS, ord(" "): "\u00a0"}

_REMEMBERED = 4_096
"""Amounts and quantities as they read: a menu has few of them, and a month many lines."""


def decimal_amount(amount: int, currency: str) -> Decimal:
    """Minor units as an exact decimal in whole currency: 1250 EUR is 12.50."""
    return Decimal(amount).scaleb(-decimals(currency))


def grouped(value: Decimal, language: Language, places: int) -> str:
    """`value` with exactly `places` decimals and thousands marked: "−1.234,50"."""
    thousands, point = _MARKS[language]
    plain = f"{abs(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,f}"
    text = plain.translate({ord(","): thousands, ord("."): point})
    return f"{MINUS}{text}" if value < 0 else text


@lru_cache(_REMEMBERED)
def money(amount: int, currency: str, language: Language) -> str:
    """An amount as everywhere, but set in type: with a real minus, and never broken over lines."""
    return currencies.money(amount, currency, language).translate(_TYPESET)


@lru_cache(_REMEMBERED)
def net_price(gross: int, rate: str, places: int) -> Decimal:
    """A gross price (minor units) without its VAT, in minor units to `places` decimals."""
    return Decimal(round_half_up(net_of(gross, rate) * 10**places)).scaleb(-places)


@lru_cache(_REMEMBERED)
def quantity_text(quantity: Decimal, language: Language) -> str:
    """ "2", "0,35", "−1": without trailing zeros."""
    plain = f"{quantity:f}"
    places = len(plain.partition(".")[2].rstrip("0"))
    return grouped(quantity, language, places)


def decimal_text(number: str, language: Language) -> str:
    """A decimal string with the language's mark: "5,5"."""
    return number.replace(".", _MARKS[language][1])


def rate_label(rate: str, language: Language) -> str:
    """ "21%", "5,5%"."""
    return f"{decimal_text(rate, language)}%"


def _month_name(number: int, language: Language) -> str:
    return _MONTHS[language].split()[number - 1]


def day(value: date, language: Language) -> str:
    """ "3 november 2026"."""
    return f"{value.day} {_month_name(value.month, language)} {value.year}"


def weekday(value: date, language: Language) -> str:
    """ "dinsdag 3 november"."""
    name = _DAYS[language].split()[value.weekday()]
    return f"{name} {value.day} {_month_name(value.month, language)}"


def month(period: str, language: Language) -> str:
    """A period ("2026-11") as "november 2026"."""
    year, number = period.split("-")
    return f"{_month_name(int(number), language)} {year}"


def clean(text: str) -> str:
    """The text as typed, without what neither XML nor a font can carry.

    Control characters (C0, C1, line breaks too), lone surrogates and non-characters become a
    space; directional overrides go, as they could turn a number round. Nothing else changes.
    """
    if text.isprintable():  # by far the most: nothing to look for
        return text.strip()
    kept = (
        " " if unicodedata.category(c) in {"Cc", "Cs", "Cn", "Zl", "Zp"} else c
        for c in text
        if c not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
    )
    return "".join(kept).strip()


def breakable(text: str, *, longest: int = 22) -> str:
    """Clean text in which a word of more than `longest` characters may be broken for its column.

    The breaks are zero-width spaces; words that fit stay as they are.
    """
    return re.sub(
        rf"\S{{{longest + 1},}}",
        lambda word: "\u200b".join(re.findall(r"\S{1,12}", word.group())),
        clean(text),
    )


def shortened(text: str, most: int) -> str:
    """At most so many characters, for a place that repeats what stands in full elsewhere."""
    plain = clean(text)
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "\u2026"


def unbroken(text: str) -> str:
    """The text on one line: its spaces become no-break spaces."""
    return text.replace(" ", "\u00a0")


def iban_text(iban: str) -> str:
    """In groups of four, as people read it."""
    plain = re.sub(r"\s", "", iban)
    return " ".join(plain[i : i + 4] for i in range(0, len(plain), 4))
