"""What waits for something of its own worker misses nothing that rang, and never waits for ever."""

from __future__ import annotations

import asyncio

from runtime.bell import Bell, within
from runtime.transaction import sql
from tests.support.databases import Database
from tests.support.handlers import HandlerBench


async def test_what_rings_between_looking_and_waiting_is_not_missed() -> None:
    bell = Bell()
    rung = bell.next()
    bell.ring()
    assert await within(5, rung)
    # The next one is another.
    assert not await within(0.01, bell.next())


async def test_all_who_wait_hear_it() -> None:
    bell = Bell()
    waiting = [asyncio.create_task(within(5, bell.next())) for _ in range(3)]
    await asyncio.sleep(0)
    bell.ring()
    assert await asyncio.gather(*waiting) == [True, True, True]


async def test_a_lanes_commit_is_told_to_jobs_that_wait_for_it(postgres: Database) -> None:
    async with HandlerBench(postgres.dsn("ledger")) as bench:
        runner = bench.runner(())
        runner._slots._poll_s = 600  # not by the tick
        ringing = asyncio.create_task(runner._slots.ring())
        try:
            await asyncio.sleep(0.05)
            waiting = runner.committed.next()
            runner.wake.set()
            assert await within(30, waiting)
        finally:
            ringing.cancel()


async def test_the_mark_of_what_was_published_changes_no_setting_of_its_session(
    postgres: Database,
) -> None:
    async with (
        HandlerBench(postgres.dsn("ledger")) as bench,
        bench.database.connection() as connection,
    ):
        await connection.execute("SET synchronous_commit = on")
        found = await connection.fetchval(
            "INSERT INTO unpublished (state_kind, state_key) VALUES ('row', '[1]') RETURNING id"
        )
        assert await connection.execute(sql.published, [found]) == "DELETE 1"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
