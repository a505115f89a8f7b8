"""How a currency is counted, and how an amount of it is written for people."""

from typing import Final

_PLACES: Final[dict[str, int]] = {
    code: places
    for places, codes in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    )
    for code in codes.split()
}

HUNDREDTHS: Final = 2

SIGNS: Final = {"EUR": "€", "GBP": "£", "USD": "$"}


def decimals(currency: str) -> int:
    """How many decimals the currency's minor unit stands for (ISO 4217): two, for nearly all."""
    return _PLACES.get(currency, HUNDREDTHS)


def money(amount: int, currency: str, language: str) -> str:
    """Minor units as a person writes them: € 1.234,50 in Dutch, €1,234.50 in English.

    Below nothing € -1,50 and -€1.50; a currency that has no sign here goes by its code in both,
    as CHF -12.50. All that people read goes by this: explanations, the command line, documents.
    """
    thousands, point = (".", ",") if language == "nl" else (",", ".")
    places = decimals(currency)
    whole, part = divmod(abs(amount), 10**places)
    digits = f"{whole:,}".replace(",", thousands)
    if places:
        digits += f"{point}{part:0{places}}"
    minus = "-" if amount < 0 else ""
    sign = SIGNS.get(currency)
    if sign is not None and language != "nl":
        return f"{minus}{sign}{digits}"
    return f"{sign or currency} {minus}{digits}"
