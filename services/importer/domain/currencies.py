"""Which currency an amount names, as a sign, a code or a word: its own may, no other."""

from __future__ import annotations

import re
from typing import Final


def _those(codes: str) -> frozenset[str]:
    return frozenset(codes.split())


_EUROS: Final = _those("EUR")
_DOLLARS: Final = _those(
    "ARS AUD BBD BMD BND BSD BZD CAD COP CVE DOP FJD GYD HKD JMD KYD LRD MXN NAD NIO NZD SBD SGD"
    " SRD TTD TWD USD UYU XCD"
)
"""Those whose sign is the dollar's, of dollars and pesos (Unicode CLDR)."""

_OF_SIGN: Final = {
    "€": _EUROS,
    "$": _DOLLARS,
    "＄": _DOLLARS,
    "£": _those("EGP FKP GBP GIP LBP SHP SSP SYP"),
    "ƒ": _those("ANG AWG XCG"),
    "¥": _those("CNY"),
    "₺": _those("TRY"),
    "₴": _those("UAH"),
    "₽": _those("RUB"),
    "₹": _those("INR"),
}
_SIGNS: Final = "$¢£¤¥֏؋৲৳৻૱௹฿៛\u20a0-\u20c0﷼﹩＄￠￡￥￦ƒ"
"""Unicode's signs of currencies (category Sc), and the florin's, which is a letter there."""

_OF_WORD: Final = {
    "EURO": _EUROS,
    "EUROS": _EUROS,
    "DOLLAR": _DOLLARS,
    "DOLLARS": _DOLLARS,
    "GULDEN": _OF_SIGN["ƒ"],
    "KR": _those("DKK ISK NOK SEK"),
    "ZŁ": _those("PLN"),
    "KČ": _those("CZK"),
    "FT": _those("HUF"),
}
_ELSEWHERE: Final = _those("AED BGN CHF IDR ILS JPY MAD PHP RON THB ZAR")
_WORDS: Final = _ELSEWHERE.union(_OF_WORD, *_OF_SIGN.values(), *_OF_WORD.values())
_MARK: Final = re.compile(
    rf"(?:\b[A-Z]{{1,2}})?[{_SIGNS}]|\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE
)


def without_marks(text: str) -> str:
    return _MARK.sub(" ", text)


def is_foreign(text: str, currency: str) -> bool:
    """Whether the text names a currency, and another one than `currency` (ISO 4217)."""
    return any(not _names(mark, currency) for mark in _MARK.findall(text))


def currency_in(text: str) -> str:
    """The currency that a text names first, as it stands there; empty where it names none."""
    found = _MARK.search(text)
    return found[0] if found else ""


def _names(mark: str, currency: str) -> bool:
    """Whether the mark is one of the currency's own: € or "euro" of EUR, $ or US$ of USD.

    A bare $ is a dollar of whoever reads it, as Excel's own format for dollars has it.
    """
    mark = mark.upper()
    if mark == currency:
        return True
    if mark in _OF_WORD:
        return currency in _OF_WORD[mark]
    letters, sign = mark[:-1], mark[-1].replace("Ƒ", "ƒ")
    return currency.startswith(letters) and currency in _OF_SIGN.get(sign, ())
