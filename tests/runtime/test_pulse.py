"""What the pulse tells of a worker's partitions while they come and go."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from runtime.edge.watch import Logs
from runtime.pulse import Pulse
from runtime.status import Status

TOPIC = "pos.of-a-test"
BEGUN, OTHER = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)


class Known:
    """Guard and watch: of each partition's 10 records 7 are done, and nothing is wrong."""

    def positions(self) -> dict[tuple[str, int], int]:
        return {(TOPIC, 0): 7, (TOPIC, 1): 7}

    async def logs(self, _topics: set[str]) -> Logs:
        return Logs({BEGUN: 0, OTHER: 0}, {BEGUN: 10, OTHER: 10})

    def compare_with_ends(self, *_: Any) -> None: ...
    def compare_with_begins(self, *_: Any) -> None: ...


def lag(partition: int) -> float | None:
    labels = {"topic": TOPIC, "partition": str(partition)}
    return REGISTRY.get_sample_value("onaccount_lag_records", labels)


async def test_the_lag_of_a_partition_is_told_for_as_long_as_the_worker_has_it() -> None:
    held = {BEGUN, OTHER}
    subscriber = SimpleNamespace(
        topic_names=[TOPIC], consumer=SimpleNamespace(assignment=lambda: set(held))
    )
    known: Any = Known()
    pulse = Pulse(
        status=Status(), stopping=asyncio.Event(), database=cast("Any", None),
        guard=known, watch=known, lanes=[(cast("Any", None), subscriber)],
    )  # fmt: skip
    await pulse._ask_kafka()
    assert (lag(0), lag(1)) == (3, 3)
    held.remove(OTHER)
    await pulse._ask_kafka()
    assert (lag(0), lag(1)) == (3, None)
    subscriber.consumer = cast("Any", None)  # it stopped for good, and left its group
    await pulse._ask_kafka()
    assert (lag(0), lag(1)) == (None, None)
