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
from tests.services.authorizer.support import (
    GUEST,
    Venue,
    cancelled,
    command,
    credit_note,
    invoice,
    payment,
    recorded,
    requested,
    uid,
    venue,
)
from tests.services.ledger.support import approved, issued, ledger, post
from tests.support.apart import run_apart
from tests.support.databases import Database

REFUSED = asyncpg.IntegrityConstraintViolationError  # all of SQLSTATE class 23
DENIED = asyncpg.InsufficientPrivilegeError
ACCOUNT = f"environment = 2890 AND account = '{GUEST}'"


async def sell_on(database: Database) -> None:
    """A venue with a sale in each state, what an invoice does to it, and the ledger's entries."""
    async with venue(database) as bench:
        await bench.order(command("customer.register", "c", customer_id=uid("jo"), company="Jo"),
                          command("account.link", "l", account=GUEST, customer_id=uid("jo"),
                                  role="holder"))  # fmt: skip
        await bench.sell(
            requested("approved", 300, 200), cancelled("part", "approved", 100),
            requested("declined", 10**6), cancelled("early", "awaited"),
            cancelled("gone", "called off"), recorded("called off", 100),
            recorded("other", 50, account="nope"),
        )  # fmt: skip
        await bench.account_for(invoice("i", 400), credit_note("n", 30), payment("p", 20))
    async with ledger(database) as bench:
        await post(bench, approved("approved", {"21": 500}), issued("i", {"21": 400}))


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


def sale(name: str) -> str:
    return f"sale_id = '{uid(name)}'"


BROKEN = {
    # the five sums only rise, and what is reversed is never more than what was approved
    "a lower sum": f"UPDATE account SET approved = approved - 1 WHERE {ACCOUNT}",
    "less reversed": f"UPDATE account SET reversed = 0 WHERE {ACCOUNT}",
    "less issued": f"UPDATE account SET issued = issued - 1 WHERE {ACCOUNT}",
    "less credited": f"UPDATE account SET credited = 0 WHERE {ACCOUNT}",
    "less paid": f"UPDATE account SET paid = paid - 1 WHERE {ACCOUNT}",
    "more reversed than approved": f"UPDATE account SET reversed = approved + 1 WHERE {ACCOUNT}",
    "a limit below zero": f"UPDATE account SET credit_limit = -1 WHERE {ACCOUNT}",
    "an unknown status": f"UPDATE account SET status = 'open' WHERE {ACCOUNT}",
    "the same account twice": f"INSERT INTO account SELECT * FROM account WHERE {ACCOUNT}",
    "a second holder": "INSERT INTO account (environment, account, status, on_account, in_overview,"
    " version, description, searched, holder, changed_at) SELECT environment, account, status,"
    " on_account, in_overview, version, description, searched, NULL, changed_at FROM account",
    "a holder that is not there": f"UPDATE account SET holder = gen_random_uuid() WHERE {ACCOUNT}",
    # an answer stands
    "a changed answer": f"UPDATE sale SET answer = 'x' WHERE {sale('approved')}",
    "an approval taken back": f"UPDATE sale SET state = 'declined' WHERE {sale('approved')}",
    "another total": f"UPDATE sale SET total = 1 WHERE {sale('approved')}",
    "another account's sale": f"UPDATE sale SET account = 'x' WHERE {sale('approved')}",
    "a changed time": f"UPDATE sale SET decided_at = now() WHERE {sale('approved')}",
    "a changed answer to a recorded sale": f"UPDATE sale SET answer = 'x' WHERE {sale('other')}",
    "a recorded sale decided again": f"UPDATE sale SET state = 'approved' WHERE {sale('other')}",
    "another content under an id": f"UPDATE sale SET digest = sha256('x') WHERE {sale('declined')}",
    "a content that is none": f"UPDATE sale SET digest = 'x' WHERE {sale('declined')}",
    "an answer forgotten": "UPDATE sale SET state = 'awaited', digest = NULL, answer = NULL, "
    f"decided_at = NULL, cancelled_first = true WHERE {sale('declined')}",
    "the same sale twice": f"INSERT INTO sale SELECT * FROM sale WHERE {sale('approved')}",
    "sold though called off": f"UPDATE sale SET cancelled_first = true WHERE {sale('approved')}",
    "awaited without a cancellation": "UPDATE sale SET cancelled_first = false "
    f"WHERE {sale('awaited')}",
    # reversals
    "more taken off than sold": f"UPDATE sale SET reversed = total + 1 WHERE {sale('approved')}",
    "less taken off than before": f"UPDATE sale SET reversed = 0 WHERE {sale('approved')}",
    "taken off no line": f"UPDATE sale SET reversed_lines = NULL WHERE {sale('approved')}",
    "taken off a declined sale": f"UPDATE sale SET reversed = 1 WHERE {sale('declined')}",
    "the same cancellation twice": "INSERT INTO cancellation SELECT * FROM cancellation",
    # what counts once
    "the same invoice twice": "INSERT INTO invoice_effect SELECT * FROM invoice_effect",
    "an invoice below zero": "INSERT INTO invoice_effect VALUES "
    f"(2890, 'issued', gen_random_uuid(), '{GUEST}', -1)",
    "the same command twice": "INSERT INTO command SELECT * FROM command",
    "the same refusal twice": "INSERT INTO refusal SELECT 2890, 'sale', sale_id, digest, 'k', "
    "'sale.declined', now(), 'a' FROM sale CROSS JOIN generate_series(1, 2) WHERE digest IS NOT "
    "NULL",
    "cleared by nobody": "UPDATE unbooked SET cleared_at = now() WHERE cleared_at IS NULL",
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
async def test_the_authorizers_database_refuses(sold: Database, what: str) -> None:
    with pytest.raises(REFUSED):
        await try_as(sold.dsn("authorizer"), "authorizer", BROKEN[what])
    with pytest.raises(REFUSED):
        await try_as(sold.admin, "authorizer", BROKEN[what])


FORBIDDEN = {
    "authorizer": [
        *(f"DELETE FROM {table}" for table in
          ("sale", "cancellation", "refusal", "unbooked", "command", "invoice_effect", "account",
           "customer", "environment")),
        "TRUNCATE sale", "UPDATE cancellation SET answer = 'x'", "UPDATE command SET answer = 'x'",
        "UPDATE refusal SET answer = 'x'", "UPDATE invoice_effect SET amount = 0",
        "UPDATE account SET account = 'x'", "UPDATE sale SET sale_id = gen_random_uuid()",
        "UPDATE unbooked SET reason = 'x'", "ALTER TABLE sale DISABLE TRIGGER answer_stands",
        "DROP TRIGGER sums_only_rise ON account", "SET session_replication_role = replica",
        "ALTER TABLE account DROP CONSTRAINT account_check",
        "SELECT * FROM ledger.entry", "SELECT * FROM invoicer.invoice", "SET ROLE ledger",
    ],
    "ledger": [
        "DELETE FROM entry", "UPDATE entry SET amounts = '{1,-1}'", "TRUNCATE entry",
        "UPDATE entry SET at = now()", "DELETE FROM balance", "UPDATE balance SET currency = 'USD'",
        "ALTER TABLE entry DROP CONSTRAINT entry_is_journal", "DROP TABLE entry",
        "SELECT * FROM authorizer.account", "SET ROLE authorizer",
    ],
}  # fmt: skip


@pytest.mark.parametrize("service", FORBIDDEN)
async def test_a_service_may_not(sold: Database, service: str) -> None:
    for statement in FORBIDDEN[service]:
        with pytest.raises(DENIED):
            await try_as(sold.dsn(service), service, statement)


JOURNALS = {
    "out of balance": "'{receivable:unbilled,revenue:unbilled:21}', '{250,-249}'",
    "one leg": "'{receivable:unbilled}', '{0}'",
    "a leg of nothing": "'{bank,receivable:billed,vat:21}', '{5,-5,0}'",
    "one ledger account twice": "'{bank,receivable:billed,bank}', '{5,-6,1}'",
    "a ledger account that is none": "'{bank,cash}', '{5,-5}'",
    "a leg without a name": "'{bank,NULL}', '{5,-5}'",
    "a leg without an amount": "'{bank,receivable:billed}', '{5,NULL}'",
    "more names than amounts": "'{bank,receivable:billed,vat:21}', '{5,-5}'",
}


@pytest.mark.parametrize("what", JOURNALS)
async def test_a_journal_is_refused_that_is(sold: Database, what: str) -> None:
    statement = (
        "INSERT INTO entry (environment, kind, source_id, entry_id, account, refers_to, currency, "
        f"at, ledger_accounts, amounts, answer) VALUES (2890, 'payment', gen_random_uuid(), "
        f"gen_random_uuid(), '{GUEST}', gen_random_uuid(), 'EUR', now(), {JOURNALS[what]}, '')"
    )
    for dsn in (sold.dsn("ledger"), sold.admin):
        with pytest.raises(asyncpg.CheckViolationError):
            await try_as(dsn, "ledger", statement)


async def test_the_same_source_is_posted_once_even_by_the_owner(sold: Database) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        await try_as(sold.admin, "ledger", "INSERT INTO entry SELECT * FROM entry")


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
