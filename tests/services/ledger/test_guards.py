"""What the database refuses by itself, to whoever goes round the code."""

from typing import Any

import asyncpg
import pytest

from tests.services.ledger.support import GUEST, VENUE, approved, ledger, post, uid
from tests.support.databases import Database

INSERT = """
INSERT INTO entry (environment, kind, source_id, entry_id, account, refers_to, currency, at,
                   ledger_accounts, amounts, answer)
VALUES ($1, $2, $3, $4, $5, $6, $7, now(), $8, $9, '{}')
"""


def entry(**other: Any) -> tuple[Any, ...]:
    """A journal's columns, right but for what is said."""
    values = {
        "environment": VENUE,
        "kind": "charge",
        "source_id": uid("s9"),
        "entry_id": uid("e9"),
        "account": GUEST,
        "refers_to": None,
        "currency": "EUR",
        "ledger_accounts": ["receivable:unbilled", "revenue:unbilled:21"],
        "amounts": [250, -250],
    }
    return tuple({**values, **other}.values())


async def test_the_ledgers_role_can_post_a_journal(postgres: Database) -> None:
    connection = await asyncpg.connect(postgres.dsn("ledger"))
    await connection.execute(INSERT, *entry())
    await connection.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"amounts": [250, -249]},
        {"amounts": [250, -250, 0], "ledger_accounts": ["bank", "vat:21", "vat:9"]},
        {"amounts": [250, None]},
        {"amounts": [None, None]},
        {"amounts": []},
        {"amounts": [], "ledger_accounts": []},
        {"amounts": [0, 0]},
        {"amounts": [250]},
        {"amounts": [[250, -250]], "ledger_accounts": [["bank", "vat:21"]]},
        {"amounts": [250, -250, 1, -1]},
        {"ledger_accounts": ["bank", None]},
        {"ledger_accounts": ["bank", "cash"]},
        {"kind": "gift"},
        {"kind": "payment"},  # refers to nothing
        {"refers_to": uid("s1")},
        {"currency": "euro"},
    ],
    ids=str,
)
async def test_what_is_no_journal_can_not_be_posted(
    postgres: Database, wrong: dict[str, Any]
) -> None:
    connection = await asyncpg.connect(postgres.dsn("ledger"))
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(INSERT, *entry(**wrong))
    await connection.close()


async def test_a_source_can_not_be_posted_twice(postgres: Database) -> None:
    connection = await asyncpg.connect(postgres.dsn("ledger"))
    await connection.execute(INSERT, *entry())
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(INSERT, *entry(account="other", entry_id=uid("e8")))
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET account = 'mine'",
        "UPDATE entry SET answer = '{}'",
        "DELETE FROM entry",
        "TRUNCATE entry",
        "ALTER TABLE entry DROP CONSTRAINT entry_is_journal",
        "DELETE FROM balance",
        "UPDATE balance SET account = 'mine'",
        "UPDATE balance SET currency = 'USD'",
        "CREATE OR REPLACE FUNCTION is_journal(text[], bigint[]) RETURNS boolean "
        "LANGUAGE sql AS 'SELECT true'",
    ],
)
async def test_what_is_posted_stays_as_it_is(postgres: Database, statement: str) -> None:
    async with ledger(postgres) as bench:
        await post(bench, approved("s1", {"21": 250}))
    connection = await asyncpg.connect(postgres.dsn("ledger"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()
