"""Records that aiokafka's producer refuses to send, made by hand."""

from __future__ import annotations

import asyncio

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NotLeaderForPartitionError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition


class RawText(str):
    """A header's name of any bytes."""

    __slots__ = ("raw",)
    raw: bytes

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self.raw


def raw_text(raw: bytes) -> RawText:
    text = RawText("raw")
    text.raw = raw
    return text


async def send_raw(
    kafka: str,
    topic: str,
    partition: int,
    *,
    key: bytes | None,
    value: bytes | None,
    headers: list[tuple[str, bytes | None]],
) -> None:
    """Produce one record, whatever it is. Raises KafkaError where the broker refuses."""
    builder = _DefaultRecordBatchBuilderPy(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=1 << 20,
    )  # fmt: skip
    builder.append(0, timestamp=0, key=key, value=value, headers=headers)
    records = bytes(builder.build())
    client = AIOKafkaClient(bootstrap_servers=kafka)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        node = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        request = ProduceRequest(
            transactional_id=None, required_acks=-1, timeout=5_000,
            topics=[(topic, [(partition, records)])],
        )  # fmt: skip
        for _ in range(50):
            response = await client.send(node, request)
            code = response.topics[0][1][0][1]
            if code != NotLeaderForPartitionError.errno:
                break
            await asyncio.sleep(0.1)  # the topic is new
        if code:
            raise for_code(code)
    finally:
        await client.close()
