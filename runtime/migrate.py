"""Ordered .sql migrations under an advisory lock, with checksums.

A service's schema gets the runtime's own migrations first, then the service's. Run twice it
changes nothing; two at once wait for one another; an applied migration that was changed since is
refused. Each file is one transaction.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from runtime.settings import SERVICES

# Any constant that no other program takes; the second key is the service.
LOCK = 0x6F6E6163
OLDEST = 17
"""PostgreSQL's oldest version that will do: MERGE ... RETURNING (docs/decisions/0092)."""
TRIES = 5


class MigrationRefused(Exception):
    """The migrations on disk do not continue those that were applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations(service: str) -> list[Migration]:
    """All migrations of a service's schema, in order."""
    found = []
    for prefix, package in (("runtime", "runtime"), (service, f"services.{service}")):
        folder = files(package).joinpath("sql/migrations")
        if not folder.is_dir():
            continue
        found += [
            Migration(name=f"{prefix}/{file.name}", text=file.read_text(encoding="utf-8"))
            for file in sorted(folder.iterdir(), key=lambda f: f.name)
            if file.name.endswith(".sql")
        ]
    return found


async def migrate(dsn: str, service: str) -> list[str]:
    """Bring one service's schema up to date; returns the names of what was applied.

    `dsn` is of a role that may become SERVICE_owner. Raises MigrationRefused where an applied
    migration differs from its file or a file is missing, and what asyncpg raises.
    """
    if service not in SERVICES:
        raise ValueError(f"no service is named {service}; there are {', '.join(SERVICES)}")
    return await bring_up(dsn, service, migrations(service))


async def bring_up(dsn: str, service: str, known: list[Migration]) -> list[str]:
    """As `migrate`, with the migrations given."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        refuse_older(service, connection.get_server_version().major)
        await connection.execute("SELECT pg_advisory_lock($1, hashtext($2))", LOCK, service)
        await connection.execute(f"SET ROLE {service}_owner")
        await connection.execute(f"SET search_path TO {service}")
        await connection.execute("SET client_min_messages TO warning")
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, "
            "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied = {
            r["name"]: r["checksum"]
            for r in await connection.fetch("SELECT name, checksum FROM migration")
        }
        _refuse(service, known, applied)
        new = [m for m in known if m.name not in applied]
        for migration in new:
            await _apply(connection, migration)
        return [m.name for m in new]
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    """In one transaction; again where it lost to workers that are serving meanwhile."""
    for left in reversed(range(TRIES)):
        try:
            async with connection.transaction():
                await connection.execute(migration.text)
                await connection.execute(
                    "INSERT INTO migration (name, checksum) VALUES ($1, $2)",
                    migration.name,
                    migration.checksum,
                )
        except asyncpg.DeadlockDetectedError:
            if not left:
                raise
        else:
            return


def refuse_older(service: str, major: int) -> None:
    """Raises MigrationRefused where PostgreSQL is of a version that has not all that is used."""
    if major < OLDEST:
        raise MigrationRefused(
            f"{service}: this is PostgreSQL {major}, and {OLDEST} or later is needed; see "
            "docs/deploying.md"
        )


def _refuse(service: str, known: list[Migration], applied: dict[str, str]) -> None:
    names = {m.name for m in known}
    for name in applied:
        if name not in names:
            raise MigrationRefused(
                f"{service}: migration {name} was applied to this database but is not among the "
                "files; run the version of onaccount that has it, or a newer one"
            )
    for migration in known:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise MigrationRefused(
                f"{service}: migration {migration.name} was changed after it was applied; put the "
                "file back as it was and write a new migration for the change"
            )
    new: dict[str, str] = {}  # by folder, the first that was not applied
    for migration in known:
        folder = migration.name.partition("/")[0]
        if migration.name not in applied:
            new.setdefault(folder, migration.name)
        elif folder in new:
            raise MigrationRefused(
                f"{service}: migration {new[folder]} comes before {migration.name}, which was "
                "applied already; give it a number after the last one"
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m runtime.migrate", description=__doc__)
    parser.add_argument("service", choices=SERVICES, nargs="*", default=list(SERVICES))
    names = parser.parse_args().service
    dsn = os.environ.get("ONACCOUNT_POSTGRES_ADMIN")
    if not dsn:
        sys.exit("set ONACCOUNT_POSTGRES_ADMIN to the DSN of a role that may become the owners")
    for name in names:
        try:
            done = asyncio.run(migrate(dsn, name))
        except (MigrationRefused, OSError, asyncpg.PostgresError) as error:
            sys.exit(f"{name}: {error}")
        sys.stdout.write(f"{name}: {', '.join(done) if done else 'up to date'}\n")


if __name__ == "__main__":
    main()
