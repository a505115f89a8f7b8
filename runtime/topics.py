"""Compares the topics table with a broker and brings the broker up to it.

Never deletes, never lowers a number of partitions, changes nothing that the table does not name.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.new_partitions import NewPartitions
from aiokafka.errors import (
    LeaderNotAvailableError,
    UnknownTopicOrPartitionError,
    for_code,
)

from schemas.topics import TOPICS, Topic

SEEN_S = 15.0
DYNAMIC_TOPIC = 1  # KIP-226: config_source of what is set on a topic
COPIES: Final = 3
"""Of each topic, as design and contract have it, where there are as many brokers."""

Kind = Literal["create", "add_partitions", "configure", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs, and what is done about it; `refused` is left to a person."""

    topic: str
    kind: Kind
    what: str


async def diff(client: dict[str, Any], topics: Sequence[Topic] = TOPICS) -> list[Change]:
    """What `apply` would do. `client` holds aiokafka's client arguments."""
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        return [change for change, _, _ in await _compare(admin, topics)]
    finally:
        await admin.close()


async def apply(client: dict[str, Any], topics: Sequence[Topic] = TOPICS) -> list[Change]:
    """Bring the broker up to the table; returns what was done and what was refused, when all of
    it is seen: a broker learns a moment later what its controller has agreed to.

    Raises KafkaError where the broker refuses, TimeoutError where it is not seen in time.
    """
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        plan = await _compare(admin, topics)
        new = [
            NewTopic(t.name, t.partitions, copies, topic_configs=t.config(replication=copies))
            for change, t, copies in plan
            if change.kind == "create"
        ]
        if new:
            await _checked(admin.create_topics(new))
        for change, topic, copies in plan:
            if change.kind == "add_partitions":
                await _checked(
                    admin.create_partitions({topic.name: NewPartitions(topic.partitions)})
                )
            elif change.kind == "configure":
                # The request replaces all of a topic's settings: hand back what was set by others.
                own = await _configs(admin, [topic], own=True)
                resource = ConfigResource(
                    ConfigResourceType.TOPIC,
                    topic.name,
                    configs=own[topic.name] | topic.config(replication=copies),
                )
                await _checked(admin.alter_configs([resource]))
        if plan:
            await _seen(admin, topics)
        return [change for change, _, _ in plan]
    finally:
        await admin.close()


async def _seen(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
    """Return when nothing is left but what was refused. Raises TimeoutError."""
    async with asyncio.timeout(SEEN_S):
        while True:
            with contextlib.suppress(UnknownTopicOrPartitionError, LeaderNotAvailableError):
                if all(c.kind == "refused" for c, _, _ in await _compare(admin, topics)):
                    return
            await asyncio.sleep(0.05)


async def _compare(
    admin: AIOKafkaAdminClient, topics: Sequence[Topic]
) -> list[tuple[Change, Topic, int]]:
    """What differs, of which topic, and how many copies that has or is to have."""
    there = set(await admin.list_topics())
    known = [t for t in topics if t.name in there]
    described = await admin.describe_topics([t.name for t in known]) if known else []
    parts = {d["topic"]: d["partitions"] for d in described}
    copies = {
        name: min((len(one["replicas"]) for one in its), default=1) for name, its in parts.items()
    }
    brokers = len((await admin.describe_cluster())["brokers"])
    # A broker that is away just now is not among them: topics of three copies tell of it.
    most = COPIES if max(brokers, *copies.values(), 1) >= COPIES else 1
    plan = [
        (Change(topic=t.name, kind="create", what=f"{t.partitions} partitions"), t, most)
        for t in topics
        if t.name not in there
    ]
    configs = await _configs(admin, known) if known else {}
    for topic in known:
        has = copies[topic.name]
        plan += [
            (change, topic, has)
            for change in (
                _partitions(topic, len(parts[topic.name])),
                _copies(topic, has, brokers),
                _settings(topic, has, configs[topic.name]),
            )
            if change is not None
        ]
    return plan


def _partitions(topic: Topic, has: int) -> Change | None:
    refused = f"has {has} partitions, the table says {topic.partitions}: "
    if has < topic.partitions and not topic.partitions_fixed:
        what = f"{has} -> {topic.partitions}"
        return Change(topic=topic.name, kind="add_partitions", what=what)
    if has < topic.partitions:
        refused += "a command topic keeps its number for good"
    elif has > topic.partitions and topic.partitions_fixed:
        refused += "partitions are never taken away"
    else:
        return None
    return Change(topic=topic.name, kind="refused", what=refused)


def _copies(topic: Topic, has: int, brokers: int) -> Change | None:
    """Made while there were fewer brokers: Kafka gives it no more copies by itself."""
    if has >= COPIES or brokers < COPIES:
        return None
    what = (
        f"is kept {'once' if has == 1 else 'twice'}, and there are {brokers} brokers: give it "
        f"{COPIES} copies with kafka-reassign-partitions.sh"
    )
    return Change(topic=topic.name, kind="refused", what=what)


def _settings(topic: Topic, copies: int, has: dict[str, str]) -> Change | None:
    """As many in sync are asked for as the topic's own copies allow, whoever is away just now."""
    wrong = {k: v for k, v in topic.config(replication=copies).items() if has.get(k, v) != v}
    if not wrong:
        return None
    what = ", ".join(f"{k}: {has[k]} -> {v}" for k, v in wrong.items())
    return Change(topic=topic.name, kind="configure", what=what)


async def _configs(
    admin: AIOKafkaAdminClient, topics: Sequence[Topic], *, own: bool = False
) -> dict[str, dict[str, str]]:
    """The topics' settings; `own`: only those that are set on the topic itself."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, t.name) for t in topics]
    found: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for resource in response.resources:
            code, name, entries = resource[0], resource[3], resource[4]
            if code:
                raise for_code(code)(f"settings of {name} can't be read")
            found[name] = {
                entry[0]: entry[1] for entry in entries if not own or entry[3] == DYNAMIC_TOPIC
            }
    return found


async def _checked(call: Any) -> None:
    """aiokafka's admin client gives errors back as codes: raise the first."""
    response = await call
    responses = response if isinstance(response, list) else [response]
    for one in responses:
        for field in ("topic_errors", "topics", "resources"):
            for entry in getattr(one, field, ()) or ():
                code = next((x for x in entry if isinstance(x, int)), 0)
                if code and for_code(code).__name__ != "TopicAlreadyExistsError":
                    raise for_code(code)(str(entry))
