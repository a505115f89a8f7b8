"""A till, an administrator and finance that know the contract alone: raw JSON on random partitions,
without keys, because nothing may rest on the partitioner.
"""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

Json = dict[str, Any]
READ = (
    *("pos.decisions", "pos.directories", "pos.unbooked"),
    *("registry.outcomes", "registry.state"),
    *("ledger.entries", "ledger.balances", "imports.events", "imports.state"),
    *("invoices.events", "invoices.state", "invoices.documents"),
    *(f"{group}.dead-letters" for group in ("authorizer", "ledger", "importer", "invoicer")),
)


def new_id() -> str:
    return str(uuid.uuid4())


def now(**shift: float) -> str:
    return (datetime.now(UTC) + timedelta(**shift)).isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One record that was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]
    body: Json

    @property
    def same(self) -> tuple[object, ...]:
        """What must be equal, byte for byte, in an answer's repetition."""
        return (self.key, self.value, self.headers.get("ce_id"), self.headers.get("ce_time"))


class Wire:
    """Says messages and keeps all that is answered since it was opened."""

    def __init__(self, kafka: str) -> None:
        self.seen: list[Seen] = []
        self._news = asyncio.Condition()
        self._consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
        self._producer = AIOKafkaProducer(
            bootstrap_servers=kafka, acks="all", linger_ms=2, max_request_size=4 << 20
        )
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        await self._producer.start()
        parts = []
        for topic in READ:
            known = await self._producer.partitions_for(topic)
            parts += [TopicPartition(topic, number) for number in known]
        self._consumer.assign(parts)
        await self._consumer.seek_to_beginning(*parts)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
        await self._producer.stop()
        await self._consumer.stop()

    async def _read(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=200, max_records=5000)
            for where, records in batches.items():
                for record in records:
                    self.seen.append(read(where.topic, record))
            if batches:
                async with self._news:
                    self._news.notify_all()

    async def say(
        self,
        topic: str,
        body: Json | bytes,
        *,
        partition: int | None = None,
        key: bytes | None = None,
    ) -> None:
        """Put a message on some partition of a topic; not yet acknowledged when `flush` is due."""
        value = body if isinstance(body, bytes) else json.dumps(body).encode()
        if partition is None:
            partition = random.choice(await self.partitions(topic))
        await self._producer.send(topic, value, key=key, partition=partition)

    async def partitions(self, topic: str) -> list[int]:
        return sorted(await self._producer.partitions_for(topic))

    async def flush(self) -> None:
        await self._producer.flush()

    def find(self, want: Callable[[Json], bool] | None = None, **fields: object) -> list[Seen]:
        """What was read and has these fields."""
        return [
            one
            for one in self.seen
            if all(one.body.get(name) == value for name, value in fields.items())
            and (want is None or want(one.body))
        ]

    def events(self, kind: str, env: int) -> list[Json]:
        """All events of a type, each once however often it was said."""
        found = self.find(type=kind, environment=env)
        answers = {one.headers["ce_id"]: one.body for one in found if "ce_id" in one.headers}
        return list(answers.values())

    async def wait(
        self,
        want: Callable[[Json], bool] | None = None,
        *,
        n: int = 1,
        within_s: float = 60,
        **fields: object,
    ) -> list[Seen]:
        """Wait until at least n records with these fields were read, and give all of them."""
        deadline = time.monotonic() + within_s
        while True:
            if len(found := self.find(want, **fields)) >= n:
                return found
            left = deadline - time.monotonic()
            assert left > 0, f"{len(found)} of {n} in {within_s} s: {fields}"
            async with self._news:
                try:
                    await asyncio.wait_for(self._news.wait(), min(left, 1))
                except TimeoutError:
                    continue

    async def command(self, body: Json) -> Json:
        """A registry command, and its outcome."""
        return await self._ask("registry.commands", "command_id", body)

    async def finance(self, body: Json, id_field: str = "command_id") -> Json:
        """A command to the invoicer, and its outcome."""
        return await self._ask("invoices.commands", id_field, body)

    async def run(self, env: int, period: str, **more: object) -> Json:
        """A run, and how it completed (or why it was refused)."""
        run_id = str(more.pop("run_id", new_id()))
        body = {"type": "invoices.run", "run_id": run_id, "environment": env, "period": period}
        await self.say(
            "invoices.commands", {**body, "mode": "issue", "send": False, "by": "x", **more}
        )
        found = await self.wait(
            lambda b: (
                (b.get("type") == "run.completed" and b["run_id"] == run_id)
                or (b.get("type") == "command.refused" and b["command_id"] == run_id)
            ),
            environment=env,
            within_s=60,
        )
        return found[-1].body

    async def _ask(self, topic: str, id_field: str, body: Json) -> Json:
        body = {id_field: new_id(), "at": now(), "by": "outside", **body}
        await self.say(topic, body)
        found = await self.wait(
            lambda b: b.get("type") in ("command.applied", "command.refused"),
            command_id=str(body[id_field]).lower(),
            environment=body["environment"],
        )
        return found[0].body

    async def venue(self, env: int, **settings: object) -> None:
        """A venue that is open for sale and may invoice."""
        legal = {
            **{"name": "Outside", "legal_name": "Outside B.V.", "street": "Kade 1"},
            **{"postcode": "1011 AB", "city": "Amsterdam", "country": "NL"},
            **{"vat_number": "NL856432106B01", "chamber_number": "66221355"},
            **{"iban": "NL91ABNA0417164300", "currency": "EUR"},
            **{"time_zone": "Europe/Amsterdam", "language": "en", "finance_email": "fin@v.example"},
        }
        for body in (
            {"type": "environment.configure", **legal, **settings},
            {"type": "environment.accept_gdpr", "accepted_by": "x", "document": "v1"},
            {"type": "environment.activate"},
        ):
            got = await self.command({"environment": env, **body})
            assert got["type"] == "command.applied", got

    async def account(self, env: int, account: str, **fields: object) -> None:
        """An account that may be charged; with `limit`, else without one."""
        body = {"type": "account.open", "environment": env, "account": account, "limit": None}
        got = await self.command({**body, "on_account": True, "in_overview": True, **fields})
        assert got["type"] == "command.applied", got

    async def customer(self, env: int, **fields: object) -> str:
        """A customer; gives their id."""
        customer_id = new_id()
        body = {"type": "customer.register", "environment": env, "customer_id": customer_id}
        got = await self.command({**body, **fields})
        assert got["type"] == "command.applied", got
        return customer_id

    async def sale(self, body: Json, *, n: int = 1) -> Seen:
        """Say a sale and give the last answer to it."""
        await self.say("pos.sales", body)
        had = len(self.find(_decision, sale_id=body["sale_id"].lower()))
        found = await self.wait(_decision, sale_id=body["sale_id"].lower(), n=had + n)
        return found[-1]


def _decision(body: Json) -> bool:
    return body.get("type") in ("sale.approved", "sale.declined")


def sale(env: int, account: str, *lines: tuple[str, int, str], **more: object) -> Json:
    """A sale.requested; a line is (quantity, unit price, VAT rate)."""
    made = [line(*one) for one in lines or [("1", 100, "21")]]
    return {
        **{"type": "sale.requested", "sale_id": new_id(), "environment": env},
        **{"terminal": "till-1", "account": account, "at": now(), "currency": "EUR"},
        **{"total": sum(one["total"] for one in made), "lines": made},
        **more,
    }


def line(quantity: str, unit_price: int, vat_rate: str) -> Json:
    total = round(float(quantity) * unit_price)
    return {
        **{"description": "x", "quantity": quantity, "unit_price": unit_price},
        **{"vat_rate": vat_rate, "total": total},
    }


def cancel(of: Json, **more: object) -> Json:
    """A sale.cancelled of all that is left of a sale."""
    return {
        **{"type": "sale.cancelled", "cancellation_id": new_id(), "sale_id": of["sale_id"]},
        **{"environment": of["environment"], "terminal": "till-1", "account": of["account"]},
        **{"at": now(), "reason": "cancelled"},
        **more,
    }


def read(topic: str, record: Any) -> Seen:
    try:
        body = json.loads(record.value) if record.value is not None else {}
    except (ValueError, RecursionError):
        body = {}
    return Seen(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value or b"",
        headers=dict(record.headers),
        body=body if isinstance(body, dict) else {},
    )
