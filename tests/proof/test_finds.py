"""What the model found, each as the shortest history that shows it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from services.authorizer.store.registry import sql
from services.authorizer.store.sales import sql as sales_sql
from tests.services.authorizer.support import (
    GUEST,
    VENUE,
    cancelled,
    command,
    credit_note,
    invoice,
    line,
    payment,
    recorded,
    refund,
    requested,
    said,
    uid,
    venue,
    words,
)
from tests.support.databases import Database

OTHER = "28900002"
ELSEWHERE = 2891


def opened(account: str = OTHER) -> Any:
    return command("account.open", account, account=account, on_account=True, limit=None)


async def test_a_cancellation_on_a_wrong_account_does_not_stand_before_the_right_one(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.order(opened())
        answers = await bench.sell(
            cancelled("wrong", "a", account=OTHER),
            cancelled("right", "a"),
            requested("a", 100),
        )
        assert [words(answer) for answer in answers] == [
            ("sale.reversed", 0), ("sale.reversed", 0), ("sale.declined", "already_cancelled"),
        ]  # fmt: skip
        assert await bench.used() == 0


@pytest.mark.parametrize("apart", [False, True])
async def test_a_sale_is_called_off_by_its_own_account_only_whenever_it_is_decided(
    postgres: Database, apart: bool
) -> None:
    """On the other account it is sold; here it stays called off when it is recorded later."""
    steps = [cancelled("c1", "a"), cancelled("c2", "b"), requested("a", 100, account=OTHER),
             requested("b", 5000), requested("b", 5000, type="sale.recorded")]  # fmt: skip
    async with venue(postgres) as bench:
        await bench.order(opened())
        batches = [[step] for step in steps] if apart else [steps]
        told = [words(answer) for batch in batches for answer in await bench.sell(*batch)]
        assert told == [
            ("sale.reversed", 0), ("sale.reversed", 0), ("sale.approved", None),
            ("sale.declined", "already_cancelled"), ("sale.declined", "already_cancelled"),
        ]  # fmt: skip
        assert (await bench.used(), await bench.used(OTHER)) == (0, 100)


async def test_a_part_of_an_unknown_sale_may_be_asked_again_whatever_else_was_cancelled(
    postgres: Database,
) -> None:
    """A refusal `sale_unknown` is not remembered, also where another account named the sale."""
    part = cancelled("part", "a", 40)
    async with venue(postgres) as bench:
        await bench.order(opened())
        first = await bench.sell(cancelled("wrong", "a", account=OTHER), part)
        assert words(first[1]) == ("sale.reversal_refused", "sale_unknown")
        again = await bench.sell(requested("a", 100), part)
        assert words(again[1]) == ("sale.reversed", 40)
        assert await bench.used() == 60


async def test_refusals_that_are_not_remembered_are_events_of_their_own(
    postgres: Database,
) -> None:
    """Two contents under one cancellation_id in one batch: two answers, two ce_ids."""
    async with venue(postgres) as bench:
        await bench.order(opened())
        one, other, same = await bench.sell(
            cancelled("c", "a", 40), cancelled("c", "a", 40, account=OTHER), cancelled("c", "a", 40)
        )
        assert (said(one)["account"], said(other)["account"]) == (GUEST, OTHER)
        assert one.id != other.id
        assert one == same


@pytest.mark.parametrize("apart", [False, True])
async def test_what_could_not_be_booked_waits_whatever_was_cleared_before_it_in_its_batch(
    postgres: Database, apart: bool
) -> None:
    """Under a reused id: the first sale is taken back, the second was drunk all the same."""
    steps = [cancelled("early", "a"), requested("a", 100, type="sale.recorded"),
             cancelled("back", "a"), requested("a", 250, type="sale.recorded")]  # fmt: skip
    async with venue(postgres) as bench:
        for batch in [[step] for step in steps] if apart else [steps]:
            await bench.sell(*batch)
        rows = await bench.rows("SELECT reason, cleared_by::text FROM unbooked ORDER BY 1")
        assert [tuple(row) for row in rows] == [
            ("already_cancelled", uid("back")), ("sale_id_reused", None),
        ]  # fmt: skip


async def test_what_can_not_be_read_is_the_same_message_at_another_time_and_till(
    postgres: Database,
) -> None:
    """So it is answered as before, and stands once in the list of what was not booked."""
    wrong = {"type": "sale.recorded", "total": "2,50"}
    later = {"at": "2026-07-01T12:05:00Z", "terminal": "terrace"}
    async with venue(postgres) as bench:
        (first,) = await bench.sell(requested("a", 250, **wrong))
        (again,) = await bench.sell(requested("a", 250, **wrong, **later))
        assert again == first
        (row,) = await bench.rows("SELECT count(*) FROM unbooked")
        assert row[0] == 1


async def test_two_records_that_can_not_be_read_under_one_id_wait_each(postgres: Database) -> None:
    """Alike in all that could be read of them, though other drinks."""
    beer, wine = (requested("a", price, type="sale.recorded", total="?") for price in (300, 450))
    async with venue(postgres) as bench:
        first, second = await bench.sell(beer, wine)
        assert first.id != second.id
        assert await bench.sell(wine, beer) == [second, first]
        rows = await bench.rows("SELECT reason FROM unbooked WHERE cleared_at IS NULL")
        assert [row["reason"] for row in rows] == ["invalid_message"] * 2


async def test_a_sale_that_comes_to_nothing_fixes_the_currency_too(postgres: Database) -> None:
    """A swap at two rates makes a journal: in another currency none could follow it."""
    swap = [line(500), {**line(500, "9"), "quantity": "-1", "total": -500}]
    async with venue(postgres) as bench:
        (answer,) = await bench.sell(requested("swap", lines=swap))
        assert (answer.type, said(answer)["total"]) == ("sale.approved", 0)
        (outcome,) = await bench.order(command("environment.configure", "usd", currency="USD"))
        assert outcome["reason"] == "currency_fixed"


async def test_all_that_came_before_an_account_was_open_is_added_up(postgres: Database) -> None:
    """Found by mutation: one event of each kind had been tried, and the greatest is their sum."""
    events = [make(f"{make.__name__}{n}", kind * n, account=OTHER)
              for kind, make in ((10, invoice), (20, credit_note), (30, payment),
                                 (40, refund))
              for n in (3, 4)]  # fmt: skip
    async with venue(postgres) as bench:
        await bench.account_for(*events, invoice("another", 5, account="28900003"))
        assert len(await bench.rows(sql.early_sums, [VENUE], [OTHER])) == 1
        await bench.order(opened())
        rows = await bench.rows(
            "SELECT issued, credited, paid, refunded FROM account WHERE account = $1", OTHER
        )
        assert [tuple(row) for row in rows] == [(70, 140, 210, 280)]


async def test_only_the_accounts_of_who_is_erased_are_looked_at(postgres: Database) -> None:
    """Found by mutation: those of all customers were read, locked, and passed over."""
    async with venue(postgres) as bench:
        await bench.order(
            command("environment.configure", 1, environment=ELSEWHERE),
            command("environment.accept_gdpr", 2, environment=ELSEWHERE, accepted_by="Jo",
                    document="terms"),
        )  # fmt: skip
        for number in (VENUE, ELSEWHERE):
            for who in ("jo", "an"):
                held, seen = (f"{number}-{who}-{tie}" for tie in ("held", "seen"))
                said_of = {"environment": number, "customer_id": uid(who)}
                outcomes = await bench.order(
                    command("customer.register", (number, who), company=who, **said_of),
                    command("account.open", held, environment=number, account=held,
                            holder=uid(who)),
                    command("account.open", seen, environment=number, account=seen),
                    command("account.link", (seen, "tie"), account=seen, role="viewer", **said_of),
                )  # fmt: skip
                assert {outcome["type"] for outcome in outcomes} == {"command.applied"}
        mine = f"{VENUE}-jo-seen"
        (locked,) = await bench.rows(sql.lock_accounts, [VENUE], [mine])
        assert locked[0] == 1
        for query in (sql.whole_accounts, sql.lock_whole_accounts):
            (whole,) = await bench.rows(query, [VENUE], [mine])
            assert (whole["account"], whole["viewers"]) == (mine, [uid("jo")])
        untied = command("account.unlink", "untie", account=mine, customer_id=uid("jo"),
                         role="viewer")  # fmt: skip
        await bench.order(untied, command("account.link", "again", account=mine,
                                          customer_id=uid("jo"), role="viewer"))  # fmt: skip
        (left,) = await bench.rows("SELECT count(*) FROM account_viewer")
        assert left[0] == 4  # of all that looked in, no other lost anything
        found = await bench.rows(sql.accounts_of_customers, [VENUE], [uid("jo")])
        assert sorted(tuple(row) for row in found) == [
            (VENUE, f"{VENUE}-jo-held"), (VENUE, f"{VENUE}-jo-seen"),
        ]  # fmt: skip
        # In one batch with another's account, whose viewers are its own.
        others = f"{VENUE}-an-seen"
        await bench.order(command("account.change", "closed", accounts=[others], status="closed"),
                          command("customer.erase", "erased", customer_id=uid("jo")))  # fmt: skip
        (row,) = await bench.rows("SELECT version FROM account WHERE account = $1", others)
        assert row[0] == 3  # opened, tied, closed


async def test_what_is_changed_or_recalled_of_one_leaves_the_others_alone(
    postgres: Database,
) -> None:
    """Found by mutation: one key of two found rows of all that shared it."""
    async with venue(postgres) as bench:
        for who in ("jo", "an"):
            made = command("customer.register", who, customer_id=uid(who), company=who)
            await bench.order(made)
        await bench.order(command("customer.change", "new", customer_id=uid("jo"), company="other"))
        rows = await bench.rows("SELECT name, version FROM customer ORDER BY name")
        assert [tuple(row) for row in rows] == [("an", 1), ("other", 2)]
        await bench.sell(cancelled("c1", "a"), cancelled("c2", "b"))
        (one,) = await bench.rows(sales_sql.recall_cancellations, [VENUE], [uid("c1")])
        assert one["cancellation_id"] == uid("c1")
        (off,) = await bench.rows(sales_sql.called_off, [VENUE], [uid("a")])
        assert off["sale_id"] == uid("a")


@pytest.mark.parametrize("apart", [False, True])
async def test_what_was_declined_and_made_and_taken_back_is_charged_in_no_order(
    postgres: Database, apart: bool
) -> None:
    """Everything twice. What was recorded after its cancellation is on the list, not lost."""
    async with venue(postgres) as bench:
        for order in permutations(("asked", "made", "taken back")):
            account = f"2890 {order}"
            await bench.order(command("account.open", order, account=account, on_account=True,
                                      limit=1000))  # fmt: skip
            words_of_till = {
                "asked": requested(order, 5000, account=account),
                "made": recorded(order, 5000, account=account),
                "taken back": cancelled((order, "c"), order, account=account),
            }
            messages = [words_of_till[name] for name in order]
            batches = [[one] for one in messages] if apart else [messages]
            first = [answer for batch in batches for answer in await bench.sell(*batch)]
            booked = order.index("made") < order.index("taken back")
            answers = dict(zip(order, first, strict=True))
            assert words(answers["made"])[1] == (None if booked else "already_cancelled")
            again = dict(zip(order, await bench.sell(*messages), strict=True))
            # Asked again, a sale that was recorded is answered as that.
            assert {**again, "asked": None} == {**answers, "asked": None}
            (sums,) = await bench.rows(
                "SELECT approved, reversed FROM account WHERE account = $1", account
            )
            assert tuple(sums) == ((5000, 5000) if booked else (0, 0))
            listed = await bench.rows(
                "SELECT reason FROM unbooked WHERE account = $1 AND cleared_at IS NULL", account
            )
            assert [row["reason"] for row in listed] == ([] if booked else ["already_cancelled"])


async def test_a_part_of_a_declined_sale_that_is_taken_back_says_nothing_of_the_rest(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        answers = await bench.sell(
            requested("a", 5000), cancelled("c", "a", 100), recorded("a", 5000)
        )
        assert [words(answer)[1] for answer in answers] == ["over_limit", "sale_declined", None]
        assert await bench.used() == 5000


async def test_a_sale_that_is_called_off_says_nothing_of_another(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 5000), requested("b", 5000), requested("s", 100))
        await bench.sell(cancelled("c", "a"))
        off = await bench.rows("SELECT sale_id::text FROM sale WHERE called_off")
        assert [row["sale_id"] for row in off] == [uid("a")]
        answers = await bench.sell(recorded("b", 5000), recorded("a", 5000))
        assert [words(answer)[1] for answer in answers] == [None, "already_cancelled"]
        assert await bench.used() == 5100
