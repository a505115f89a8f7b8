"""Fixtures of the edge's tests."""

from collections.abc import Iterator

import pytest

from cli.stack.postgres import Postgres
from tests.runtime.rig import Rig
from tests.support import databases, run, servers
from tests.support.apart import run_apart
from tests.support.servers import Server


@pytest.fixture(scope="session")
def edge_kafka() -> Iterator[Server]:
    """A broker for all of these tests, with all topics; it may be killed, and is started again."""
    this = run.current()
    server = Server(servers.new_kafka(this.new_folder("edge-kafka")), this)
    run_apart(server.start())
    yield server
    run_apart(server.stop())


@pytest.fixture(scope="session")
def rig(edge_kafka: Server, postgres_server: Postgres) -> Iterator[Rig]:
    """That broker, and a database with the toy's tables."""
    database = run_apart(databases.copy_template(postgres_server))
    rig = Rig(edge_kafka.address, database.admin, database.dsn("ledger"))
    run_apart(rig.prepare())
    yield rig
    run_apart(databases.drop(postgres_server, database))


@pytest.fixture(scope="module")
def frail(edge_kafka: Server, own_postgres: Server, rig: Rig) -> Rig:
    """As rig, with a database server that may be killed; in the place of the invoicer."""
    return _on(own_postgres, edge_kafka, "invoicer")


@pytest.fixture(scope="module")
def restorable(edge_kafka: Server, own_postgres: Server, rig: Rig) -> Rig:
    """As frail, in the place of the importer: its store may be put back."""
    return _on(own_postgres, edge_kafka, "importer")


def _on(server: Server, kafka: Server, service: str) -> Rig:
    component = server.component
    assert isinstance(component, Postgres)
    database = run_apart(databases.copy_template(component))
    one = Rig(kafka.address, database.admin, database.dsn(service), service=service)
    run_apart(one.prepare())
    return one
