"""A worker that is told to stop leaves its group, also with a batch that nobody can wait for."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from structlog.testing import capture_logs

from runtime.transaction import Tx
from tests.runtime.rig import Rig, once_each, sale, until
from tests.runtime.toy import Toy


async def members(rig: Rig) -> int:
    """How many consumers Kafka takes for members of the group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=rig.kafka)
    await admin.start()
    try:
        (found,) = await admin.describe_consumer_groups([rig.service])
        return len(found.groups[0][5])
    finally:
        await admin.close()


async def none_left(rig: Rig) -> None:
    """Wait until Kafka has let the last member go: well before it would have missed it."""
    found = -1
    for _ in range(50):
        if (found := await members(rig)) == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{found} members after 5 s")


async def test_with_a_batch_in_hand_that_does_not_end_it_leaves_its_group_all_the_same(
    rig: Rig,
) -> None:
    """Else Kafka keeps its partitions for it until it misses it: a session's time-out longer."""
    account = "leaving"
    wanted = [sale(account) for _ in range(3)]
    with capture_logs() as logs:
        await stop_with_a_batch_in_hand(rig, wanted)
        await none_left(rig)
        gc.collect()
        await asyncio.sleep(0)
    assert [line for line in logs if "Unclosed" in str(line)] == []
    async with rig.worker():
        once_each(await rig.all_answered(account, [s["sale_id"] for s in wanted]))


async def stop_with_a_batch_in_hand(rig: Rig, sales: list[dict[str, Any]]) -> None:
    hangs = asyncio.Event()

    async def hang(tx: Tx) -> None:
        hangs.set()
        await asyncio.sleep(3600)

    it = Toy()
    it.pause = hang
    settings: dict[str, Any] = {"drain_s": 0.5, "session_timeout_ms": 30_000}
    worker = Rig(rig.kafka, rig.admin, rig.dsn, settings=settings).build(it)
    serving = asyncio.create_task(worker.serve())
    await until(lambda: worker.status.started, "the worker serves")
    await rig.send(*sales)
    await asyncio.wait_for(hangs.wait(), 30)
    worker.stopping.set()
    assert await asyncio.wait_for(serving, 15) == 0


async def test_a_killed_worker_that_comes_back_waits_for_no_time_out_of_its_own(rig: Rig) -> None:
    """Kafka would keep all of the group from reading until it misses what was killed."""
    account, name = "killed and back", "bar-1"
    killed = AIOKafkaConsumer(
        "pos.sales",
        bootstrap_servers=rig.kafka,
        client_id=name,
        group_id=rig.service,
        enable_auto_commit=False,
        session_timeout_ms=60_000,
        rebalance_timeout_ms=60_000,
    )
    await killed.start()
    killed._coordinator.generation = -1  # so it leaves without a word
    await killed.stop()
    assert await members(rig) == 1
    wanted = sale(account)
    await rig.send(wanted)
    named = Rig(rig.kafka, rig.admin, rig.dsn, settings={"worker": name})
    async with asyncio.timeout(20), named.worker():
        once_each(await rig.all_answered(account, [wanted["sale_id"]]))


async def test_two_workers_of_one_name_by_mistake_answer_each_sale_once(rig: Rig) -> None:
    """The one that is taken out of the group while it lives joins again."""
    account = "one name"
    wanted = [sale(account) for _ in range(20)]
    named = Rig(rig.kafka, rig.admin, rig.dsn, settings={"worker": "bar-1"})
    async with asyncio.timeout(30), named.worker() as first:
        await rig.send(*wanted[:10])
        async with named.worker():
            await rig.send(*wanted[10:])
            once_each(await rig.all_answered(account, [s["sale_id"] for s in wanted]))
        await rig.send(last := sale(account))
        once_each(await rig.all_answered(account, [last["sale_id"]]))
        assert first.status.unready() == []
