"""Topics that are read from their beginnings, in no group, to be looked at."""

import uuid

from aiokafka import AIOKafkaProducer

from runtime.reading import Log, Span
from runtime.settings import KafkaSettings
from tests.support.fixtures import NewTopicName


async def test_how_far_a_topic_is_read_is_told_in_offsets_also_of_those_that_no_record_has(
    kafka: str, new_topic: NewTopicName
) -> None:
    """As of a compacted topic, which has gaps. Method: each transaction's end takes an offset."""
    topic = await new_topic(partitions=3)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=uuid.uuid4().hex)
    await producer.start()
    try:
        for partition in (0, 2, 2):
            async with producer.transaction():
                await producer.send_and_wait(topic, b"of one", partition=partition)
    finally:
        await producer.stop()
    heard: list[tuple[str, int, int]] = []

    def gauge(what: str, done: int, total: int) -> None:
        heard.append((what, done, total))

    async with Log(KafkaSettings(kafka=kafka), [topic]) as log:
        spans = await log.spans(topic)
        assert spans == {0: Span(0, 2), 1: Span(0, 0), 2: Span(0, 4)}
        read = [record async for some in log.read(topic, spans, gauge) for record in some]
    assert [(record.partition, record.offset) for record in read] == [(0, 0), (2, 0), (2, 2)]
    assert heard == sorted(heard)
    assert heard[-1] == (topic, 6, 6)
