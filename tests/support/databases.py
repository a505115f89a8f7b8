"""Databases for tests: each a fresh copy of one with all roles, schemas and migrations."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from cli.stack.database import make_database
from cli.stack.postgres import SERVICES, Postgres

TEMPLATE = "migrated"
PASSWORDS = {service: f"tests-only-{service}" for service in SERVICES}


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database of one test."""

    name: str
    admin: str
    dsns: Mapping[str, str]

    def dsn(self, service: str) -> str:
        """What that service's worker would be given: its login role, with its grants only."""
        return self.dsns[service]


def described(server: Postgres, name: str) -> Database:
    """A database of a server, with how to reach it."""
    dsns = {
        service: server.dsn(name, user=service, password=PASSWORDS[service]) for service in SERVICES
    }
    return Database(name=name, admin=server.dsn(name), dsns=dsns)


async def make_template(server: Postgres) -> None:
    """Make the database that the others are copied from."""
    await make_database(server, PASSWORDS, TEMPLATE)


async def copy_template(server: Postgres, template: str = TEMPLATE) -> Database:
    """A fresh database; or a copy of another to which nobody is connected, to be damaged."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        # The rights on a database are not copied with it.
        await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        await connection.execute(f"GRANT CONNECT ON DATABASE {name} TO {', '.join(SERVICES)}")
    finally:
        await connection.close()
    return described(server, name)


async def drop(server: Postgres, database: Database) -> None:
    """Take it away, whoever is still connected."""
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")
    finally:
        await connection.close()
