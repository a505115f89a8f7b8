"""Fixtures of the edge's tests."""

import pytest

from tests.runtime.rig import Rig
from tests.support.apart import run_apart
from tests.support.databases import Database
from tests.support.servers import Server


@pytest.fixture(scope="module")
def rig(own_kafka: Server, module_postgres: Database) -> Rig:
    """A broker and a database of the module's own, with topics and the toy's tables."""
    rig = Rig(own_kafka.address, module_postgres.admin, module_postgres.dsn("ledger"))
    run_apart(rig.prepare())
    return rig
