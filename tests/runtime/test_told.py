"""A refusal that is remembered nowhere else is the same bytes however often, whoever gives it."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from runtime.answers import Answer
from runtime.told import first_told
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def dsn(postgres: Database) -> str:
    return postgres.dsn("ledger")


def given(minutes: int, *, id: str = "refused/1", value: bytes = b"no") -> Answer:
    at = NOON + timedelta(minutes=minutes)
    return Answer("answers", "1", id, "refused", at, value)


async def test_the_first_stands_and_another_id_has_its_own(dsn: str) -> None:
    async with HandlerBench(dsn) as bench:
        async with bench.transaction() as tx:
            assert await first_told(tx, given(0)) == given(0)
            assert await first_told(tx, given(1, value=b"not so")) == given(0)
        async with bench.transaction() as tx:
            assert await first_told(tx, given(2)) == given(0)
            other = given(3, id="refused/" + "x" * 40_000)  # longer than what an index holds
            assert await first_told(tx, other) == other


@pytest.mark.parametrize("commits", [True, False], ids=["commits", "is rolled back"])
async def test_of_two_workers_at_once_the_second_waits_and_says_what_the_first_did_if_it_stands(
    dsn: str, commits: bool
) -> None:
    async with HandlerBench(dsn) as bench, HandlerBench(dsn) as other:

        async def second() -> Answer:
            async with other.transaction() as tx:
                return await first_told(tx, given(1))

        waiting: list[asyncio.Task[Answer]] = []

        async def first() -> None:
            async with bench.transaction() as tx:
                await first_told(tx, given(0))
                waiting.append(asyncio.create_task(second()))
                done, _ = await asyncio.wait(waiting, timeout=0.3)
                assert not done
                if not commits:
                    raise ValueError("of our own")

        with contextlib.suppress(ValueError):
            await first()
        assert await waiting[0] == given(0 if commits else 1)
