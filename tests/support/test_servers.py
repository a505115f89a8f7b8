"""The servers that other tests stand on are real, and each test has its own part of them."""

import time
from email.message import EmailMessage

import aiosmtplib
import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from cli.stack.postgres import SERVICES
from tests.support.databases import Database
from tests.support.mails import MailServer


async def test_a_record_goes_through_the_shared_broker(kafka, new_topic) -> None:
    topic = await new_topic(partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=3_000_000) as producer:
        await producer.send_and_wait(topic, b"x" * 2 * 1024 * 1024)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with consumer:
        record = await consumer.getone()
    assert len(record.value) == 2 * 1024 * 1024
    assert abs(record.timestamp / 1000 - time.time()) < 60


@pytest.mark.parametrize("service", SERVICES)
async def test_a_login_role_sees_its_own_schema_only(postgres: Database, service: str) -> None:
    connection = await asyncpg.connect(postgres.dsn(service))
    try:
        assert await connection.fetchval("SELECT current_schema()") == service
        seen = await connection.fetch(
            "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(oid, 'USAGE')"
            " AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
        )
        assert [row["nspname"] for row in seen] == [service]
        for refused in (
            "CREATE TABLE mine (id int)",
            "CREATE TEMP TABLE mine (id int)",
            "CREATE SCHEMA mine",
            f"SET ROLE {service}_owner",
            "SET ROLE postgres",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(refused)
    finally:
        await connection.close()


async def test_a_wrong_password_is_refused(postgres: Database) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn("ledger").replace("tests-only", "guessed"))


async def test_a_mail_arrives_and_a_refused_recipient_is_refused(smtp: MailServer) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "één"
    mail.set_content("tot ziens")
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=smtp.port)
    smtp.answers["c@example.org"] = "550 5.1.1 no such user"
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await aiosmtplib.send(
            mail, hostname="127.0.0.1", port=smtp.port, recipients=["c@example.org"]
        )
    assert [one["Subject"] for one in smtp.mails] == ["één"]
    assert smtp.recipients == [["b@example.org"]]
