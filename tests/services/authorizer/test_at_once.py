"""Sales that are decided without a lock, and recorded only where all stands as it was read.

Goal: whatever happens between the look and the record, nothing is recorded that was decided on what
is no longer so. Method: a glance that lets another worker do something before it records.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import asyncpg
import pytest

from runtime.answers import Answer
from runtime.edge.guard import Guard, Place
from runtime.faults import Fault, StoreWentBack, fault_of
from services.authorizer.handlers import sales
from services.authorizer.store.recent import Recent
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
    line,
    recorded,
    requested,
    said,
    uid,
    venue,
)
from tests.support.databases import Database
from tests.support.glances import Before, Interrupted, nothing

PLACE = Place("pos.sales", 3)
OTHER = "28900002"
READ_AT = (None, None), (700, 700), (600, 700), (None, 700), (800, 800)
"""When the last record of a batch was appended, and what stands with its position then."""


async def at_once(
    bench: Venue,
    *messages: Any,
    offset: int = 1,
    meanwhile: Before = nothing,
    more: Mapping[Place, int] = MappingProxyType({}),
) -> list[Answer] | None:
    incoming = [bench.incoming(message, at=NOON) for message in messages]
    async with bench.database.connection() as connection:
        glance = bench.guard.glance(connection, {PLACE: offset, **more})
        interrupted = Interrupted(glance, records=meanwhile)
        return await sales.decide_at_once(Recent(), incoming, interrupted)


async def left(bench: Venue) -> tuple[int, int, list[int]]:
    """Sales, what was approved in all, and positions."""
    (row,) = await bench.rows(
        "SELECT (SELECT count(*) FROM sale), (SELECT sum(approved) FROM account), "
        "(SELECT array_agg(next_offset) FROM positions)"
    )
    return row[0], int(row[1]), row[2] or []


async def test_new_sales_are_recorded_with_their_accounts_sums_and_the_positions(
    postgres: Database,
) -> None:
    async with venue(postgres, limit=1000) as bench:
        asked = [requested(n, 300) for n in range(5)]
        answers = await at_once(bench, *asked, asked[0], requested("x", 1, account="2890x"))
        assert answers is not None
        assert [said(a).get("reason", said(a).get("used")) for a in answers] == [
            300, 600, 900, "over_limit", "over_limit", 300, "account_unknown"
        ]  # fmt: skip
        assert answers[5] == answers[0]
        assert await left(bench) == (6, 900, [1])
        again = await bench.sell(*asked)
        assert again == answers[:5]


async def test_the_latest_time_that_was_read_stands_with_the_position(postgres: Database) -> None:
    async with venue(postgres) as bench:
        for n, (time, stands) in enumerate(READ_AT):
            bench.guard = Guard("bench")
            bench.guard.read({PLACE: time} if time else {})
            assert await at_once(bench, requested(n, 1)) is not None
            assert await bench.rows("SELECT read_at FROM positions") == [(stands,)]


@pytest.mark.parametrize(
    "message",
    [
        requested("known", 100),
        requested("known", 100, terminal="another"),
        requested("known", 200),
        cancelled("c", "known"),
        cancelled("c", "unknown"),
        recorded("moved", 100, moved_from=uid("known")),
        recorded("u", 100, account="2890x"),
        requested("wrong", lines=[line(100) | {"quantity": "?"}], total=100),
        requested("new", 70),
    ],
    ids=[
        "known",
        "again",
        "reused",
        "cancelled",
        "early",
        "moved",
        "unbooked",
        "unreadable",
        "another beside it",
    ],
)
async def test_what_is_not_all_new_is_left_to_a_transaction(
    postgres: Database, message: Any
) -> None:
    async with venue(postgres, limit=1000) as bench:
        await bench.sell(requested("known", 100))
        before = await left(bench)
        assert await at_once(bench, requested("new", 50), message) is None
        assert await left(bench) == before


async def sell(bench: Venue) -> None:
    await bench.sell(requested("other", 80))


async def sell_the_same(bench: Venue) -> None:
    await bench.sell(requested("a", 60))


@pytest.mark.parametrize(
    "happens",
    [lower, block, sell, bill, switch_off, release_when_paid, sell_the_same, call_off],
)
async def test_nothing_is_recorded_where_what_it_was_decided_on_has_changed_meanwhile(
    postgres: Database, happens: Callable[[Venue], Awaitable[None]]
) -> None:
    async with venue(postgres, limit=100) as bench:
        after = (0, 0, [])

        async def meanwhile() -> None:
            nonlocal after
            await happens(bench)
            after = await left(bench)

        with pytest.raises(asyncpg.PostgresError) as raised:
            await at_once(bench, requested("a", 60), meanwhile=meanwhile)
        assert fault_of(raised.value) is Fault.AGAIN
        assert await left(bench) == after


@pytest.mark.parametrize(
    ("change", "waits_for"),
    [
        ("UPDATE account SET credit_limit = 0, version = version + 1 WHERE account = $1", "a"),
        ("UPDATE environment SET active = false, version = version + 1 WHERE $1 <> ''", "a"),
    ],
)
async def test_what_is_being_changed_is_waited_for(
    postgres: Database, change: str, waits_for: str
) -> None:
    """The change is there and not yet committed when the record begins."""
    async with venue(postgres, limit=100) as bench:
        async with bench.database.connection() as connection:
            block = connection.transaction()
            await block.start()
            if "environment" in change:
                await connection.execute("SELECT FROM environment FOR UPDATE")
            await connection.execute(change, GUEST)
            deciding = asyncio.ensure_future(at_once(bench, requested(waits_for, 60)))
            while not await bench.rows("SELECT FROM pg_locks WHERE NOT granted"):
                assert not deciding.done()
            await block.commit()
        with pytest.raises(asyncpg.SerializationError):
            await deciding
        assert await left(bench) == (0, 0, [])


async def test_changes_that_no_decision_rests_on_are_no_reason_to_decide_again(
    postgres: Database,
) -> None:
    """While members are imported, other accounts and the directory's revision change all the
    time."""
    async with venue(postgres, limit=100) as bench:

        async def meanwhile() -> None:
            await bench.order(command("account.open", 2, account=OTHER, in_overview=True))
            await bench.sell(requested("other", 0, account=OTHER))

        answers = await at_once(bench, requested("a", 60), meanwhile=meanwhile)
        assert [a.type for a in answers or ()] == ["sale.approved"]


async def test_a_store_that_went_back_is_noticed_before_anything_is_decided(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        assert await at_once(bench, requested("a", 60), offset=7)
        bench.guard.wrote({PLACE: 8})
        with pytest.raises(StoreWentBack, match="offset 7, but bench has answered it up to 8"):
            await at_once(bench, requested("b", 60), offset=9)
        assert await left(bench) == (1, 60, [7])


async def test_each_partition_of_a_batch_has_a_position_of_its_own(postgres: Database) -> None:
    other, another = Place("pos.sales", 4), Place("authorizer.retries", 3)
    async with venue(postgres, limit=None) as bench:
        assert await at_once(bench, requested("a", 60), offset=7, more={other: 2, another: 5})
        assert sorted((await left(bench))[2]) == [2, 5, 7]
        bench.guard.wrote({PLACE: 7, other: 3})
        with pytest.raises(StoreWentBack, match="partition 4 up to offset 2"):
            await at_once(bench, requested("b", 60), offset=8, more={other: 4})


async def test_positions_of_a_worker_that_lost_its_partition_take_nothing_back(
    postgres: Database,
) -> None:
    async with venue(postgres, limit=None) as bench:
        assert await at_once(bench, requested("a", 60), offset=7)
        assert await at_once(bench, requested("b", 60), offset=5)
        assert await left(bench) == (2, 120, [7])


async def test_an_environment_without_accounts_or_none_at_all_is_answered(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        answers = await at_once(bench, requested("a", 60, environment=VENUE + 1))
        assert [said(a)["reason"] for a in answers or ()] == ["environment_unknown"]
        assert await left(bench) == (1, 0, [1])
