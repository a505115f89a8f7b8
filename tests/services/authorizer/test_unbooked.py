"""The list of what tills sold and could not be booked: told on pos.unbooked, cleared by people."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from schemas.unbooked import UnbookedState
from schemas.wire import decode
from services.authorizer.handlers import registry, republish, sales
from tests.services.authorizer.support import (
    GUEST,
    NOON,
    VENUE,
    Venue,
    cancelled,
    command,
    recorded,
    requested,
    said,
    uid,
    venue,
)
from tests.services.authorizer.test_erasing import WAITING
from tests.support.databases import Database

ELSEWHERE = "28909999"


def waiting(bench: Venue) -> dict[str, tuple[Any, ...]]:
    """Of each sale that was told of, by name of its id: status, reason, version."""
    last = {a.key: a for a in bench.published.answers if a.topic == "pos.unbooked"}
    for answer in last.values():
        assert isinstance(decode("pos.unbooked", answer.value), UnbookedState)
    told = [said(a) for a in last.values()]
    return {t["sale_id"]: (t["status"], t["reason"], t["version"]) for t in told}


def dismissed(name: object, sale: object, **more: Any) -> Any:
    return command("unbooked.dismiss", name, sale_id=uid(sale), **more)


async def test_what_could_not_be_booked_is_told_with_the_whole_sale(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(
            recorded("a", 100, 150, account=ELSEWHERE, operator="Jo"),
            requested("b", 100),
            recorded("c", 100),
            recorded("d", 100, currency="eur"),
        )
        assert waiting(bench) == {
            uid("a"): ("open", "account_unknown", 1),
            uid("d"): ("open", "invalid_message", 1),
        }
        states = [said(a) for a in bench.published.answers if a.topic == "pos.unbooked"]
        told = next(state for state in states if state["sale_id"] == uid("a"))
        assert (told["environment"], told["account"]) == (VENUE, ELSEWHERE)
        assert (told["sale"]["total"], len(told["sale"]["lines"])) == (250, 2)
        assert (told["sale"]["terminal"], told["sale"]["operator"]) == ("bar", "Jo")
        unreadable = next(state for state in states if state["sale_id"] == uid("d"))
        assert (unreadable["account"], "sale" in unreadable) == (GUEST, False)


async def test_a_sale_is_booked_on_another_account_and_leaves_the_list(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, account=ELSEWHERE))
        await bench.sell(recorded("moved", 100, moved_from=uid("a")))
        assert waiting(bench) == {uid("a"): ("cleared", "account_unknown", 2)}
        assert await bench.used() == 100


def content_of(bench: Venue, name: str, total: int) -> str:
    """What tells the sale of this total from others that wait under its id."""
    told = [said(a) for a in bench.published.answers if a.topic == "pos.unbooked"]
    its = [t for t in told if "sale" in t and t["sale_id"] == uid(name)]
    found = {t["content"] for t in its if t["sale"]["total"] == total}
    (content,) = found
    return str(content)


async def cleared_by(bench: Venue) -> list[tuple[Any, ...]]:
    rows = await bench.rows("SELECT sale_id::text, account, cleared_by::text FROM unbooked")
    return sorted(tuple(r) for r in rows)


@pytest.mark.parametrize("together", [True, False])
async def test_what_two_people_book_on_two_accounts_is_booked_once_and_waits_no_more(
    postgres: Database, together: bool
) -> None:
    """Both make the same id of what waits, so the second is another content under it."""
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, account=ELSEWHERE))
        of_a = {"moved_from": uid("a"), "moved_content": content_of(bench, "a", 100)}
        first, second = recorded("m", 100, **of_a), recorded("m", 100, account="28900002", **of_a)
        told = []
        for batch in [(first, second)] if together else [(first,), (second,)]:
            told += [said(a) for a in await bench.sell(*batch)]
        assert [t["type"] for t in told] == ["sale.approved", "sale.declined"]
        assert told[1]["reason"] == "sale_id_reused"
        assert await cleared_by(bench) == sorted(
            [(uid("a"), ELSEWHERE, uid("m")), (uid("m"), "28900002", uid("m"))]
        )
        states = waiting(bench)
        assert {status for status, _, _ in states.values()} == {"cleared"}
        await bench.sell(second, first)
        assert waiting(bench) == states
        assert await bench.used() == 100


async def test_a_booking_that_is_declined_leaves_the_sale_waiting_and_not_itself(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, account=ELSEWHERE))
        of_a = {"moved_from": uid("a"), "moved_content": content_of(bench, "a", 100)}
        await bench.sell(
            recorded("m", 100, account="28908888", **of_a),
            recorded("m", 100, account="28907777", **of_a),
        )
        assert {id_: status for id_, (status, _, _) in waiting(bench).items()} == {
            uid("a"): "open", uid("m"): "cleared",
        }  # fmt: skip
        assert {by for id_, _, by in await cleared_by(bench) if id_ == uid("m")} == {uid("a")}
        await bench.sell(recorded("n", 90, **of_a))
        assert [by for id_, _, by in await cleared_by(bench) if id_ == uid("a")] == [uid("n")]
        await bench.sell(recorded("late", 100, account="28908888", **of_a))
        assert (uid("late"), "28908888", uid("a")) in await cleared_by(bench)
        assert await bench.used() == 90


@pytest.mark.parametrize(
    "by", [dismissed("d", "a"), cancelled("c", "a", account=ELSEWHERE), recorded("b", 100)]
)
async def test_what_was_seen_to_while_a_person_thought_it_over_is_not_booked_any_more(
    postgres: Database, by: Any
) -> None:
    """Booked: by an older command, which makes other ids."""
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, account=ELSEWHERE))
        of_a = {"moved_from": uid("a"), "moved_content": content_of(bench, "a", 100)}
        if by.type == "unbooked.dismiss":
            await bench.order(by)
        else:
            by_older = {"moved_from": uid("a")} if by.type == "sale.recorded" else {}
            await bench.sell(by.model_copy(update=by_older))
        used = await bench.used()
        declined = await bench.one(recorded("m", 100, **of_a))
        assert declined["reason"] == "already_cancelled"
        assert await bench.used() == used
        assert {status for status, _, _ in waiting(bench).values()} == {"cleared"}


async def test_what_is_being_dismissed_is_booked_only_if_it_is_not(postgres: Database) -> None:
    """Goal: one of the two. Method: it is to be booked when it is dismissed, and not committed."""
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, account=ELSEWHERE))
        of_a = {"moved_from": uid("a"), "moved_content": content_of(bench, "a", 100)}
        async with bench.transaction() as tx:
            await registry.carry_out_commands([bench.incoming(dismissed("d", "a"))], tx)
            booking = asyncio.create_task(bench.one(recorded("m", 100, **of_a)))
            while not (booking.done() or await bench.rows(WAITING)):
                await asyncio.sleep(0.005)
        assert (await booking)["reason"] == "already_cancelled"
        assert await bench.used() == 0


async def test_who_dismisses_what_is_being_booked_hears_that_nothing_was(
    postgres: Database,
) -> None:
    """Else one reads that it is off the list, and the guest is charged for it."""
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, account=ELSEWHERE))
        of_a = {"moved_from": uid("a"), "moved_content": content_of(bench, "a", 100)}
        async with bench.transaction() as tx:
            await bench.decide_sales([bench.incoming(recorded("m", 100, **of_a))], tx)
            dismissing = asyncio.create_task(bench.order(dismissed("d", "a")))
            while not (dismissing.done() or await bench.rows(WAITING)):
                await asyncio.sleep(0.005)
        (told,) = await dismissing
        assert told["changes"][0]["change"] == "unchanged"
        assert await bench.used() == 100


async def test_of_several_under_one_id_only_the_one_that_is_booked_leaves_the_list(
    postgres: Database,
) -> None:
    """And its time is its own, not that of the sale that stands under the id."""
    async with venue(postgres) as bench:
        later = (NOON + timedelta(hours=3)).isoformat()
        await bench.sell(requested("a", 100))
        await bench.sell(
            recorded("a", 101, at=later), recorded("a", 102), recorded("a", 103, total="?")
        )
        of_a = {"moved_from": uid("a"), "moved_content": content_of(bench, "a", 101)}
        booked = await bench.one(recorded("m", 101, at=later, **of_a))
        assert datetime.fromisoformat(booked["booked_at"]) == NOON + timedelta(hours=3)
        rows = await bench.rows("SELECT cleared_by::text FROM unbooked ORDER BY cleared_by")
        assert [r["cleared_by"] for r in rows] == [uid("m"), None, None]
        # A sale that stands is moved: those that wait under its id are other drinks.
        await bench.sell(cancelled("c", "a"), recorded("n", 100, moved_from=uid("a")))
        (row,) = await bench.rows("SELECT count(*) FROM unbooked WHERE cleared_at IS NULL")
        assert row["count"] == 2


@pytest.mark.parametrize(
    "sold",
    [
        recorded("a", 100, account=ELSEWHERE),
        recorded("a", 100, environment=7),
        recorded("a", 100, terminal=""),
        recorded("a", 100, currency="USD"),
    ],
    ids=["account unknown", "environment unknown", "unreadable", "other currency"],
)
async def test_a_till_that_takes_it_back_clears_it_whatever_it_was(
    postgres: Database, sold: Any
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(sold)
        assert [status for status, _, _ in waiting(bench).values()] == ["open"]
        ids = getattr(sold, "ids", None) or {
            "account": sold.account,
            "environment": sold.environment,
        }
        taken_back = cancelled(
            "c", "a", account=ids.get("account", GUEST), environment=ids["environment"]
        )
        await bench.sell(taken_back)
        assert [status for status, _, _ in waiting(bench).values()] == ["cleared"]


async def test_with_a_declined_sale_goes_what_was_unreadable_of_it(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(
            recorded("a", 100, account=ELSEWHERE, currency="eur"),
            recorded("a", 100, account=ELSEWHERE),
        )
        await bench.sell(cancelled("c", "a", account=ELSEWHERE))
        rows = await bench.rows("SELECT cleared_by::text FROM unbooked")
        assert [r["cleared_by"] for r in rows] == [uid("c")] * 2


async def test_a_cancellation_that_has_the_id_of_its_sale_clears_it_too(postgres: Database) -> None:
    """Ids are of one kind each, so a till may take one for both."""
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, account=ELSEWHERE))
        await bench.sell(cancelled("a", "a", account=ELSEWHERE))
        await bench.sell(recorded("b", 100, currency="USD"), cancelled("b", "b"))
        assert sorted(waiting(bench).values()) == [
            ("cleared", "account_unknown", 2), ("cleared", "currency_mismatch", 2),
        ]  # fmt: skip


async def test_of_what_is_taken_back_in_part_the_rest_waits_and_so_does_another_under_its_id(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, currency="USD"), recorded("a", 70), recorded("b", 50))
        await bench.sell(recorded("c", 300, account=ELSEWHERE))
        await bench.sell(cancelled("part", "a", 99), cancelled("of c", "c", 1, account=ELSEWHERE))
        assert [status for status, _, _ in waiting(bench).values()] == ["open", "open"]
        await bench.sell(cancelled("all", "a", 100), cancelled("c", "c", 300, account=ELSEWHERE))
        rows = await bench.rows("SELECT reason FROM unbooked WHERE cleared_at IS NULL")
        assert [r["reason"] for r in rows] == ["sale_id_reused"]


async def test_a_person_dismisses_one_or_all_that_wait_under_an_id(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 100), recorded("a", 101), recorded("a", 102))
        states = [said(a) for a in bench.published.answers if a.topic == "pos.unbooked"]
        first = next(s for s in states if s["sale"]["total"] == 101)
        (one,) = await bench.order(dismissed(1, "a", content=first["content"]))
        assert one["changes"] == [{"kind": "unbooked", "id": uid("a"), "change": "changed"}]
        rows = await bench.rows("SELECT cleared_by::text FROM unbooked ORDER BY cleared_at")
        assert [r["cleared_by"] for r in rows] == [uid(1), None]
        (rest,) = await bench.order(dismissed(2, "a"))
        assert rest["changes"][0]["change"] == "changed"
        (again,) = await bench.order(dismissed(3, "a"))
        assert again["changes"][0]["change"] == "unchanged"
        # The sale that stands under the id is left alone.
        assert await bench.used() == 100


async def test_what_does_not_wait_can_not_be_dismissed(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 100), recorded("b", 100, account=ELSEWHERE))
        (refused,) = await bench.order(dismissed(1, "a"))
        assert (refused["reason"], refused["field"]) == ("sale_unknown", "sale_id")


async def test_a_sale_of_an_environment_that_is_not_known_can_be_dismissed(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, environment=7))
        (outcome,) = await bench.order(dismissed(1, "a", environment=7))
        assert outcome["changes"][0]["change"] == "changed"
        assert waiting(bench) == {uid("a"): ("cleared", "environment_unknown", 2)}


async def test_a_repetition_tells_again_what_a_killed_worker_did_not(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(recorded("another", 100, account=ELSEWHERE))
        bench.published.answers.clear()
        put = recorded("a", 100, account=ELSEWHERE)
        for message in (put, recorded("b", 100, moved_from=uid("a")), cancelled("c", "a")):
            await bench.sell(message)
            told = waiting(bench)
            bench.published.answers.clear()
            await bench.sell(message)
            assert waiting(bench) == told != {}
        bench.published.answers.clear()
        order = dismissed(1, "a")
        await bench.order(order)
        told = waiting(bench)
        bench.published.answers.clear()
        await bench.order(order)
        assert waiting(bench) == told == {uid("a"): ("cleared", "account_unknown", 2)}


async def test_what_our_own_fault_kept_from_being_booked_is_told_too(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.handle(sales.refuse_poison, [recorded("a", 100)])
        assert waiting(bench) == {uid("a"): ("open", "not_processed", 1)}


async def test_what_is_booked_once_we_are_mended_waits_no_more(postgres: Database) -> None:
    """It was declined when it was asked for, so the dead letter of its record is decided anew."""
    async with venue(postgres, limit=50) as bench:
        await bench.sell(requested("a", 100))
        await bench.handle(sales.refuse_poison, [recorded("a", 100)])
        await bench.handle(sales.refuse_poison, [recorded("a", 90)])
        assert sorted(waiting(bench).values()) == [("open", "not_processed", 1)]
        assert (await bench.one(recorded("a", 100)))["type"] == "sale.approved"
        rows = await bench.rows(
            "SELECT cleared_at IS NULL, count(*) FROM unbooked GROUP BY 1 ORDER BY 1"
        )
        assert [tuple(r) for r in rows] == [(False, 1), (True, 1)]
        assert await bench.used() == 100


async def test_what_was_unreadable_of_a_sale_that_stands_waits_no_more_once_it_is_mended(
    postgres: Database,
) -> None:
    """It was approved, its till did not hear that, and said that it was made."""
    async with venue(postgres) as bench:
        (stands,) = await bench.sell(requested("a", 100))
        await bench.sell(recorded("a", 100, terminal=""), recorded("a", 90))
        assert await bench.sell(recorded("a", 100)) == [stands]
        rows = await bench.rows("SELECT reason, cleared_by::text FROM unbooked ORDER BY reason")
        assert [tuple(r) for r in rows] == [("invalid_message", uid("a")), ("sale_id_reused", None)]
        assert {said(a)["status"] for a in bench.published.answers[-2:]} == {"open", "cleared"}


@pytest.mark.parametrize("together", [True, False])
async def test_what_was_mended_before_its_unreadable_one_came_does_not_wait(
    postgres: Database, together: bool
) -> None:
    """The two may come in two partitions; what is booked already is not to be booked by hand."""
    async with venue(postgres) as bench:
        messages = recorded("a", 100), recorded("a", 100, account=" ")
        for batch in [messages] if together else [[one] for one in messages]:
            await bench.sell(*batch)
        assert waiting(bench) == {uid("a"): ("cleared", "invalid_message", 2)}
        assert [by for _, _, by in await cleared_by(bench)] == [uid("a")]


@pytest.mark.parametrize("first", ["unreadable", "mended"])
async def test_nor_does_it_where_two_workers_decide_both_at_the_same_moment(
    postgres: Database, first: str
) -> None:
    """Goal: it is not left for a person to book once more. Method: the other one comes while the
    first is decided, and not committed."""
    unreadable, mended = recorded("a", 100, terminal=""), recorded("a", 100)
    one, other = (unreadable, mended) if first == "unreadable" else (mended, unreadable)
    async with venue(postgres) as bench:
        async with bench.transaction() as tx:
            await bench.decide_sales([bench.incoming(one)], tx)
            late = asyncio.create_task(bench.sell(other))
            while not (late.done() or await bench.rows(WAITING)):
                await asyncio.sleep(0.005)
        await late
        assert [by for _, _, by in await cleared_by(bench)] == [uid("a")]
        assert await bench.used() == 100


async def test_what_older_workers_left_waiting_beside_its_sale_is_not_booked_once_more(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(recorded("a", 100, terminal=""))
        (listed,) = await bench.rows("SELECT encode(digest, 'hex') AS content FROM unbooked")
        await bench.sell(recorded("a", 100))
        await bench.rows("UPDATE unbooked SET cleared_at = NULL, cleared_by = NULL")
        of_a = {"moved_from": uid("a"), "moved_content": listed["content"]}
        assert (await bench.one(recorded("m", 90, **of_a)))["reason"] == "already_cancelled"
        assert uid("a") in [by for _, _, by in await cleared_by(bench)]
        assert await bench.used() == 100


async def test_a_cancellation_and_a_mended_sale_lock_the_list_before_the_sale(
    postgres: Database,
) -> None:
    """Goal: no deadlock: who comes second finds the sale's key taken, and is decided again. Method:
    the list is held as by a sale that is decided then, when its till takes it back elsewhere."""
    async with venue(postgres) as bench:
        await bench.order(command("account.open", "other", account="28900002"))
        await bench.sell(recorded("a", 100, terminal=""))
        async with bench.transaction() as tx:
            await tx.execute("SELECT FROM unbooked FOR NO KEY UPDATE")
            late = asyncio.create_task(bench.sell(cancelled("c", "a", account="28900002")))
            while not (late.done() or await bench.rows(WAITING)):
                await asyncio.sleep(0.005)
            await bench.decide_sales([bench.incoming(recorded("a", 100))], tx)
        with pytest.raises(asyncpg.UniqueViolationError):
            await late
        again = await bench.one(cancelled("c", "a", account="28900002"))
        assert again["reason"] == "not_this_account"


@pytest.mark.parametrize("seen_to", [recorded("m", 90, moved_from=uid("a")), dismissed("d", "a")])
async def test_what_a_person_saw_to_is_not_charged_once_its_till_can_say_it(
    postgres: Database, seen_to: Any
) -> None:
    """It waits: a person sees whether it is the same, and until then nobody pays twice."""
    async with venue(postgres, limit=50) as bench:
        await bench.sell(requested("a", 100), recorded("a", 100, terminal=""))
        await (bench.order if seen_to.type == "unbooked.dismiss" else bench.sell)(seen_to)
        used = await bench.used()
        mended = await bench.one(recorded("a", 100))
        assert mended["reason"] == "already_cancelled"
        # Told that it was cancelled, who sold it would record it once more under another id.
        assert "or seen to" in mended["explanation"]
        assert await bench.used() == used
        rows = await bench.rows("SELECT reason FROM unbooked WHERE cleared_at IS NULL")
        assert [r["reason"] for r in rows] == ["already_cancelled"]
        of_a = {"moved_from": uid("a"), "moved_content": content_of(bench, "a", 100)}
        assert (await bench.one(recorded("n", 100, **of_a)))["type"] == "sale.approved"


async def test_nor_is_it_where_both_come_in_one_batch(postgres: Database) -> None:
    async with venue(postgres, limit=50) as bench:
        await bench.sell(requested("a", 100), recorded("a", 100, terminal=""))
        booked, mended = await bench.sell(
            recorded("m", 90, moved_from=uid("a")), recorded("a", 100)
        )
        assert said(booked)["type"] == "sale.approved"
        assert said(mended)["reason"] == "already_cancelled"
        assert await bench.used() == 90


@pytest.mark.parametrize("seen_to", ["assign", "dismiss"])
async def test_what_a_person_saw_to_is_not_charged_once_its_dead_letter_is_retried(
    postgres: Database, seen_to: str
) -> None:
    """Declined when it was asked for, so its record is decided anew. It is the same, and waits no
    more."""
    async with venue(postgres, limit=50) as bench:
        await bench.sell(requested("a", 100))
        await bench.handle(sales.refuse_poison, [recorded("a", 100)])
        if seen_to == "assign":
            of_a = {"moved_from": uid("a"), "moved_content": content_of(bench, "a", 100)}
            await bench.sell(recorded("m", 100, **of_a))
        else:
            await bench.order(dismissed("d", "a"))
        used = await bench.used()
        assert (await bench.one(recorded("a", 100))).get("reason") == "already_cancelled"
        assert await bench.used() == used
        assert await bench.rows("SELECT FROM unbooked WHERE cleared_at IS NULL") == []


@pytest.mark.parametrize("together", [True, False])
async def test_what_its_till_took_back_with_an_amount_it_may_say_again(
    postgres: Database, together: bool
) -> None:
    """A cancellation with an amount is no word against the sale (decision 51), nor is one on
    another account."""
    async with venue(postgres, limit=50) as bench:
        await bench.order(command("account.open", "other", account="28900002"))
        messages: list[Any] = [
            requested("a", 100), recorded("a", 100, terminal=""), cancelled("c", "a", 100),
            recorded("a", 100), recorded("b", 40, terminal=""),
            cancelled("d", "b", account="28900002"), recorded("b", 40),
        ]  # fmt: skip
        for batch in [messages] if together else [[one] for one in messages]:
            told = [said(a)["type"] for a in await bench.sell(*batch)]
        assert told[-1] == "sale.approved"
        assert await bench.used() == 140


async def test_another_sale_under_a_booked_ones_id_is_on_the_list_though_we_failed_on_it(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 100))
        await bench.handle(sales.refuse_poison, [recorded("a", 100)])
        assert waiting(bench) == {}
        await bench.handle(sales.refuse_poison, [recorded("a", 90)])
        assert waiting(bench) == {uid("a"): ("open", "not_processed", 1)}


async def test_the_list_is_told_again_with_everything_else(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(*(recorded(n, 100, account=ELSEWHERE) for n in range(501)))
        told = waiting(bench)
        bench.published.answers.clear()
        await bench.order(command("registry.republish", "again"))
        await bench.run_jobs([republish.JOB])
        assert waiting(bench) == told
        assert len(told) == 501


async def test_an_ordinary_batch_reads_nothing_of_the_list(postgres: Database) -> None:
    """Goal: the list costs a sale nothing. Method: what is touched by what tills send all day."""
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 300), requested("b", 5_000))
        async with bench.transaction() as tx:
            some = (requested("c", 100), cancelled("d", "a", 100), cancelled("e", "a"))
            await bench.decide_sales([bench.incoming(each) for each in some], tx)
            assert tx.touched == {}
            await bench.decide_sales([bench.incoming(cancelled("f", "b"))], tx)
            assert list(tx.touched) == [("unbooked", (VENUE, uid("b")))]
