"""Countries by the names that lists give them: a hotel's guests come from all of them."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from services.importer.domain.fields import normalise

_ELSE: Final[dict[str, tuple[str, ...]]] = {
    "AE": ("Emiraten", "UAE"),
    "BE": ("Belgique",),
    "CI": ("Ivory Coast",),
    "CN": ("Volksrepubliek China", "PR China"),
    "CZ": ("Tsjechische Republiek",),
    "DE": ("Deutschland", "BRD"),
    "ES": ("España",),
    "GB": ("Engeland", "England", "Schotland", "Scotland", "Wales", "UK", "U.K.", "Great Britain",
           "Groot-Brittannië"),
    "IE": ("Republic of Ireland", "Eire"),
    "IT": ("Italia",),
    "LA": ("Laos",),
    "MK": ("Macedonië", "Macedonia"),
    "NL": ("Holland", "The Netherlands", "Koninkrijk der Nederlanden"),
    "PS": ("Palestina", "Palestine"),
    "RU": ("Russia",),
    "TR": ("Turkey",),
    "US": ("Verenigde Staten van Amerika", "VS", "V.S.", "U.S.A.", "The United States"),
}  # fmt: skip
"""What is written besides the names in ISO 3166, in Dutch and in English."""


@lru_cache(maxsize=1_000)
def country_named(name: str) -> str | None:
    """The code (ISO 3166, two letters) of a country by its name in Dutch or English or by its code
    of three letters; None where nobody knows it."""
    return _codes().get(normalise(name))


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    shared: set[str] = set()
    for code, name in _names():
        if codes.setdefault(key := normalise(name), code) != code:
            shared.add(key)
    return {name: code for name, code in codes.items() if name not in shared}


def _names() -> Iterator[tuple[str, str]]:
    import pycountry  # the child that reads has no use for it

    dutch = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["nl"])
    for country in pycountry.countries:
        yield country.alpha_2, country.alpha_3
        for kind in ("name", "common_name", "official_name"):
            if name := getattr(country, kind, None):
                yield country.alpha_2, name
                yield country.alpha_2, dutch.gettext(name)
    for code, names in _ELSE.items():
        for name in names:
            yield code, name
