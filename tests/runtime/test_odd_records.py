"""Records as the world sends them: odd headers, no key, no value, compressed, huge."""

import json
import uuid
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from runtime.deadletters import CAUSE, CUT
from tests.runtime.raw import raw_text, send_raw
from tests.runtime.rig import Rig, once_each, sale, until

DEAD = "ledger.dead-letters"


async def produce(rig: Rig, *records: dict, compression: str | None = None, **more: object) -> None:
    """Hand records to a producer as they are."""
    producer = AIOKafkaProducer(bootstrap_servers=rig.kafka, compression_type=compression, **more)
    async with producer:
        for record in records:
            await producer.send("pos.sales", partition=0, **record)
        await producer.flush()


async def letters(rig: Rig, mark: bytes) -> list:
    return [r for r in await rig.records(DEAD) if dict(r.headers).get("mark") == mark]


async def test_a_record_without_key_without_value_and_with_odd_headers_blocks_nothing(
    rig: Rig,
) -> None:
    """Kafka takes all of these; the next sale in the partition is answered all the same."""
    account, mark = "odd-1", uuid.uuid4().bytes
    good = sale(account)
    odd = [
        {"key": b"k", "value": None, "headers": [("mark", mark)]},
        {"key": None, "value": b"", "headers": [("mark", mark)]},
        {"key": None, "value": b"{", "headers": [("mark", mark), ("n", b""), ("n", b"\xff")]},
        {
            "key": b"\xff",
            "value": b"\x00" * 9,
            "headers": [("mark", mark), ("traceparent", b"\xff")],
        },
    ]
    await produce(rig, *odd, {"key": None, "value": json.dumps(good).encode()})
    async with rig.worker():
        await rig.all_answered(account, [good["sale_id"]])
    found = await letters(rig, mark)
    assert [(r.key, r.value) for r in found] == [(o["key"], o["value"]) for o in odd]


async def test_a_record_without_anything_at_all_blocks_nothing(rig: Rig) -> None:
    """aiokafka's producer refuses it, others send it: so does a dead letter's first try."""
    account = "odd-2"
    good = sale(account)
    await send_raw(rig.kafka, "pos.sales", 0, key=None, value=None, headers=[("x", None)])
    await produce(rig, {"key": None, "value": json.dumps(good).encode()})
    async with rig.worker():
        await rig.all_answered(account, [good["sale_id"]])


async def test_a_header_whose_name_is_not_text_blocks_and_loses_nothing(rig: Rig) -> None:
    """librdkafka sends names of any bytes; aiokafka then drops what it took of other partitions."""
    account = "odd-3"
    sales = [sale(account) for _ in range(40)]
    values = [json.dumps(s).encode() for s in sales]
    name = raw_text(b"\xff\xfe\xfd")
    for partition in range(4):
        await rig.send(*sales[partition * 5 : partition * 5 + 5], partition=partition)
    for partition in (0, 2):
        await send_raw(
            rig.kafka, "pos.sales", partition, key=b"k", value=values[0], headers=[(name, b"x")]
        )
    for partition in range(4):
        await rig.send(*sales[20 + partition * 5 : 25 + partition * 5], partition=partition)
    before = len(await rig.records(DEAD))
    async with rig.worker() as worker:
        found = await rig.all_answered(account, [s["sale_id"] for s in sales])
        await until(lambda: not worker.status.unready(), "it is ready", 5)
    assert await rig.counted(account) == (40, 40 * 500)
    once_each(found)
    letters = (await rig.records(DEAD))[before:]
    assert [dict(r.headers)[CAUSE][:33] for r in letters] == [
        b"undecodable: it can't be taken ap"
    ] * 2


async def test_another_s_message_is_passed_over_and_one_of_no_known_type_is_kept(rig: Rig) -> None:
    account, mark = "elsewhere-1", uuid.uuid4().bytes
    sales = [sale(account) for _ in range(2)]
    await rig.send(sales[0], partition=0)
    for kind in ("invoice.drafted", "sale.undreamt"):
        await rig.send({"type": kind}, partition=0, headers=[("mark", mark)])
    await rig.send(sales[1], partition=0)
    async with rig.worker():
        await rig.all_answered(account, [one["sale_id"] for one in sales])
    assert [json.loads(r.value)["type"] for r in await letters(rig, mark)] == ["sale.undreamt"]


async def test_a_reply_to_header_is_answered_with_no_reply(rig: Rig) -> None:
    account = "reply-1"
    good = sale(account)
    headers = [("reply_to", b"ledger.entries"), ("correlation_id", b"c-1")]
    before = len(await rig.records("ledger.entries"))
    await rig.send(good, headers=headers)
    async with rig.worker():
        await rig.all_answered(account, [good["sale_id"]])
    assert len(await rig.records("ledger.entries")) == before


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_compressed_batches_are_read(rig: Rig, compression: str) -> None:
    account = f"compressed-{compression}"
    sales = [sale(account) for _ in range(5)]
    await produce(
        rig, *({"value": json.dumps(s).encode()} for s in sales),
        compression=compression, linger_ms=20,
    )  # fmt: skip
    async with rig.worker():
        found = await rig.all_answered(account, [s["sale_id"] for s in sales])
    assert await rig.counted(account) == (5, 2500)
    once_each(found)


async def test_what_a_transaction_put_counts_once_it_is_committed_and_else_blocks_nothing(
    rig: Rig,
) -> None:
    account = "transaction"
    kept, aborted, after = sale(account), sale(account), sale(account)
    producer = AIOKafkaProducer(bootstrap_servers=rig.kafka, transactional_id=uuid.uuid4().hex)
    async with rig.worker(), producer:
        async with producer.transaction():
            await producer.send("pos.sales", json.dumps(kept).encode(), partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait("pos.sales", json.dumps(aborted).encode(), partition=0)
        await producer.abort_transaction()
        await rig.send(after, partition=0)
        await rig.all_answered(account, [kept["sale_id"], after["sale_id"]])
    assert await rig.counted(account) == (2, 1000)


async def test_no_transaction_may_hold_others_up_for_longer_than_a_minute(rig: Rig) -> None:
    producer = AIOKafkaProducer(
        bootstrap_servers=rig.kafka, transactional_id="slow", transaction_timeout_ms=60_001
    )
    with pytest.raises(KafkaError, match="InvalidTransactionTimeout"):
        await producer.start()
    await producer.stop()


async def test_what_unpacks_to_more_than_any_topic_takes_is_cut_and_blocks_nothing(
    rig: Rig,
) -> None:
    """A topic's limit counts compressed bytes: 12 MB of blanks pass as some kilobytes."""
    account, mark = "bomb", uuid.uuid4().bytes
    good = sale(account)
    bomb = b" " * 12_000_000
    await produce(
        rig,
        {"key": b"k", "value": bomb, "headers": [("mark", mark)]},
        compression="gzip", max_request_size=13_000_000, max_batch_size=13_000_000,
    )  # fmt: skip
    await produce(rig, {"value": json.dumps(good).encode()})
    async with rig.worker():
        await rig.all_answered(account, [good["sale_id"]])
    (letter,) = await letters(rig, mark)
    added = dict(letter.headers)
    assert added[CUT] == b"12000000"
    assert added[CAUSE].startswith(b"undecodable")
    assert len(letter.value) == 2 * 1024 * 1024


async def test_what_would_unpack_to_more_than_a_worker_holds_is_stepped_over_unopened(
    rig: Rig,
) -> None:
    """A few of these within one fetch would be the worker's end, and again after its start."""
    account = "bomb-unopened"
    sales = [sale(account) for _ in range(3)]
    before = len(await rig.records(DEAD))
    for good, compression in zip(sales, ["gzip", "lz4", "zstd"], strict=True):
        await produce(
            rig,
            {"value": bytes(17 * 1024 * 1024)},
            {"value": b"of the same batch"},
            compression=compression, linger_ms=50,
            max_request_size=20_000_000, max_batch_size=20_000_000,
        )  # fmt: skip
        await produce(rig, {"value": json.dumps(good).encode()})
    async with rig.worker() as worker:
        found = await rig.all_answered(account, [one["sale_id"] for one in sales])
        await until(lambda: not worker.status.unready(), "it is ready", 5)
    once_each(found)
    letters = (await rig.records(DEAD))[before:]
    assert [dict(r.headers)[CAUSE] for r in letters] == [
        b"undecodable: it can't be taken apart (its batch unpacks to more than 16 MiB); see its "
        b"origin"
    ] * 3


@pytest.mark.parametrize("part", ["key", "value", "name", "header"])
def test_no_more_is_given_out_at_once_than_is_enough_wherever_in_a_record_it_is(part: str) -> None:
    zeros, place = bytes(9 * 1024 * 1024), TopicPartition("pos.sales", 0)
    key, value = (zeros if part == one else b"" for one in ("key", "value"))
    headers = {"name": [(zeros.decode(), b"")], "header": [("h", zeros)]}.get(part, [])
    packed = bytearray()
    for at in range(3):
        batch = DefaultRecordBatchBuilder(2, 4, 0, -1, -1, -1, 10_000_000)
        batch.append(0, 0, key, value, headers)
        content = batch.build()
        content[:8] = at.to_bytes(8)  # its offset
        packed += content
    records = PartitionRecords(place, MemoryRecords(bytes(packed)), [], 0, None, None, False, 1)
    state = SimpleNamespace(paused=False, position=0)
    state.consumed_to = lambda at: setattr(state, "position", at)
    held = SimpleNamespace(active=True, state_value=lambda place: state)
    fetched = fetcher.FetchResult(place, assignment=held, partition_records=records, backoff=0)
    given = [[record.offset for record in fetched.getall(500)] for _ in range(3)]
    assert given == [[0], [1], [2]]


async def test_headers_greater_than_a_letter_takes_are_left_out(rig: Rig) -> None:
    account = "headers-1"
    good = sale(account)
    key = uuid.uuid4().bytes
    await produce(rig, {"key": key, "value": b"{", "headers": [("h", b"x" * 900_000)]})
    await produce(rig, {"value": json.dumps(good).encode()})
    async with rig.worker():
        await rig.all_answered(account, [good["sale_id"]])
    (letter,) = [r for r in await rig.records(DEAD) if r.key == key]
    assert dict(letter.headers)[CUT] == b"1"
    assert "h" not in dict(letter.headers)


@pytest.mark.parametrize("stamp", ["²", "99999999999999999", "-1", "", "abc"])
async def test_a_retry_with_a_time_that_is_none_counts_by_its_own(rig: Rig, stamp: str) -> None:
    account = f"stamp-{uuid.uuid4().hex[:6]}"
    wanted = sale(account)
    headers = [("onaccount-origin-topic", b"pos.sales"), ("onaccount-origin-time", stamp.encode())]
    await rig.send(wanted, topic="ledger.retries", headers=headers)
    async with rig.worker():
        await rig.all_answered(account, [wanted["sale_id"]])


async def test_a_retry_of_a_topic_that_is_not_ours_is_a_dead_letter(rig: Rig) -> None:
    mark = uuid.uuid4().bytes
    headers = [("onaccount-origin-topic", b"pos.terminals"), ("mark", mark)]
    account = "retry-2"
    wanted = sale(account)
    await rig.send({"type": "terminal.signed_on"}, topic="ledger.retries", headers=headers)
    await rig.send(
        wanted, topic="ledger.retries", headers=[("onaccount-origin-topic", b"pos.sales")]
    )
    async with rig.worker():
        await rig.all_answered(account, [wanted["sale_id"]])
    assert len(await letters(rig, mark)) == 1
