"""The client on a real broker: answers by id, time-outs, views, faults told in a sentence."""

import asyncio
import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaConnectionError

from cli.amounts import Misuse
from cli.client import Client
from cli.commands.payments import what_it_is_instead
from cli.demo.bar import _identity
from cli.messages import SAME_COMMAND, answer_topics, command, new_id, now
from cli.outgoing import stop
from cli.registry import settings_of
from cli.replies import NoAnswer, holding, of_one, reply_of
from cli.till import TILL_TOPICS, Till, line
from cli.trouble import Trouble
from cli.where import Unreachable
from runtime import topics
from runtime.settings import KafkaSettings
from tests.cli.running import runner
from tests.support.apart import run_apart
from tests.support.fixtures import NewTopicName


@pytest.fixture(scope="module")
def broker(kafka: str) -> KafkaSettings:
    """A broker with the contract's topics and no services."""
    settings = KafkaSettings(kafka=kafka)
    run_apart(topics.apply(settings.client()))
    return settings


@asynccontextmanager
async def answering(
    settings: KafkaSettings, topic: str, to: str, answer: Any, times: int = 1
) -> AsyncIterator[None]:
    """Stands in for a service: answers each message on `topic` with what `answer` makes of it."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=settings.kafka, group_id=new_id())
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await consumer.start()
    await producer.start()
    while not consumer.assignment():
        await asyncio.sleep(0.01)
    for partition in consumer.assignment():
        await consumer.position(partition)

    async def serve() -> None:
        async for record in consumer:
            made = json.dumps(answer(json.loads(record.value))).encode()
            headers = [("ce_id", b"x"), ("ce_time", b"t")]
            for _ in range(times):
                await producer.send_and_wait(to, made, key=record.key, headers=headers)

    serving = asyncio.create_task(serve())
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await consumer.stop()
        await producer.stop()


def applied(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "command.applied",
        "command_id": message["command_id"],
        "environment": message["environment"],
        "changes": [],
    }


async def test_each_of_many_questions_at_once_gets_its_own_answer(broker: KafkaSettings) -> None:
    orders = [command("environment.activate", number) for number in range(1, 41)]
    async with (
        answering(broker, "registry.commands", "registry.outcomes", applied),
        Client(broker, listen=answer_topics("environment.activate")) as client,
    ):
        replies = await asyncio.gather(*(client.ask(one, timeout_s=20) for one in orders))
    assert [r.message["command_id"] for r in replies] == [one["command_id"] for one in orders]


async def test_what_another_environment_is_told_under_the_same_id_is_no_answer() -> None:
    """Ids are unique per environment; a file's part names its own in its ce_id alone."""
    client = Client(KafkaSettings())
    asked = {"type": "document.request", "request_id": new_id(), "environment": 2890}

    def told(ce_id: str, **message: Any) -> None:
        value = json.dumps({"request_id": asked["request_id"], **message}).encode()
        headers = (("ce_id", ce_id.encode()),)
        record = ConsumerRecord("invoices.documents", 0, 0, 0, 1, b"k", value, None, 1, 1, headers)
        client._hand_out(reply_of(record))

    with client.expecting(asked) as answers:
        for number in (2891, 2890):
            told(f"document.part/{number}/{asked['request_id']}/1", type="document.part", part=1)
            told("x", type="pending.listed", environment=number)
        first, second = await answers.next(1), await answers.next(1)
    assert [first.environment, second.environment] == [2890, 2890]
    assert answers.arrived.empty()


def test_of_an_id_that_several_environments_use_it_is_asked_whose_is_meant() -> None:
    def told(number: object) -> Any:
        value = json.dumps({"environment": number}).encode()
        return reply_of(ConsumerRecord("pos.sales", 0, 0, 0, 1, b"k", value, None, 1, 1, ()))

    both = [told(2891), told(2890)]
    with pytest.raises(Misuse, match=r"2890, 2891 use this id: say which with --environment"):
        of_one(both, None)
    assert of_one(both, 2890) == both[1:]
    # What can't be read names none: it is told beside what its till said again.
    unread = told("2891")
    assert of_one([unread, both[0]], None) == [unread, both[0]]


async def test_a_till_that_tells_of_a_sale_does_not_take_its_questions_decline_for_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was not answered in time, so it was served: what comes first then is `expired`."""
    client = Client(KafkaSettings())
    told = [{"type": "sale.declined", "reason": "expired"}, {"type": "sale.approved"}]

    async def send(message: dict[str, Any], **_: Any) -> None:
        for each in told:
            value = json.dumps(each | {"sale_id": message["sale_id"]}).encode()
            record = ConsumerRecord("pos.decisions", 0, 0, 0, 1, b"k", value, None, 1, 1, ())
            client._hand_out(reply_of(record))

    monkeypatch.setattr(client, "send", send)
    till = Till(client, 2890, "bar-1")
    for ask, answer in ((till.record, "sale.approved"), (till.sell, "sale.declined")):
        assert (await ask("28900001", [line("Pils", 350, "21")])).type == answer


async def test_a_till_hears_a_repeated_answer_byte_for_byte(broker: KafkaSettings) -> None:
    def approved(sale: dict[str, Any]) -> dict[str, Any]:
        return {"type": "sale.approved", "sale_id": sale["sale_id"], "total": sale["total"]}

    async with (
        answering(broker, "pos.sales", "pos.decisions", approved, times=2),
        Client(broker, listen=TILL_TOPICS) as client,
    ):
        till = Till(client, 2890, "bar-1")
        sale = till.sale("28900001", [line("Pils", 350, "21", quantity="2")])
        first = await client.ask(sale, timeout_s=20)
        second = await till.repeat(sale)
    assert first.message["total"] == 700
    assert first.offset != second.offset
    assert _identity(first) == _identity(second)


async def test_a_statement_is_saved_where_its_file_is_read_before_the_word_that_it_is_made(
    broker: KafkaSettings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Method: they are on two topics, in no order; here that word does not come at all."""
    monkeypatch.setenv("ONACCOUNT_KAFKA", broker.kafka)

    def part(asked: dict[str, Any]) -> dict[str, Any]:
        return {"type": "document.part", "request_id": asked["statement_id"], "part": 1, "parts": 1,
                "file_name": "a.pdf", "media_type": "application/pdf", "content": "YQ==",
                "sha256": hashlib.sha256(b"a").hexdigest()}  # fmt: skip

    words = ("invoices", "statement", "2890", "1", "--period", "2026-10", "--out", str(tmp_path))
    async with answering(broker, "invoices.commands", "invoices.documents", part):
        told = await asyncio.to_thread(runner(capsys), *words)
    assert (told.status, (tmp_path / "a.pdf").read_bytes()) == (0, b"a")


async def test_silence_is_told_with_what_to_do_and_not_waited_for_without_end(
    broker: KafkaSettings,
) -> None:
    async with Client(broker, listen=answer_topics("environment.activate")) as client:
        with pytest.raises(NoAnswer, match=r"environment\.activate within 0\.2 seconds"):
            await client.ask(command("environment.activate", 1), timeout_s=0.2)


async def test_what_kafka_does_not_speak_of_may_be_done_and_says_how_it_is_repeated(
    broker: KafkaSettings,
) -> None:
    async with Client(broker, listen=answer_topics("payment.record")) as client:
        payment = {"type": "payment.record", "payment_id": new_id(), "environment": 1,
                   "number": "2026-00001", "amount": 1, "at": now(), "method": "bank",
                   "by": "me"}  # fmt: skip
        with pytest.raises(NoAnswer, match=f"--payment-id {payment['payment_id']}"):
            await client.ask(payment, timeout_s=0.1)
        with pytest.raises(NoAnswer, match="give the same command again"):
            await client.ask(payment, timeout_s=0.1, again=SAME_COMMAND)
        with pytest.raises(
            Unreachable, match=r"did not say that it took .* and may have; .*, then do it"
        ):
            await client.put("no.such", b"{}", key=None, then="do it")
        # Ctrl-C before Kafka has said a word: the producer sends it all the same.
        asking = asyncio.create_task(client.ask(payment, timeout_s=10))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError) as stopped:
            await asking
    assert payment["payment_id"] in " ".join(stopped.value.__notes__)


class Frozen:
    """A producer whose Kafka takes connections, and no more: a stopped machine, a cut cable."""

    def __init__(self) -> None:
        self.client = SimpleNamespace(close=self._close)
        self.closed = False

    async def send_and_wait(self, *_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        await asyncio.Event().wait()

    async def _close(self) -> None:
        self.closed = True


async def test_a_kafka_that_takes_nothing_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cli.client.SENT_S", 0.01)
    monkeypatch.setattr("cli.outgoing.STOP_S", 0.01)
    client, frozen = Client(KafkaSettings()), Frozen()
    client._producer = frozen  # type: ignore[assignment]
    with pytest.raises(Unreachable, match="did not say that it took a message"):
        await client.put("pos.sales", b"{}", key=None)
    await stop(frozen)  # type: ignore[arg-type]
    assert frozen.closed


async def test_what_breaks_the_contract_is_not_sent(broker: KafkaSettings) -> None:
    async with Client(broker) as client:
        with pytest.raises(Misuse, match="iban"):
            await client.send(command("environment.configure", 1, iban=12))


async def test_what_is_no_text_in_utf8_is_not_sent(broker: KafkaSettings) -> None:
    async with Client(broker) as client:
        with pytest.raises(Misuse, match=r"'caf\\udce9' is no text|caf.udce9' is no text"):
            await client.send(command("environment.configure", 1, name="caf\udce9"))


async def test_what_is_too_large_for_its_topic_is_told_with_what_to_do(
    broker: KafkaSettings,
) -> None:
    async with Client(broker) as client:
        accounts = [f"{n:05}{'é' * 59}" for n in range(10_000)]
        with pytest.raises(Misuse, match="takes at most 1,048,576; do it in several"):
            await client.send(command("account.change", 2890, accounts=accounts, limit=1))


async def test_a_view_keeps_the_highest_version_of_each_key(
    broker: KafkaSettings, kafka: str, new_topic: NewTopicName
) -> None:
    shared = KafkaSettings(kafka=kafka)
    topic = await new_topic("state", partitions=3, **{"cleanup.policy": "compact"})
    async with Client(shared) as client:
        for key, version in (("a", 1), ("b", 1), ("a", 3), ("a", 2), ("c", 1)):
            value = json.dumps({"key": key, "version": version}).encode()
            await client.put(topic, value, key=key.encode())
        await client.put(topic, b"", key=b"c")
        view = await client.view(topic)
    assert {key: state["version"] for key, state in view.items()} == {"a": 3, "b": 1}


async def test_a_view_keeps_what_stands_and_nothing_of_how_it_came_to_that(
    kafka: str, new_topic: NewTopicName
) -> None:
    """A venue's topics hold millions of records: twenty megabytes of them leave ten states."""
    topic = await new_topic("state", partitions=1, **{"cleanup.policy": "compact"})
    async with AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=20) as producer:
        for n in range(20_000):
            state = json.dumps({"version": n, "told": f"{n}" * 200}).encode()
            await producer.send(topic, state[:1_000] + b'"}', key=b"%d" % (n % 10))
        await producer.flush()
    async with Client(KafkaSettings(kafka=kafka)) as client:
        tracemalloc.start()
        try:
            view = await client.view(topic)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert {state["version"] for state in view.values()} == set(range(19_990, 20_000))
    assert most < 20_000 * 1_000  # beside what is fetched at once


async def test_what_is_not_wanted_is_not_even_decoded(kafka: str, new_topic: NewTopicName) -> None:
    topic = await new_topic(partitions=1)
    async with Client(KafkaSettings(kafka=kafka)) as client:
        for text in ("2026-0001", "2026-00012", "f2026-0001X", "other"):
            await client.put(topic, json.dumps({"number": text}).encode(), key=None)
        looked_at = []

        def wanted(record: Any) -> bool:
            looked_at.append(record.value)
            return holding("F2026-0001", "nothing")(record)

        found = [reply async for reply in client.replies(topic, wanted=wanted)]
    assert [reply.message["number"] for reply in found] == ["f2026-0001X"]
    assert len(looked_at) == 4
    assert all(isinstance(value, bytes) for value in looked_at)


@pytest.mark.parametrize("text", ['a"b', "a\\b", "caf\u00c9", "a\tb"])
def test_a_text_that_json_may_write_otherwise_can_be_in_any_record(text: str) -> None:
    assert holding("no", text)(_record(b"{}"))
    assert not holding("no")(_record(b"{}"))


def _record(value: bytes) -> Any:
    return SimpleNamespace(value=value)


async def test_an_empty_topic_is_read_at_once(kafka: str, new_topic: NewTopicName) -> None:
    topic = await new_topic(partitions=4)
    async with asyncio.timeout(30), Client(KafkaSettings(kafka=kafka)) as client:
        assert await client.read(topic) == []


async def test_a_topic_is_read_to_its_end_in_order(kafka: str, new_topic: NewTopicName) -> None:
    topic = await new_topic(partitions=2)
    async with Client(KafkaSettings(kafka=kafka)) as client:
        await asyncio.gather(
            *(client.put(topic, b'{"n":%d}' % n, key=b"%d" % n) for n in range(500))
        )
        replies = await client.read(topic)
    assert sorted(r.message["n"] for r in replies) == list(range(500))
    assert replies == sorted(replies, key=lambda r: (r.partition, r.offset))


async def test_a_kafka_that_stops_answering_is_one_sentence(
    kafka: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic(partitions=1)

    def dies(done: int, total: int) -> None:
        raise KafkaConnectionError("gone")

    async with Client(KafkaSettings(kafka=kafka)) as client:
        await client.put(topic, b"x", key=None)
        with pytest.raises(Unreachable, match="stopped answering"):
            _ = [batch async for batch in client.scan(topic, gauge=dies)]


async def test_a_missing_topic_is_told_with_what_to_do(kafka: str) -> None:
    async with Client(KafkaSettings(kafka=kafka)) as client:
        with pytest.raises(Trouble, match=r"has no topic no\.such; make it with"):
            await client.read("no.such")


async def test_what_is_no_json_can_be_read_as_bytes(kafka: str, new_topic: NewTopicName) -> None:
    topic = await new_topic()
    async with Client(KafkaSettings(kafka=kafka)) as client:
        await client.put(topic, b"\xff{", key=None)
        (reply,) = await client.read(topic)
    assert (reply.value, reply.message, reply.type) == (b"\xff{", {}, "")


async def test_a_venues_settings_are_read_without_its_customers_and_those_of_others(
    broker: KafkaSettings,
) -> None:
    said = {"type": "environment.state", "environment": 2891, "version": 2}
    states = {
        "environment:2891:2891": {**said, "time_zone": "Europe/Lisbon"},
        "environment:28912:28912": {**said, "environment": 28912, "time_zone": "Asia/Tokyo"},
        "customer:2891:2891": {"type": "customer.state", "customer_id": "2891", "version": 1},
    }
    async with Client(broker) as client:
        for key, state in states.items():
            await client.put("registry.state", json.dumps(state).encode(), key=key.encode())
        venue = await settings_of(client, 2891)
        assert (venue.zone.key, venue.customers) == ("Europe/Lisbon", {})
        with pytest.raises(Misuse, match="There is no environment 289;"):
            await settings_of(client, 289)


async def test_a_number_in_other_letters_than_its_invoices_is_told_how_it_is_written(
    broker: KafkaSettings,
) -> None:
    venue = {"type": "environment.state", "environment": 2892, "version": 1}
    invoice = {"environment": 2892, "version": 1, "invoice_id": "i", "number": "F2026-00012"}
    async with Client(broker) as client:
        for topic, key, state in (
            ("registry.state", b"environment:2892:2892", venue),
            ("invoices.state", b"2892:i", invoice),
        ):
            await client.put(topic, json.dumps(state).encode(), key=key)
        with pytest.raises(Misuse, match=r"no invoice f2026-00012; it is written F2026-00012\."):
            await what_it_is_instead(client, 2892, "f2026-00012")
        await what_it_is_instead(client, 2892, "F2026-0001")  # is none: the refusal says it


async def test_nobody_at_the_address_is_told_soon(unused_address: str) -> None:
    with pytest.raises(Unreachable, match=f"Kafka does not answer at {unused_address}"):
        async with asyncio.timeout(12), Client(KafkaSettings(kafka=unused_address)) as client:
            await client.read("pos.sales")


@pytest.fixture
def unused_address() -> Iterator[str]:
    with _closed_port() as port:
        yield f"127.0.0.1:{port}"


@contextmanager
def _closed_port() -> Iterator[int]:
    """A port that is bound and not listened on, so that nobody else can take it."""
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


async def test_an_id_that_nobody_could_answer_is_told_before_anything_is_sent() -> None:
    client = Client(KafkaSettings(kafka="127.0.0.1:1"))
    wrong = {"type": "sale.cancelled", "cancellation_id": new_id(), "sale_id": "nope",
             "environment": 2890, "account": "1", "terminal": "bar", "at": now(),
             "reason": "cancelled"}  # fmt: skip
    with pytest.raises(Misuse, match=r"sale id of sale.cancelled can't be read. Ids are UUIDs"):
        await client.send(wrong)
