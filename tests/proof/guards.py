"""Guards of the database taken away one by one: constraints, triggers, and rights not given."""

from __future__ import annotations

from typing import NamedTuple

import asyncpg

# Rights that a service must not have on tables of money, and what they would allow.
_RIGHTS = {
    "authorizer": {
        "DELETE": ("sale", "cancellation", "refusal", "unbooked", "command", "invoice_effect",
                   "account", "customer", "environment"),
        "UPDATE": ("cancellation", "refusal", "command", "invoice_effect"),
        "TRUNCATE": ("sale",),
    },
    "ledger": {"DELETE": ("entry", "balance"), "UPDATE": ("entry", "balance"),
               "TRUNCATE": ("entry",)},
}  # fmt: skip
TABLES = ("environment", "customer", "account", "account_viewer", "sale", "cancellation", "refusal",
          "unbooked", "command", "invoice_effect", "entry", "balance")  # fmt: skip

CONSTRAINTS = """
SELECT n.nspname AS schema, c.relname AS table, k.conname AS name,
       pg_get_constraintdef(k.oid) AS says
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n
  ON n.oid = c.relnamespace
WHERE n.nspname IN ('authorizer', 'ledger') AND c.relname = ANY ($1) AND k.contype IN ('c', 'p', 'f', 'u')
ORDER BY 1, 2, 3
"""  # noqa: E501
TRIGGERS = """
SELECT n.nspname AS schema, c.relname AS table, t.tgname AS name, pg_get_triggerdef(t.oid) AS says
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n
  ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND n.nspname IN ('authorizer', 'ledger') AND c.relname = ANY ($1)
ORDER BY 1, 2, 3
"""


class Guard(NamedTuple):
    """One guard, and the statement that takes it away."""

    where: str
    says: str
    without: str


async def guards(dsn: str) -> list[Guard]:
    """All guards on the tables of money, as a migrated database has them."""
    connection = await asyncpg.connect(dsn)
    try:
        found = []
        for row in await connection.fetch(CONSTRAINTS, list(TABLES)):
            table = f"{row['schema']}.{row['table']}"
            drop = f'ALTER TABLE {table} DROP CONSTRAINT "{row["name"]}" CASCADE'
            found.append(Guard(f"{table} {row['name']}", row["says"], drop))
        for row in await connection.fetch(TRIGGERS, list(TABLES)):
            table = f"{row['schema']}.{row['table']}"
            when = row["says"].split("EXECUTE")[0]
            drop = f'DROP TRIGGER "{row["name"]}" ON {table}'
            found.append(Guard(f"{table} {row['name']}", when, drop))
        return found + [
            Guard(f"{service}.{table}", f"no right to {right}",
                  f"GRANT {right} ON {service}.{table} TO {service}")
            for service, rights in _RIGHTS.items()
            for right, tables in rights.items()
            for table in tables
        ]  # fmt: skip
    finally:
        await connection.close()
