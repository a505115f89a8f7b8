"""Round the code: what the database refuses by itself, to each service's role and to its owner.

Goal: a fault in our code may stop a batch, but can't lose, double or change money. Method: plain
statements on a venue with one sale of each state, an invoice and a payment. Most as the service's
own login role; what a CHECK, a key or a trigger guards also as the superuser who owns the tables.
"""

from __future__ import annotations

import asyncpg
import pytest

from services.authorizer.store.states import STATES
from services.ledger.verify import verify
from tests.proof.breaking import BOOKS, BROKEN, FORBIDDEN, JOURNALS, posting, sell_on
from tests.proof.guards import Guard, guards
from tests.services.authorizer.support import Venue, cancelled, recorded
from tests.support.apart import run_apart
from tests.support.databases import Database

REFUSED = asyncpg.IntegrityConstraintViolationError  # all of SQLSTATE class 23
DENIED = asyncpg.InsufficientPrivilegeError


@pytest.fixture(scope="module")
def sold(module_postgres: Database) -> Database:
    """The venue, for all of the module: whatever a test does to it is rolled back."""
    run_apart(sell_on(module_postgres))
    return module_postgres


async def try_as(dsn: str, schema: str, *statements: str) -> None:
    """Do this to a schema, and take it back. Raises what the database says."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": schema})
    try:
        for statement in statements:
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute(statement)
            finally:
                await transaction.rollback()
    finally:
        await connection.close()


@pytest.mark.parametrize("what", BROKEN)
async def test_the_authorizers_database_refuses(sold: Database, what: str) -> None:
    with pytest.raises(REFUSED):
        await try_as(sold.dsn("authorizer"), "authorizer", BROKEN[what])
    with pytest.raises(REFUSED):
        await try_as(sold.admin, "authorizer", BROKEN[what])


@pytest.mark.parametrize(
    "statement", ["DELETE FROM environment", "UPDATE environment SET environment = 1"]
)
async def test_an_environment_stays_also_for_the_tables_owner(
    sold: Database, statement: str
) -> None:
    """Whether there is one is asked when something is added to it, and not again."""
    with pytest.raises(REFUSED, match="an environment stays"):
        await try_as(sold.admin, "authorizer", statement)


@pytest.mark.parametrize("service", FORBIDDEN)
async def test_a_service_may_not(sold: Database, service: str) -> None:
    for statement in FORBIDDEN[service]:
        with pytest.raises(DENIED):
            await try_as(sold.dsn(service), service, statement)


@pytest.mark.parametrize("what", JOURNALS)
async def test_a_journal_is_refused_that_is(sold: Database, what: str) -> None:
    for dsn in (sold.dsn("ledger"), sold.admin):
        with pytest.raises(asyncpg.CheckViolationError):
            await try_as(dsn, "ledger", posting(JOURNALS[what]))


@pytest.mark.parametrize("what", BOOKS)
async def test_the_ledgers_database_refuses(sold: Database, what: str) -> None:
    for dsn in (sold.dsn("ledger"), sold.admin):
        with pytest.raises(REFUSED):
            await try_as(dsn, "ledger", BOOKS[what])


async def test_what_the_owner_deletes_is_missed_and_what_is_lawful_goes_on(
    postgres: Database,
) -> None:
    """Nothing stops a superuser; `ledger verify` says what he did. The guards let pass what the
    code does: a declined request that is then recorded, and the rest of a sale taken back."""
    await sell_on(postgres)
    async with Venue(postgres.dsn("authorizer"), states=STATES) as bench:
        late, rest = await bench.sell(recorded("declined", 10**6), cancelled("all", "approved"))
        assert (late.type, rest.type) == ("sale.approved", "sale.reversed")
    connection = await asyncpg.connect(
        postgres.admin, server_settings={"search_path": "ledger", "timezone": "UTC"}
    )
    try:
        assert (await verify(connection)).ok
        await connection.execute("DELETE FROM entry WHERE kind = 'charge'")
        assert not (await verify(connection)).ok
    finally:
        await connection.close()


DOUBLY_GUARDED = {
    "authorizer.environment": "no right to DELETE: environment_stays refuses it to everyone",
    "authorizer.environment environment_stays": "for the owner: whoever logs in has no right to",
    "authorizer.environment environment_settings_check":
        "what is no object has no currency, and that column is NOT NULL",
}  # fmt: skip
"""Guards whose every breach another one refuses too, and why they stay (docs/proof.md)."""


async def test_each_guard_is_missed_when_it_is_taken_away(sold: Database) -> None:
    """The statements above are held against the database without each guard in turn: one of them
    must go through, else nothing here shows that the guard does anything."""
    connection = await asyncpg.connect(sold.admin)
    try:
        assert await let_pass(connection, None) == []
        found = [(guard, await let_pass(connection, guard)) for guard in await guards(sold.admin)]
    finally:
        await connection.close()
    assert len(found) > 50
    missed = {guard.where: guard.says for guard, passed in found if not passed}
    assert len(found) > 60
    assert missed.keys() == DOUBLY_GUARDED.keys(), "\n".join(map(str, missed.items()))


# All in one call, for there are thousands of tries: each is undone, and those that passed are told.
LET_PASS = """
CREATE FUNCTION pg_temp.let_pass(roles text[], statements text[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    passed text[] := '{}';
BEGIN
    FOR n IN 1..cardinality(statements) LOOP
        BEGIN
            EXECUTE format('SET LOCAL ROLE %I', roles[n]);
            EXECUTE format('SET LOCAL search_path TO %I', roles[n]);
            EXECUTE statements[n];
            passed := passed || statements[n];
            RAISE EXCEPTION 'undone' USING ERRCODE = 'UNDON';
        EXCEPTION
            WHEN SQLSTATE 'UNDON' OR integrity_constraint_violation OR insufficient_privilege
                OR undefined_object THEN NULL;
        END;
    END LOOP;
    RETURN passed;
END $$
"""


async def let_pass(connection: asyncpg.Connection, guard: Guard | None) -> list[str]:
    """What goes through where a guard is missing."""
    tries = [("authorizer", statement) for statement in BROKEN.values()]
    tries += [("ledger", posting(legs)) for legs in JOURNALS.values()]
    tries += [("ledger", statement) for statement in BOOKS.values()]
    tries += [(s, one) for s, some in FORBIDDEN.items() for one in some if one[:3] != "SET"]
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(LET_PASS)
        if guard is not None:
            await connection.execute(guard.without)
        roles, statements = zip(*tries, strict=True)
        query = "SELECT pg_temp.let_pass($1, $2)"
        passed: list[str] = await connection.fetchval(query, roles, statements)
        return passed
    finally:
        await transaction.rollback()
