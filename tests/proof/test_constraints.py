"""Round the code: what the database refuses by itself, to each service's role and to its owner.

Goal: a fault in our code may stop a batch, but can't lose, double or change money. Method: plain
statements on a venue with one sale of each state, an invoice and a payment. Most as the service's
own login role; what a CHECK, a key or a trigger guards also as the superuser who owns the tables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

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
Try = Callable[..., None]


@pytest.fixture(scope="module")
def sold(module_postgres: Database) -> Database:
    """The venue, for all of the module: whatever a test does to it is rolled back."""
    run_apart(sell_on(module_postgres))
    return module_postgres


@pytest.fixture(scope="module")
def try_as(sold: Database) -> Iterator[Try]:
    """Does this to a schema, over one connection for each role, and takes it back. Raises what the
    database says."""
    opened: dict[str, asyncpg.Connection] = {}

    async def try_each(dsn: str, schema: str, statements: Iterable[str]) -> None:
        if dsn not in opened:
            opened[dsn] = await asyncpg.connect(dsn)
        for statement in statements:
            transaction = opened[dsn].transaction()
            await transaction.start()
            try:
                await opened[dsn].execute(f"SET LOCAL search_path TO {schema}")
                await opened[dsn].execute(statement)
            finally:
                await transaction.rollback()

    with asyncio.Runner() as runner:
        yield lambda dsn, schema, *statements: runner.run(try_each(dsn, schema, statements))
        for each in opened.values():
            runner.run(each.close())


@pytest.mark.parametrize("what", BROKEN)
def test_the_authorizers_database_refuses(sold: Database, try_as: Try, what: str) -> None:
    for dsn in (sold.dsn("authorizer"), sold.admin):
        with pytest.raises(REFUSED):
            try_as(dsn, "authorizer", BROKEN[what])


@pytest.mark.parametrize(
    "statement", ["DELETE FROM environment", "UPDATE environment SET environment = 1"]
)
def test_an_environment_stays_also_for_the_tables_owner(
    sold: Database, try_as: Try, statement: str
) -> None:
    """Whether there is one is asked when something is added to it, and not again."""
    with pytest.raises(REFUSED, match="an environment stays"):
        try_as(sold.admin, "authorizer", statement)


@pytest.mark.parametrize("service", FORBIDDEN)
def test_a_service_may_not(sold: Database, try_as: Try, service: str) -> None:
    for statement in FORBIDDEN[service]:
        with pytest.raises(DENIED):
            try_as(sold.dsn(service), service, statement)


@pytest.mark.parametrize("what", JOURNALS)
def test_a_journal_is_refused_that_is(sold: Database, try_as: Try, what: str) -> None:
    for dsn in (sold.dsn("ledger"), sold.admin):
        with pytest.raises(asyncpg.CheckViolationError):
            try_as(dsn, "ledger", posting(JOURNALS[what]))


@pytest.mark.parametrize("what", BOOKS)
def test_the_ledgers_database_refuses(sold: Database, try_as: Try, what: str) -> None:
    for dsn in (sold.dsn("ledger"), sold.admin):
        with pytest.raises(REFUSED):
            try_as(dsn, "ledger", BOOKS[what])


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
