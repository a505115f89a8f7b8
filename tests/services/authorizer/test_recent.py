"""Sales that are decided on what was last recorded, without a look.

Goal: nobody is answered on what is no longer so. Method: a memory that was filled by a first sale,
then something that changes what it holds, then a batch that rests on it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import asyncpg
import pytest

from runtime.answers import Answer
from runtime.edge.decide import Decider
from runtime.edge.guard import Place
from runtime.faults import StoreWentBack
from runtime.glance import Glance
from runtime.haste import SHY_S
from runtime.transaction import NO_ENDS
from services.authorizer.__main__ import lanes
from services.authorizer.handlers import sales
from services.authorizer.store.recent import KEPT_S, Recent
from tests.services.authorizer.changes import (
    bill,
    block,
    call_off,
    lower,
    release_when_paid,
    switch_off,
)
from tests.services.authorizer.support import (
    GUEST,
    NOON,
    VENUE,
    Venue,
    cancelled,
    command,
    invoice,
    line,
    payment,
    recorded,
    requested,
    said,
    venue,
)
from tests.support.databases import Database
from tests.support.glances import Before, Interrupted, nothing

PLACE = Place("pos.sales", 3)
OTHER = "28900002"


class Counted(Interrupted):
    """Counts its looks, in a list that outlives it."""

    __slots__ = ("_count",)

    def __init__(self, glance: Glance, count: list[str], records: Before = nothing) -> None:
        super().__init__(glance, records=records)
        self._count = count

    async def look(self, query: str, *args: Any) -> list[asyncpg.Record]:
        self._count.append("look")
        return await super().look(query, *args)


class Till:
    """Hands batches to one worker that remembers, as the edge does; counts the worker's looks."""

    def __init__(self, bench: Venue, most: int = 10) -> None:
        self.clock = bench.clock
        self.clock.at = self.clock()
        self.recent = Recent(self.clock, most)
        self.looks: list[str] = []
        self._bench = bench

    async def at_once(
        self, *messages: Any, offset: int = 0, few: bool = True, meanwhile: Before = nothing
    ) -> list[Answer] | None:
        incoming = [self._bench.incoming(message, at=NOON) for message in messages]
        # Of the other partition nothing more comes.
        marks = {PLACE: offset, PLACE._replace(partition=4): 3} if offset else {}
        async with self._bench.database.connection() as connection:
            glance = self._bench.guard.glance(connection, marks, few=few)
            counted = Counted(glance, self.looks, meanwhile)
            return await sales.decide_at_once(self.recent, incoming, counted)

    async def words(self, *messages: Any, **more: Any) -> list[Any]:
        """Of each sale what is used with it, or why it was declined."""
        answers = await self.at_once(*messages, **more)
        assert answers is not None
        return [said(a).get("reason", said(a).get("used")) for a in answers]

    async def nothing_looked_at(self, *messages: Any, **more: Any) -> list[Any]:
        """As `words`, and fails where a look was needed."""
        self.looks.clear()
        found = await self.words(*messages, **more)
        assert not self.looks
        return found


async def test_an_account_that_was_just_sold_on_is_not_looked_at_again(postgres: Database) -> None:
    async with venue(postgres, limit=200) as bench:
        till = Till(bench)
        assert await till.words(requested(1, 60)) == [60]
        assert await till.nothing_looked_at(requested(2, 60), requested(3, 60)) == [120, 180]
        # A refusal too, beside what is approved and by itself; and what is bought for nothing.
        assert await till.nothing_looked_at(requested(4, 30), requested(5, 20)) == [
            "over_limit", 200,
        ]  # fmt: skip
        assert await till.nothing_looked_at(requested(6, 1)) == ["over_limit"]
        assert await till.nothing_looked_at(requested(7, 0, lines=[line(0)])) == [200]
        (row,) = await bench.rows("SELECT (SELECT count(*) FROM sale), approved FROM account")
        assert tuple(row) == (7, 200)
        again = await bench.sell(*(requested(n, t) for n, t in ((1, 60), (4, 30), (6, 1))))
        assert [said(a).get("reason", said(a).get("used")) for a in again] == [
            60, "over_limit", "over_limit",
        ]  # fmt: skip


async def test_many_are_decided_on_what_is_remembered_and_not_looked_at(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        till = Till(bench)
        assert await till.at_once(requested("first", 1), few=False) is None
        assert till.looks == []
        await till.words(requested("first", 1))
        some = [requested(n, 1) for n in range(200)]
        assert await till.nothing_looked_at(*some, few=False) == list(range(2, 202))


async def test_what_a_transaction_moved_and_left_is_remembered_too(postgres: Database) -> None:
    async with venue(postgres, limit=100) as bench:
        await bench.order(command("account.open", 2, account=OTHER, limit=50, on_account=True))
        till = Till(bench)
        till.recent = bench.recent
        await bench.sell(
            requested(1, 60), requested(2, 70), cancelled("c", 1, amount=None),
            requested(3, 51, account=OTHER), recorded(4, 30),
        )  # fmt: skip
        assert await till.nothing_looked_at(
            requested(5, 70), requested(6, 1), requested(7, 50, account=OTHER)
        ) == [100, "over_limit", 50]  # fmt: skip


async def test_what_a_transaction_would_have_moved_is_not_believed(postgres: Database) -> None:
    """It was rolled back after the handler was through: its commit failed, or another's handler.

    It may not be remembered at all: after a crash PostgreSQL gives the number of a transaction that
    was not committed to another, whose rows would then look like ours.
    """
    async with venue(postgres, limit=100) as bench:
        till = Till(bench)
        till.recent = bench.recent
        async with bench.database.connection() as connection:
            undone = connection.transaction()
            await undone.start()
            tx = await bench.guard.open(connection)
            await bench.decide_sales([bench.incoming(requested(1, 60), at=NOON)], tx)
            await undone.rollback()
        assert till.recent.recall([requested(2, 90)]) is None
        assert await till.words(requested(2, 90)) == [90]
        assert till.looks == ["look"]


@pytest.mark.parametrize("retried", [True, False], ids=["retried together", "one by one"])
async def test_what_others_do_after_a_sale_in_its_transaction_is_not_forgotten(
    postgres: Database, retried: bool
) -> None:
    """Sales and commands that were dead letters come in one batch: one transaction writes a row
    twice then, and who wrote it does not say how it stands."""
    async with venue(postgres, limit=200) as bench:
        till = Till(bench)
        till.recent = bench.recent
        sale = bench.incoming(requested(1, 60), at=NOON, topic="pos.sales")
        lower_it = command("account.change", "m", accounts=[GUEST], limit=100)
        order = bench.incoming(lower_it, topic="registry.commands")
        routes = {
            route.topic: replace(route, handler=bench.decide_sales)
            if route.topic == "pos.sales" else route
            for lane in lanes(100) for route in lane.routes
        }  # fmt: skip
        groups = [(routes[one.topic], [one]) for one in (sale, order)]
        edge = Decider(
            group="authorizer", name="retries", database=bench.database, publisher=None,
            guard=bench.guard, backoff=None, wake_jobs=asyncio.Event(),
        )  # type: ignore[arg-type]  # fmt: skip
        for some in [groups] if retried else [[one] for one in groups]:
            await edge._decide(some, {}, NO_ENDS)
        (row,) = await bench.rows("SELECT credit_limit, approved FROM account")
        assert tuple(row) == (100, 60)
        assert await till.words(requested(2, 60)) == ["over_limit"]


async def lift(bench: Venue) -> None:
    await bench.order(command("account.change", "m", accounts=[GUEST], limit=10_000))


async def sell(bench: Venue) -> None:
    await bench.sell(requested("other", 20))


async def take_back(bench: Venue) -> None:
    await bench.sell(cancelled("c", "first", amount=None))


async def pay(bench: Venue) -> None:
    await bench.account_for(invoice("i", 50), payment("p", 50))


async def sell_the_same(bench: Venue) -> None:
    await bench.sell(requested("a", 30))


# What is answered to 0.40 and to 0.60, where 0.50 of 1.00 was used: used with it, or why not; None
# where a transaction must answer.
HAPPENS = [
    (lower, "over_limit", "over_limit"),
    (lift, 90, 110),
    (block, "account_inactive", "account_inactive"),
    (sell, "over_limit", "over_limit"),
    (take_back, 40, 60),
    (bill, 40, 60),
    (pay, 40, 60),
    (switch_off, "module_inactive", "module_inactive"),
    (release_when_paid, 90, "over_limit"),
    (sell_the_same, None, None),
    (call_off, None, None),
]


@pytest.mark.parametrize("place", [1, 2], ids=["room for it", "no room for it"])
@pytest.mark.parametrize("when", ["before", "before it is recorded"])
@pytest.mark.parametrize("row", HAPPENS, ids=lambda row: row[0].__name__)
async def test_nobody_is_answered_on_what_is_no_longer_so(
    postgres: Database,
    row: tuple[Callable[[Venue], Awaitable[None]], Any, Any],
    when: str,
    place: int,
) -> None:
    happens, expected = row[0], row[place]
    async with venue(postgres, limit=100) as bench:
        till = Till(bench)
        assert await till.words(requested("first", 50)) == [50]
        done: list[None] = []

        async def once() -> None:
            if not done:
                done.append(await happens(bench))

        if when == "before":
            await once()
        answers = await till.at_once(requested("a", 20 + 20 * place), meanwhile=once)
        assert done
        assert till.looks == ["look", "look"]
        if answers is None:
            assert expected is None
        else:
            got = said(answers[0])
            assert got.get("reason", got.get("used")) == expected
        sold = sum(t for t in (
            50, 20 if happens is sell else 0, 30 if happens is sell_the_same else 0,
            20 + 20 * place if isinstance(expected, int) else 0,
        ))  # fmt: skip
        assert [tuple(r) for r in await bench.rows("SELECT approved FROM account")] == [(sold,)]


async def test_another_release_counts_for_every_account_that_is_remembered(
    postgres: Database,
) -> None:
    """What is used is reckoned by the environment's release, and no account's row says so: one
    account's sale must not make the others' memory look like of today."""
    async with venue(postgres, limit=100) as bench:
        await bench.order(command("account.open", 2, account=OTHER, limit=100, on_account=True))
        await bench.account_for(invoice("i", 60, account=OTHER))
        till = Till(bench)
        both = requested(1, 60), requested(2, 60, account=OTHER)
        assert await till.words(*both) == [60, 0]
        await release_when_paid(bench)
        assert await till.words(requested(3, 10)) == [70]
        assert await till.words(requested(4, 60, account=OTHER)) == ["over_limit"]


async def test_a_store_that_went_back_is_noticed_without_a_look_too(postgres: Database) -> None:
    async with venue(postgres) as bench:
        till = Till(bench)
        assert await till.words(requested("a", 60), offset=7) == [60]
        bench.guard.wrote({PLACE: 7})
        assert await till.nothing_looked_at(requested("b", 60), offset=8) == [120]
        bench.guard.wrote({PLACE: 9})
        with pytest.raises(StoreWentBack, match="offset 8, but bench has answered it up to 9"):
            await till.at_once(requested("c", 60), offset=10)
        (row,) = await bench.rows(
            "SELECT sum(approved), (SELECT array_agg(next_offset ORDER BY partition) "
            "FROM positions) FROM account"
        )
        assert tuple(row) == (120, [8, 3])


async def test_time_is_asked_for_once_a_second(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        till = Till(bench)
        first = await till.at_once(requested(1, 1))
        till.clock.at += 0.75
        till.looks.clear()
        second = await till.at_once(requested(2, 1))
        assert till.looks == []
        assert first
        assert second
        assert (second[0].time - first[0].time).total_seconds() == 0.75
        till.clock.at += 0.5
        await till.at_once(requested(3, 1))
        assert till.looks == ["look"]
        till.clock.at -= 0.5  # no clock goes back; if one did, PostgreSQL is asked
        await till.at_once(requested(4, 1))
        assert till.looks == ["look"] * 2


async def test_what_is_not_known_is_looked_at(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        await bench.order(command("account.open", 2, account=OTHER, on_account=True))
        till = Till(bench, most=1)
        for n, (account, looks) in enumerate(
            [(GUEST, 1), (GUEST, 1), (OTHER, 2), (OTHER, 2), (GUEST, 3), ("2890x", 4), ("2890x", 5)]
        ):
            await till.at_once(requested(n, 1, account=account))
            assert len(till.looks) == looks
        answers = await till.at_once(requested("e", 1, environment=VENUE + 1))
        assert len(till.looks) == 6
        assert answers
        assert said(answers[0])["reason"] == "environment_unknown"
        assert await till.at_once(recorded("r", 1)) is None


async def test_after_ten_minutes_all_is_read_anew(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        await bench.order(command("account.open", 2, account=OTHER, on_account=True))
        till = Till(bench)
        await till.at_once(requested(1, 1), requested(2, 1, account=OTHER))
        till.clock.at += KEPT_S + 1
        await till.at_once(requested(3, 1, account=OTHER))
        till.looks.clear()
        await till.at_once(requested(4, 1))
        assert till.looks == ["look"]


async def test_after_it_was_in_vain_many_are_left_to_transactions_for_a_second(
    postgres: Database,
) -> None:
    async with venue(postgres, limit=None) as bench:
        till = Till(bench)
        await till.at_once(requested(1, 1))
        assert await till.at_once(requested(2, 1), requested(1, 1), few=False) is None
        await till.at_once(requested(3, 1))  # few: looked at, and known again
        many = partial(till.at_once, requested(4, 1), few=False)
        assert await many() is None
        till.clock.at += SHY_S
        assert await many() is not None
