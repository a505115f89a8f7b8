"""What was kept of people before the invoicer was brought up to date goes as well.

Method: the schema as it stood before migration 0129, with rows as older code left them, then all
migrations; and what an older worker does beside a newer one.
"""

import json
import uuid

import asyncpg
import pytest

from runtime.migrate import bring_up, migrations
from schemas.wire import encode
from services.invoicer import parties
from tests.services.invoicer.erasing import erase, files, gone, held, places, swallow
from tests.services.invoicer.test_drafts import delete
from tests.services.invoicer.world import World, account, environment, open_world, said
from tests.support.databases import Database

ONE, DRAFT, STATEMENT = (str(uuid.UUID(int=n)) for n in (1, 2, 3))
DRAFTS = """
INSERT INTO invoice (environment, invoice_id, account, period, status, drafted_on, currency, total,
                     vat, letterhead, buyer, language)
SELECT 2890, u.id, 'A1', '2026-07', u.status, now(), 'EUR', 700, '[]', sha256('x'), $2, 'nl'
FROM unnest($1::uuid[], ARRAY['deleted', 'draft']) AS u (id, status)"""
FILES = """
INSERT INTO document (environment, document_id, draft, format, file_name, media_type, sha256,
                      content)
SELECT 2890, u.id, u.draft, 'pdf', 'x.pdf', 'application/pdf', sha256('x'), 'x'
FROM unnest($1::uuid[], $2::bool[]) AS u (id, draft)"""
STATEMENTS = """
INSERT INTO statement (environment, statement_id, account, holder, language, first, until, currency,
                       total)
VALUES (2890, $1, 'A1', 'Zwaluw', 'nl', '2026-07-01', '2026-08-01', 'EUR', 0)"""
MAILS = """
INSERT INTO mail (environment, mail_id, kind, ref, recipient, state, message_id, ended_at)
VALUES (2890, gen_random_uuid(), 'statement', $1, 'zwaluw@club.example', 'sent', 'x', now())"""


@pytest.fixture
def postgres(fresh_postgres: Database) -> Database:
    """Its schema is taken back to what it was."""
    return fresh_postgres


async def as_before(database: Database) -> None:
    """Erased and untied already: nothing says any more whose account it was."""
    connection = await asyncpg.connect(database.admin)
    await connection.execute(
        "DROP SCHEMA invoicer CASCADE; CREATE SCHEMA invoicer AUTHORIZATION invoicer_owner;"
        "GRANT USAGE ON SCHEMA invoicer TO invoicer"
    )
    known = migrations("invoicer")
    until = next(i for i, m in enumerate(known) if m.name.startswith("invoicer/0129"))
    await bring_up(database.admin, "invoicer", known[:until])
    await connection.execute("SET search_path TO invoicer")
    states = [encode(s).decode() for s in (environment(), gone(ONE), account("A1", None))]
    await connection.execute("INSERT INTO environment VALUES (2890, 1, $1)", states[0])
    await connection.execute("INSERT INTO customer VALUES (2890, $1, 9, $2)", ONE, states[1])
    await connection.execute("INSERT INTO account VALUES (2890, 'A1', 1, NULL, $1)", states[2])
    await connection.execute("INSERT INTO letterhead VALUES (2890, sha256('x'), '{}')")
    buyer = parties.buyer_json(parties.buyer(swallow(ONE)))
    live = str(uuid.UUID(int=4))
    await connection.execute(DRAFTS, [DRAFT, live], buyer)
    await connection.execute(FILES, [DRAFT, live, STATEMENT], [True, True, False])
    await connection.execute(STATEMENTS, STATEMENT)
    await connection.execute(MAILS, STATEMENT)
    await connection.close()


async def test_what_was_left_of_who_was_erased_before_goes(postgres: Database) -> None:
    await as_before(postgres)
    await bring_up(postgres.admin, "invoicer", migrations("invoicer"))
    async with open_world(postgres.dsn("invoicer")) as world:
        assert await places(world, "zwaluw") == ["invoice", "mail", "statement"]
        told = await world.jobs()
        assert len(said(told, "invoice.deleted")) == 1
        assert (await places(world, "zwaluw"), await files(world)) == ([], 0)
        (job,) = await world.fetch("SELECT payload, state FROM job")
        assert (json.loads(job["payload"])["everything"], job["state"]) == (True, "done")


async def test_a_draft_that_an_older_worker_deleted_goes_with_the_next_erasure(
    world: World,
) -> None:
    await held(world, "A1", "A2")
    drafts = said(await world.run(mode="draft"), "invoice.drafted")
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE invoice SET status = 'deleted' WHERE account = 'A1'")
    await world.command(delete(next(d["invoice_id"] for d in drafts if d["account"] == "A2")))
    (named,) = await world.fetch("SELECT account FROM invoice WHERE buyer::text LIKE '%Zwaluw%'")
    assert named["account"] == "A1"
    other = await held(world, "B1")  # anybody
    await erase(world, other, "B1")
    await world.jobs()
    assert await places(world, "zwaluw") == ["customer"]
