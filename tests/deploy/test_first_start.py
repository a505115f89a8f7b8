"""The order of a first start on a cluster, as docs/deploying.md has it, on a real Kafka that asks
who one is, over TLS, and a real PostgreSQL: roles, passwords, migrations, grants, topics, workers.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import certifi
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from pydantic import SecretStr

from cli.client import Client
from cli.messages import answer_topics, command
from cli.stack.ports import free_port
from cli.stack.postgres import ADMIN, DATABASE, Postgres, binaries
from cli.stack.worker import Worker
from cli.till import TILL_TOPICS, Till, line
from deploy.kafka.acls import PEOPLE, SCRIPT
from runtime.edge.watch import Watch
from runtime.faults import describe
from runtime.settings import SERVICES, KafkaSettings
from tests.deploy.files import DEPLOY
from tests.deploy.secured import SecuredKafka, allow, asked, stand_in
from tests.support import run, servers
from tests.support.apart import run_apart
from tests.support.servers import Server

ENVIRONMENT = 2890


@dataclass(frozen=True, kw_only=True)
class Site:
    """The servers of a cluster, and the folder where things of this test lie."""

    folder: Path
    kafka: SecuredKafka
    postgres: Postgres

    def as_login(self, login: str) -> KafkaSettings:
        """How this login reaches Kafka."""
        fields = self.kafka.environment(login).items()
        return KafkaSettings(**{n.removeprefix("ONACCOUNT_").lower(): v for n, v in fields})  # type: ignore[arg-type]

    def run(self, *words: str | Path, **environment: str) -> str:
        """Run an administrator's command; it must succeed."""
        done = subprocess.run(
            [str(word) for word in words],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def onaccount(self, *words: str, **environment: str) -> str:
        """The command line."""
        return self.run(sys.executable, "-m", "cli", *words, **environment)


def password(service: str) -> str:
    return f"it's {service}'s"  # psql quotes what needs it


def make_database(site: Site) -> None:
    """Roles, passwords, migrations: what the compose file's roles and migrate do."""
    server, folder = site.postgres, DEPLOY / "postgres"
    site.run(
        binaries() / "psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1",
        "--file", folder / "roles.sql", "--file", folder / "passwords.sql",
        PGHOST="127.0.0.1", PGPORT=str(server.port), PGUSER=ADMIN, PGPASSWORD=server.password,
        PGDATABASE=DATABASE, PGOPTIONS="-c log_statement=all -c log_min_duration_statement=0 "
        "-c log_transaction_sample_rate=1",
        **{f"PASSWORD_{s.upper()}": password(s) for s in SERVICES},
    )  # fmt: skip
    site.onaccount("migrate", ONACCOUNT_POSTGRES_ADMIN=server.dsn())


def make_topics(site: Site) -> None:
    """Grants by a super user, then the topics by the operator."""
    stand_in(site.folder)
    file = site.folder / "asked"
    path = f"{site.folder}:{os.environ['PATH']}"
    site.run("sh", SCRIPT, PATH=path, ACLS_ASKED=str(file))
    run_apart(allow(site.kafka.address, asked(file)))
    site.onaccount("topics", "apply", **site.kafka.environment("operator"))


def role(site: Site, service: str) -> str:
    """The DSN of a service's role."""
    return site.postgres.dsn(user=service, password=password(service).replace(" ", "%20"))


def worker(site: Site, service: str) -> Server:
    """A worker under its own login in Kafka and its own role in PostgreSQL."""
    component = Worker(
        name=service,
        service=service,
        health_port=free_port(),
        environment={
            **site.kafka.environment(service),
            f"ONACCOUNT_POSTGRES_{service.upper()}": role(site, service),
        },
        log=site.folder / f"{service}.log",
    )
    return Server(component)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """All that a first start makes, with the four workers serving."""
    folder = run.current().new_folder("first-start")
    ports: set[int] = set()
    for _ in range(3):
        ports.add(free_port(taken=ports))
    first, second, third = ports
    kafka = SecuredKafka(
        folder=folder / "kafka",
        port=first,
        controller_port=second,
        sasl_port=third,
        log=folder / "kafka.log",
        logins=(*SERVICES, *PEOPLE, "till"),
    )
    by_default = {"log_min_error_statement": "error", "log_error_verbosity": "default"}
    postgres = servers.new_postgres(folder, **by_default)
    made = Site(folder=folder, kafka=kafka, postgres=postgres)
    running = [Server(made.kafka), Server(made.postgres)]

    async def together(many: list[Server]) -> None:
        await asyncio.gather(*(one.start() for one in many))

    async def both() -> None:
        await asyncio.gather(
            asyncio.to_thread(make_database, made), asyncio.to_thread(make_topics, made)
        )

    try:
        run_apart(together(running))
        run_apart(create_database(made.postgres))
        run_apart(both())
        workers = [worker(made, service) for service in SERVICES]
        running += workers
        run_apart(together(workers))
        yield made
    finally:
        run_apart(end(workers=running[2:], servers=running[:2]))


async def end(*, workers: list[Server], servers: list[Server]) -> None:
    await asyncio.gather(*(one.stop() for one in workers))
    # Nobody wants their data any more.
    await asyncio.gather(*(one.kill() for one in servers if one.process))


async def create_database(server: Postgres) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


async def test_a_sale_goes_from_till_to_books_with_each_under_its_own_login(site: Site) -> None:
    orders: list[tuple[str, dict[str, Any]]] = [
        ("environment.configure", {"name": "De Kantine"}),
        ("environment.accept_gdpr", {"accepted_by": "M. de Vries", "document": "v3"}),
        ("environment.activate", {}),
        ("account.open", {"account": "28900001", "limit": 10_000, "on_account": True}),
    ]
    heard = answer_topics(*(kind for kind, _ in orders))
    async with Client(site.as_login("administrator"), listen=heard) as administrator:
        for kind, fields in orders:
            order = command(kind, ENVIRONMENT, **fields)
            reply = await administrator.ask(order, timeout_s=20)
            assert reply.message["type"] == "command.applied", reply.message
    async with Client(site.as_login("till"), listen=TILL_TOPICS) as client:
        till = Till(client, environment=ENVIRONMENT, terminal="bar-1")
        sold = await till.sell("28900001", [line("Pils", 350, "21", quantity="2")])
    assert sold.message["type"] == "sale.approved"
    async with asyncio.timeout(90), Client(site.as_login("finance")) as finance:
        while not (entries := await finance.read("ledger.entries")):
            await asyncio.sleep(0.1)
    assert [one.message["source_id"] for one in entries] == [sold.message["sale_id"]]


async def test_the_ledger_reads_decisions_and_can_neither_sell_nor_look_elsewhere(
    site: Site,
) -> None:
    client = site.as_login("ledger").client()
    decisions = TopicPartition("pos.decisions", 0)
    async with AIOKafkaConsumer(**client, enable_auto_commit=False) as reader:
        assert decisions in await reader.end_offsets([decisions])
    async with AIOKafkaProducer(**client) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await asyncio.wait_for(producer.send_and_wait("pos.sales", b"{}"), 10)
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        seen = await admin.describe_topics(["pos.decisions", "pos.terminals"])
        codes = {one["topic"]: one["error_code"] for one in seen}
        refused = TopicAuthorizationFailedError.errno
        assert codes == {"pos.decisions": 0, "pos.terminals": refused}
        with pytest.raises(GroupAuthorizationFailedError):
            await admin.list_consumer_group_offsets("authorizer")
        assert await admin.list_consumer_group_offsets("ledger") is not None
    finally:
        await admin.close()


async def test_a_service_sees_no_other_services_tables_and_changes_no_journal(site: Site) -> None:
    connection = await asyncpg.connect(role(site, "ledger"))
    try:
        for statement in ("SELECT FROM authorizer.account", "DELETE FROM entry"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


def test_a_first_start_that_is_repeated_changes_nothing(site: Site) -> None:
    make_database(site)
    operator = site.kafka.environment("operator")
    assert "as the table says" in site.onaccount("topics", "diff", **operator)


def test_a_server_that_logs_all_statements_logs_no_password(site: Site) -> None:
    logged = site.postgres.log.read_text(encoding="utf-8")
    assert "CREATE ROLE" in logged
    assert "PASSWORD" not in logged


async def test_of_a_services_statement_that_fails_a_server_logs_neither_row_nor_text(
    site: Site,
) -> None:
    connection = await asyncpg.connect(role(site, "ledger"))
    try:
        with pytest.raises(asyncpg.NotNullViolationError, match="ref"):
            await connection.execute("INSERT INTO job (kind) VALUES ('Jansen')")
    finally:
        await connection.close()
    logged = site.postgres.log.read_text(encoding="utf-8")
    assert 'ERROR:  null value in column "ref"' in logged
    assert "Jansen" not in logged


def test_without_its_password_a_role_is_refused_and_no_other_changes(site: Site) -> None:
    with pytest.raises(AssertionError, match="syntax error"):
        site.run(
            binaries() / "psql", "--no-psqlrc", "--quiet",
            "--file", DEPLOY / "postgres" / "passwords.sql", site.postgres.dsn(),
            PASSWORD_AUTHORIZER="another",
        )  # fmt: skip
    run_apart(connects(role(site, "authorizer")))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"kafka_password": SecretStr("wrong")}, "SaslAuthenticationFailed"),
        ({"kafka_sasl_mechanism": "PLAIN"}, "UnsupportedSaslMechanismError"),
        ({"kafka_ca_file": certifi.where()}, "CERTIFICATE_VERIFY_FAILED"),
    ],
)
async def test_a_broker_that_lets_us_not_in_or_is_not_ours_is_not_spoken_to_and_says_why(
    site: Site, wrong: dict[str, Any], why: str
) -> None:
    watch = Watch(site.as_login("ledger").model_copy(update=wrong).client(), "ledger")
    with pytest.raises(KafkaConnectionError) as told:
        await watch.topics()
    assert why in describe(told.value)
    assert "wrong" not in describe(told.value)


async def connects(dsn: str) -> None:
    await (await asyncpg.connect(dsn)).close()
