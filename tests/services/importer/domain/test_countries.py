"""A country is known by its names in Dutch and in English, and by its codes."""

import pycountry
import pytest

from services.importer.domain.cells import country_of
from services.importer.domain.refusals import Refusal


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Nederland", "NL"),
        ("belgië", "BE"),
        ("BELGIE", "BE"),
        ("Duitsland", "DE"),
        ("DEU", "DE"),
        ("Engeland", "GB"),
        ("UK", "GB"),
        ("Verenigde Staten", "US"),
        ("U.S.A.", "US"),
        ("Zuid-Afrika", "ZA"),
        ("South Korea", "KR"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Curacao", "CW"),
        ("nl", "NL"),
        (" fr ", "FR"),
    ],
)
def test_a_country_is_known_by_its_names_and_codes(name: str, code: str) -> None:
    assert country_of(name) == code


def test_every_country_of_the_standard_is_known_by_its_own_name() -> None:
    for country in pycountry.countries:
        assert country_of(country.name) == country.alpha_2
        assert country_of(country.alpha_3) == country.alpha_2


@pytest.mark.parametrize("word", ["Gelderland", "Vlaanderen", "Korea", "Europa", "-1", 31])
def test_what_is_no_country_is_not_guessed_at(word: str | int) -> None:
    assert country_of(word) == Refusal(code="not_a_country")
