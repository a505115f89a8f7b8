"""An import that was under way when the importer was brought up to date goes on.

Method: the schema as it stood before migration 0006, rows as its code left them in the middle of
an import, then all migrations, and the job is followed to its end.
"""

import json
import uuid
from datetime import UTC, datetime

import asyncpg
import pytest

from runtime.migrate import bring_up, migrations
from services.importer.store import plans
from tests.services.importer.venue import completed_of, venue
from tests.support.databases import Database

JOB = str(uuid.UUID(int=6))
WHO = {row: str(uuid.UUID(int=row)) for row in (2, 3, 4)}

ROWS = """
INSERT INTO upload (environment, job_id, status, head, file_name, sha256, parts, mode, defaults,
                    uploaded_by, uploaded_at, rows, planned_at_change)
VALUES (2890, $1, 'running', '', 'leden.xlsx', '', 1, 'import', '{}', 'Ans', now(), 3, 0)"""
PLANNED = """
INSERT INTO planned_row (environment, job_id, row, verdict, problems, warnings)
SELECT 2890, $1, row, 'create', '[]', '[]' FROM generate_series(2, 4) AS row"""
COMMAND = """
INSERT INTO command (environment, job_id, row, step, type, body, before, outcome, effect, message,
                     after_row, after_step)
VALUES (2890, $1, $2, $3, $4, $5, '{}', $6, $7, $8, $9, $10)"""
FLIGHT = """
INSERT INTO flight (environment, job_id, row, step, command_id, sent_at)
VALUES (2890, $1, 3, 0, gen_random_uuid(), now())"""
GOING = """
INSERT INTO job (kind, ref, payload, serial)
VALUES ('import', $1, $2, 'environment/2890')"""


COPY = """
INSERT INTO customer (environment, customer_id, version, erased, fields, email_key, name_keys)
VALUES (2890, $1, 1, false, '{"company": "Bakker"}', NULL, '{annasmit,bakker}'),
    (2890, $2, 2, true, '{}', NULL, '{}')"""
ACCOUNTS = """
INSERT INTO account (environment, account, version, fields, series)
VALUES (2890, '28900007', 1, '{}', 7), (2890, '28900003', 1, '{}', 3), (2891, 'x', 1, '{}', 0)"""
PREVIEWED = """
INSERT INTO planned_account (environment, job_id, account, row, fields, series)
VALUES (2890, $1, '28900009', 2, '{}', 9), (2890, $1, '28900008', 3, '{}', 8)"""


@pytest.fixture
def postgres(fresh_postgres: Database) -> Database:
    """Its schema is taken back to what it was."""
    return fresh_postgres


async def before(database: Database, migration: str) -> asyncpg.Connection:
    """The schema as it stood before a migration."""
    connection = await asyncpg.connect(database.admin)
    await connection.execute(
        "DROP SCHEMA importer CASCADE; CREATE SCHEMA importer AUTHORIZATION importer_owner;"
        "GRANT USAGE ON SCHEMA importer TO importer"
    )
    known = migrations("importer")
    until = next(i for i, m in enumerate(known) if m.name.startswith(f"importer/{migration}"))
    await bring_up(database.admin, "importer", known[:until])
    await connection.execute("SET search_path TO importer")
    return connection


async def as_before(database: Database) -> None:
    """Row 2's customer is made, row 3's was asked for, row 4's was refused; no account is open."""
    connection = await before(database, "0006")
    await connection.execute(ROWS, JOB)
    await connection.execute(PLANNED, JOB)
    ends = {2: ("applied", "created", None), 3: (None,) * 3, 4: ("refused", None, "no such town")}
    for row, end in ends.items():
        who = json.dumps({"customer_id": WHO[row], "company": f"Bedrijf {row}"})
        account = json.dumps({"account": str(row), "holder": WHO[row]})
        await connection.execute(COMMAND, JOB, row, 0, "customer.register", who, *end, None, None)
        await connection.execute(
            COMMAND, JOB, row, 1, "account.open", account, None, None, None, row, 0
        )
    await connection.execute(FLIGHT, JOB)
    payload = {"environment": 2890, "job_id": JOB, "begun": True}
    await connection.execute(GOING, f"2890/{JOB}", json.dumps(payload))
    await connection.close()


async def test_what_was_done_is_not_asked_again_and_the_rest_is(postgres: Database) -> None:
    await as_before(postgres)
    assert await bring_up(postgres.admin, "importer", migrations("importer"))
    async with venue(postgres) as place:
        place.registry.customers[WHO[2]] = {"company": "Bedrijf 2"}
        events = await place.settle()
        done = completed_of(events)
        assert (done.created, done.refused) == (2, 1)
        assert sorted(place.registry.accounts) == ["2", "3"]
        asked = [getattr(c, "company", None) or c.account for c in place.registry.asked]
        assert sorted(asked) == ["2", "3", "Bedrijf 3"]


async def test_names_and_the_numbers_that_are_taken_are_known_as_before(postgres: Database) -> None:
    connection = await before(postgres, "0080")
    await connection.execute(ROWS, JOB)
    await connection.execute(COPY, WHO[2], WHO[3])
    await connection.execute(ACCOUNTS)
    await connection.execute(PREVIEWED, JOB)
    await connection.close()
    assert await bring_up(postgres.admin, "importer", migrations("importer"))
    async with venue(postgres) as place, place.bench.transaction() as tx:
        assert await tx.fetchval(plans.sql.last_in_series, 2890) == 9
        assert await tx.fetchval(plans.sql.last_in_series, 2891) == 0
        for name in ("annasmit", "bakker"):
            rows = await tx.fetch(plans.sql.customers_alike, 2890, [], [name])
            assert [str(row["customer_id"]) for row in rows] == [WHO[2]]


ENDED = """
INSERT INTO upload (environment, job_id, status, head, file_name, sha256, parts, mode, defaults,
                    uploaded_by, uploaded_at, undo_by, undo_at)
VALUES (2890, $1, $2, '', 'leden.xlsx', '', 1, 'import', '{}', 'Ans', now(), 'Bo', $3)"""
UNDOING = """
INSERT INTO job (kind, ref, payload, state, ended_at)
VALUES ('undo', $1, $2, $3, CASE $3 WHEN 'open' THEN NULL ELSE now() END)"""


async def test_an_undo_that_was_given_up_may_be_asked_for_again_and_no_other(
    postgres: Database,
) -> None:
    connection = await before(postgres, "0124")
    at = datetime(2026, 7, 1, tzinfo=UTC)
    given_up, going, done = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
    for job_id, status, state in (
        (given_up, "completed", "failed"), (going, "completed", "open"), (done, "undone", "done"),
    ):  # fmt: skip
        await connection.execute(ENDED, job_id, status, at)
        payload = json.dumps({"environment": 2890, "job_id": job_id})
        await connection.execute(UNDOING, f"2890/{job_id}", payload, state)
    await bring_up(postgres.admin, "importer", migrations("importer"))
    rows = await connection.fetch("SELECT job_id, undo_by, undo_at FROM upload ORDER BY job_id")
    await connection.close()
    assert [tuple(map(str, row)) for row in rows] == [
        (given_up, "None", "None"), (going, "Bo", str(at)), (done, "Bo", str(at)),
    ]  # fmt: skip
