"""Kafka as a site has it: three brokers, each topic on all of them. What tests/outside/
three_brokers.py does for minutes with a whole stack, is here in short.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from cli.stack.postgres import Postgres
from runtime import topics
from schemas.topics import TOPIC, TOPICS
from tests.journeys.raw import send_until_taken
from tests.runtime.rig import Rig, once_each, sale
from tests.support import databases
from tests.support.apart import run_apart
from tests.support.cluster import Cluster, three_brokers
from tests.support.run import current

SALES = 12  # on partitions of all leaders


@pytest.fixture(scope="module")
def three() -> Iterator[Cluster]:
    with three_brokers(current().new_folder("three")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def on_three(three: Cluster, postgres_server: Postgres) -> Iterator[Rig]:
    database = run_apart(databases.copy_template(postgres_server))
    rig = Rig(three.address, database.admin, database.dsn("ledger"))
    run_apart(rig.prepare())
    yield rig
    run_apart(databases.drop(postgres_server, database))


async def test_topics_are_kept_three_times_and_two_must_have_what_is_acknowledged(
    three: Cluster, on_three: Rig
) -> None:
    await three.in_sync()
    assert {
        (name, len(at)) for name, parts in (await three.replicas()).items() for at in parts
    } == {(topic.name, 3) for topic in TOPICS}
    settings = await three.settings("pos.decisions")
    assert settings["min.insync.replicas"] == "2"
    assert settings["unclean.leader.election.enable"] == "false"


async def test_the_broker_that_leads_may_die_while_tills_sell(
    three: Cluster, on_three: Rig
) -> None:
    """Sales are answered while it is away, all of them once, and it comes back. Nor is any topic
    to be kept less safely because of it."""
    account = "of three"
    await three.in_sync()
    leader = three.brokers[(await three.leaders("pos.sales"))[0] - 1]
    async with on_three.worker():
        async with AIOKafkaProducer(bootstrap_servers=three.address, acks="all") as till:
            await leader.kill()
            sales = [sale(account) for _ in range(SALES)]
            for one in sales:
                await send_until_taken(till, "pos.sales", json.dumps(one).encode(), None)
        said = [one["sale_id"] for one in sales]
        await on_three.all_answered(account, said)
        assert await topics.diff({"bootstrap_servers": three.address}) == []
        await leader.start()
        found = await on_three.all_answered(account, said)
    once_each(found)
    assert await on_three.counted(account) == (SALES, SALES * 500)


async def test_a_topic_of_fewer_copies_than_there_may_be_is_told_and_else_left_as_it_is(
    three: Cluster, on_three: Rig
) -> None:
    """It was made while there was one broker: two in sync would be asked of one copy."""
    once = replace(TOPIC["pos.sales"], name="kept.once", partitions=1)
    client = {"bootstrap_servers": three.address}
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(once.name, 1, 1, topic_configs=once.config())])
        async with asyncio.timeout(30):
            heard = 0  # each broker hears of it a moment later, and any of them may be asked
            while heard < 10:
                with suppress(UnknownTopicOrPartitionError):
                    refused = (await topics.diff(client, [once]))[0].kind != "create"
                    heard = heard + 1 if refused else 0
                await asyncio.sleep(0.05)
        for told in (await topics.apply(client, [once]), await topics.diff(client, [once])):
            assert [(one.topic, one.kind) for one in told] == [("kept.once", "refused")]
            assert "is kept once, and there are 3 brokers" in told[0].what
        assert (await three.settings("kept.once"))["min.insync.replicas"] == "1"
    finally:
        await admin.delete_topics([once.name])
        await admin.close()
