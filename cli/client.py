"""A small Kafka client: sends messages, awaits their answers by id, reads topics to their end.

It is in no consumer group and commits nothing: it can run beside anything, as often as one likes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from cli.messages import Json, answered_id, id_of, key_of, repetition
from cli.outgoing import LARGEST_RECORD, new_producer, on_the_wire, stop
from cli.replies import (
    Expectation,
    Newest,
    Reply,
    Wanted,
    of_its_question,
    reply_of,
    states_of,
)
from cli.screen import Gauge
from cli.trouble import Trouble
from cli.where import Unreachable, silent
from runtime.settings import KafkaSettings

START_S = 10.0
SENT_S = 30.0
READ_S = 60.0  # of silence
READ_AT_ONCE = 2_000

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what goes wrong is told in our words


class Client:
    """Use as `async with Client(kafka, listen=[topics]) as client`.

    `listen` are the topics on which answers are awaited: they are followed from their ends when the
    client starts, so that no answer to what is sent later is missed.
    """

    def __init__(self, kafka: KafkaSettings, *, listen: Iterable[str] = ()) -> None:
        self._kafka = kafka
        self._listen = tuple(listen)
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()  # of what is put at once, the first starts it
        self._reader: asyncio.Task[None] | None = None
        self._waiting: defaultdict[str, list[Expectation]] = defaultdict(list)
        self._watching: list[tuple[Callable[[Json], bool], Expectation]] = []
        self._ends = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            if self._listen:
                consumer = await self._ends.enter_async_context(self._consumer(self._listen))
                ends = await consumer.end_offsets(list(consumer.assignment()))
                for partition, offset in ends.items():
                    consumer.seek(partition, offset)
                self._reader = asyncio.create_task(self._deliver(consumer), name="answers")
            return self
        except BaseException:
            await self.__aexit__(None, None, None)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._ends.aclose()

    # --- sending and awaiting -----------------------------------------------------------------

    async def put(
        self,
        topic: str,
        value: bytes,
        *,
        key: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        then: str = "repeat the command.",
    ) -> None:
        """Put one record on a topic and wait until Kafka has it on all replicas; `then` is what to
        do where it does not say so. It may have it all the same, or get it yet."""
        async with self._starting:
            self._producer = self._producer or await self._start_producer()
        try:
            async with asyncio.timeout(SENT_S):  # an idempotent producer tries without end
                await self._producer.send_and_wait(topic, value, key=key, headers=list(headers))
        except MessageSizeTooLargeError:
            raise Trouble(
                f"This message has {len(value):,} bytes, more than Kafka takes on {topic}."
            ) from None
        except (KafkaError, TimeoutError) as fault:
            raise Unreachable(
                f"Kafka at {self._kafka.kafka} did not say that it took a message for {topic} "
                f"({type(fault).__name__}), and may have; see whether it runs and has that topic "
                f"(`onaccount topics diff`), then {then}"
            ) from fault
        except asyncio.CancelledError as stopped:  # Ctrl-C: it is on its way all the same
            stopped.add_note(f"A message for {topic} was under way, and may be done: {then}")
            raise

    async def send(self, message: Json, *, again: str | None = None) -> None:
        """Send a message on its topic, with its key; raises Misuse where it breaks the contract.
        `again` says how it is repeated, where its command does not take its id."""
        topic, value = on_the_wire(message)
        key, then = key_of(message).encode(), again or repetition(message)
        await self.put(topic, value, key=key, then=then)

    @contextlib.contextmanager
    def expecting(self, message: Json, *, again: str | None = None) -> Iterator[Expectation]:
        """Within this context the answers to `message` are kept for its Expectation."""
        wanted, expectation = id_of(message).lower(), Expectation.of(message, again)
        self._waiting[wanted].append(expectation)
        try:
            yield expectation
        finally:
            self._waiting[wanted].remove(expectation)
            if not self._waiting[wanted]:
                del self._waiting[wanted]

    @contextlib.contextmanager
    def watching(self, what: str, wanted: Callable[[Json], bool]) -> Any:
        """Within this context every message that is `wanted` is kept for the Expectation."""
        entry = (wanted, Expectation(what))
        self._watching.append(entry)
        try:
            yield entry[1]
        finally:
            self._watching.remove(entry)

    async def ask(self, message: Json, *, timeout_s: float, again: str | None = None) -> Reply:
        """Send a message and await the first answer to it; `again` as `send` takes it."""
        with self.expecting(message, again=again) as expectation:
            await self.send(message, again=again)
            while of_its_question(message, (reply := await expectation.next(timeout_s)).message):
                pass
            return reply

    # --- reading ------------------------------------------------------------------------------

    async def read(
        self, *topics: str, wanted: Wanted | None = None, since: datetime | None = None
    ) -> list[Reply]:
        """Every record that the topics hold now, partition by partition in order of offset; of
        those only what is `wanted`, which looks at a record before it is decoded."""
        found = [reply async for reply in self.replies(*topics, wanted=wanted, since=since)]
        found.sort(key=lambda r: (r.topic, r.partition, r.offset))
        return found

    async def replies(
        self,
        *topics: str,
        wanted: Wanted | None = None,
        gauge: Gauge | None = None,
        since: datetime | None = None,
    ) -> AsyncIterator[Reply]:
        """As `scan`, decoded, one by one; only those that are `wanted`."""
        async for records in self.scan(*topics, gauge=gauge, since=since):
            for record in records:
                if wanted is None or wanted(record):
                    yield reply_of(record)

    async def scan(
        self, *topics: str, gauge: Gauge | None = None, since: datetime | None = None
    ) -> AsyncIterator[list[ConsumerRecord]]:
        """All that the topics hold now, in batches, undecoded; one at a time is in memory.

        `gauge` is told how many offsets of how many are through; `since`: what came before that is
        left out. Raises Unreachable when nothing comes for a minute.
        """
        async with self._consumer(topics) as consumer:
            partitions = list(consumer.assignment())
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            if since is not None:
                moment = int(since.timestamp() * 1000)
                found = await consumer.offsets_for_times(dict.fromkeys(partitions, moment))
                begins = {p: one.offset if (one := found[p]) else ends[p] for p in partitions}
            open_ = {p for p in partitions if ends[p] > begins[p]}
            total = sum(ends[p] - begins[p] for p in open_)
            for partition in partitions:
                if partition in open_:
                    consumer.seek(partition, begins[partition])
                else:
                    consumer.pause(partition)
            at = {partition: begins[partition] for partition in open_}
            heard = time.monotonic()
            while open_:
                batches = await consumer.getmany(timeout_ms=500, max_records=READ_AT_ONCE)
                for records in batches.values():
                    yield [
                        r for r in records if r.offset < ends[TopicPartition(r.topic, r.partition)]
                    ]
                for partition in list(open_):
                    position = await consumer.position(partition)
                    if position > at[partition]:
                        at[partition], heard = position, time.monotonic()
                    if position >= ends[partition]:
                        open_.discard(partition)
                        consumer.pause(partition)
                if gauge is not None:
                    gauge(sum(min(at[p], ends[p]) - begins[p] for p in at), total)
                if time.monotonic() - heard > READ_S:
                    raise Unreachable(
                        f"{', '.join(topics)} can't be read to the end: nothing came for "
                        f"{READ_S:g} seconds; see whether Kafka at {self._kafka.kafka} is well."
                    )

    async def view(
        self, *topics: str, environment: int | None = None, wanted: Wanted | None = None
    ) -> dict[str, Json]:
        """The newest state of every entity of compacted topics, by record key.

        With `environment` only of that one: nothing else is decoded. `wanted` may only ask for what
        never changes of an entity, or an older state would stand for it."""
        found = Newest()
        async for reply in self.replies(*topics, wanted=states_of(environment, wanted)):
            found.take(reply)
        if environment is None:
            return found.states
        return {k: s for k, s in found.states.items() if s.get("environment") == environment}

    # --- inside -------------------------------------------------------------------------------

    async def _start_producer(self) -> AIOKafkaProducer:
        producer = new_producer(self._kafka)
        await self._reach(producer.start(), producer.stop())
        self._ends.push_async_callback(stop, producer)
        return producer

    @contextlib.asynccontextmanager
    async def _consumer(self, topics: Iterable[str]) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer in no group, to which all partitions of the topics are assigned."""
        wanted = set(topics)
        consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=LARGEST_RECORD,
            fetch_max_wait_ms=100,
        )
        await self._reach(consumer.start(), consumer.stop())
        try:
            # Asked for first: aiokafka waits long for a topic that does not exist.
            if missing := wanted - await consumer.topics():
                raise Trouble(
                    f"Kafka at {self._kafka.kafka} has no topic {', '.join(sorted(missing))}; "
                    "make it with `onaccount topics apply`."
                )
            consumer.subscribe(list(wanted))
            await self._reach(_assigned(consumer, wanted), asyncio.sleep(0))
            yield consumer
        except KafkaError as fault:  # it answered a moment ago
            raise self._silent(fault) from fault
        finally:
            await consumer.stop()

    async def _reach(self, start: Any, stop: Any) -> None:
        try:
            async with asyncio.timeout(START_S):
                await start
        except (KafkaError, OSError, TimeoutError) as fault:
            with contextlib.suppress(Exception):
                await stop
            raise silent(self._kafka) from fault
        else:
            stop.close()

    def _silent(self, fault: KafkaError) -> Unreachable:
        says = f"Kafka at {self._kafka.kafka} stopped answering ({type(fault).__name__}); see "
        return Unreachable(says + "whether it runs, then whether what you asked for was done.")

    async def _deliver(self, consumer: AIOKafkaConsumer) -> None:
        try:
            while True:
                batches = await consumer.getmany(timeout_ms=1_000)
                for record in (r for records in batches.values() for r in records):
                    self._hand_out(reply_of(record))
        except KafkaError as fault:
            everyone = [e for waiting in self._waiting.values() for e in waiting]
            for expectation in [*everyone, *(e for _, e in self._watching)]:
                expectation.arrived.put_nowait(self._silent(fault))

    def _hand_out(self, reply: Reply) -> None:
        wanted = answered_id(reply.message)
        if wanted is not None:
            for expectation in self._waiting.get(wanted, ()):
                expectation.hear(reply)
        for accepts, expectation in self._watching:
            if accepts(reply.message):
                expectation.arrived.put_nowait(reply)


async def _assigned(consumer: AIOKafkaConsumer, wanted: set[str]) -> None:
    while {one.topic for one in consumer.assignment()} != wanted:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
