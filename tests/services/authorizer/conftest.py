"""An empty database for each test: the module's, emptied, which is quicker than a new one."""

import asyncpg
import pytest

from tests.support.apart import run_apart
from tests.support.databases import Database

EMPTY = """
    SELECT 'TRUNCATE ' || string_agg(format('authorizer.%I', tablename), ', ') || ' CASCADE'
    FROM pg_tables WHERE schemaname = 'authorizer' AND tablename <> 'migration'
"""


async def empty(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(await connection.fetchval(EMPTY))
    finally:
        await connection.close()


@pytest.fixture
def postgres(module_postgres: Database) -> Database:
    """The module's database, with nothing in the authorizer's tables."""
    run_apart(empty(module_postgres.admin))
    return module_postgres
