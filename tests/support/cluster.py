"""Three brokers that are one Kafka, as a site has them: each may be killed, or stand still."""

import asyncio
import contextlib
import re
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from cli.stack import jars
from cli.stack.kafka import PROPERTIES, Kafka
from cli.stack.ports import free_port
from tests.support.apart import run_apart
from tests.support.run import current
from tests.support.servers import Server, lay_storage, quicken_kafka

# The later of two lines with the same name counts.
REPLICATED = """\
node.id={number}
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
unclean.leader.election.enable=false
# so that a test sees in seconds what a site sees in half a minute
replica.lag.time.max.ms=3000
controlled.shutdown.enable=true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker(Kafka):
    """One of the three, and a voter of their quorum."""

    number: int
    voters: str

    async def prepare(self) -> None:
        """Write the settings; the storage is a copy, under a number and an id of its own."""
        await jars.ensure()
        lay_storage(current(), self.folder)
        meta = self.folder / "data" / "meta.properties"
        text = re.sub(r"node\.id=\d+", f"node.id={self.number}", meta.read_text())
        if not (self.folder / "server.properties").exists():
            own = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "x")
            text = re.sub(r"directory\.id=.*", f"directory.id={own}", text)
        meta.write_text(text)
        ours = REPLICATED.format(number=self.number, voters=self.voters)
        settings = PROPERTIES.format(
            port=self.port, controller_port=self.controller_port, network_threads=2, io_threads=2
        )
        (self.folder / "server.properties").write_text(settings + ours, encoding="ascii")

    async def probe(self, *, again: bool = False) -> None:
        """It is one of the brokers that the controller gives to clients."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            brokers = (await admin.describe_cluster())["brokers"]
        finally:
            await admin.close()
        if self.number not in {one["node_id"] for one in brokers}:
            raise ConnectionError(f"broker {self.number} is not in the cluster yet")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The three, by place."""

    brokers: Sequence[Server]

    @property
    def address(self) -> str:
        """What a client is told: all three."""
        return ",".join(broker.address for broker in self.brokers)

    async def leaders(self, topic: str) -> list[int]:
        """The broker that leads each partition of a topic, by its number (1 to 3)."""
        return list((await self._parts("leader"))[topic])

    async def replicas(self, kind: str = "replicas") -> dict[str, list[list[int]]]:
        """By topic, the brokers of each partition that have it (or those in sync: `isr`)."""
        return await self._parts(kind)

    async def _parts(self, kind: str) -> dict[str, list[Any]]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            topics = await admin.describe_topics()
        finally:
            await admin.close()
        return {
            one["topic"]: [part[kind] for part in one["partitions"]]
            for one in topics
            if not one["is_internal"]
        }

    async def in_sync(self) -> None:
        """Wait until all brokers have all of each log."""
        deadline, found = time.monotonic() + 90, None
        while True:
            with contextlib.suppress(KafkaError, OSError):
                found = await self.replicas("isr")
                if all(len(at) == len(self.brokers) for parts in found.values() for at in parts):
                    return
            assert time.monotonic() < deadline, f"not in sync: {found}"
            await asyncio.sleep(0.2)

    async def settings(self, topic: str) -> dict[str, str]:
        """A topic's settings as the brokers have them."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            (told,) = await admin.describe_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic)]
            )
        finally:
            await admin.close()
        return {entry[0]: entry[1] for entry in told.resources[0][4]}


@contextmanager
def three_brokers(folder: Path) -> Iterator[Cluster]:
    """A cluster in `folder`, that serves; ended with it."""
    quicken_kafka(current())
    ports: set[int] = set()
    for _ in range(6):
        ports.add(free_port(taken=ports))
    of = list(ports)
    voters = ",".join(f"{number}@127.0.0.1:{of[number + 2]}" for number in (1, 2, 3))
    cluster = Cluster(
        [
            Server(
                Broker(
                    number=number,
                    voters=voters,
                    folder=folder / f"kafka-{number}",
                    port=of[number - 1],
                    controller_port=of[number + 2],
                    log=folder / f"kafka-{number}.log",
                    heap_mb=256,
                    name=f"kafka-{number}",
                )
            )
            for number in (1, 2, 3)
        ]
    )
    try:
        run_apart(_all(cluster))
        yield cluster
    finally:
        run_apart(_end(cluster))


async def _all(cluster: Cluster) -> None:
    await asyncio.gather(*(broker.start() for broker in cluster.brokers))


async def _end(cluster: Cluster) -> None:
    for broker in cluster.brokers:
        if broker.process is not None:
            await broker.kill()  # nobody wants their data any more
