"""The fixtures that tests/conftest.py gives to all tests."""

import uuid
from collections.abc import Awaitable, Callable, Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from cli.stack.postgres import Postgres
from tests.support import databases, run, servers
from tests.support.apart import run_apart
from tests.support.databases import Database
from tests.support.mails import MailServer
from tests.support.servers import Server

NewTopicName = Callable[..., Awaitable[str]]


@pytest.fixture(scope="session")
def kafka() -> str:
    """The address of a broker that the whole run shares: use topics and groups of your own."""
    this = run.current()

    def make() -> dict[str, object]:
        return servers.started(servers.new_kafka(this.new_folder("kafka")), this)

    return str(this.shared("kafka", make)["address"])


@pytest.fixture
def new_topic(kafka: str) -> NewTopicName:
    """`await new_topic(partitions=4, **{"cleanup.policy": "compact"})` gives a topic's name."""

    async def make(name: str = "test", *, partitions: int = 1, **config: str) -> str:
        topic = f"{name}.{uuid.uuid4().hex[:10]}"
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=config)])
        finally:
            await admin.close()
        return topic

    return make


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[Server]:
    """A running broker of this module's own, with no topics, which may be killed."""
    this = run.current()
    server = Server(servers.new_kafka(this.new_folder("own-kafka")), this)
    run_apart(server.start())
    yield server
    run_apart(server.stop())


@pytest.fixture(scope="session")
def postgres_server() -> Postgres:
    """A database server that the whole run shares, without fsync."""
    this = run.current()

    def make() -> dict[str, object]:
        log = this.new_folder("postgres") / "postgres.log"
        server = servers.new_postgres(this.memory_folder(), log=log, max_wal_size="256MB")
        facts = servers.started(server, this)
        run_apart(databases.make_template(server))
        return {**facts, "folder": str(server.folder), "port": server.port}

    facts = this.shared("postgres", make)
    folder = this.folder / "unused"
    return Postgres(
        folder=folder,
        port=facts["port"],
        password=servers.ADMIN_PASSWORD,
        log=folder / "postgres.log",
    )


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Database]:
    """A fresh database of this test's own: all schemas, migrated; `.dsn("ledger")`, `.admin`."""
    database = run_apart(databases.copy_template(postgres_server))
    yield database
    run_apart(databases.drop(postgres_server, database))


@pytest.fixture(scope="module")
def module_postgres(postgres_server: Postgres) -> Iterator[Database]:
    """A fresh database that all tests of a module share."""
    database = run_apart(databases.copy_template(postgres_server))
    yield database
    run_apart(databases.drop(postgres_server, database))


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Server]:
    """A running server of this module's own, which may be killed; with fsync.

    `databases.described(server.component, databases.TEMPLATE)` is its migrated database.
    """
    this = run.current()
    component = servers.new_postgres(this.new_folder("own-postgres"), fsync=True)
    server = Server(component, this)
    run_apart(server.start())
    run_apart(databases.make_template(component))
    yield server
    run_apart(server.stop())


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    """A mail server in this process: `.address`, `.mails`, `.answers`, `.stop()`, `.start()`."""
    server = MailServer()
    server.start()
    yield server
    server.close()
