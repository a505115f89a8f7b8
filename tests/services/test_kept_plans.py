"""Plans that are kept (docs/decisions/0033) find each row by its whole key, also on empty tables.

A plan is made at a statement's first use, when a table may be empty and any index seems as good
as another: one that begins with the environment alone then reads all of an environment's rows for
each one asked for, and goes on doing so while the table grows.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import pytest

from runtime.database import Database as Connections
from runtime.sql import Statements, statements
from tests.support.databases import Database

edge = statements("runtime", "sql/edge.sql")
KEPT: list[tuple[str, Statements, tuple[str, ...]]] = [
    ("authorizer", edge, ("opening",)),
    ("ledger", edge, ("opening",)),
    ("ledger", statements("services.ledger", "sql/journal.sql"), ()),
    ("ledger", statements("services.ledger", "sql/at_once.sql"), ()),
    ("authorizer", statements("services.authorizer", "sql/sales.sql"), ()),
    ("authorizer", statements("services.authorizer", "sql/at_once.sql"), ()),
    ("authorizer", statements("services.authorizer", "sql/registry.sql"), ()),
    ("authorizer", statements("services.authorizer", "sql/invoices.sql"), ()),
]
ANY_ROW = {"environments_with_sales"}
"""Looks for one row of an environment, whichever."""
KEY_COLUMNS = """
SELECT c.relname, i.indnkeyatts, am.amname
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS am ON am.oid = c.relam
WHERE c.relnamespace = current_schema()::regnamespace
"""


KEY_OF_ENTRY = {"environment", "kind", "source_id"}
SOME_ENTRIES = """
INSERT INTO ledger.entry (environment, kind, source_id, entry_id, account, currency, at,
                          ledger_accounts, amounts, answer)
SELECT 2890, 'charge', gen_random_uuid(), gen_random_uuid(), '28900001', 'EUR', now(),
       '{receivable:unbilled,revenue:21}', '{1,-1}', ''
FROM generate_series(1, 2000)
"""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


async def prepare(connection: Any, statement: str, name: str = "kept") -> None:
    await connection.execute(f"PREPARE {name} AS {statement}")


async def plan_of(connection: Any, statement: str, name: str = "kept") -> list[dict[str, Any]]:
    """All nodes of the plan that is kept for a statement which was prepared."""
    parameters = max(map(int, re.findall(r"\$(\d+)", statement)), default=0)
    values = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    found = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {name} {values}")
    return list(nodes(json.loads(found)[0]["Plan"]))


def asked(node: dict[str, Any]) -> set[str]:
    """The columns by which an index is searched."""
    return set(re.findall(r"\((\w+) = ", node.get("Index Cond", "")))


async def keys_of_entry(connection: Any, statement: str) -> set[str]:
    """The columns by which a plan finds an entry."""
    [node] = [n for n in await plan_of(connection, statement) if n.get("Relation Name") == "entry"]
    return asked(node)


@pytest.fixture
def postgres(fresh_postgres: Database) -> Database:
    """Its tables never held a row, and some are looked at by ANALYZE."""
    return fresh_postgres


@pytest.fixture
async def kept(postgres: Database) -> AsyncIterator[Callable[[str], Connections]]:
    """Connections of a service that keep their plans."""
    opened: list[Connections] = []

    def connections(service: str) -> Connections:
        opened.append(Connections(postgres.dsn(service), size=1, by_key=True))
        return opened[-1]

    yield connections
    for each in opened:
        await each.close()


@pytest.mark.parametrize("service", ["authorizer", "ledger"])
async def test_a_row_of_an_empty_table_is_found_by_its_whole_key(
    kept: Callable[[str], Connections], service: str
) -> None:
    each = [
        (name, getattr(some, name))
        for whose, some, names in KEPT
        for name in names or some.names()
        if whose == service and name not in ANY_ROW
    ]
    assert each
    async with kept(service).connection() as connection:
        columns = {r["relname"]: r["indnkeyatts"] for r in await connection.fetch(KEY_COLUMNS)}
        columns["unbooked_pkey"] = 2  # all that was noted under a sale's id
        columns["account_viewer_pkey"] = 2  # all that look at an account
        for number, (statement, text) in enumerate(each):
            await prepare(connection, text, f"kept_{number}")
            for node in await plan_of(connection, text, f"kept_{number}"):
                assert "Join Filter" not in node, f"{statement} compares each row with each"
                reads = f"{statement} reads all of {node.get('Relation Name')}"
                assert node["Node Type"] != "Seq Scan", reads
                if "Index Name" in node:
                    name = node["Index Name"]
                    finds = f"{statement} finds by {asked(node)} alone"
                    assert len(asked(node)) == columns[name], finds


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sql/forgetting.sql", "searches_after"),
        ("sql/states.sql", "customers_after"),
        ("sql/states.sql", "accounts_after"),
    ],
)
async def test_the_next_ones_of_an_environment_are_found_where_the_last_step_ended(
    kept: Callable[[str], Connections], path: str, name: str
) -> None:
    """Else each step reads or sorts all that there are."""
    statement = getattr(statements("services.authorizer", path), name)
    async with kept("authorizer").connection() as connection:
        await prepare(connection, statement)
        found = await plan_of(connection, statement)
    assert "Sort" not in {node["Node Type"] for node in found}
    [index] = [node for node in found if "Index Name" in node]
    assert re.search(r" >=? ", index["Index Cond"])


async def test_a_bad_plan_does_not_outlive_the_tables_first_rows_for_long(
    postgres: Database, kept: Callable[[str], Connections], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where PostgreSQL has looked at a table and found it empty, all ways seem free of cost."""
    recall = statements("services.ledger", "sql/journal.sql").recall_entries
    administrator = await asyncpg.connect(postgres.admin)
    try:
        await administrator.execute("VACUUM ANALYZE ledger.entry")
        database = kept("ledger")
        async with database.connection() as connection:
            await prepare(connection, recall)
            assert (
                await keys_of_entry(connection, recall) != KEY_OF_ENTRY
            )  # else this shows nothing
            await administrator.execute(SOME_ENTRIES)
            assert await keys_of_entry(connection, recall) != KEY_OF_ENTRY
        monkeypatch.setattr("runtime.database.PLANS_S", 0)
        for expected in ("forgotten when it was given back", "and then made anew"):
            async with database.connection() as connection:
                if expected == "and then made anew":
                    assert await keys_of_entry(connection, recall) == KEY_OF_ENTRY
    finally:
        await administrator.close()
