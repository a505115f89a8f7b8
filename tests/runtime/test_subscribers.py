"""What FastStream gets wrong by default is set explicitly, for all subscribers of all services."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber
from pydantic import SecretStr

from runtime.deadletters import retries
from runtime.edge.subscribe import PatientConsumer, as_it_is, whole_batch
from runtime.settings import SERVICES
from runtime.worker import Worker
from schemas.topics import TOPIC
from tests.runtime import toy

DSN = "postgresql://nobody:none@127.0.0.1:1/none"


def built(service: str) -> Worker:
    """A service's worker, put together and not started."""
    if service == "toy":
        return toy.build(toy.Settings(kafka="127.0.0.1:1", postgres=SecretStr(DSN)))
    module = importlib.import_module(f"services.{service}.__main__")
    settings = importlib.import_module(f"services.{service}.settings").Settings
    name = f"ONACCOUNT_POSTGRES_{service.upper()}"
    before = os.environ.get(name)
    os.environ[name] = DSN
    try:
        worker: Worker = module.build(settings())
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
    return worker


@pytest.mark.parametrize("service", ["toy", *SERVICES])
async def test_every_subscriber_is_set_explicitly(service: str) -> None:
    worker = built(service)
    group = worker.service
    assert worker.broker.subscribers
    assert {id(s) for s in worker.broker.subscribers} == {id(s) for s in worker.subscribers}
    read: dict[str, set[str]] = {}
    for subscriber in worker.subscribers:
        settings: dict[str, Any] = subscriber._connection_args
        assert subscriber.ack_policy is AckPolicy.MANUAL
        assert settings["auto_offset_reset"] == "earliest"
        assert settings["enable_auto_commit"] is False
        assert subscriber.group_id == group
        assert subscriber._no_reply is True
        assert isinstance(subscriber, BatchSubscriber)
        assert settings["isolation_level"] == "read_committed"
        assert settings["max_poll_interval_ms"] >= 3_600_000
        assert settings["session_timeout_ms"] <= 30_000
        assert settings["heartbeat_interval_ms"] * 3 <= settings["session_timeout_ms"]
        # bounded by count and by bytes
        assert 1 <= settings["max_poll_records"] <= 10_000
        largest = max(TOPIC[name].max_value_bytes for name in subscriber.topic_names)
        assert largest < settings["max_partition_fetch_bytes"] - 64 * 1024 <= 16 * 1024 * 1024
        assert settings["fetch_max_bytes"] <= 64 * 1024 * 1024
        longest = 1_000 if subscriber.topic_names == [retries(group)] else 100
        assert settings["fetch_max_wait_ms"] <= longest
        (call,) = subscriber.calls
        assert subscriber._call_options.parser is whole_batch
        assert subscriber._call_options.decoder is as_it_is
        assert call.item_parser is None
        assert call.item_decoder is None
        name = worker.lanes[worker.subscribers.index(subscriber)].lane.name
        for topic in subscriber.topic_names:
            read.setdefault(topic, set()).add(name)
    assert all(len(lanes) == 1 for lanes in read.values()), "no topic is read by two lanes"
    assert retries(group) in read
    assert not [t for t in read if t.endswith((".dead-letters", ".retries")) and group not in t]


@pytest.mark.parametrize("service", ["toy", *SERVICES])
async def test_the_consumer_that_is_built_is_the_patient_one(service: str) -> None:
    worker = built(service)
    await worker.broker.connect()
    for subscriber in worker.subscribers:
        consumer = subscriber.builder(
            group_id=subscriber.group_id, client_id="test", **subscriber._connection_args
        )
        assert isinstance(consumer, PatientConsumer)
        assert consumer._enable_auto_commit is False
        assert consumer._auto_offset_reset == "earliest"


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_given_again_is_taken_in_no_larger_pieces_than_the_first_time(service: str) -> None:
    *lanes, again = (edge.lane for edge in built(service).lanes)
    for lane in lanes:
        assert again.max_records <= lane.max_records
        if lane.max_bytes is not None:
            assert again.max_bytes is not None
            assert again.max_bytes <= lane.max_bytes


@pytest.mark.parametrize("service", SERVICES)
def test_more_than_a_batch_is_taken_up_where_it_is_decided_in_several_or_only_noted(
    service: str,
) -> None:
    worker = built(service)
    most = worker.settings.batch_records
    larger = {
        tuple(sorted(subscriber.topic_names)): (edge.most_records, subscriber.max_records)
        for edge, subscriber in zip(worker.lanes, worker.subscribers, strict=True)
        if subscriber.max_records > most
    }
    expected = {
        "authorizer": {("pos.sales",): (most, 4 * most)},
        "ledger": {("invoices.events", "pos.decisions"): (most, 4 * most)},
        "importer": {("registry.outcomes", "registry.state"): (4 * most, 4 * most)},
        "invoicer": {},
    }
    assert larger == expected[service]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_what_the_topics_table_says(service: str) -> None:
    from schemas.topics import TOPICS

    worker = built(service)
    read = {t for s in worker.subscribers for t in s.topic_names}
    listed = {t.name for t in TOPICS if service in t.readers}
    assert read == listed
