"""Environments on a real PostgreSQL: configured, terms accepted, switched on and off."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.services.authorizer.support import (
    GUEST,
    changes,
    command,
    empty,
    register,
    requested,
    venue,
)
from tests.services.authorizer.test_pictures import PNG
from tests.support.databases import Database


async def test_an_environment_begins_with_its_configuration_and_tells_its_defaults(
    postgres: Database,
) -> None:
    async with empty(postgres) as bench:
        (outcome,) = await bench.order(command("environment.configure", 1, name="De Bar"))
        assert changes(outcome) == [("environment", "2890", "created")]
        state = bench.told()["environment:2890:2890"]
        defaults = {
            "version": 1, "active": False, "name": "De Bar", "currency": "EUR",
            "language": "nl", "time_zone": "Europe/Amsterdam", "finance_copy": "report",
            "limit_release": "issued", "number_format": "{year}-{seq:05}",
            "credit_note_format": "{year}-{seq:05}", "default_limit": None, "schedule": None,
            "viewer_statements": False,
        }  # fmt: skip
        assert {name: state[name] for name in defaults} == defaults
        assert "gdpr" not in state


async def test_formats_by_which_invoice_and_credit_note_could_get_one_number_are_refused(
    postgres: Database,
) -> None:
    async with empty(postgres) as bench:
        refused, applied, later, *_ = await bench.order(
            command("environment.configure", 1, credit_note_format="{year}-9{seq:04}"),
            command("environment.configure", 2, credit_note_format="C{year}-{seq:05}"),
            command("environment.configure", 3, number_format="C{year}-0{seq:04}"),
        )
        assert (refused["reason"], refused["field"]) == ("invalid", "credit_note_format")
        assert "1000-91000" in refused["message"]
        assert applied["type"] == "command.applied"
        assert (later["reason"], later["field"]) == ("invalid", "number_format")


async def test_configuring_what_is_so_already_changes_nothing(postgres: Database) -> None:
    schedule = {"day": 2, "hour": 6, "mode": "draft", "send": False}
    async with empty(postgres) as bench:
        first, again, cleared = await bench.order(
            command("environment.configure", 1, name="De Bar", schedule=schedule),
            command("environment.configure", 2, name="De Bar", schedule=schedule, city=None),
            command("environment.configure", 3, name=None, number_format="F{seq:04}/{year}"
                    .replace("/", "-")),
        )  # fmt: skip
        assert [changes(o)[0][2] for o in (first, again, cleared)] == [
            "created", "unchanged", "changed",
        ]  # fmt: skip
        state = bench.told()["environment:2890:2890"]
        assert (state["name"], state["schedule"], state["version"]) == (None, schedule, 2)
        assert state["credit_note_format"] == state["number_format"] == "F{seq:04}-{year}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("country", "XX"),
        ("currency", "EUX"),
        ("currency", "JPY"),
        ("currency", "KWD"),
        ("time_zone", "Europe/Nowhere"),
        ("time_zone", "Europe/.."),
        ("time_zone", "localtime"),
        ("time_zone", "right/Europe/Amsterdam"),
        ("postcode", "12345"),
        ("vat_number", "NL123456789B01"),
        ("chamber_number", "1234"),
        ("iban", "NL00BANK0123456789"),
        ("finance_email", "jo@@bar.nl"),
        ("reply_to", "jo@bar"),
        ("logo", "bm8gcGljdHVyZQ=="),
        ("logo", "iVBORw0KGgo="),
        ("number_format", "{seq:05}"),
        ("number_format", "{year}-{seq:05} "),
        ("credit_note_format", " C{year}-{seq:05}"),
        ("schedule", {"day": 31, "hour": 6, "mode": "draft", "send": False}),
    ],
)
async def test_a_setting_that_can_not_be_is_refused_with_its_field(
    postgres: Database, field: str, value: Any
) -> None:
    async with empty(postgres) as bench:
        (outcome,) = await bench.order(command("environment.configure", 1, **{field: value}))
        assert (outcome["reason"], outcome["field"].split(".")[0]) == ("invalid", field)
        assert await bench.rows("SELECT FROM environment") == []


async def test_settings_that_are_right_are_taken(postgres: Database) -> None:
    async with empty(postgres) as bench:
        (outcome,) = await bench.order(
            command(
                "environment.configure", 1, country="NL", postcode="1012 ab", vat_number=
                "NL004495445B01", chamber_number="12345678", iban="NL91ABNA0417164300",
                finance_email="geld@bar.nl", reply_to="test@test.nl", colour="#a1b2c3",
                logo=base64.b64encode(PNG).decode(),
            )
        )  # fmt: skip
        assert outcome["type"] == "command.applied"
        assert [w["field"] for w in outcome["warnings"]] == ["reply_to"]


async def test_a_finance_address_of_nobody_is_warned_of_though_mails_go_to_it(
    postgres: Database,
) -> None:
    async with empty(postgres) as bench:
        (outcome,) = await bench.order(
            command("environment.configure", 1, finance_email="test@test.nl")
        )
        (warning,) = outcome["warnings"]
        assert warning["field"] == "finance_email"
        assert "go to it all the same" in warning["message"]


async def test_the_currency_is_fixed_once_there_is_a_sale(postgres: Database) -> None:
    async with venue(postgres) as bench:
        (before,) = await bench.order(command("environment.configure", 1, currency="USD"))
        assert before["type"] == "command.applied"
        await bench.order(command("environment.configure", 2, currency="EUR"))
        await bench.sell(requested("a", 100))
        refused, same = await bench.order(
            command("environment.configure", 3, currency="USD"),
            command("environment.configure", 4, currency="EUR"),
        )
        assert (refused["reason"], refused["field"]) == ("currency_fixed", "currency")
        assert changes(same)[0][2] == "unchanged"


async def test_nothing_personal_is_taken_before_the_terms_are_accepted(
    postgres: Database,
) -> None:
    async with empty(postgres) as bench:
        unknown = await bench.order(
            register("a"), command("environment.activate", 0), command("registry.republish", 1)
        )
        assert {o["reason"] for o in unknown} == {"environment_unknown"}
        outcomes = await bench.order(
            command("environment.configure", 2),
            register(),
            command("account.open", 3, account=GUEST),
        )
        assert [o.get("reason") for o in outcomes] == [
            None,
            "gdpr_not_accepted",
            "gdpr_not_accepted",
        ]


async def test_terms_may_be_accepted_first_and_the_module_switched_on_before_that(
    postgres: Database,
) -> None:
    async with empty(postgres) as bench:
        outcomes = await bench.order(
            command("environment.accept_gdpr", 1, accepted_by="Jo", document="v1"),
            command("environment.configure", 2, name="De Bar"),
            command("environment.activate", 3),
            command("environment.accept_gdpr", 4, accepted_by="Jo", document="v1"),
            command("environment.deactivate", 5),
        )
        assert [changes(o)[0][2] for o in outcomes] == [
            "created", "changed", "changed", "unchanged", "changed",
        ]  # fmt: skip
        early = command("environment.activate", 6, environment=17)
        begin = command("environment.configure", 7, environment=17)
        _, warned = await bench.order(begin, early)
        assert warned["warnings"][0]["field"] == "gdpr"


async def test_terms_are_accepted_by_somebody_and_have_a_name(postgres: Database) -> None:
    async with empty(postgres) as bench:
        for number, field in enumerate(("accepted_by", "document")):
            given = {"accepted_by": "Jo", "document": "v1", field: " \u00a0 "}
            (refused,) = await bench.order(command("environment.accept_gdpr", number, **given))
            assert (refused["reason"], refused["field"]) == ("invalid", field)
            assert refused["message"].startswith(f"{field} must not be blank")
            assert bench.told() == {}


async def test_terms_are_not_accepted_in_the_future(postgres: Database) -> None:
    def accepted(at: str) -> Any:
        return command(
            "environment.accept_gdpr", 1, accepted_by="M. de Vries", document="terms-3", at=at
        )

    async with empty(postgres) as bench:
        now = datetime.now(UTC)
        ahead = accepted("2099-01-01T00:00:00Z")
        (refused,) = await bench.order(ahead)
        assert (refused["reason"], refused["field"]) == ("invalid", "at")
        assert refused["message"].startswith("at lies more than a year ahead")
        assert (await bench.order(ahead)) == [refused]
        assert bench.told() == {}
        # Mended, it may keep its id; and then the same id is the same command, whenever it is.
        (applied,) = await bench.order(accepted((now + timedelta(days=1)).isoformat()))
        assert applied["type"] == "command.applied"
        assert (await bench.order(ahead)) == [applied]


async def test_of_other_commands_nobody_keeps_when_they_were_given(postgres: Database) -> None:
    async with empty(postgres) as bench:
        wrong = command("environment.configure", 1, name="De Bar", at="2099-01-01T00:00:00Z")
        assert (await bench.order(wrong))[0]["type"] == "command.applied"
