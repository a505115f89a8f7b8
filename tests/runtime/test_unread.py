"""What nobody has read yet: a topic looked into on a real broker, beside its readers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime.edge.unpacking import MOST_OF_A_BATCH
from runtime.faults import Fault, fault_of
from runtime.unread import Unread
from tests.runtime.raw import raw_text, send_raw
from tests.runtime.rig import Rig
from tests.runtime.test_put_back import delete_records

TOPIC = "imports.uploads"


class Log:
    """The topic, and how far somebody has read it who reads what is sent here at once."""

    def __init__(self, rig: Rig) -> None:
        self._client = {"bootstrap_servers": rig.kafka}
        self.read: dict[int, int] = {}

    async def begin(self) -> Log:
        """What other tests have sent is read."""
        async with AIOKafkaConsumer(TOPIC, **self._client) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
        self.read = {tp.partition: end for tp, end in ends.items() if end}
        return self

    async def send(self, partition: int, *, commit: bool | None = None) -> int:
        """A record; in a transaction that is committed or aborted, where `commit` is given. Gives
        the offset behind it."""
        name = None if commit is None else "uploads"
        async with AIOKafkaProducer(**self._client, transactional_id=name) as producer:
            if commit is not None:
                await producer.begin_transaction()
            sent = await producer.send_and_wait(TOPIC, b"{}", partition=partition)
            if commit is True:
                await producer.commit_transaction()
            if commit is False:
                await producer.abort_transaction()
        return int(sent.offset) + 1

    async def moment(self) -> datetime:
        """Now, with a little time between it and any record."""
        await asyncio.sleep(0.02)
        now = datetime.now(UTC)
        await asyncio.sleep(0.02)
        return now

    async def unread(self, at: datetime, **read: int) -> bool:
        """Whether something is, for one who has read so far, but for `p1` to there."""
        return await Unread(self._client, TOPIC).before(
            at, {**self.read, **{int(name[1:]): offset for name, offset in read.items()}}
        )


@pytest.fixture
async def log(rig: Rig) -> Log:
    return await Log(rig).begin()


async def test_a_record_of_before_counts_and_one_of_after_does_not(log: Log) -> None:
    early = await log.moment()
    assert not await log.unread(early)
    behind = await log.send(2)
    late = await log.moment()
    last = await log.send(2)
    other = await log.send(3)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert not await log.unread(early)
    assert await log.unread(late)
    assert not await log.unread(late, p2=behind)
    assert await log.unread(tomorrow, p2=behind)
    assert await log.unread(tomorrow, p2=last)
    assert not await log.unread(tomorrow, p2=last, p3=other)


async def test_what_is_read_once_is_not_looked_for_again(rig: Rig, log: Log) -> None:
    """Thousands of jobs may fall due while their worker is off."""
    client = {"bootstrap_servers": rig.kafka}
    unread = Unread(client, TOPIC)
    early = await log.moment()
    await log.send(2)
    late = await log.moment()
    assert not await unread.before(early, log.read)
    assert await unread.before(late, log.read)
    long_ago = late - timedelta(minutes=10)
    all_read = (await Log(rig).begin()).read
    unread = Unread(client, TOPIC)
    assert not await unread.before(long_ago, all_read)
    client["bootstrap_servers"] = "127.0.0.1:9"
    assert not await unread.before(long_ago + timedelta(minutes=5), all_read)
    with pytest.raises((KafkaError, TimeoutError)):
        await unread.before(late, all_read)


async def test_of_what_nobody_has_read_yet_all_counts(log: Log) -> None:
    await log.send(0)
    log.read.clear()
    before = asyncio.all_tasks()
    assert await log.unread(await log.moment())
    assert asyncio.all_tasks() == before  # of its connection none is left


async def test_marks_of_transactions_are_no_records(log: Log) -> None:
    """The log ends behind the last record that there is to read."""
    await log.send(1, commit=False)
    assert not await log.unread(await log.moment())
    behind = await log.send(1, commit=True)
    now = await log.moment()
    assert await log.unread(now)
    assert not await log.unread(now, p1=behind)


async def test_what_was_deleted_is_not_waited_for(log: Log, rig: Rig) -> None:
    await log.send(0)
    now = await log.moment()
    assert await log.unread(now)
    await delete_records(rig.kafka, TOPIC)
    assert not await log.unread(now)
    await log.send(0)
    assert not await log.unread(now)
    assert await log.unread(await log.moment())


async def test_behind_what_is_not_unpacked_there_may_be_something(log: Log, rig: Rig) -> None:
    """When Kafka took it in is not known."""
    name = raw_text(b"\xff")
    await send_raw(rig.kafka, TOPIC, 2, key=b"k", value=b"{}", headers=[(name, b"x")])
    assert await log.unread(await log.moment())
    await delete_records(rig.kafka, TOPIC)  # not every reader passes it
    assert not await log.unread(await log.moment())
    sender = AIOKafkaProducer(
        bootstrap_servers=rig.kafka, compression_type="gzip", max_request_size=2 * MOST_OF_A_BATCH
    )
    async with sender:
        await sender.send_and_wait(TOPIC, bytes(MOST_OF_A_BATCH + 1), partition=3)
    await log.send(3)
    assert await log.unread(await log.moment())


async def test_kafka_that_is_away_is_told_as_a_fault_of_the_surroundings(rig: Rig) -> None:
    look = Unread({"bootstrap_servers": "127.0.0.1:9"}, TOPIC).before
    with pytest.raises(Exception, match=r"bootstrap|^$") as raised:
        await look(datetime.now(UTC), {})
    assert fault_of(raised.value) is Fault.SURROUNDINGS
