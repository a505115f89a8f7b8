"""Several workers on the same accounts and the same messages."""

import asyncio
import random

import asyncpg

from runtime.answers import Answer
from runtime.faults import Fault, fault_of
from schemas.base import Message
from services.ledger.handlers import decisions
from services.ledger.verify import verify
from tests.services.ledger.support import approved, last_balance, ledger, post, reversed_
from tests.support.databases import Database
from tests.support.handlers import HandlerBench


async def until_decided(bench: HandlerBench, batch: list[Message]) -> list[Answer]:
    """As the edge does: what is nobody's fault is decided again."""
    while True:
        try:
            return await post(bench, *batch)
        except asyncpg.PostgresError as fault:
            if fault_of(fault) is not Fault.AGAIN:
                raise


async def test_two_workers_with_the_same_messages_post_them_once(postgres: Database) -> None:
    """Goal: a worker that lost its partition unawares does no harm. Method: both hand in all."""
    draw = random.Random(1)
    sales = [approved(n, {"21": 100 + n}, account=f"a{n % 5}") for n in range(120)]
    back = [reversed_(f"c{n}", n, {"21": 100}, account=f"a{n % 5}") for n in range(0, 120, 3)]

    async def work(bench: HandlerBench) -> dict[str, bytes]:
        told: dict[str, bytes] = {}
        messages: list[Message] = [*sales, *back]
        draw.shuffle(messages)
        for start in range(0, len(messages), 20):
            for answer in await until_decided(bench, messages[start : start + 20]):
                assert told.setdefault(answer.id, answer.value) == answer.value
        return told

    async with ledger(postgres) as one, ledger(postgres) as two:
        told = await asyncio.gather(work(one), work(two), work(one), work(two))
        assert told[0] == told[1] == told[2] == told[3]
        assert len(told[0]) == 160
        async with one.database.connection() as connection:
            report = await verify(connection)
        assert report.ok
        assert report.entries == {"charge": 120, "reversal": 40}
        owed = sum(100 + n for n in range(120)) - 40 * 100
        states = [last_balance(one, f"a{n}") for n in range(5)]
        again = [last_balance(two, f"a{n}") for n in range(5)]
        assert sum(max(pair)[1] for pair in zip(states, again, strict=True)) == owed


async def test_the_second_waits_for_the_first_and_gives_its_answer(postgres: Database) -> None:
    sale = approved("s1", {"21": 250})
    async with ledger(postgres) as bench:
        async with bench.transaction() as tx:
            first = list(await decisions.handle([bench.incoming(sale)], tx))
            waiting = asyncio.create_task(bench.handle(decisions.handle, [sale]))
            await asyncio.sleep(0.2)
            assert not waiting.done()
        assert await waiting == first
        assert last_balance(bench) == (1, 250, 0)


async def test_a_source_under_two_accounts_at_once_is_posted_under_one(
    postgres: Database,
) -> None:
    """Nothing locks both: the primary key refuses the second, and it is decided again."""
    here, there = (approved("s1", {"21": 250}, account=a) for a in ("here", "there"))
    async with ledger(postgres) as bench:
        async with bench.transaction() as tx:
            first = list(await decisions.handle([bench.incoming(here)], tx))
            waiting = asyncio.create_task(until_decided(bench, [there]))
            await asyncio.sleep(0.2)
        assert await waiting == first
        assert last_balance(bench, "here") == (1, 250, 0)
        async with bench.database.connection() as connection:
            assert (await verify(connection)).ok
