"""PostgreSQL and Kafka killed, away, or refusing: waited out, said, and nothing lost."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaTimeoutError
from prometheus_client import REGISTRY

from runtime import topics
from runtime.edge.publisher import STOP_S, new_producer
from runtime.metrics import WAITS
from runtime.transaction import Tx
from schemas.topics import TOPIC
from tests.runtime import toy
from tests.runtime.rig import Rig, once_each, sale, until
from tests.runtime.test_bounds import answer, publisher_of
from tests.support.servers import Server


def ready(worker: Any) -> Any:
    return lambda: not worker.status.unready()


async def letters(rig: Rig) -> int:
    return len(await rig.records(f"{rig.service}.dead-letters"))


async def test_postgres_killed_inside_a_transaction_is_waited_out(
    frail: Rig, own_postgres: Server
) -> None:
    """kill -9 of the postmaster while a sale's account is locked; it comes back after a while."""
    account, locked, go_on = "pg-killed", asyncio.Event(), asyncio.Event()

    async def pause(tx: Tx) -> None:
        if account in it.accounts and not go_on.is_set():
            locked.set()
            await go_on.wait()

    it = toy.Toy()
    it.pause = pause
    sales = [sale(account) for _ in range(20)]
    before = await letters(frail)
    async with frail.worker(it) as worker:
        await until(ready(worker), "it is ready")
        await frail.send(*sales)
        await asyncio.wait_for(locked.wait(), 20)
        await own_postgres.kill()
        go_on.set()
        await until(lambda: "PostgreSQL" in "".join(worker.status.unready()), "it says so")
        assert worker.status.dead() == []
        await own_postgres.start()
        found = await frail.all_answered(account, [s["sale_id"] for s in sales])
        await until(ready(worker), "it is ready again")
    assert await frail.counted(account) == (20, 10_000)
    assert await letters(frail) == before
    once_each(found)


async def test_kafka_killed_inside_a_publish_is_waited_out(rig: Rig, edge_kafka: Server) -> None:
    account = "kafka-killed"
    serving, killed = asyncio.Event(), asyncio.Event()

    class Killing:
        """The broker dies after two batches of records were handed to the producer."""

        def __init__(self, client: dict[str, Any]) -> None:
            self._producer = new_producer(client, max_batch_bytes=1_024)
            self._sent = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(self._producer, name)

        async def send_batch(self, *args: Any, **kwargs: Any) -> Any:
            self._sent += 1
            if self._sent == 3 and not killed.is_set():
                await serving.wait()  # a worker without a broker never gets as far
                killed.set()
                await edge_kafka.kill()
            return await self._producer.send_batch(*args, **kwargs)

    sales = [sale(account) for _ in range(20)]
    before = await letters(rig)
    await rig.send(*sales)
    async with rig.worker(producer=Killing) as worker:
        serving.set()
        await asyncio.wait_for(killed.wait(), 20)
        await until(lambda: "Kafka" in "".join(worker.status.unready()), "it says so")
        assert worker.status.dead() == []
        await edge_kafka.start()
        found = await rig.all_answered(account, [s["sale_id"] for s in sales])
        more = sale(account)
        await rig.send(more)
        await rig.all_answered(account, [more["sale_id"]])
        await until(ready(worker), "it is ready again", 30)
    assert await rig.counted(account) == (21, 10_500)
    assert await letters(rig) == before
    once_each(found)


async def test_who_publishes_beside_a_delivery_that_fails_is_not_left_waiting(
    rig: Rig, edge_kafka: Server
) -> None:
    """Jobs share a producer. While Kafka is silent one of them gives it up: the other's ack, which
    is still awaited, comes from none any more, and it sends again."""
    silent, refused = asyncio.Event(), asyncio.Event()

    class Refusing:
        """Fails a delivery to another topic, while the first is under way."""

        def __init__(self, client: dict[str, Any]) -> None:
            self._producer = new_producer(client)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._producer, name)

        async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Any:
            if topic == "imports.events" and silent.is_set() and not refused.is_set():
                refused.set()
                raise KafkaTimeoutError
            return await self._producer.send_batch(batch, topic, partition=partition)

    unhandled: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    publisher = publisher_of(rig, make=Refusing)
    try:
        aside = answer(b"1")._replace(topic="imports.events")
        await publisher.publish([answer(b"1"), aside])
        edge_kafka.pause()
        silent.set()
        first = asyncio.create_task(publisher.publish([answer(b"2")]))
        await asyncio.sleep(0.2)
        # One more to where the first goes: it is not even on its way when all is given up.
        third = asyncio.create_task(publisher.publish([answer(b"3")]))
        await asyncio.sleep(0.2)
        second = asyncio.create_task(publisher.publish([aside]))
        await asyncio.wait_for(refused.wait(), 5)
        await asyncio.sleep(STOP_S + 0.5)
        edge_kafka.go_on()
        await asyncio.wait_for(asyncio.gather(first, second, third), 15)
        gc.collect()
        # (That a sender of aiokafka's, whose Kafka was silent, is never done is another thing.)
        assert [one for one in unhandled if "exception" in one] == []
    finally:
        edge_kafka.go_on()
        await publisher.close()


async def test_a_postgres_that_stands_still_is_said_and_the_lag_is_told_meanwhile(
    frail: Rig, own_postgres: Server
) -> None:
    """All its processes are stopped, as on a disk that hangs: its kernel still acknowledges."""
    account, pid = "stands-still", own_postgres.pid
    one = sale(account)
    async with frail.worker() as worker:
        await until(ready(worker), "it is ready")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        processes = [pid, *map(int, children)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            await until(
                lambda: "PostgreSQL: TimeoutError" in str(worker.status.unready()), "it", 20
            )
            await frail.send(one, partition=0)
            await until(lambda: (lag(0) or 0) > 0, "what waits is told", 20)
            assert worker.status.dead() == []
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)
        await frail.all_answered(account, [one["sale_id"]])
        await until(ready(worker), "it is ready again")


def lag(partition: int) -> float | None:
    labels = {"topic": "pos.sales", "partition": str(partition)}
    return REGISTRY.get_sample_value("onaccount_lag_records", labels)


async def test_a_worker_that_starts_before_its_servers_says_so_and_serves_when_they_come(
    frail: Rig, own_postgres: Server, edge_kafka: Server
) -> None:
    account = "before-servers"
    await own_postgres.kill()
    await edge_kafka.kill()
    worker = frail.build()
    task = asyncio.create_task(worker.serve())
    try:
        await until(lambda: "PostgreSQL: ConnectionRefused" in str(worker.status.unready()), "1")
        assert worker.status.dead() == []
        await own_postgres.start()
        await until(lambda: "Kafka: KafkaConnectionError" in str(worker.status.unready()), "2", 30)
        await edge_kafka.start()
        await until(ready(worker), "it serves", 40)
        one = sale(account)
        await frail.send(one)
        await frail.all_answered(account, [one["sale_id"]])
    finally:
        worker.stopping.set()
        assert await asyncio.wait_for(task, 10) == 0


async def test_a_missing_topic_is_named_and_waited_for(frail: Rig) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=frail.kafka)
    await admin.start()
    await admin.delete_topics(["invoicer.retries"])
    worker = frail.build()
    task = asyncio.create_task(worker.serve())
    try:
        said = f"Kafka: missing on {frail.kafka}: invoicer.retries; create what is missing with"
        await until(lambda: said in str(worker.status.unready()), "it says so", 30)
        assert worker.status.dead() == []
        await topics.apply({"bootstrap_servers": frail.kafka})
        await until(ready(worker), "it serves", 40)
    finally:
        await admin.close()
        worker.stopping.set()
        assert await asyncio.wait_for(task, 10) == 0


async def test_a_group_that_kafka_refuses_to_let_join_is_joined_once_that_is_mended(
    rig: Rig,
) -> None:
    """A session longer than the broker allows; a grant that is missing comes at the same place."""
    worker = replace(rig, settings={"session_timeout_ms": 2_000_000_000}).build()
    task, account = asyncio.create_task(worker.serve()), "joins-late"
    waits = WAITS.labels("start: Kafka")._value
    try:
        before = waits.get()
        await until(lambda: waits.get() >= before + 4, "it tries again and again")
        assert "Kafka: InvalidSessionTimeoutError" in str(worker.status.unready())
        for subscriber in worker.subscribers:
            subscriber._connection_args["session_timeout_ms"] = 2_500
        await until(ready(worker), "it serves", 40)
        one = sale(account)
        await rig.send(one)
        await rig.all_answered(account, [one["sale_id"]])
    finally:
        worker.stopping.set()
        assert await asyncio.wait_for(task, 10) == 0


async def test_a_schema_that_was_not_brought_up_is_said_in_a_sentence(rig: Rig) -> None:
    fresh = Rig(rig.kafka, rig.admin, rig.admin, service="ledger")  # public schema: no tables
    worker = fresh.build()
    task = asyncio.create_task(worker.serve())
    try:
        said = "schema ledger lacks its tables; make them with `onaccount migrate`"
        await until(lambda: said in str(worker.status.unready()), "it says so")
    finally:
        worker.stopping.set()
        assert await asyncio.wait_for(task, 10) == 0


async def test_the_login_of_another_service_is_refused_before_anything_is_touched(
    rig: Rig,
) -> None:
    """Each has positions and jobs of its own under the same names."""
    worker = replace(rig, service="invoicer").build()
    task = asyncio.create_task(worker.serve())
    try:
        said = "PostgreSQL: ONACCOUNT_POSTGRES_INVOICER is the login of the ledger: it leads to"
        await until(lambda: said in str(worker.status.unready()), "it says so")
        assert not worker.status.started
    finally:
        worker.stopping.set()
        assert await asyncio.wait_for(task, 10) == 0


@pytest.mark.parametrize("what", ["answers", "letters"])
async def test_a_broker_that_refuses_a_record_is_waited_out_and_loses_nothing(
    rig: Rig, what: str
) -> None:
    """The topic's limit is lowered for a while below what is to be published."""
    account, topic = (
        f"refused-{what}",
        toy.DECISIONS if what == "answers" else "ledger.dead-letters",
    )
    good = sale(account)
    wrong = json.dumps({"type": "nonsense", "filler": "x" * 500}).encode()
    before = await letters(rig)
    async with rig.worker() as worker:
        await until(ready(worker), "it is ready")
        await limit(rig, topic, 100)
        await rig.send(wrong, good) if what == "letters" else await rig.send(good)
        await until(lambda: "MessageSizeTooLarge" in str(worker.status.unready()), "it says so")
        assert worker.status.dead() == []
        assert await rig.answers(account) == {}
        await limit(rig, topic, None)
        found = await rig.all_answered(account, [good["sale_id"]])
        after = [sale(account) for _ in range(5)]
        await rig.send(*after)
        await rig.all_answered(account, [s["sale_id"] for s in after])
        await until(ready(worker), "it is ready again")
    assert await letters(rig) == before + (what == "letters")
    assert await rig.counted(account) == (6, 3000)
    once_each(found)


async def limit(rig: Rig, topic: str, most: int | None) -> None:
    """Set a topic's max.message.bytes; None puts back what the topics table says."""
    configs = TOPIC[topic].config() | ({} if most is None else {"max.message.bytes": str(most)})
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.kafka)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)
        await admin.alter_configs([resource])
    finally:
        await admin.close()
