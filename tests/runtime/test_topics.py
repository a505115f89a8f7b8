"""`topics apply` and `topics diff` on a real broker: idempotent, careful, never destructive."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from runtime.topics import apply, diff
from schemas.topics import TOPIC, Topic

DAY = 86_400_000


@pytest.fixture
def client(kafka: str) -> dict[str, str]:
    return {"bootstrap_servers": kafka}


def table(**changes: object) -> list[Topic]:
    """Two topics of a name that no other test has."""
    name = str(changes.pop("name"))
    one = replace(TOPIC["pos.sales"], name=f"{name}.sales", partitions=2)
    fixed = replace(TOPIC["registry.commands"], name=f"{name}.commands", partitions=2)
    return [replace(one, **changes), fixed]


async def configs(client: dict[str, str], topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        (response,) = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic)]
        )
        return {entry[0]: entry[1] for entry in response.resources[0][4]}
    finally:
        await admin.close()


async def set_config(client: dict[str, str], topic: str, **values: str) -> None:
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        named = {k.replace("_", "."): v for k, v in values.items()}
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs=named)
        await admin.alter_configs([resource])
    finally:
        await admin.close()


async def test_apply_makes_what_diff_said_and_then_there_is_nothing_to_do(client) -> None:
    topics = table(name=f"t{uuid4().hex[:8]}")
    said = await diff(client, topics)
    assert [c.kind for c in said] == ["create", "create"]
    assert await apply(client, topics) == said
    assert await diff(client, topics) == []
    assert await apply(client, topics) == []
    assert (await configs(client, topics[0].name))["message.timestamp.type"] == "LogAppendTime"


async def test_partitions_are_added_where_they_may_and_never_taken_away(client) -> None:
    name = f"t{uuid4().hex[:8]}"
    await apply(client, table(name=name))
    more, fixed = table(name=name, partitions=5)
    changes = await apply(client, [more, replace(fixed, partitions=3)])
    assert [(c.kind, c.topic) for c in changes] == [
        ("add_partitions", more.name),
        ("refused", fixed.name),
    ]
    assert [c.kind for c in await diff(client, [replace(more, partitions=2)])] == []
    (refused,) = await diff(client, [replace(fixed, partitions=1)])
    assert "never taken away" in refused.what


async def test_a_setting_that_drifted_is_said_and_put_right_and_others_settings_stay(
    client,
) -> None:
    topics = table(name=f"t{uuid4().hex[:8]}")
    await apply(client, topics)
    one = topics[0]
    wrong = {k: v for k, v in one.config().items() if k != "retention.ms"}
    await set_config(
        client, one.name, **{k.replace(".", "_"): v for k, v in wrong.items()},
        retention_ms=str(DAY), segment_bytes="1048576",
    )  # fmt: skip
    (change,) = await diff(client, topics)
    assert change.kind == "configure"
    assert change.what == f"retention.ms: {DAY} -> -1"
    await apply(client, topics)
    assert await diff(client, topics) == []
    now = await configs(client, one.name)
    assert now["retention.ms"] == "-1"
    assert now["segment.bytes"] == "1048576"


async def test_topics_that_the_table_does_not_name_are_left_alone(client, new_topic) -> None:
    other = await new_topic(partitions=3)
    await apply(client, table(name=f"t{uuid4().hex[:8]}"))
    assert other in await _names(client)


async def _names(client: dict[str, str]) -> list[str]:
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        return list(await admin.list_topics())
    finally:
        await admin.close()
