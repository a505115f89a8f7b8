"""Sales on a real PostgreSQL: what is answered, remembered and summed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.content import digest
from schemas.pos import SaleApproved
from schemas.wire import decode, encode
from services.authorizer.handlers import sales
from tests.services.authorizer.support import (
    GUEST,
    NOON,
    Venue,
    cancelled,
    command,
    line,
    recorded,
    requested,
    said,
    uid,
    venue,
    words,
)
from tests.support.databases import Database


async def test_a_sale_within_the_limit_is_approved_with_its_numbers(postgres: Database) -> None:
    async with venue(postgres) as bench:
        first, second = await bench.sell(requested("a", 600), requested("b", 300, 100))
    assert (first.type, first.topic, first.key) == (
        "sale.approved", "pos.decisions", f"2890:{GUEST}",
    )  # fmt: skip
    assert first.id == f"sale.approved/2890/{uid('a')}"
    content = said(second)
    assert {n: content[n] for n in ("limit", "used", "available", "online", "over_limit")} == {
        "limit": 1000, "used": 1000, "available": 0, "online": True, "over_limit": False,
    }  # fmt: skip
    assert content["booked_at"] == content["at"] == "2026-07-01T12:00:00Z"
    assert [each["total"] for each in content["lines"]] == [300, 100]


async def test_an_approval_is_the_bytes_that_the_contract_encodes(postgres: Database) -> None:
    odd = 'Café "De \\ Rat" \u2603 <&>'
    async with venue(postgres, limit=None) as bench:
        answers = await bench.sell(
            requested("a", lines=[line(250, description=odd, product=odd)], terminal=odd),
            recorded("b", 250, at=(NOON - timedelta(days=50)).isoformat()),
            requested("c", 250, at="2026-07-01T12:00:00.123456+02:00"),
            requested("d", lines=[line(250), line(50, quantity="-1", total=-50)]),
            recorded("e", 250, at="0001-01-01T00:00:00+01:00"),  # a clock that was never set
            requested("f", 250, at="9999-12-31T23:59:59.999999Z"),
        )
    for answer in answers:
        message = decode("pos.decisions", answer.value)
        assert isinstance(message, SaleApproved), answer.value
        assert encode(message) == answer.value
    assert [said(answers[place])["clock_off"] for place in (1, 4, 5)] == [True, True, True]
    assert said(answers[4])["at"] == "0001-01-01T00:00:00Z"
    assert said(answers[4])["booked_at"] == "2026-07-01T12:00:00Z"


async def test_over_the_limit_is_declined_in_numbers_in_the_environments_language(
    postgres: Database,
) -> None:
    async with venue(postgres, language="nl") as bench:
        await bench.sell(requested("a", 900))
        content = await bench.one(requested("b", 101))
    assert (content["reason"], content["limit"], content["used"], content["available"]) == (
        "over_limit", 1000, 900, 100,
    )  # fmt: skip
    for number in ("€ 1,01", "€ 10,00", "€ 9,00", "€ 1,00"):
        assert number in content["explanation"]


async def test_the_same_again_is_answered_byte_for_byte_whatever_changed_since(
    postgres: Database,
) -> None:
    messages = [
        requested("a", 600),
        requested("b", 600),
        requested("c", 1, account="2890x"),
        cancelled("d", "a", 100),
        cancelled("e", "a", 9999),
        cancelled("f", "b"),
        cancelled("g", "never came"),
        recorded("h", 5000),
        requested("i", 1, environment=17),
        cancelled("j", "a", environment=17),
        cancelled("k", "a", account="2890x"),
        requested("a", 601),
        cancelled("d", "a", 101),
        requested("m", 1, total="one"),
        recorded("n", 1, lines=[]),
        cancelled("o", "a", -1),
    ]
    async with venue(postgres) as bench:
        first = await bench.sell(*messages)
        await bench.order(
            command("environment.deactivate", "off"),
            command("account.change", "more", accounts=[GUEST], limit=10**9, status="blocked"),
            command("environment.configure", "nl", language="nl", limit_release="paid"),
        )
        assert await bench.sell(*messages) == first
        assert [*reversed(await bench.sell(*reversed(messages)))] == first
        for message, answer in zip(messages, first, strict=True):
            later = NOON + timedelta(days=400)
            assert await bench.sell(message, at=later) == [answer]
    assert [words(a) for a in first] == [
        ("sale.approved", None),
        ("sale.declined", "over_limit"),
        ("sale.declined", "account_unknown"),
        ("sale.reversed", 100),
        ("sale.reversal_refused", "exceeds_sale"),
        ("sale.reversal_refused", "sale_declined"),
        ("sale.reversed", 0),
        ("sale.approved", None),
        ("sale.declined", "environment_unknown"),
        ("sale.reversal_refused", "environment_unknown"),
        ("sale.reversal_refused", "account_unknown"),
        ("sale.declined", "sale_id_reused"),
        ("sale.reversal_refused", "cancellation_id_reused"),
        ("sale.declined", "invalid_message"),
        ("sale.declined", "invalid_message"),
        ("sale.reversal_refused", "invalid_message"),
    ]
    assert len({a.id for a in first}) == len(first)


async def test_the_same_id_twice_in_one_batch_is_one_decision(postgres: Database) -> None:
    async with venue(postgres) as bench:
        sale = requested("a", 600)
        first, second, third = await bench.sell(sale, requested("b", 400), sale)
        assert first == third
        assert second.type == "sale.approved"
        assert await bench.used() == 1000


async def test_another_sale_under_a_known_id_is_refused_and_the_first_answer_stands(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.order(command("account.open", "o", account="28900002", on_account=True))
        (first,) = await bench.sell(requested("a", 100))
        for other in (
            requested("a", 101),
            requested("a", 100, account="28900002"),
            requested("a", lines=[line(100, "9")]),
            recorded("a", 100, moved_from=uid("x")),
        ):
            assert (await bench.one(other))["reason"] == "sale_id_reused"
        assert await bench.sell(requested("a", 100, note="n", operator="o")) == [first]
        assert await bench.used() == 100


async def test_what_is_no_content_may_differ(postgres: Database) -> None:
    async with venue(postgres) as bench:
        (first,) = await bench.sell(requested("a", 100))
        again = requested(
            "a", 100, terminal="other", at="2026-07-02T00:00:00Z", operator="x", valid_s=1
        )
        assert await bench.sell(again) == [first]


# --- sales that were made without an answer ---------------------------------------------------


async def test_a_recorded_sale_is_booked_whatever_stands_against_it(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(
            command("environment.deactivate", "off"),
            command("account.change", "c", accounts=[GUEST], status="closed", on_account=False),
        )
        content = await bench.one(recorded("a", 5000))
        assert (content["type"], content["online"], content["over_limit"]) == (
            "sale.approved", False, True,
        )  # fmt: skip
        assert (content["used"], content["available"]) == (5000, -4000)


async def test_a_declined_sale_that_was_made_nevertheless_is_that_sale_from_then_on(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        (declined,) = await bench.sell(requested("a", 5000, valid_s=9))
        (booked,) = await bench.sell(recorded("a", 5000))
        assert (declined.type, booked.type) == ("sale.declined", "sale.approved")
        assert said(booked)["online"] is False
        assert await bench.sell(requested("a", 5000), recorded("a", 5000)) == [booked, booked]
        assert await bench.used() == 5000


async def test_an_approved_sale_that_is_recorded_too_keeps_its_answer(postgres: Database) -> None:
    async with venue(postgres) as bench:
        first, second = await bench.sell(requested("a", 500), recorded("a", 500))
        assert first == second
        assert said(first)["online"] is True
        assert await bench.used() == 500


async def test_what_could_not_be_booked_is_kept_for_a_person(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(
            recorded("a", 100, account="2890x"),
            recorded("b", 100, currency="USD"),
            requested("c", 100, account="2890x"),
            recorded("d", 100, lines=[]),
            requested("e", 100),
            recorded("e", 101),
        )
        rows = await bench.rows(
            "SELECT sale_id::text, reason, sale IS NOT NULL AS readable FROM unbooked"
        )
        assert {(r["sale_id"], r["reason"], r["readable"]) for r in rows} == {
            (uid("a"), "account_unknown", True),
            (uid("b"), "currency_mismatch", True),
            (uid("d"), "invalid_message", False),
            (uid("e"), "sale_id_reused", True),
        }


async def test_an_unbooked_sale_is_cleared_by_one_that_is_moved_from_it_or_by_its_cancellation(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, account="2890x"), recorded("b", 100, currency="USD"))
        await bench.sell(recorded("c", 100, moved_from=uid("a")), cancelled("d", "b"))
        rows = await bench.rows(
            "SELECT cleared_by::text FROM unbooked WHERE cleared_at IS NOT NULL"
        )
        assert {r["cleared_by"] for r in rows} == {uid("c"), uid("d")}


async def test_a_mended_message_is_booked_under_its_id_and_clears_only_itself(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        answers = await bench.sell(
            recorded("a", 100, terminal=""),
            requested("b", 5000),
            recorded("b", 100),
            recorded("a", 100),
            recorded("b", 5000),
        )
        assert [said(a).get("reason") for a in answers] == [
            "invalid_message", "over_limit", "sale_id_reused", None, None,
        ]  # fmt: skip
        rows = await bench.rows("SELECT reason FROM unbooked WHERE cleared_at IS NULL")
        assert [r["reason"] for r in rows] == ["sale_id_reused"]


async def test_the_decline_of_a_recorded_sale_is_final(postgres: Database) -> None:
    async with venue(postgres) as bench:
        (unknown,) = await bench.sell(requested("a", 100, account="2890x"))
        (first,) = await bench.sell(recorded("a", 100, account="2890x"))
        await bench.order(command("account.open", "o", account="2890x", on_account=True))
        assert first.id != unknown.id
        assert await bench.sell(recorded("a", 100, account="2890x")) == [first]
        assert await bench.sell(requested("a", 100, account="2890x")) == [first]


async def test_a_till_that_repeats_what_cannot_be_read_is_answered_the_same_and_noted_once(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        answers = await bench.sell(
            recorded("d", lines=[]),
            *(recorded("d", lines=[], attempt=number) for number in range(3)),
            recorded("d", lines=[], sale_id=uid("d").upper(), note="n"),
        )
        assert len(set(answers)) == 1
        assert len(await bench.rows("SELECT FROM unbooked")) == 1
        (other,) = await bench.sell(recorded("d", lines=[], account="2890x"))
        assert other.id != answers[0].id
        moved = [uid("m"), uid("m").upper()]
        answers = await bench.sell(*(recorded("e", lines=[], moved_from=one) for one in moved))
        assert answers[0] == answers[1]
        assert {row["kind"] for row in await bench.rows("SELECT kind FROM refusal")} == {"sale"}


async def test_a_moved_sale_keeps_the_time_of_the_sale_that_it_was(postgres: Database) -> None:
    long_ago = NOON - timedelta(days=300)
    async with venue(postgres, limit=None) as bench:
        origin = requested("a", 100, at=long_ago.isoformat())
        await bench.sell(origin, at=long_ago)
        its = {"moved_from": uid("a"), "moved_content": digest(origin).hex()}
        for moved in (recorded("b", 100, moved_from=uid("a")), recorded("d", 100, **its)):
            content = await bench.one(moved)
            assert (content["booked_at"], "clock_off" in content) == ("2025-09-04T12:00:00Z", False)
        unknown = await bench.one(recorded("c", 100, moved_from=uid("x"), at=long_ago.isoformat()))
        assert (unknown["booked_at"], unknown["clock_off"]) == ("2026-07-01T12:00:00Z", True)


async def test_a_sale_that_our_own_fault_stopped_is_declined_once_and_for_all(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        (first,) = await bench.handle(sales.refuse_poison, [recorded("a", 100)])
        assert said(first)["reason"] == "not_processed"
        assert await bench.handle(sales.refuse_poison, [recorded("a", 100)]) == [first]
        assert await bench.sell(recorded("a", 100)) == [first]
        assert len(await bench.rows("SELECT FROM unbooked")) == 1
        (approved,) = await bench.sell(requested("b", 100))
        assert await bench.handle(sales.refuse_poison, [requested("b", 100)]) == [approved]
        assert await bench.handle(sales.refuse_poison, [requested("b", 101)]) == []
        assert await bench.handle(sales.refuse_poison, [cancelled("c", "b")]) == []


@pytest.mark.parametrize("state", ["declined", "approved", "awaited"])
async def test_what_the_database_refuses_though_the_code_should_not_try(
    postgres: Database, state: str
) -> None:
    import asyncpg

    async with venue(postgres) as bench:
        await bench.sell(requested("approved", 100), requested("declined", 10**6),
                         cancelled("c", "awaited"))  # fmt: skip
        tries: list[str] = [
            "UPDATE sale SET reversed = total + 1 WHERE sale_id = $1",
            "UPDATE sale SET reversed = -1 WHERE sale_id = $1",
        ]
        if state == "approved":
            tries += [
                "UPDATE sale SET answer = 'x' WHERE sale_id = $1",
                "UPDATE sale SET state = 'declined' WHERE sale_id = $1",
                "UPDATE sale SET cancelled_first = true WHERE sale_id = $1",
                "INSERT INTO sale SELECT * FROM sale WHERE sale_id = $1",
            ]
        if state == "declined":
            tries += ["UPDATE sale SET answer = NULL WHERE sale_id = $1"]
        for query in tries:
            async with bench.database.connection() as connection:
                with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                    await connection.execute(query, uid(state))
        async with bench.database.connection() as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("DELETE FROM sale")
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute("UPDATE account SET reversed = approved + 1")


async def decided_after(bench: Venue, **late: Any) -> dict[str, Any]:
    return await bench.one(requested("late", valid_s=5), at=datetime.now(UTC) - timedelta(**late))


async def test_a_question_that_waited_too_long_expires(postgres: Database) -> None:
    async with venue(postgres) as bench:
        content = await decided_after(bench, seconds=6)
        assert (content["reason"], "5" in content["explanation"]) == ("expired", True)
