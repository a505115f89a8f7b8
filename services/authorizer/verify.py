"""The audit of limits: what is used is what was sold, taken back, invoiced and paid, and was told.

Each account's six sums are worked out again from the sales, reversals, invoices, credit notes and
payments that are remembered; then these are held against pos.decisions, and the registry against
registry.state (told.py). It only reads, in one snapshot and in no consumer group.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import asyncpg

from runtime.reading import Gauge, Log, unheard
from runtime.sql import statements
from runtime.verifying import SETTLED, Report, Topics, command, in_words
from services.authorizer.settings import Settings
from services.authorizer.told import TOPICS, hold

sql: Final = statements("services.authorizer", "sql/verify.sql")

SUMS: Final = ("approved", "reversed", "issued", "credited", "paid", "refunded")


async def audit(
    connection: asyncpg.Connection,
    environment: int | None = None,
    *,
    log: Log | None = None,
    settled: timedelta = SETTLED,
    gauge: Gauge = unheard,
) -> Report:
    """{"ok", "accounts", "sales", "held": {..}, "problems": [{environment, what, problem}]}; `held`
    is None where no log is given, `what` an account's number or the id of what is meant.

    Reads one snapshot, so that it may run beside everything else. Raises LogAway and what asyncpg
    raises.
    """
    topics = None if log is None else await Topics.noted(log, TOPICS, environment, gauge)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        (counted,) = await connection.fetch(sql.counted, environment)
        problems: list[dict[str, Any]] = []
        for statement in (sql.unknown, sql.reversals, sql.alone):
            problems += [dict(r) for r in await connection.fetch(statement, environment)]
        problems += [_sums(r) for r in await connection.fetch(sql.sums, environment)]
        held = None if topics is None else await hold(connection, topics, settled)
    for number, what, problem in () if held is None else held.problems:
        problems.append({"environment": number, "what": what, "problem": problem})
    return {
        "ok": not problems,
        **counted,
        "held": None if held is None else held.counts(),
        "problems": problems,
    }


def _sums(row: asyncpg.Record) -> dict[str, Any]:
    wrong = [
        f"{name} is kept as {row[name]}, what is remembered gives {row[f'of_{name}']}"
        for name in SUMS
        if row[name] != row[f"of_{name}"]
    ]
    return {
        "environment": row["environment"],
        "what": row["what"],
        "problem": "; ".join(wrong),
    }


def main(arguments: list[str]) -> int:
    """As runtime.verifying.command has it."""
    return command("authorizer", arguments, Settings, audit, TOPICS, told)


def told(found: Report) -> str:
    """The report for people."""
    lines = [f"{_many(found['accounts'], 'account')}, {_many(found['sales'], 'sale')}"]
    lines += in_words(found["held"])
    lines += [
        f"environment {p['environment']}, {p['what']}: {p['problem']}" for p in found["problems"]
    ]
    return "\n".join([*lines, "all as it must be" if found["ok"] else "NOT in order"])


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
