"""The preview refuses of a customer's particulars what the registry refuses, and no more.

Method: the registry's own decision about a new customer is held against the importer's.
"""

from datetime import UTC, datetime

import pytest

from schemas.registry import CustomerRegister
from services.authorizer.domain.customers import register
from services.authorizer.domain.entities import Environment, Refusal, Registry
from services.importer.domain.checking import wrong_particulars
from services.importer.domain.refusals import Refusal as Wrong

VALUES = {
    "email": ("a@b.nl", "jan.@b.nl", "a@-b.nl", "o'neil@b.ie", "é@b.nl", "x@test.nl", "x@b.local",
              "a" * 65 + "@b.nl", "A+b@B.NL", "x@b..nl", "x@" + "b" * 64 + ".nl", "x@münchen.de"),
    "postcode": ("1234 AB", "1234ab", "3991 A8", "1234 SS", "1000", "0000", "10115", "SW1A 1AA"),
    "vat_number": ("NL004495445B01", "NL123456789B01", "004495445B01", "BE0403170701", "XX1", "?"),
    "chamber_number": ("12345678", "1234", "123456789012", "0403.170.701"),
    "country": ("NL", "XX"),
}  # fmt: skip


@pytest.mark.parametrize("country", ["NL", "BE", "DE", "GB", "SR"])
@pytest.mark.parametrize("name", list(VALUES))
def test_what_the_registry_takes_and_refuses_is_known_beforehand(name: str, country: str) -> None:
    house = Environment(environment=2890)
    for value in VALUES[name]:
        given = {"country": country, name: value}
        command = CustomerRegister(
            command_id="00000000-0000-0000-0000-000000000001",
            customer_id="00000000-0000-0000-0000-000000000002",
            environment=2890, at=datetime(2026, 7, 1, tzinfo=UTC), by="Ans", company="A", **given,
        )  # fmt: skip
        refused = isinstance(register(command, Registry(), house), Refusal)
        assert bool(wrong_particulars(given, given["country"])) == refused, (country, value)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("be 1", "BE"),
        ("B-E1", "BE"),
        ("12345", "NL"),
        ("B1", "NL"),
        ("?", "NL"),
        ("vrijgesteld", "NL"),
    ],
)
def test_a_vat_number_is_wrong_for_the_country_that_it_names_or_its_customers(
    number: str, country: str
) -> None:
    wrong = Wrong(code="not_a_vat_number", where=country)
    assert wrong_particulars({"vat_number": number}, "NL") == [("vat_number", wrong)]
