"""The registry's commands on a real PostgreSQL: outcomes, refusals, state."""

import base64
from typing import Any

import pytest

from services.authorizer.handlers import registry, republish
from services.authorizer.store.states import STATES
from tests.services.authorizer.support import (
    GUEST,
    VENUE,
    Venue,
    command,
    invoice,
    payment,
    requested,
    said,
    uid,
    venue,
)
from tests.services.authorizer.test_pictures import PNG
from tests.support.databases import Database

JO = uid("Jo")


def register(name: object = "Jo", **fields: Any) -> Any:
    given = {"first_name": "Jo", "last_name": "Jansen"}
    return command("customer.register", f"r {name}", customer_id=uid(name), **(given | fields))


def changes(outcome: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(c["kind"], c["id"], c["change"]) for c in outcome["changes"]]


def empty(database: Database) -> Venue:
    return Venue(database.dsn("authorizer"), states=STATES)


# --- environments -----------------------------------------------------------------------------


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
        ("time_zone", "Europe/Nowhere"),
        ("time_zone", "Europe/.."),
        ("postcode", "12345"),
        ("vat_number", "NL123456789B01"),
        ("chamber_number", "1234"),
        ("iban", "NL00BANK0123456789"),
        ("finance_email", "jo@@bar.nl"),
        ("reply_to", "jo@bar"),
        ("logo", "bm8gcGljdHVyZQ=="),
        ("logo", "iVBORw0KGgo="),
        ("number_format", "{seq:05}"),
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


# --- customers --------------------------------------------------------------------------------


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
        ("postcode", "1234 SS"),
        ("postcode", "0123 AB"),
        ("vat_number", "NL999999999B99"),
        ("chamber_number", "123"),
        ("country", "QQ"),
        ("last_name", " "),
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
        ("a@bar.invalid", True),
        ("a@latest.nl", False),
        ("a@example.com.nl", False),
    ],
)
async def test_a_fictitious_address_is_recognised_and_kept(
    postgres: Database, email: str, fictitious: bool
) -> None:
    async with venue(postgres) as bench:
        await bench.order(register(email=email))
        state = bench.told()[f"customer:{VENUE}:{JO}"]
        assert (state["email"], state.get("email_fictitious", False)) == (email, fictitious)


async def test_a_customer_is_changed_field_by_field_and_keeps_a_name(postgres: Database) -> None:
    async with venue(postgres) as bench:
        _, changed, same, nameless, unknown, exists = await bench.order(
            register(city="Delft"),
            command("customer.change", 1, customer_id=JO, city=None, email="jo@bar.nl"),
            command("customer.change", 2, customer_id=JO, email="jo@bar.nl"),
            command("customer.change", 3, customer_id=JO, first_name=None, last_name=None),
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


# --- accounts ---------------------------------------------------------------------------------


async def test_an_account_takes_its_environments_defaults(postgres: Database) -> None:
    defaults = {"default_limit": 5000, "default_on_account": True, "default_in_overview": True}
    async with venue(postgres, **defaults) as bench:
        await bench.order(
            command("account.open", 1, account="28900002"),
            command("account.open", 2, account="28900003", limit=None, on_account=False),
            command("account.open", 3, account="007", limit=0, status="inactive"),
        )
        states = bench.told()
        found = [
            tuple(states[f"account:{VENUE}:{n}"][f] for f in ("limit", "on_account", "status"))
            for n in ("28900002", "28900003", "007")
        ]
        assert found == [
            (5000, True, "active"), (None, False, "active"), (0, True, "inactive"),
        ]  # fmt: skip


async def test_a_number_unlike_its_environments_is_allowed_with_a_warning(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        (outcome,) = await bench.order(command("account.open", 1, account="0042"))
        assert changes(outcome) == [("account", "0042", "created")]
        assert (outcome["warnings"][0]["id"], outcome["warnings"][0]["field"]) == (
            "0042",
            "account",
        )


async def test_opening_an_account_again_changes_nothing_and_another_is_refused(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        same, fewer, other, nobody = await bench.order(
            command("account.open", 1, account=GUEST, limit=1000, on_account=True),
            command("account.open", 2, account=GUEST),
            command("account.open", 3, account=GUEST, limit=1001),
            command("account.open", 4, account="28900009", holder=uid("nobody")),
        )
        assert [changes(o)[0][2] for o in (same, fewer)] == ["unchanged", "unchanged"]
        assert other["reason"] == "account_exists"
        assert (nobody["reason"], nobody["field"]) == ("customer_unknown", "holder")


async def test_ten_thousand_accounts_are_changed_by_one_command_or_none_of_them(
    postgres: Database,
) -> None:
    numbers = [f"2890{n:06}" for n in range(10_000)]
    async with venue(postgres) as bench:
        async with bench.database.connection() as connection:
            await connection.execute(
                "INSERT INTO account (environment, account, credit_limit, status, on_account, "
                "in_overview, version, description, searched, changed_at) SELECT 2890, n, 100, "
                "'active', false, false, 1, '', '', now() FROM unnest($1::text[]) AS n",
                numbers[:-1],
            )
        wanted = {"accounts": numbers, "raise_limit_by": 50, "on_account": True}
        (refused,) = await bench.order(command("account.change", 1, **wanted))
        assert (refused["reason"], refused["field"]) == ("account_unknown", "accounts.9999")
        assert await bench.rows("SELECT FROM account WHERE credit_limit = 150") == []
        await bench.order(command("account.open", 2, account=numbers[-1], limit=100))
        (applied,) = await bench.order(command("account.change", 3, **wanted))
        assert len(applied["changes"]) == 10_000
        assert len(await bench.rows("SELECT FROM account WHERE credit_limit = 150")) == 10_000
        states = bench.told()
        assert all(states[f"account:{VENUE}:{n}"]["limit"] == 150 for n in numbers)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"raise_limit_by": -1001}, "invalid", "raise_limit_by"),
        ({"raise_limit_by": 10**13}, "invalid", "raise_limit_by"),
        ({"raise_limit_by": 5, "limit": 5}, "invalid", "raise_limit_by"),
        ({"accounts": [GUEST, "nope"], "limit": 5}, "account_unknown", "accounts.1"),
        ({"limit": -1}, "invalid", "limit"),
        ({"status": "gone"}, "invalid", "status"),
    ],
)
async def test_a_change_that_can_not_be_is_refused_with_its_field(
    postgres: Database, fields: dict[str, Any], reason: str, field: str
) -> None:
    async with venue(postgres) as bench:
        (outcome,) = await bench.order(
            command("account.change", 1, **({"accounts": [GUEST]} | fields))
        )
        assert (outcome["reason"], outcome["field"]) == (reason, field)


async def test_no_limit_can_not_be_raised(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        (outcome,) = await bench.order(
            command("account.change", 1, accounts=[GUEST], raise_limit_by=5)
        )
        assert outcome["reason"] == "no_limit"


async def test_an_account_is_changed_only_if_unused_where_that_is_asked(
    postgres: Database,
) -> None:
    close = {"accounts": [GUEST], "status": "closed", "only_if_unused": True}
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 100))
        refused, closed = await bench.order(
            command("account.change", 1, **close),
            command("account.change", 2, **(close | {"only_if_unused": False})),
        )
        assert refused["reason"] == "account_used"
        assert "€1.00" in closed["warnings"][0]["message"]


async def test_an_account_has_one_holder(postgres: Database) -> None:
    link = {"account": GUEST, "role": "holder"}
    async with venue(postgres) as bench:
        outcomes = await bench.order(
            register("Jo"),
            register("Di"),
            command("account.link", 1, customer_id=JO, **link),
            command("account.link", 2, customer_id=JO, **link),
            command("account.link", 3, customer_id=uid("Di"), **link),
            command("account.unlink", 4, customer_id=uid("Di"), **link),
            command("account.unlink", 5, customer_id=JO, **link),
            command("account.link", 6, customer_id=uid("Di"), **link),
            command("account.link", 7, customer_id=uid("nobody"), **link),
            command("account.unlink", 8, account="nope", customer_id=JO, role="viewer"),
        )
        assert [o.get("reason") or changes(o)[0][2] for o in outcomes[2:]] == [
            "changed", "unchanged", "holder_exists", "unchanged", "changed", "changed",
            "customer_unknown", "account_unknown",
        ]  # fmt: skip
        assert bench.told()[f"account:{VENUE}:{GUEST}"]["holder"] == uid("Di")


# --- the same again ---------------------------------------------------------------------------


async def test_a_command_is_answered_alike_for_ever_and_its_state_told_again(
    postgres: Database,
) -> None:
    commands = [register(), command("account.change", 1, accounts=["nope"], limit=1)]
    async with venue(postgres) as bench:
        first = await bench.handle(registry.carry_out_commands, commands)
        await bench.order(command("customer.change", 2, customer_id=JO, city="Delft"))
        bench.published.answers.clear()
        again = await bench.handle(registry.carry_out_commands, [*commands, *commands])
        assert again == first + first
        assert bench.told()[f"customer:{VENUE}:{JO}"]["city"] == "Delft"


async def test_another_command_under_a_known_id_is_refused_alike_each_time(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        other = command("account.open", "open", account="28900002")
        first = await bench.handle(registry.carry_out_commands, [other])
        assert said(first[0])["reason"] == "command_id_reused"
        assert await bench.handle(registry.carry_out_commands, [other]) == first
        assert await bench.rows("SELECT FROM account WHERE account = '28900002'") == []


async def test_a_command_that_our_own_fault_stopped_is_refused_for_good(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        broken = command("account.open", 1, account="28900002")
        first = await bench.handle(registry.refuse_poison, [broken])
        assert said(first[0])["reason"] == "not_processed"
        assert await bench.handle(registry.carry_out_commands, [broken]) == first
        assert await bench.handle(registry.refuse_poison, [broken]) == first


async def test_the_whole_state_is_told_again_with_the_same_versions(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(
            *(register(n) for n in range(3)),
            *(command("account.open", n, account=f"2890x{n:04}") for n in range(1_002)),
        )
        before = bench.told()
        bench.published.answers.clear()
        again = command("registry.republish", "again")
        assert (await bench.order(again))[0]["changes"] == []
        assert len(await bench.run_jobs([republish.JOB])) == len(before) == 1 + 3 + 1_003
        assert bench.told() == before
        await bench.order(again)
        assert await bench.run_jobs([republish.JOB]) == []


async def test_what_was_invoiced_before_an_account_is_known_counts_when_it_is_opened(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.account_for(
            invoice("i", 500, account="28900002"), payment("p", 200, account="28900002")
        )
        await bench.order(
            command("account.open", 1, account="28900002", on_account=True, limit=1000)
        )
        (row,) = await bench.rows("SELECT issued, paid FROM account WHERE account = '28900002'")
        assert tuple(row) == (500, 200)
