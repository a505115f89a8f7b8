"""Entries that are posted in two statements, without their balances being locked in between."""

from collections.abc import Mapping
from types import MappingProxyType

import asyncpg
import pytest

from runtime.answers import Answer
from runtime.edge.guard import Guard, Place
from runtime.faults import Fault, StoreWentBack, fault_of
from runtime.glance import AtOnce
from runtime.haste import SHY_S
from schemas.base import Message
from services.ledger.handlers import decisions, invoices
from services.ledger.handlers.posting import posts_at_once
from services.ledger.verify import verify
from tests.services.ledger.support import (
    GUEST,
    VENUE,
    approved,
    as_admin,
    issued,
    last_balance,
    ledger,
    post,
    reversed_,
)
from tests.support.databases import Database
from tests.support.glances import Before, Interrupted, nothing
from tests.support.handlers import HandlerBench

PLACE = Place("pos.decisions", 3)
READ_AT = (None, None), (700, 700), (600, 700), (None, 700), (800, 800)
"""When the last record of a batch was appended, and what stands with its position then."""


async def at_once(
    bench: HandlerBench,
    *messages: Message,
    meanwhile: Before = nothing,
    handler: AtOnce = decisions.handle_at_once,
    marks: Mapping[Place, int] = MappingProxyType({PLACE: 7}),
    few: bool = True,
    must_hurry: bool = False,
) -> list[Answer] | None:
    incoming = [bench.incoming(message) for message in messages]
    async with bench.database.connection() as connection:
        glance = bench.guard.glance(connection, marks, few=few)
        handed = NoLook(glance) if must_hurry else Interrupted(glance, records=meanwhile)
        answers = await handler(incoming, handed)
    await bench.states.publish(glance.touched, bench.published)
    return answers


async def left(bench: HandlerBench) -> tuple[int, int, list[int]]:
    """Entries, what is unbilled in all, and positions."""
    async with bench.database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM entry), (SELECT coalesce(sum(unbilled), 0) FROM balance),"
            " (SELECT array_agg(next_offset) FROM positions)"
        )
    return row[0], int(row[1]), row[2] or []


async def test_new_entries_are_posted_with_balances_and_positions_and_told(
    postgres: Database,
) -> None:
    async with ledger(postgres) as bench:
        batch = [approved("a", {"21": 250}), approved("b", {"9": 100}), approved("a", {"21": 250}),
                 reversed_("c", "a", {"21": 50})]  # fmt: skip
        answers = await at_once(bench, *batch)
        assert answers is not None
        assert [a.type for a in answers] == ["entry.posted"] * 3
        assert await left(bench) == (3, 300, [7])
        assert last_balance(bench) == (3, 300, 0)
        assert await post(bench, *batch) == answers
        async with bench.database.connection() as connection:
            assert (await verify(connection)).ok


async def test_the_latest_time_that_was_read_stands_with_the_position(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        for n, (time, stands) in enumerate(READ_AT):
            bench.guard = Guard("bench")
            bench.guard.read({PLACE: time} if time else {})
            assert await at_once(bench, approved(f"{n}", {"21": 250}))
            async with bench.database.connection() as connection:
                assert await connection.fetchval("SELECT read_at FROM positions") == stands


async def test_what_is_known_is_left_to_a_transaction(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        await post(bench, approved("a", {"21": 250}))
        assert await at_once(bench, approved("b", {"21": 100}), approved("a", {"21": 250})) is None
        assert await left(bench) == (1, 250, [])


async def test_an_entry_that_was_posted_meanwhile_is_not_posted_twice(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        with pytest.raises(asyncpg.UniqueViolationError) as raised:
            await at_once(
                bench,
                *(approved("b", {"21": 100}), approved("a", {"21": 250})),
                meanwhile=lambda: post(bench, approved("a", {"21": 250})),
            )
        assert fault_of(raised.value) is Fault.AGAIN
        assert await left(bench) == (1, 250, [])


async def test_what_another_adds_meanwhile_is_added_to_and_told(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        assert await at_once(
            bench,
            approved("a", {"21": 250}),
            meanwhile=lambda: post(bench, approved("b", {"21": 100})),
        )
        assert await left(bench) == (2, 350, [7])
        assert last_balance(bench) == (2, 350, 0)


async def test_both_sums_of_a_balance_are_added_to(postgres: Database) -> None:
    """An invoice takes from what is unbilled; nothing posts one at once, but it could."""
    async with ledger(postgres) as bench:
        await post(bench, approved("a", {"21": 250}), issued("i", {"21": 100}))
        billing = posts_at_once(invoices.journal_of)
        assert await at_once(bench, issued("j", {"21": 150}), handler=billing)
        assert last_balance(bench) == (3, 0, 250)


async def test_each_partition_of_a_batch_has_a_position_of_its_own(postgres: Database) -> None:
    other, another = Place("pos.decisions", 4), Place("ledger.retries", 3)
    async with ledger(postgres) as bench:
        marks = {PLACE: 7, other: 2, another: 5}
        assert await at_once(bench, approved("a", {"21": 250}), marks=marks)
        assert sorted((await left(bench))[2]) == [2, 5, 7]
        bench.guard.wrote({other: 3})
        with pytest.raises(StoreWentBack, match="partition 4 up to offset 2"):
            await at_once(bench, approved("b", {"21": 250}), marks={PLACE: 8, other: 4})


@pytest.mark.parametrize("known", [True, False])
async def test_one_account_in_two_currencies_is_left_to_a_transaction(
    postgres: Database, known: bool
) -> None:
    async with ledger(postgres) as bench:
        if known:
            await post(bench, approved("a", {"21": 250}))
            await as_admin(postgres, "UPDATE balance SET currency = 'SEK'")
            with pytest.raises(asyncpg.SerializationError):
                await at_once(bench, approved("b", {"21": 100}))
            assert await left(bench) == (1, 250, [])
        else:
            other = approved("b", {"21": 100}).model_copy(update={"currency": "SEK"})
            assert await at_once(bench, approved("a", {"21": 250}), other) is None
            assert await left(bench) == (0, 0, [])


async def test_a_source_is_looked_for_by_all_of_its_key(postgres: Database) -> None:
    """An id is one of its environment and kind: a sale and a cancellation may have the same."""
    async with ledger(postgres) as bench:
        await post(bench, approved("a", {"21": 250}))
        assert await at_once(bench, reversed_("a", "a", {"21": 50}), approved("b", {"21": 1}))
        other = approved("a", {"21": 7}).model_copy(update={"environment": VENUE + 1})
        assert await at_once(bench, other)
        assert (await left(bench))[:2] == (4, 250 - 50 + 1 + 7)
        async with bench.database.connection() as connection:
            at = "SELECT unbilled FROM balance WHERE environment = $1 AND account = $2"
            assert await connection.fetchval(at, VENUE + 1, GUEST) == 7


async def test_a_store_that_went_back_is_noticed_before_anything_is_posted(
    postgres: Database,
) -> None:
    async with ledger(postgres) as bench:
        assert await at_once(bench, approved("a", {"21": 250}))
        bench.guard.wrote({PLACE: 8})
        with pytest.raises(StoreWentBack, match="offset 7, but bench has answered it up to 8"):
            await at_once(bench, approved("b", {"21": 100}))
        assert await left(bench) == (1, 250, [7])


class NoLook(Interrupted):
    """A look fails the test."""

    __slots__ = ()

    async def look(self, query: str, *args: object) -> list[asyncpg.Record]:
        raise AssertionError("a look was not needed")


async def without_a_look(bench: HandlerBench, *messages: Message) -> list[Answer]:
    incoming = [bench.incoming(message) for message in messages]
    async with bench.database.connection() as connection:
        glance = bench.guard.glance(connection, {}, few=len(messages) < 100)
        answers = await decisions.handle_at_once(incoming, NoLook(glance))
    assert answers is not None
    return answers


async def test_what_follows_within_a_second_is_posted_without_a_look(postgres: Database) -> None:
    clock = [100.0]
    async with ledger(postgres, clock=lambda: clock[0]) as bench:
        assert await at_once(bench, approved("a", {"21": 250}), few=False) is None
        first = await at_once(bench, approved("a", {"21": 250}))
        assert first
        clock[0] += 1.0
        many = [approved(n, {"21": 10}) for n in range(100)]
        answers = await without_a_look(bench, *many)
        assert len(answers) == 100
        assert (answers[0].time - first[0].time).total_seconds() == 1.0
        clock[0] += 0.1
        with pytest.raises(AssertionError, match="a look"):
            await without_a_look(bench, approved("c", {"21": 1}))
        assert (await left(bench))[:2] == (101, 250 + 1_000)
        async with bench.database.connection() as connection:
            assert (await verify(connection)).ok


async def test_without_a_look_nothing_is_posted_twice_or_in_another_currency(
    postgres: Database,
) -> None:
    clock = [100.0]
    async with ledger(postgres, clock=lambda: clock[0]) as bench:
        assert await at_once(bench, approved("a", {"21": 250}))
        again = approved("b", {"21": 100}), approved("a", {"21": 250})
        assert await at_once(bench, *again) is None
        assert (await left(bench))[:2] == (1, 250)
        # After that many are left to transactions for a second, and few are not.
        assert await at_once(bench, approved("b", {"21": 100}), few=False) is None
        assert await without_a_look(bench, approved("b", {"21": 100}))
        clock[0] += SHY_S / 2
        assert await at_once(bench, approved("c", {"21": 1}), few=False) is None
        clock[0] += SHY_S / 2
        assert await at_once(bench, approved("c", {"21": 1}), few=False)
        await as_admin(postgres, "UPDATE balance SET currency = 'SEK'")
        with pytest.raises(asyncpg.SerializationError):
            await at_once(bench, approved("d", {"21": 100}))
        assert (await left(bench))[:2] == (3, 351)


async def test_without_a_look_a_store_that_went_back_is_noticed(postgres: Database) -> None:
    async with ledger(postgres, clock=lambda: 100.0) as bench:
        assert await at_once(bench, approved("a", {"21": 250}))
        both = {PLACE: 8, PLACE._replace(partition=4): 3}
        for name, marks in (("b", both), ("c", both)):
            assert await at_once(bench, approved(name, {"21": 1}), marks=marks, must_hurry=True)
        bench.guard.wrote({PLACE: 9})
        with pytest.raises(StoreWentBack, match="offset 8, but bench has answered it up to 9"):
            await at_once(bench, approved("d", {"21": 100}), marks={**both, PLACE: 10})
        entries, unbilled, positions = await left(bench)
        assert (entries, unbilled, sorted(positions)) == (3, 252, [3, 8])
