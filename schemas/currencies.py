"""How a currency is counted: how many of its digits stand behind the point."""

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


def decimals(currency: str) -> int:
    """How many decimals the currency's minor unit stands for (ISO 4217): two, for nearly all."""
    return _PLACES.get(currency, HUNDREDTHS)
