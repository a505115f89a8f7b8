"""Somebody who uploads workbooks, and reads what is said about each job."""

import asyncio
import base64
import contextlib
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.topics import TOPICS

PART_BYTES = 700_000
PATIENCE_S = 600
EVENTS = "imports.events"


@dataclass
class Person:
    """Somebody who uploads, and reads what is said about each job."""

    kafka: str
    producer: AIOKafkaProducer
    told: dict[tuple[str, str], float] = field(default_factory=dict)
    heard: dict[tuple[str, str], Any] = field(default_factory=dict)

    async def put(self, message: dict[str, Any]) -> float:
        """Put a message on imports.uploads; gives its time on the log."""
        value = json.dumps(message).encode()
        key = message["job_id"].encode()
        record = await self.producer.send_and_wait("imports.uploads", value, key=key)
        return float(record.timestamp) / 1000

    async def upload(self, environment: int, content: bytes) -> tuple[str, float]:
        """A workbook in parts; gives its job id and the last part's time."""
        job_id, at = str(uuid.uuid4()), 0.0
        pieces = [content[i : i + PART_BYTES] for i in range(0, len(content), PART_BYTES)]
        for number, piece in enumerate(pieces, start=1):
            at = await self.put(
                {
                    "type": "import.uploaded", "job_id": job_id, "environment": environment,
                    "file_name": "leden.xlsx", "sha256": hashlib.sha256(content).hexdigest(),
                    "part": number, "parts": len(pieces), "mode": "preview", "by": "benchmark",
                    "content": base64.b64encode(piece).decode(),
                }
            )  # fmt: skip
        return job_id, at

    async def confirm(self, environment: int, job_id: str) -> float:
        return await self.put(
            {"type": "import.confirmed", "job_id": job_id, "environment": environment, "by": "b"}
        )

    async def listen(self) -> None:
        """Note when each kind of event came first; of a report the last part: who stops a worker
        before that leaves it to the next."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=3 * 2**20,
        )
        await consumer.start()
        try:
            partitions = next(t.partitions for t in TOPICS if t.name == EVENTS)
            consumer.assign([TopicPartition(EVENTS, n) for n in range(partitions)])
            async for record in consumer:
                message = json.loads(record.value)
                key = (message["job_id"], message["type"])
                if message["type"] == "import.report" and message["part"] < message["parts"]:
                    continue
                self.told.setdefault(key, record.timestamp / 1000)
                if message["type"] != "import.report":
                    self.heard.setdefault(key, message)
        finally:
            await consumer.stop()

    async def wait(self, job_id: str, kind: str) -> float:
        """When this was said of the job. Raises when it failed, or TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while (job_id, kind) not in self.told:
                if failed := self.heard.get((job_id, "import.failed")):
                    raise SystemExit(f"not imported: {failed['message']}")
                await asyncio.sleep(0.02)
        return self.told[job_id, kind]


@contextlib.asynccontextmanager
async def person(kafka: str) -> AsyncIterator[Person]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", max_request_size=2 * 2**20)
    async with producer:
        someone = Person(kafka, producer)
        listening = asyncio.create_task(someone.listen())
        try:
            yield someone
        finally:
            listening.cancel()
