"""What the pulse tells of a worker's partitions while they come and go."""

import asyncio
import contextlib
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
from aiokafka import TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from runtime.edge.watch import Logs, MissingTopics
from runtime.pulse import Pulse
from runtime.status import Status

TOPIC = "pos.of-a-test"
BEGUN, OTHER, NEW = (TopicPartition(TOPIC, partition) for partition in range(3))


class Known:
    """Guard and watch: of each partition's 10 records 7 are done, but for one of which none is
    and the first 4 are gone; and nothing is wrong."""

    def positions(self) -> dict[tuple[str, int], int]:
        return {(TOPIC, 0): 7, (TOPIC, 1): 7}

    async def logs(self, _topics: set[str]) -> Logs:
        return Logs({BEGUN: 0, OTHER: 0, NEW: 4}, dict.fromkeys((BEGUN, OTHER, NEW), 10))

    def compare_with_ends(self, *_: Any) -> None: ...
    def compare_with_begins(self, *_: Any) -> None: ...
    async def look(self, _connection: Any) -> None: ...


def lag(partition: int) -> float | None:
    labels = {"topic": TOPIC, "partition": str(partition)}
    return REGISTRY.get_sample_value("onaccount_lag_records", labels)


def watching(held: set[TopicPartition], waiting: Any = None) -> tuple[Pulse, SimpleNamespace]:
    """The pulse of a worker that holds these partitions, and its subscriber."""
    subscriber = SimpleNamespace(
        topic_names=[TOPIC], consumer=SimpleNamespace(assignment=lambda: set(held))
    )
    known: Any = Known()
    pulse = Pulse(
        status=Status(),
        stopping=asyncio.Event(),
        database=cast("Any", SimpleNamespace(connection=contextlib.nullcontext)),
        guard=known,
        watch=known,
        waiting=waiting,
        lanes=[(cast("Any", None), subscriber)],
        topics={TOPIC},
    )
    return pulse, subscriber


async def test_the_lag_of_a_partition_is_told_for_as_long_as_the_worker_has_it() -> None:
    held = {BEGUN, OTHER}
    pulse, subscriber = watching(held)
    await pulse._ask_kafka()
    assert (lag(0), lag(1)) == (3, 3)
    held.remove(OTHER)
    await pulse._ask_kafka()
    assert (lag(0), lag(1)) == (3, None)
    subscriber.consumer = cast("Any", None)  # it stopped for good, and left its group
    await pulse._ask_kafka()
    assert (lag(0), lag(1)) == (None, None)


async def test_of_a_partition_of_which_nothing_was_decided_yet_all_that_is_there_waits() -> None:
    held = {NEW}
    pulse, _ = watching(held)
    await pulse._ask_kafka()
    assert lag(2) == 6
    held.remove(NEW)
    await pulse._ask_kafka()
    assert lag(2) is None


class Untold:
    """Figures that can't be had, until `fault` is None."""

    def __init__(self, fault: Exception | None) -> None:
        self.fault = fault

    async def tell(self) -> None:
        if self.fault is not None:
            raise self.fault


async def test_figures_of_jobs_that_can_not_be_had_are_told_of_once() -> None:
    """An alert rests on them, which would never be heard."""
    waiting = Untold(asyncpg.InsufficientPrivilegeError("permission denied for table job"))
    pulse, _ = watching(set(), waiting)
    with capture_logs() as logs:
        await pulse._ask_jobs()
        await pulse._ask_jobs()
        waiting.fault = None
        await pulse._ask_jobs()
    assert [(line["event"], line["what"]) for line in logs] == [
        ("not as it must be", "jobs' figures"),
        ("as it must be", "jobs' figures"),
    ]
    assert logs[0]["why"].startswith("InsufficientPrivilegeError")


async def test_what_a_server_lacks_is_in_ready_and_in_the_log_once() -> None:
    class Missing(Known):
        async def logs(self, topics: set[str]) -> Logs:
            raise UnknownTopicOrPartitionError(TOPIC)

        async def find(self, topics: set[str]) -> None:
            raise MissingTopics(f"missing: {', '.join(topics)}")

    pulse, _ = watching(set())
    pulse._status.kafka = None
    known: Any = Known()
    pulse._watch = cast("Any", Missing())
    with capture_logs() as logs:
        await pulse._ask_kafka()
        await pulse._ask_kafka()
        assert pulse._status.kafka == f"missing: {TOPIC}"
        pulse._watch = known
        await pulse._ask_kafka()
    assert pulse._status.kafka is None
    assert [line["event"] for line in logs] == ["not as it must be", "as it must be"]
