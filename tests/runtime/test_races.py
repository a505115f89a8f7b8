"""Workers side by side: deadlocks, races for a key, rebalances, and state records that race."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import pytest

from runtime.answers import Answer
from runtime.database import Connection, Database
from runtime.state import Key, Rows, StateKind, States
from runtime.transaction import Marks, Tx
from tests.runtime import toy
from tests.runtime.rig import Rig, once_each, sale, until
from tests.support.databases import Database as Copy


async def letters(rig: Rig) -> int:
    return len(await rig.records("ledger.dead-letters"))


async def test_two_lanes_in_a_deadlock_decide_again_and_bury_nothing(rig: Rig) -> None:
    """Each worker holds its account and then wants the other's: PostgreSQL ends one of the two."""
    both = asyncio.Barrier(2)
    deadlocks: list[str] = []

    def entangled(mine: str, theirs: str) -> toy.Toy:
        first = True

        async def pause(tx: Tx) -> None:
            nonlocal first
            if not first or mine not in it.accounts:
                return
            first = False
            await both.wait()
            try:
                await tx.execute("UPDATE toy_account SET sales = sales WHERE account = $1", theirs)
            except asyncpg.DeadlockDetectedError:
                deadlocks.append(mine)
                raise

        it = toy.Toy()
        it.pause = pause
        return it

    await make_accounts(rig, "lock-a", "lock-b")
    before = await letters(rig)
    sales = {name: [sale(name) for _ in range(3)] for name in ("lock-a", "lock-b")}
    async with (
        rig.worker(entangled("lock-a", "lock-b")) as one,
        rig.worker(entangled("lock-b", "lock-a")) as two,
    ):
        # To a partition of each, so that each holds its own account.
        for worker, name in ((one, "lock-a"), (two, "lock-b")):
            partition = await a_partition_of(worker)
            await rig.send(*sales[name], partition=partition)
        for name, sold in sales.items():
            once_each(await rig.all_answered(name, [s["sale_id"] for s in sold]))
    assert deadlocks
    assert await letters(rig) == before
    for name in sales:
        assert await rig.counted(name) == (3, 1500)


async def test_a_race_for_one_id_in_two_partitions_is_decided_again(rig: Rig) -> None:
    """The same sale under two accounts: no lock is shared, and the unique key decides."""
    one_id = sale("race-a")
    other = {**one_id, "account": "race-b"}
    both = asyncio.Barrier(2)

    def racing() -> toy.Toy:
        first = True

        async def pause(tx: Tx) -> None:
            nonlocal first
            if first and {"race-a", "race-b"} & {*it.accounts}:
                first = False
                await both.wait()

        it = toy.Toy()
        it.pause = pause
        return it

    before = await letters(rig)
    async with rig.worker(racing()) as one, rig.worker(racing()) as two:
        partitions = [await a_partition_of(one), await a_partition_of(two)]
        await rig.send(one_id, partition=partitions[0])
        await rig.send(other, partition=partitions[1])
        await until_answers(rig, one_id["sale_id"], 2)
    assert await letters(rig) == before
    counted = [await rig.counted(name) for name in ("race-a", "race-b")]
    assert sorted(counted) == [(0, 0), (1, 500)]


@pytest.mark.parametrize("wait", ["lock_timeout = '200ms'", "statement_timeout = '200ms'"])
async def test_a_lock_that_is_held_too_long_is_waited_for_and_buries_nothing(
    rig: Rig, wait: str
) -> None:
    class Short(Database):
        def __init__(self, dsn: str, **more: Any) -> None:
            super().__init__(dsn, **more)
            name, value = wait.replace("'", "").split(" = ")
            self._session[name] = value

    account = f"held-{wait[:4]}"
    await make_accounts(rig, account)
    before = await letters(rig)
    holder = await asyncpg.connect(rig.admin)
    try:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute(
            "SELECT FROM ledger.toy_account WHERE account = $1 FOR UPDATE", account
        )
        sales = [sale(account) for _ in range(3)]
        async with rig.worker(database_type=Short) as worker:
            await rig.send(*sales)
            await until(lambda: worker.status.waits, "it waits, and says so", 30)
            await transaction.rollback()
            once_each(await rig.all_answered(account, [s["sale_id"] for s in sales]))
    finally:
        await holder.close()
    assert await letters(rig) == before
    assert await rig.counted(account) == (3, 1500)


async def test_two_thousand_sales_are_counted_once_while_workers_come_and_go(rig: Rig) -> None:
    account = "rebalance"
    rig = Rig(rig.kafka, rig.admin, rig.dsn, settings={"batch_records": 20})
    sales = [sale(account) for _ in range(2_000)]
    async with rig.wire() as wire:
        async with rig.worker(in_hand=4) as first:
            for start in range(0, 600, 50):
                await wire.send_anywhere(*sales[start : start + 50])
            second = rig.build(in_hand=4)
            serving = asyncio.create_task(second.serve())
            for start in range(600, 1400, 50):
                await wire.send_anywhere(*sales[start : start + 50])
            await until(lambda: second.status.started, "the second serves")
            assert first.status.dead() == []
        for start in range(1400, 2000, 50):
            await wire.send_anywhere(*sales[start : start + 50])
        await wire.answered(s["sale_id"] for s in sales)
        second.stopping.set()
        assert await asyncio.wait_for(serving, 15) == 0
    assert await rig.counted(account) == (2_000, 1_000_000)
    once_each(await rig.answers(account))


# -- state records -----------------------------------------------------------------------------


async def test_what_an_answer_tells_the_state_topic_has_told_already(rig: Rig) -> None:
    """Who reads an answer and asks for something at once is to be seen with what it told: a barrier
    ends where the state topics end at that moment."""
    async with rig.worker(), rig.wire() as wire:
        for _ in range(3):
            sold = sale("told-first")
            await wire.send(sold)
            await wire.answered([sold["sale_id"]])
            (answer,) = (await rig.answers("told-first"))[sold["sale_id"]]
            states = [r for r in await rig.records(toy.STATE) if r.key == answer.key]
            assert states[-1].timestamp <= answer.timestamp


class Row:
    """A row that other workers change while we publish."""

    def __init__(self) -> None:
        self.version = 1
        self.wire: list[int] = []

    def state(self, keys: Sequence[Key]) -> Rows:
        from datetime import UTC, datetime

        answer = Answer("ledger.balances", "k", f"k/{self.version}", "balance.state",
                        datetime(2026, 11, 23, tzinfo=UTC), str(self.version).encode())  # fmt: skip
        return dict.fromkeys(keys, (self.version, lambda: answer))


@pytest.mark.parametrize("moment", ["before our publish", "after our publish"])
@pytest.mark.parametrize("how", ["read", "known", "known, and read by versions"])
async def test_of_two_workers_that_race_on_a_row_the_newest_record_is_last(
    postgres: Copy, moment: str, how: str
) -> None:
    """Another worker changes the row and publishes it between our reading (or our commit, where we
    tell what we wrote without reading it) and our ack."""
    row = Row()
    reads: list[int] = []

    async def read(connection: Connection, keys: Sequence[Key]) -> Rows:
        reads.append(row.version)
        return row.state(keys)

    async def newer(connection: Connection, told: Mapping[Key, int], _: Marks) -> Sequence[Key]:
        return [key for key, version in told.items() if row.version > version]

    class Racing:
        raced = False

        async def publish(self, answers: Sequence[Answer]) -> None:
            mine = [int(a.value) for a in answers]
            if not Racing.raced:
                Racing.raced = True
                row.version = 2  # the other's commit
                theirs = [2]
                row.wire += [*theirs, *mine] if moment == "before our publish" else [*mine, *theirs]
            else:
                row.wire += mine

    database = Database(postgres.dsn("ledger"))
    try:
        kind = StateKind(kind="row", read=read, newer=newer if "versions" in how else None)
        written = None if how == "read" else row.state([("k",)])["k",]
        await States([kind], database).publish({("row", ("k",)): written}, Racing())
    finally:
        await database.close()
    assert row.wire[-1] == 2
    assert sorted(row.wire) == [1, 2, 2], "each told what it knew, and we what we saw then"
    assert (1 in reads) == (how == "read")


async def test_a_change_of_ten_thousand_rows_is_published_in_bounded_portions(
    postgres: Copy,
) -> None:
    sizes: list[int] = []
    asked: list[int] = []
    row = Row()

    async def read(connection: Connection, keys: Sequence[Key]) -> Rows:
        asked.append(len(keys))
        return row.state(keys)

    class Counting:
        async def publish(self, answers: Sequence[Answer]) -> None:
            sizes.append(len(answers))

    database = Database(postgres.dsn("ledger"))
    try:
        states = States([StateKind(kind="row", read=read)], database)
        await states.publish({("row", (n,)): None for n in range(10_000)}, Counting())
    finally:
        await database.close()
    assert sum(sizes) == 10_000
    assert max(sizes) <= 1_000
    assert max(asked) <= 1_000


# -- helpers -----------------------------------------------------------------------------------


async def make_accounts(rig: Rig, *names: str) -> None:
    connection = await asyncpg.connect(rig.admin)
    try:
        for name in names:
            await connection.execute(
                "INSERT INTO ledger.toy_account VALUES ($1, 0, 0, 0) ON CONFLICT DO NOTHING", name
            )
    finally:
        await connection.close()


async def a_partition_of(worker: Any) -> int:
    """A partition of pos.sales that this worker alone has, once the group has settled."""

    def mine() -> list[int]:
        consumer = worker.subscribers[0].consumer
        found = [] if consumer is None else consumer.assignment()
        return sorted(tp.partition for tp in found if tp.topic == "pos.sales")

    await until(lambda: len(mine()) == 4, "the partitions are shared")
    return mine()[0]


async def until_answers(rig: Rig, sale_id: str, count: int) -> None:
    for _ in range(200):
        records = await rig.records(toy.DECISIONS)
        if sum(json.loads(r.value)["sale_id"] == sale_id for r in records) >= count:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("not so many answers")
