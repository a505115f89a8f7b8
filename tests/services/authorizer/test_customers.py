"""Customers on a real PostgreSQL: registered, changed, erased, and what can not be of one."""

from typing import Any

import pytest

from tests.services.authorizer.support import (
    GUEST,
    JO,
    VENUE,
    changes,
    command,
    register,
    requested,
    uid,
    venue,
)
from tests.support.databases import Database


@pytest.mark.parametrize(
    "fields",
    [
        {"first_name": "Bedrijf", "last_name": None},
        {"first_name": None, "last_name": None, "company": "Twelve"},
        {"email": "test@test.nl", "postcode": "1012AB", "vat_number": "NL004495445B01"},
        {"country": "BE", "postcode": "1000", "vat_number": "BE0428759497"},
        {"country": "XK", "postcode": "whatever"},
    ],
)
async def test_a_customer_is_known_by_any_name(postgres: Database, fields: dict[str, Any]) -> None:
    async with venue(postgres) as bench:
        outcome, again = await bench.order(
            register(**fields), command("customer.register", 2, customer_id=JO,
                                        **({"first_name": "Jo", "last_name": "Jansen"} | fields)),
        )  # fmt: skip
        if fields.get("country") == "XK":  # not (yet) ISO 3166's
            assert (outcome["reason"], outcome["field"]) == ("invalid", "country")
            return
        assert changes(outcome) == [("customer", JO, "created")]
        assert changes(again) == [("customer", JO, "unchanged")]
        state = bench.told()[f"customer:{VENUE}:{JO}"]
        assert {n: v for n, v in fields.items() if v} == {
            n: state[n] for n, v in fields.items() if v
        }
        assert state.get("email_fictitious", False) is ("email" in fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "jo@nowhere"),
        ("email", f"{'j' * 65}@bar.nl"),  # RFC 5321 section 4.5.3.1.1: no mail server takes it
        ("postcode", "1234 SS"),
        ("postcode", "0123 AB"),
        ("vat_number", "NL999999999B99"),
        ("vat_number", "X"),
        ("chamber_number", "123"),
        ("country", "QQ"),
        ("last_name", " "),
        ("last_name", "\u200b\u2060\u00a0"),  # nothing that anybody sees
    ],
)
async def test_what_can_not_be_of_a_customer_is_refused_with_its_field(
    postgres: Database, field: str, value: str
) -> None:
    fields = {"first_name": None, field: value}
    async with venue(postgres) as bench:
        (outcome,) = await bench.order(register(**fields))
        assert (outcome["reason"], outcome["field"]) == ("invalid", field)
        assert outcome["message"].startswith(field)


@pytest.mark.parametrize(
    ("email", "fictitious"),
    [
        ("test@test.nl", True),
        ("a@example.com", True),
        ("a@sub.example.org", True),
        ("a@bar.test", True),
        ("a@example.eu", True),
        ("a@test.com", False),
        ("a@bar.invalid", True),
        ("a@latest.nl", False),
        ("a@example.com.nl", False),
    ],
)
async def test_a_fictitious_address_is_recognised_and_kept(
    postgres: Database, email: str, fictitious: bool
) -> None:
    async with venue(postgres) as bench:
        # Whatever is said of it: such an address can't be anybody's.
        await bench.order(register(email=email, email_fictitious=False))
        state = bench.told()[f"customer:{VENUE}:{JO}"]
        assert (state["email"], state.get("email_fictitious", False)) == (email, fictitious)


async def test_a_customer_is_changed_field_by_field_and_keeps_a_name(postgres: Database) -> None:
    async with venue(postgres) as bench:
        _, changed, same, nameless, unknown, exists = await bench.order(
            register(city="Delft"),
            command("customer.change", 1, customer_id=JO, city=None, email="jo@bar.nl"),
            command("customer.change", 2, customer_id=JO, email="jo@bar.nl"),
            command("customer.change", 3, customer_id=JO, first_name="\u200b", last_name=None),
            command("customer.change", 4, customer_id=uid("nobody"), city="x"),
            command("customer.register", 5, customer_id=JO, first_name="Else"),
        )
        assert [changes(o)[0][2] for o in (changed, same)] == ["changed", "unchanged"]
        assert [o["reason"] for o in (nameless, unknown, exists)] == [
            "invalid", "customer_unknown", "customer_exists",
        ]  # fmt: skip
        state = bench.told()[f"customer:{VENUE}:{JO}"]
        assert ("city" in state, state["email"], state["version"]) == (False, "jo@bar.nl", 2)


async def test_an_erased_customer_is_forgotten_and_untied(postgres: Database) -> None:
    async with venue(postgres) as bench:
        outcomes = await bench.order(
            register(email="jo@bar.nl"),
            command("account.link", 1, account=GUEST, customer_id=JO, role="holder"),
            command("account.link", 2, account=GUEST, customer_id=JO, role="viewer"),
        )
        assert [o["type"] for o in outcomes] == ["command.applied"] * 3
        (erased,) = await bench.order(command("customer.erase", 3, customer_id=JO))
        assert changes(erased) == [("customer", JO, "changed"), ("account", GUEST, "changed")]
        again, changed, linked = await bench.order(
            command("customer.erase", 4, customer_id=JO),
            command("customer.change", 5, customer_id=JO, city="x"),
            command("account.link", 6, account=GUEST, customer_id=JO, role="viewer"),
        )
        assert changes(again) == [("customer", JO, "unchanged")]
        assert [changed["reason"], linked["reason"]] == ["customer_erased"] * 2
        states = bench.told()
        assert states[f"customer:{VENUE}:{JO}"] == {
            "type": "customer.state", "environment": VENUE, "customer_id": JO, "version": 2,
            "erased": True,
        }  # fmt: skip
        assert "holder" not in states[f"account:{VENUE}:{GUEST}"]
        assert states[f"account:{VENUE}:{GUEST}"]["viewers"] == []


async def test_who_is_still_to_be_invoiced_is_not_erased(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(
            register(), command("account.link", 1, account=GUEST, customer_id=JO, role="holder")
        )
        await bench.sell(requested("a", 100))
        refused, unlinked = await bench.order(
            command("customer.erase", 2, customer_id=JO),
            command("account.unlink", 3, account=GUEST, customer_id=JO, role="holder"),
        )
        assert refused["reason"] == "open_amounts"
        assert "€1.00" in refused["message"]
        assert "€1.00" in unlinked["warnings"][0]["message"]
