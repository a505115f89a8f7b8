"""registry.apply on a real PostgreSQL: many things at once, each for itself."""

from typing import Any

import pytest

from schemas.entities import MAX_ACCOUNTS
from schemas.topics import TOPIC
from services.authorizer.domain.entities import Account, Environment, Registry
from services.authorizer.domain.standing import Sums
from services.authorizer.domain.steps import MOST_WARNINGS, Steps
from services.authorizer.handlers.registry import carry_out_commands
from services.authorizer.outcomes import applied
from services.authorizer.store.states import STATES
from tests.services.authorizer.support import (
    GUEST,
    VENUE,
    Venue,
    command,
    requested,
    uid,
    venue,
)
from tests.support.databases import Database


def apply(name: object, *steps: dict[str, Any]) -> Any:
    return command("registry.apply", f"a {name}", steps=list(steps))


def register(number: int, name: str, **more: Any) -> dict[str, Any]:
    given = {"type": "customer.register", "customer_id": uid(name), "company": name}
    return {"step": number, **given, **more}


def open_(number: int, account: str, **more: Any) -> dict[str, Any]:
    return {"step": number, "type": "account.open", "account": account, **more}


MEMBERS = (
    register(0, "Jansen B.V.", email="info@jansen.nl"),
    open_(1, "28900101", after=0, holder=uid("Jansen B.V."), limit=None),
    register(2, "Smit B.V.", postcode="12"),
    open_(3, "28900102", after=2, holder=uid("Smit B.V.")),
    open_(7, "999", limit=1250, on_account=True),
)


async def test_each_step_is_done_for_itself_and_those_after_a_refused_one_are_refused(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        (outcome,) = await bench.order(apply(1, *MEMBERS))
        assert outcome["type"] == "command.applied"
        assert [(c["step"], c["kind"], c["id"], c["change"]) for c in outcome["changes"]] == [
            (0, "customer", uid("Jansen B.V."), "created"),
            (1, "account", "28900101", "created"),
            (7, "account", "999", "created"),
        ]
        refused = [(r["step"], r["reason"], r.get("field")) for r in outcome["refused"]]
        assert refused == [(2, "invalid", "postcode"), (3, "depends", "after")]
        assert [(w["step"], w["id"]) for w in outcome["warnings"]] == [(7, "999")]
        told = bench.told()
        state = told[f"account:{VENUE}:28900101"]
        assert (state["limit"], state["holder"]) == (None, uid("Jansen B.V."))
        assert told[f"account:{VENUE}:999"]["limit"] == 1250
        assert f"account:{VENUE}:28900102" not in told


async def test_the_same_again_is_answered_byte_for_byte_and_done_once(postgres: Database) -> None:
    async with venue(postgres) as bench:
        first = await bench.handle(carry_out_commands, [apply(1, *MEMBERS)])
        again = await bench.handle(carry_out_commands, [apply(1, *MEMBERS)])
        assert [(a.id, a.time, a.value) for a in first] == [(a.id, a.time, a.value) for a in again]
        assert bench.told()[f"account:{VENUE}:999"]["version"] == 1
        (reused,) = await bench.order(apply(1, *MEMBERS[:2]))
        assert (reused["type"], reused["reason"]) == ("command.refused", "command_id_reused")


async def test_steps_come_to_what_the_commands_come_to_one_by_one(postgres: Database) -> None:
    changes = (
        {"step": 10, "type": "customer.change", "customer_id": uid("Jansen B.V."), "email": None},
        {"step": 11, "type": "account.change", "accounts": ["28900101", "999"], "limit": 5},
        {"step": 12, "type": "account.link", "account": "999",
         "customer_id": uid("Jansen B.V."), "role": "holder"},
    )  # fmt: skip
    async with venue(postgres) as bench:
        await bench.order(apply(1, *MEMBERS, *changes))
        at_once = bench.told()
        for kind, more in (
            ("environment.configure", {}),
            ("environment.accept_gdpr", {"accepted_by": "Jo", "document": "terms-1"}),
        ):
            await bench.order(command(kind, kind, environment=VENUE + 1, **more))
        for step in (*MEMBERS, *changes):
            body = {k: v for k, v in step.items() if k not in ("step", "after", "type")}
            await bench.order(command(step["type"], step["step"], environment=VENUE + 1, **body))
        one_by_one = bench.told()
    assert len(at_once) > 3
    for key, state in at_once.items():
        kind, _, rest = key.split(":", 2)
        if kind != "environment" and rest != GUEST:
            assert one_by_one[f"{kind}:{VENUE + 1}:{rest}"] == {**state, "environment": VENUE + 1}


async def test_without_accepted_terms_the_whole_is_refused(postgres: Database) -> None:
    async with Venue(postgres.dsn("authorizer"), states=STATES) as bench:
        (unknown,) = await bench.order(apply(1, *MEMBERS))
        assert unknown["reason"] == "environment_unknown"
        await bench.order(command("environment.configure", 1))
        (no_terms,) = await bench.order(apply(2, *MEMBERS))
        assert no_terms["reason"] == "gdpr_not_accepted"


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ((register(1, "A"), open_(1, "1")), "steps"),
        ((open_(1, "1", after=2), register(2, "A")), "steps"),
        (({"step": 1, "type": "customer.erase", "customer_id": uid("A")},), "steps.0"),
        ((), "steps"),
    ],
)
async def test_what_is_wrong_in_itself_refuses_the_whole_and_says_where(
    postgres: Database, steps: tuple[dict[str, Any], ...], field: str
) -> None:
    async with venue(postgres) as bench:
        (outcome,) = await bench.order(apply(1, *steps))
        assert (outcome["type"], outcome["reason"]) == ("command.refused", "invalid")
        assert outcome["field"].startswith(field)


async def test_what_was_just_written_is_told_as_its_row_says(postgres: Database) -> None:
    """Goal: a worker that tells what it wrote without reading it tells the same, byte for byte.
    Method: what registry.republish, which reads the rows, would tell of them."""
    viewer = {"account": "999", "customer_id": uid("Smit"), "role": "viewer"}
    async with venue(postgres) as bench:
        steps = (
            register(0, "Müller “&” Zn\\", email="Test@TEST.nl", language="en"),
            register(1, "Smit", email="jo@smit.nl", email_fictitious=True, country="BE"),
            open_(2, "28900101", holder=uid("Müller “&” Zn\\"), limit=None),
            open_(3, "999", description='Bar "0" \\ é', status="blocked", limit=1250),
            {"step": 4, "type": "account.link", **viewer},
            {"step": 5, "type": "account.link", **viewer, "role": "holder"},
            {"step": 6, "type": "customer.change", "customer_id": uid("Smit"), "email": None},
            {"step": 7, "type": "account.change", "accounts": ["28900101"], "on_account": True},
        )
        bench.published.answers.clear()
        await bench.order(apply(1, *steps))
        await bench.order(command("customer.erase", "gone", customer_id=uid("Smit")))
        told = {a.key: a for a in bench.published.answers if a.topic == "registry.state"}
        assert len(told) == 4
        kinds = {kind.kind: kind for kind in STATES}
        for key, answer in told.items():
            kind, environment, ident = key.split(":")
            async with bench.database.connection() as connection:
                rows = await kinds[kind].read(connection, [(int(environment), ident)])
            ((_, word),) = rows.values()
            assert word() == answer


async def test_a_step_that_closes_an_account_tells_what_is_not_invoiced_yet(
    postgres: Database,
) -> None:
    """As account.change does."""
    async with venue(postgres) as bench:
        await bench.one(requested(uid("sale"), 500))
        step = {"step": 0, "type": "account.change", "accounts": [GUEST], "status": "closed"}
        (outcome,) = await bench.order(apply(1, step))
        ((kind, told),) = [(w["kind"], w["message"]) for w in outcome["warnings"]]
        assert kind == "account"
        assert "5.00" in told
        assert bench.told()[f"account:{VENUE}:{GUEST}"]["status"] == "closed"


def test_an_outcome_is_no_larger_than_its_topic_takes() -> None:
    """Goal: no command is answered with what Kafka refuses, for that would be sent for ever.
    Method: a hundred steps close as many accounts as one command may name, each with a warning."""
    numbers = [f"{number:064}" for number in range(MAX_ACCOUNTS)]
    known = {
        (VENUE, number): Account(environment=VENUE, account=number, sums=Sums(approved=10**13))
        for number in numbers
    }
    closing = {"type": "account.change", "status": "closed"}
    hundreds = [numbers[start : start + 100] for start in range(0, MAX_ACCOUNTS, 100)]
    message = apply(1, *({"step": n, "accounts": s, **closing} for n, s in enumerate(hundreds)))
    steps = Steps(Registry(accounts=known), Environment(environment=VENUE))
    for step in message.steps:
        steps.take(step)
    outcome = steps.outcome()
    assert len(outcome.changes) == MAX_ACCOUNTS
    assert len(outcome.warnings) == MOST_WARNINGS + 1
    assert outcome.warnings[-1].message.startswith("9500 more warnings are not told, from this one")
    assert (outcome.warnings[-1].step, outcome.warnings[-1].id) == (5, numbers[500])
    most = TOPIC["registry.outcomes"].max_value_bytes
    assert len(applied(VENUE, message.command_id, outcome)) < most
