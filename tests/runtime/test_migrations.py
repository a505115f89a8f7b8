"""Migrations: twice changes nothing, two at once are safe, what was changed or lost is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from runtime import migrate as module
from runtime.migrate import (
    OLDEST,
    Migration,
    MigrationRefused,
    bring_up,
    migrate,
    refuse_older,
)
from runtime.sql import statements
from tests.support.databases import Database


def files(*texts: str) -> list[Migration]:
    return [Migration(name=f"ledger/{n:04}.sql", text=t) for n, t in enumerate(texts, 1)]


ONE = "CREATE TABLE one (id int PRIMARY KEY); SELECT pg_sleep(0.2);"
TWO = "CREATE TABLE two (id int PRIMARY KEY);"


async def applied(database: Database) -> list[str]:
    connection = await asyncpg.connect(database.admin)
    try:
        rows = await connection.fetch("SELECT name FROM ledger.migration ORDER BY applied_at, name")
        return [r["name"] for r in rows]
    finally:
        await connection.close()


@pytest.fixture
async def empty(postgres: Database) -> Database:
    """A database whose ledger schema was never brought up."""
    connection = await asyncpg.connect(postgres.admin)
    await connection.execute(
        "DROP SCHEMA ledger CASCADE; CREATE SCHEMA ledger AUTHORIZATION ledger_owner;"
        "GRANT USAGE ON SCHEMA ledger TO ledger"
    )
    await connection.close()
    return postgres


async def test_run_twice_it_changes_nothing(empty: Database) -> None:
    assert await bring_up(empty.admin, "ledger", files(ONE, TWO)) == [
        "ledger/0001.sql",
        "ledger/0002.sql",
    ]
    assert await bring_up(empty.admin, "ledger", files(ONE, TWO)) == []


async def test_two_at_once_wait_for_one_another(empty: Database) -> None:
    done = await asyncio.gather(*(bring_up(empty.admin, "ledger", files(ONE, TWO)) for _ in "abc"))
    assert sorted(map(len, done)) == [0, 0, 2]


async def test_an_old_migration_that_was_changed_is_refused(empty: Database) -> None:
    await bring_up(empty.admin, "ledger", files(ONE))
    with pytest.raises(MigrationRefused, match="was changed after it was applied"):
        await bring_up(empty.admin, "ledger", files(ONE + " ", TWO))
    assert await applied(empty) == ["ledger/0001.sql"]


async def test_a_migration_whose_file_is_missing_is_refused(empty: Database) -> None:
    await bring_up(empty.admin, "ledger", files(ONE, TWO))
    with pytest.raises(MigrationRefused, match=r"ledger/0002.sql was applied"):
        await bring_up(empty.admin, "ledger", files(ONE))


async def test_a_migration_that_comes_before_an_applied_one_is_refused(empty: Database) -> None:
    first, second = files(ONE, TWO)
    await bring_up(empty.admin, "ledger", [second])
    with pytest.raises(MigrationRefused, match="comes before"):
        await bring_up(empty.admin, "ledger", [first, second])


async def test_a_migration_that_fails_leaves_nothing_of_itself(empty: Database) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await bring_up(empty.admin, "ledger", files(TWO, "CREATE TABLE three (id int); SELECT 1/0"))
    assert await applied(empty) == ["ledger/0001.sql"]
    assert len(await bring_up(empty.admin, "ledger", files(TWO, "CREATE TABLE three ()"))) == 1


async def test_a_migration_that_loses_to_who_is_serving_meanwhile_is_tried_again(
    empty: Database,
) -> None:
    await bring_up(empty.admin, "ledger", files(ONE, TWO))
    three = "LOCK TABLE one; LOCK TABLE two; CREATE TABLE three (id int)"
    serving = await asyncpg.connect(empty.admin)
    try:
        await serving.execute("SET search_path TO ledger; SET deadlock_timeout TO '1min'")
        async with serving.transaction():
            await serving.execute("LOCK TABLE two IN ROW EXCLUSIVE MODE")
            coming = asyncio.create_task(bring_up(empty.admin, "ledger", files(ONE, TWO, three)))
            waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'two'::regclass"
            while await serving.fetchval(f"{waiting} AND NOT granted") == 0:
                await asyncio.sleep(0.02)
            # Each waits for the other now; PostgreSQL breaks the migration off.
            await serving.execute("LOCK TABLE one IN ROW EXCLUSIVE MODE")
        assert await coming == ["ledger/0003.sql"]
    finally:
        await serving.close()


async def test_the_real_migrations_were_applied_and_are_up_to_date(postgres: Database) -> None:
    for service in module.SERVICES:
        assert await migrate(postgres.admin, service) == []
    with pytest.raises(ValueError, match="no service is named"):
        await migrate(postgres.admin, "kitchen; DROP TABLE positions")


async def test_the_login_role_may_not_change_what_the_edge_has_decided(postgres: Database) -> None:
    connection = await asyncpg.connect(postgres.dsn("ledger"))
    try:
        for refused in (
            "DELETE FROM positions",
            "UPDATE unpublished SET value = ''",
            "DROP TABLE job",
            "UPDATE migration SET checksum = ''",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(refused)
    finally:
        await connection.close()


def test_statements_are_named_once_and_used_by_name(tmp_path: Path, monkeypatch) -> None:
    package = tmp_path / "some_sql"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "good.sql").write_text("-- name: a\n-- why\nSELECT 1;\n\n-- name: b\nSELECT 2;\n")
    (package / "twice.sql").write_text("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n")
    (package / "none.sql").write_text("SELECT 1;\n")
    monkeypatch.syspath_prepend(tmp_path)
    sql = statements("some_sql", "good.sql")
    assert sql.a == "-- why\nSELECT 1;"
    assert sql.names() == ("a", "b")
    with pytest.raises(AttributeError, match="no statement named c"):
        _ = sql.c
    with pytest.raises(ValueError, match="two statements named a"):
        statements("some_sql", "twice.sql")
    with pytest.raises(ValueError, match="names no statement"):
        statements("some_sql", "none.sql")


def test_a_postgresql_that_is_too_old_is_refused_by_name() -> None:
    refuse_older("ledger", OLDEST)
    with pytest.raises(MigrationRefused, match="ledger: this is PostgreSQL 16, and 17 or later"):
        refuse_older("ledger", OLDEST - 1)
