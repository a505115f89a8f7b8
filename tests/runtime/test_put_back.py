"""A store that went back: the worker stops, says so in a sentence, and decides nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import TopicPartition

from cli.stack.kafka import Kafka
from cli.stack.postgres import Postgres
from runtime import topics
from runtime.database import Database
from runtime.edge.guard import Guard, Logs, Place, Read
from runtime.edge.watch import Watch
from runtime.faults import RecordsGone, StoreWentBack
from runtime.recover import recover
from runtime.transaction import sql
from tests.runtime import toy
from tests.runtime.rig import Rig, sale, until
from tests.support import databases
from tests.support.fixtures import NewTopicName
from tests.support.power import lose_end
from tests.support.servers import Server
from tests.support.serving import serving


def starting(rig: Rig, it: toy.Toy | None = None) -> AbstractAsyncContextManager[Any]:
    """A worker that may never come to serve."""
    return serving(rig.build(it))


def copied(data: Path, to: Path) -> None:
    """Copy a stopped server's files, owners too (its user may not be ours)."""
    import subprocess

    shutil.rmtree(to, ignore_errors=True)
    subprocess.run(["cp", "-a", str(data), str(to)], check=True)


async def put_back(server: Server, copy: Path, *, keep: str) -> Path:
    """Stop PostgreSQL, keep what it has beside, and start it on another copy of its files."""
    component = server.component
    assert isinstance(component, Postgres)
    await server.stop()
    kept = component.folder / keep
    copied(component.data, kept)
    copied(copy, component.data)
    await server.start()
    return kept


async def test_postgres_put_back_to_an_earlier_copy_stops_every_worker_until_it_is_restored(
    restorable: Rig, own_postgres: Server
) -> None:
    rig, account = restorable, "put-back"
    component = own_postgres.component
    assert isinstance(component, Postgres)
    first, second, third = ([sale(account) for _ in range(5)] for _ in range(3))
    async with rig.worker():
        await rig.send(*first)
        await rig.all_answered(account, [s["sale_id"] for s in first])
    await own_postgres.stop()
    early = component.folder / "early"
    copied(component.data, early)
    await own_postgres.start()

    async with rig.worker() as running:
        await rig.send(*second)
        await rig.all_answered(account, [s["sale_id"] for s in second])
        await until(lambda: not running.status.unready(), "it is ready")
        newest = await put_back(own_postgres, early, keep="newest")
        await add_job(rig)
        await until(lambda: "PostgreSQL was put back" in str(running.status.unready()), "1", 30)
        async with starting(rig) as fresh:
            await until(lambda: "PostgreSQL was put back" in str(fresh.status.unready()), "2", 30)
            await rig.send(*third)
            await asyncio.sleep(1)
            for worker in (running, fresh):
                (why,) = [w for w in worker.status.unready() if "put back" in w]
                assert "importer has answered it up to" in why
                assert worker.status.dead() == []
    assert set(await rig.answers(account)) == {s["sale_id"] for s in (*first, *second)}
    assert await rig.counted(account) == (5, 2500)
    assert [j["state"] for j in await jobs(rig)] == ["open"]

    await put_back(own_postgres, newest, keep="refused")
    async with rig.worker():
        await rig.all_answered(account, [s["sale_id"] for s in third])
    assert await rig.counted(account) == (15, 7500)


async def delete_records(kafka: str, topic: str) -> None:
    """As retention does, or kafka-delete-records: all that there is now."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, enable_auto_commit=False)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
    await admin.start()
    await admin.delete_records({tp: RecordsToDelete(before_offset=end) for tp, end in ends.items()})
    await admin.close()


async def test_records_that_were_deleted_before_they_were_decided_stop_every_worker(
    own_kafka: Server, postgres: databases.Database
) -> None:
    """One that runs, and sees nothing but newer ones; and one that starts."""
    rig = Rig(own_kafka.address, postgres.admin, postgres.dsn("invoicer"), service="invoicer")
    await rig.prepare()
    account, toy_ = "unread", toy.Toy()
    first, unread, newer = sale(account), sale(account), sale(account)
    async with rig.worker(toy_) as running:
        going, deleted = asyncio.Event(), asyncio.Event()

        async def hold(tx: Any) -> None:
            going.set()
            await deleted.wait()

        toy_.pause = hold
        await rig.send(first)
        await asyncio.wait_for(going.wait(), 10)
        await rig.send(unread)
        await delete_records(rig.kafka, "pos.sales")
        await rig.send(newer)
        deleted.set()
        await until(lambda: "deleted before it was read" in str(running.status.unready()), "1", 20)
        assert running.status.dead() == []
        async with starting(rig) as fresh:
            await until(lambda: "deleted before" in str(fresh.status.unready()), "2", 30)
    assert newer["sale_id"] not in await rig.answers(account)

    connection = await asyncpg.connect(postgres.admin)  # as docs/runbook.md has it
    await connection.execute(
        "UPDATE invoicer.positions SET next_offset = next_offset + 1 WHERE topic = 'pos.sales'"
    )
    await connection.close()
    async with rig.worker():
        await rig.all_answered(account, [newer["sale_id"]])


def test_what_may_go_unread_by_the_table_is_no_loss() -> None:
    """Nothing of these topics is decided; their logs begin at 5."""
    guard = Guard("importer")
    for topic in ("imports.uploads", "registry.outcomes", "registry.state", "pos.terminals"):
        guard.compare_with_begins({}, {TopicPartition(topic, 0): 5})
    guard.compare_with_begins({("pos.sales", 0): 5}, {TopicPartition("pos.sales", 0): 5})
    for topic in ("pos.sales", "pos.decisions", "invoices.events", "importer.retries"):
        with pytest.raises(RecordsGone, match=r"begins at offset 5, but importer .* up to 0:"):
            guard.compare_with_begins({}, {TopicPartition(topic, 0): 5})
    # Of what is read for its positions alone nothing is missed that went before.
    told = Guard("invoicer", passed_over={"invoices.events"})
    told.compare_with_begins({}, {TopicPartition("invoices.events", 0): 5})
    with pytest.raises(RecordsGone):
        told.compare_with_begins({}, {TopicPartition("pos.decisions", 0): 5})


async def test_a_log_that_is_gone_stops_every_worker(
    own_kafka: Server, postgres: databases.Database
) -> None:
    """The broker comes back at the same address with nothing in it, topics made anew."""
    server, account = own_kafka, "log-gone"
    component = server.component
    assert isinstance(component, Kafka)
    rig = Rig(server.address, postgres.admin, postgres.dsn("ledger"))
    await rig.prepare()
    sales, lost = [sale(account) for _ in range(5)], [sale(account) for _ in range(5)]
    async with rig.worker() as running:
        await rig.send(*sales)
        await rig.all_answered(account, [s["sale_id"] for s in sales])
        await server.kill()
        shutil.rmtree(component.folder / "data")
        await server.start()
        await topics.apply({"bootstrap_servers": server.address})
        await until(lambda: "Kafka was put back" in str(running.status.unready()), "1", 60)
        async with starting(rig) as fresh:
            await until(lambda: "Kafka was put back" in str(fresh.status.unready()), "2", 30)
            await rig.send(*lost)
            await asyncio.sleep(0.5)
    assert await rig.answers(account) == {}
    assert await rig.counted(account) == (5, 2500)


async def test_a_log_whose_end_was_lost_and_is_filled_again_stops_every_worker(
    own_kafka: Server, postgres: databases.Database
) -> None:
    """After a power cut others' records stand where some were decided, and more: one that holds a
    batch meanwhile, and goes on with the next; and one that starts."""
    server, account, toy_ = own_kafka, "end-lost", toy.Toy()
    component = server.component
    assert isinstance(component, Kafka)
    rig = Rig(server.address, postgres.admin, postgres.dsn("importer"), service="importer")
    await rig.prepare()
    began = datetime.now(UTC)
    decided, held = [sale(account) for _ in range(6)], sale(account)
    newer = [sale(account) for _ in range(9)]
    going, back = asyncio.Event(), asyncio.Event()

    async def hold(_: Any) -> None:
        going.set()
        await back.wait()

    async with rig.worker(toy_) as running:
        for one in decided:
            await rig.send(one)
        await rig.all_answered(account, [s["sale_id"] for s in decided])
        toy_.pause = hold
        await rig.send({**held, "account": "needs a lock"}, b"not a sale")
        await asyncio.wait_for(going.wait(), 10)
        partition = next(r.partition for r in await rig.records("pos.sales"))
        await server.kill()
        assert lose_end(component.folder / "data", "pos.sales", partition, 4) in (4, 5)
        await server.start()
        await rig.send(*newer)
        back.set()
        # Where it looks while they come, the log only ends too early.
        await until(lambda: "Kafka was put back" in str(running.status.unready()), "1", 30)
        async with starting(rig) as fresh:
            await until(lambda: "has another record at" in str(fresh.status.unready()), "2", 30)
    assert not {s["sale_id"] for s in newer} & set(await rig.answers(account))
    # What the runbook then says (docs/decisions/0150). A job that waits for an end that is gone
    # waits for the end that there is; of an emptied partition for nothing.
    await add_job(rig, "late", {"pos.sales": {partition: 1000}, "pos.terminals": {0: 7}})
    settings = rig.build().settings
    assert (await recover(settings, began))["records"] > len(newer)
    rig.read.clear()
    end = max(r.offset for r in await rig.records("pos.sales") if r.partition == partition) + 1
    (late,) = await jobs(rig)
    assert json.loads(late["barrier"]) == [
        {"topic": "pos.sales", "partition": partition, "ends": end}
    ]
    async with rig.worker():
        await rig.all_answered(account, [s["sale_id"] for s in newer])
    assert await rig.counted(account) == (15, 7500)


async def test_only_records_that_must_be_there_are_looked_for(
    postgres: databases.Database,
) -> None:
    database, guard = Database(postgres.dsn("ledger")), Guard("ledger")
    begins = {
        TopicPartition("pos.sales", 0): 9,  # the last one that was decided
        TopicPartition("pos.sales", 1): 10,  # it was deleted
        TopicPartition("pos.terminals", 0): 0,  # this and the next may be gone
        TopicPartition("registry.state", 0): 0,
        TopicPartition("pos.sales", 2): 0,  # nothing was decided of it
    }
    asked: list[object] = []

    async def ask() -> tuple[dict[Any, int], Logs]:
        return {}, Logs(begins, dict.fromkeys(begins, 10))

    async def find(read: object) -> list[Place]:
        asked.append(read)
        return [Place("pos.sales", 0)]

    try:
        places = [*list(begins)[:4], TopicPartition("pos.decisions", 0)]  # another lane's
        guard.read({Place(*tp): 100 for tp in places})
        async with database.begin() as connection:
            await guard.open(connection, dict.fromkeys((Place(*tp) for tp in places), 10))
        with pytest.raises(StoreWentBack, match="another record at offset 9 than ledger has"):
            await guard.compare_with_kafka(database, ask, find)
        assert asked == [{Place("pos.sales", 0): Read(9, 100)}]
        # What is read again, as after a rebalance, moves neither back.
        guard.read({Place("pos.sales", 0): 50})
        async with database.begin() as connection:
            await guard.open(connection, {Place("pos.sales", 0): 5})
        with pytest.raises(StoreWentBack, match="another record at offset 9 than"):
            await guard.compare_with_kafka(database, ask, find)
        assert asked[1] == asked[0]
    finally:
        await database.close()


async def test_a_record_of_another_time_is_another_record(
    kafka: str, new_topic: NewTopicName
) -> None:
    """Where a topic has its senders' times a later one may come first: the record itself counts."""
    topic = await new_topic(partitions=1, **{"message.timestamp.type": "CreateTime"})
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        for at in (9_000, 5_000):
            await producer.send_and_wait(topic, b"a sale", partition=0, timestamp_ms=at)
    watch, place = Watch({"bootstrap_servers": kafka}, "ledger"), Place(topic, 0)
    try:
        for known, others in (
            (Read(0, 9_000), []),
            (Read(1, 5_000), []),
            (Read(1, 4_000), [place]),
            (Read(0, 8_000), [place]),
            (Read(0, 10_000), [place]),
        ):
            assert await watch.cut({place: known}) == others, known
    finally:
        await watch.close()


async def test_a_look_is_not_misled_by_what_is_committed_meanwhile(
    postgres: databases.Database,
) -> None:
    """A lane commits between the moment at which a look's statement saw and the look's return."""
    database, guard = Database(postgres.dsn("ledger")), Guard("ledger")

    async def decide(offset: int) -> None:
        async with database.begin() as connection:
            await guard.open(connection, {Place("look", 0): offset})
        guard.wrote({Place("look", 0): offset})

    class Overtaken:
        """A connection whose answer arrives after the next commit's."""

        def __init__(self, connection: Any) -> None:
            self._connection = connection

        async def fetch(self, *args: Any) -> Any:
            rows = await self._connection.fetch(*args)
            await decide(2)
            return rows

    try:
        await decide(1)
        async with database.connection() as connection:
            await guard.look(Overtaken(connection))  # type: ignore[arg-type]
        guard.wrote({Place("look", 0): 1000})
        with pytest.raises(StoreWentBack, match="up to offset 2,"):
            await look_once(database, guard)
    finally:
        await database.close()


async def test_asking_kafka_is_not_misled_by_what_others_decide_meanwhile(
    postgres: databases.Database,
) -> None:
    """Records arrive and are decided by another worker after the ends were read."""
    database, guard = Database(postgres.dsn("ledger")), Guard("ledger")
    tp = TopicPartition("pos.sales", 0)

    async def ask() -> tuple[dict[Any, int], Logs]:
        logs = Logs({tp: 12}, {tp: 10})
        await database.execute(sql.opening, ["pos.sales"], [0], [12], [None])
        return {tp: 12}, logs

    async def emptied() -> tuple[dict[Any, int], Logs]:
        return {tp: 12}, Logs({tp: 0}, {tp: 0})

    try:
        await database.execute(sql.opening, ["pos.sales"], [0], [10], [None])
        await guard.compare_with_kafka(database, ask, none_cut)
        with pytest.raises(StoreWentBack, match="ends at offset 0"):
            await guard.compare_with_kafka(database, emptied, none_cut)
        with pytest.raises(
            StoreWentBack, match=r"answered it up to 99: .* moved the group.s offsets ahead"
        ):
            await Guard("ledger").compare_with_kafka(database, committed_further, none_cut)
    finally:
        await database.close()


async def none_cut(_: object) -> list[Place]:
    return []


async def committed_further() -> tuple[dict[Any, int], Logs]:
    tp = TopicPartition("pos.sales", 0)
    return {tp: 99}, Logs({tp: 0}, {tp: 100})


async def test_what_another_worker_decided_must_not_be_taken_back_either(
    postgres: databases.Database,
) -> None:
    database, guard = Database(postgres.dsn("ledger")), Guard("ledger")
    try:
        await database.execute(sql.opening, ["other"], [0], [10], [None])
        await look_once(database, guard)
        await database.execute("UPDATE positions SET next_offset = 9 WHERE topic = 'other'")
        with pytest.raises(StoreWentBack):
            await look_once(database, guard)
    finally:
        await database.close()


async def look_once(database: Database, guard: Guard) -> None:
    async with database.connection() as connection:
        await guard.look(connection)


async def add_job(
    rig: Rig, kind: str = "count", barrier: dict[str, dict[int, int]] | None = None
) -> None:
    waits = [
        {"topic": topic, "partition": partition, "ends": end}
        for topic, ends in (barrier or {}).items()
        for partition, end in ends.items()
    ]
    database = Database(rig.dsn)
    try:
        await database.execute(
            sql.add_job, kind, "after", "{}", None, json.dumps(waits) if waits else None, None
        )
    finally:
        await database.close()


async def jobs(rig: Rig) -> list[Any]:
    database = Database(rig.dsn)
    try:
        return await database.fetch("SELECT state, barrier FROM job")
    finally:
        await database.close()
