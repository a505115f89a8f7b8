"""FastStream's subscribers, with every setting that its defaults get wrong set here.

FastStream 0.7.8 commits before it handles (`ACK_FIRST`), starts at the log's end, decodes a
batch as a whole, turns every record's headers into text (one that is not UTF-8 fails the batch),
publishes a reply wherever a `reply_to` header says, and sleeps between two empty fetches. Each
is answered below, and a test asserts it over every subscriber of every service.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from aiokafka import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import REGISTRY

from runtime.edge.lane import EdgeLane
from runtime.edge.patient import MOST_AT_ONCE, PatientConsumer
from runtime.settings import WorkerSettings
from runtime.status import Status

# The edge waits out faults with a batch in hand for as long as they last; the group is not lost
# for that (liveness is judged by the health port, not by how often we poll).
MAX_POLL_INTERVAL_MS = 24 * 60 * 60 * 1000


class EdgeBroker(KafkaBroker):
    """A KafkaBroker that reads with PatientConsumer and produces nothing by itself."""

    status: Status | None = None

    async def _connect(self) -> Any:
        """Once, however often a start is tried: what `connect` gave before is not wrapped again."""
        made: Any = await super()._connect()
        builder = partial(PatientConsumer, **made.keywords, status=self.status)
        self.config.broker_config.builder = builder
        return builder


class Revocation(ConsumerRebalanceListener):  # type: ignore[misc]
    """Lets the batch in hand and its commit through before partitions are given up."""

    def __init__(self, lane: EdgeLane, patience_s: float) -> None:
        self._lane = lane
        self._patience_s = patience_s

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        try:
            await asyncio.wait_for(self._lane.idle(), self._patience_s)
        except TimeoutError:
            return  # it goes on; whoever has the partitions next finds the same answers

    async def on_partitions_assigned(self, assigned: set[Any]) -> None:
        self._lane.assigned()


async def whole_batch(records: tuple[Any, ...]) -> KafkaMessage:
    """A parser that touches nothing: headers of any bytes, no reply address, no decoding."""
    return KafkaMessage(
        raw_message=records, body=[r.value or b"" for r in records], consumer=_NONE, headers={}
    )


async def as_it_is(message: KafkaMessage) -> Any:
    return message.raw_message


class _NoConsumer:
    async def commit(self) -> None: ...
    def seek(self, partition: Any, offset: int) -> None: ...


_NONE = _NoConsumer()


def new_broker(settings: WorkerSettings, group: str, status: Status) -> EdgeBroker:
    client = settings.client()
    servers = client.pop("bootstrap_servers")
    client.pop("metadata_max_age_ms")
    broker = EdgeBroker(
        servers.split(","),
        security=_security(client),
        client_id=settings.worker or group,
        consumer_only=True,
        allow_auto_create_topics=False,
        logger=None,
        apply_types=False,
        graceful_timeout=settings.drain_s,
        metadata_max_age_ms=30_000,
        middlewares=[KafkaPrometheusMiddleware(registry=REGISTRY, app_name=group)],
    )
    broker.status = status
    return broker


def _security(client: dict[str, Any]) -> Any:
    from faststream import security

    protocol = client["security_protocol"]
    context = client.get("ssl_context")
    if protocol.startswith("SASL"):
        kinds = {
            "PLAIN": security.SASLPlaintext,
            "SCRAM-SHA-256": security.SASLScram256,
            "SCRAM-SHA-512": security.SASLScram512,
        }
        return kinds[client["sasl_mechanism"]](
            username=client["sasl_plain_username"],
            password=client["sasl_plain_password"],
            ssl_context=context,
            use_ssl=context is not None,
        )
    return security.BaseSecurity(ssl_context=context, use_ssl=context is not None)


def subscribe(
    broker: EdgeBroker, edge: EdgeLane, topics: list[str], settings: WorkerSettings
) -> Any:
    """One batch subscriber for the lane: manual commits, from the log's beginning."""
    fetch_bytes = min(edge.lane.fetch_bytes or settings.fetch_bytes, settings.fetch_bytes)
    most_records = min(edge.most_records * edge.lane.in_hand, MOST_AT_ONCE)
    subscriber = broker.subscriber(
        *topics,
        batch=True,
        group_id=edge.group,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        no_reply=True,
        parser=whole_batch,
        decoder=as_it_is,
        max_records=most_records,
        max_poll_records=most_records,
        batch_timeout_ms=10,
        fetch_max_wait_ms=edge.lane.fetch_wait_ms,
        fetch_min_bytes=1,
        max_partition_fetch_bytes=fetch_bytes,
        fetch_max_bytes=4 * fetch_bytes,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=max(200, settings.session_timeout_ms // 20),
        rebalance_timeout_ms=30_000,
        max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        isolation_level="read_committed",
        listener=Revocation(edge, patience_s=3.0),
    )

    async def take(records: Any) -> None:
        consumer: Any = subscriber.consumer
        consumer.untaken = None
        await edge.take(records, consumer)

    subscriber(take)
    return subscriber
