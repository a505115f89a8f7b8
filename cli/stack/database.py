"""Makes the database of a stack ready: roles, schemas, and each service's migrations."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from cli.stack.postgres import DATABASE, SERVICES, Postgres
from cli.trouble import Trouble

ROLES_SQL = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "roles.sql"
# A role's password can't be given as a parameter: the server writes the statement for us.
TELL_ROLE = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"


async def make_database(
    server: Postgres, passwords: Mapping[str, str], name: str = DATABASE
) -> None:
    """Make a database that all services can work in; again changes nothing.

    `server` runs; `passwords` is {service: password of its login role}.
    """
    await create_database(server, name)
    await prepare_database(server.dsn(name), passwords)
    await migrate(server.dsn(name))


async def create_database(server: Postgres, name: str = DATABASE) -> None:
    """Make an empty database, unless it is there."""
    import asyncpg

    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


async def prepare_database(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    """Make the services' roles and schemas, and set the login roles' passwords.

    `admin_dsn` is a superuser's, of the database that is meant; again changes nothing.
    """
    import asyncpg

    roles = await asyncio.to_thread(ROLES_SQL.read_text, encoding="utf-8")
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute(roles)
        for role, password in passwords.items():
            await connection.execute(await connection.fetchval(TELL_ROLE, role, password))
    finally:
        await connection.close()


async def migrate(admin_dsn: str) -> None:
    """Run each service's migrations; raises Trouble where the database has others than we have."""
    from runtime.migrate import MigrationRefused
    from runtime.migrate import migrate as migrate_one

    for service in SERVICES:
        try:
            await migrate_one(admin_dsn, service)
        except MigrationRefused as refused:
            raise Trouble(f"{refused}.") from refused
