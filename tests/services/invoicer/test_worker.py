"""The whole worker on a real broker, database and mail server: from decisions to the mail; and what
it told then, held against its register.

Method of the second: each case changes a copy of the database that the worker wrote, so that it
agrees with itself, and has it audited against that broker.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import SecretStr

from cli.stack.postgres import Postgres
from runtime import topics
from runtime.reading import Log
from runtime.settings import KafkaSettings
from runtime.worker import Worker
from schemas.wire import encode
from services.invoicer.__main__ import build
from services.invoicer.settings import Settings
from services.invoicer.told import TOPICS
from services.invoicer.verify import audit
from tests.services.invoicer.test_corrections import correct
from tests.services.invoicer.test_payments import payment, refund
from tests.services.invoicer.world import (
    BEER,
    ENV,
    LUNCH,
    account,
    asked,
    customer,
    environment,
    new_id,
    nth,
    reversal,
    sale,
)
from tests.support import databases
from tests.support.apart import run_apart
from tests.support.databases import Database
from tests.support.mails import MailServer
from tests.support.servers import Server
from tests.support.serving import serving


def working(kafka: str, dsn: str, smtp: str) -> AbstractAsyncContextManager[Worker]:
    settings = Settings(kafka=kafka, postgres=SecretStr(dsn), smtp=smtp, session_timeout_ms=6000)
    return serving(build(settings))


async def send(kafka: str, topic: str, *messages: Any) -> None:
    """Across the partitions, so that messages come in any order."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        sending = [
            await producer.send(topic, encode(message), key=b"%d" % number, partition=number % 4)
            for number, message in enumerate(messages)
        ]
        await asyncio.gather(*sending)


async def events(kafka: str, topic: str, kind: str, until: int) -> list[dict[str, Any]]:
    """Events of a kind, told apart by their ids; what there is after 90 s at the latest."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    found: dict[bytes, dict[str, Any]] = {}
    deadline = time.monotonic() + 90
    try:
        while len(found) < until and time.monotonic() < deadline:
            for records in (await consumer.getmany(timeout_ms=300)).values():
                for record in records:
                    headers = dict(record.headers)
                    if headers["ce_type"].decode() == kind:
                        found[headers["ce_id"]] = json.loads(record.value)
    finally:
        await consumer.stop()
    return list(found.values())


@dataclass(frozen=True, kw_only=True)
class Told:
    """What came of it all: events by type, what the mail server has, and the database."""

    kafka: str
    database: Database
    completed: dict[str, Any]
    issued: list[dict[str, Any]]
    sent: list[dict[str, Any]]
    states: list[dict[str, Any]]
    message_ids: list[str]


async def write_and_tell(kafka: str, database: Database, smtp: MailServer) -> Told:
    """A run over decisions that came in any order and twice; then payments and a correction."""
    await topics.apply({"bootstrap_servers": kafka})
    names = [f"A{i}" for i in range(6)]
    ids = [new_id() for _ in names]
    sales = [sale(name, BEER, LUNCH) for name in names for _ in range(20)]
    gone = [reversal(one) for one in sales[::10]]
    await send(kafka, "invoices.commands", asked())  # before anything else is even read
    await send(kafka, "pos.decisions", *gone, *sales, *sales[:30], *gone)
    await send(
        kafka,
        "registry.state",
        environment(),
        *(customer(one) for one in ids),
        *(account(name, one) for name, one in zip(names, ids, strict=True)),
    )
    async with working(kafka, database.dsn("invoicer"), smtp.address) as worker:
        (completed,) = await events(kafka, "invoices.events", "run.completed", 1)
        sent = await events(kafka, "invoices.events", "invoice.sent", 6)
        issued = await events(kafka, "invoices.events", "invoice.issued", 6)
        states = await events(kafka, "invoices.state", "invoice.state", 12)
        ids = [one["invoice_id"] for one in issued]
        mistaken = payment(50, invoice_id=ids[0])
        received = payment(2_000, invoice_id=ids[0])
        await send(kafka, "invoices.commands", received, mistaken)
        await events(kafka, "invoices.events", "payment.received", 2)
        back = refund(50, invoice_id=ids[0], reverses=mistaken.payment_id)
        await send(kafka, "invoices.commands", back, correct(ids[1], reason="moved"))
        await events(kafka, "invoices.events", "payment.refunded", 1)
        await events(kafka, "invoices.events", "credit_note.sent", 1)
        await events(kafka, "invoices.events", "invoice.sent", 7)
        await asyncio.wait_for(asyncio.gather(*(lane.idle() for lane in worker.lanes)), 15)
    return Told(
        kafka=kafka,
        database=database,
        completed=completed,
        issued=issued,
        sent=sent,
        states=states,
        message_ids=[mail["Message-ID"] for mail in smtp.mails],
    )


@pytest.fixture(scope="module")
def told(own_kafka: Server, module_postgres: Database) -> Iterator[Told]:
    """What the worker wrote and told; nothing is at work any more."""
    smtp = MailServer()
    smtp.start()
    yield run_apart(write_and_tell(own_kafka.address, module_postgres, smtp))
    smtp.close()


def test_a_run_bills_every_decision_that_was_there_when_it_was_asked(told: Told) -> None:
    done = told.completed
    assert (done["environment"], done["issued"], done["sent"]) == (ENV, 6, 6)
    assert done["total"] == 6 * 18 * 1950
    assert sorted(i["number"] for i in told.issued) == [nth(n) for n in range(1, 7)]
    # One may come twice, with its id, where PostgreSQL was slow to take note that it went.
    assert len(told.sent) == 6
    assert len(set(told.message_ids)) == 8  # a credit note and a new invoice followed
    assert {s["status"] for s in told.states} >= {"issued", "sent"}


# --- held against the register ------------------------------------------------------------------


@pytest.fixture
def register(told: Told, postgres_server: Postgres) -> Iterator[Database]:
    """A copy of its database, to be damaged."""
    database = run_apart(databases.copy_template(postgres_server, told.database.name))
    yield database
    run_apart(databases.drop(postgres_server, database))


async def look(
    told: Told, database: Database, *, settled: timedelta = timedelta(0), number: int | None = None
) -> dict[str, Any]:
    """The audit against the topics; and that nothing was wrong by the register alone."""
    log = Log(KafkaSettings(kafka=told.kafka), TOPICS)
    connection = await asyncpg.connect(database.dsn("invoicer"))
    try:
        assert (await audit(connection, number))["problems"] == []
        async with log:
            return await audit(connection, number, log=log, settled=settled)
    finally:
        await connection.close()


async def damage(database: Database, *statements: str) -> None:
    """Do to the invoicer's schema what only a superuser can, who minds no guard."""
    connection = await asyncpg.connect(database.admin)
    try:
        await connection.execute(
            "SET search_path TO invoicer; SET session_replication_role TO replica"
        )
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_what_was_told_is_what_the_register_has(told: Told, register: Database) -> None:
    found = await look(told, register)
    assert found["ok"], found["problems"]
    counts = found["held"]
    # Six invoices and one more, a credit note, two payments, a refund; each at least once.
    assert counts["records"]["invoices.events"] >= 11
    assert counts["records"]["invoices.state"] >= 7
    assert (counts["unreadable"], counts["older"], counts["on_their_way"]) == (0, 0, 0)
    alone = await look(told, register, number=ENV)
    assert alone["held"] == counts


LAST = "number = (SELECT max(number) FROM invoice)"
DAMAGE = {
    "an invoice of another month": (
        f"UPDATE invoice SET period = '2026-06' WHERE {LAST}",
        {"its invoice was told with another period"},
    ),
    "payments that are gone": (
        "DELETE FROM payment; UPDATE invoice SET paid = 0",
        {"the payment", "the refund", "was told and is not in the register"},
    ),
    "a refund of less": (
        "UPDATE payment SET amount = -40 WHERE amount < 0; "
        "UPDATE invoice SET paid = paid + 10 WHERE paid > 0",
        {"its refund ", " was told with another amount", "was told with another paid"},
    ),
    "a credit note that frees nothing": (
        "UPDATE credit_note SET frees = NOT frees",
        {"its credit note was told with another frees"},
    ),
    "a state that was never told": (
        f"UPDATE invoice SET version = version + 1, due_on = due_on + 1 WHERE {LAST}",
        {"its invoice was told with another due_on", "was never told on invoices.state"},
    ),
    "a state of a version that is no more": (
        f"UPDATE invoice SET version = version - 1 WHERE {LAST}",
        {"was told,", "is kept"},
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
async def test_a_register_that_agrees_with_itself_and_not_with_what_was_told_is_found_out(
    told: Told, register: Database, case: str
) -> None:
    change, words = DAMAGE[case]
    await damage(register, change)
    found = await look(told, register)
    assert not found["ok"]
    said = " | ".join(problem["problem"] for problem in found["problems"])
    assert [one for one in words if one not in said] == [], said
    assert {problem["environment"] for problem in found["problems"]} == {ENV}


async def test_what_was_paid_and_never_told_is_late_or_on_its_way(
    told: Told, register: Database
) -> None:
    """A crash between commit and publish leaves this for a moment, a log put back for good. Each
    payment of an invoice is named."""
    ids = [new_id() for _ in range(3)]
    await damage(
        register,
        "INSERT INTO payment (environment, payment_id, invoice_id, amount, received_at, method, "
        "recorded_by, open) SELECT environment, paid_as, invoice_id, 7, now(), 'bank', 'f', 0 "
        f"FROM invoice, unnest('{{{','.join(ids)}}}'::uuid[]) AS paid_as WHERE paid > 0",
        "UPDATE invoice SET paid = paid + 21 WHERE paid > 0",
    )
    never = {f"its payment {one} was never told on invoices.events" for one in ids}
    late = await look(told, register)
    assert never <= {one["problem"] for one in late["problems"]}
    soon = await look(told, register, settled=timedelta(hours=1))
    assert not never & {one["problem"] for one in soon["problems"]}
    assert soon["held"]["on_their_way"] == 3
