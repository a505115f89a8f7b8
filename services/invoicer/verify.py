"""The audit: numbers consecutive without a gap, totals that match their lines and their VAT, and
what was told of them.

Everything is worked out again from the rows: the register, the lines, credit notes and payments;
nothing is taken from sums that are kept. Then the register is held against invoices.events and
invoices.state (told.py). It only reads, in one snapshot and in no consumer group.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg

from runtime.reading import Gauge, Log, unheard
from runtime.sql import statements
from runtime.verifying import SETTLED, Report, Topics, command, in_words
from services.invoicer.euros import vat_euro
from services.invoicer.settings import Settings
from services.invoicer.store.invoices import vat_from
from services.invoicer.told import TOPICS, hold
from services.invoicer.vat import vat_rows

sql = statements("services.invoicer", "sql/verify.sql")
PAGE = 1_000


async def audit(
    connection: asyncpg.Connection,
    environment: int | None = None,
    *,
    log: Log | None = None,
    settled: timedelta = SETTLED,
    gauge: Gauge = unheard,
) -> Report:
    """{"ok", "series": [..], "documents", "held": {..}, "problems": [{environment, number,
    problem}]}; `held` is None where no log is given.

    Reads one snapshot, so that it may run beside everything else. Raises LogAway and what asyncpg
    raises.
    """
    topics = None if log is None else await Topics.noted(log, TOPICS, environment, gauge)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        series = [dict(r) for r in await connection.fetch(sql.series, environment)]
        problems = [
            {
                "environment": s["environment"],
                "number": f"{s['series']} {s['year']}",
                "problem": f"the series counts {s['last_seq']}, the register has {s['numbers']}",
            }
            for s in series
            if not s["last_seq"] == s["numbers"] == s["greatest"]
        ]
        for statement in (
            sql.unknown, sql.gaps, sql.strays, sql.alone, sql.lines, sql.sums,
        ):  # fmt: skip
            problems += [dict(r) for r in await connection.fetch(statement, environment)]
        documents = 0
        async for row in _documents(connection, environment):
            documents += 1
            problems += _wrong(row)
        held = None if topics is None else await hold(connection, topics, settled)
    for number, document, problem in () if held is None else held.problems:
        problems.append({"environment": number, "number": document, "problem": problem})
    return {
        "ok": not problems,
        "series": series,
        "documents": documents,
        "held": None if held is None else held.counts(),
        "problems": problems,
    }


async def _documents(
    connection: asyncpg.Connection, environment: int | None
) -> AsyncIterator[asyncpg.Record]:
    after: tuple[int, str] = (0, "")
    while rows := await connection.fetch(sql.documents, environment, *after, PAGE):
        for row in rows:
            yield row
        after = rows[-1]["environment"], rows[-1]["number"]


def _wrong(row: asyncpg.Record) -> list[dict[str, Any]]:
    """Its VAT worked out again from its lines (vat.py), against what the document says."""
    gross: dict[str, int] = json.loads(row["gross"])
    said = vat_from(row["vat"])
    faults = []
    if sum(gross.values()) != row["total"]:
        faults.append("its lines do not sum to its total")
    if vat_rows(gross.items()) != said:
        faults.append("its VAT is not what its lines give")
    if sum(r.gross for r in said) != row["total"]:
        faults.append("its VAT rows do not sum to its total")
    if row["vat_euro"] != vat_euro(said, row["currency"], row["exchange_rate"]):
        faults.append("its VAT in euros is not what its rate gives")
    return [
        {"environment": row["environment"], "number": row["number"], "problem": fault}
        for fault in faults
    ]


def main(arguments: list[str]) -> int:
    """As runtime.verifying.command has it."""
    return command("invoicer", arguments, Settings, audit, TOPICS, told)


def told(found: Report) -> str:
    """The report for people."""
    lines = [
        f"environment {s['environment']}, {s['series']} {s['year']}: "
        f"{_many(s['numbers'], 'number')}, {_many(s['invoices'], 'invoice')}, "
        f"{_many(s['credit_notes'], 'credit note')}"
        for s in found["series"]
    ]
    lines += in_words(found["held"])
    lines += [
        f"environment {p['environment']}, {p['number']}: {p['problem']}" for p in found["problems"]
    ]
    verdict = "all as it must be" if found["ok"] else "NOT in order"
    return "\n".join([*lines, f"{_many(found['documents'], 'document')}: {verdict}"])


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
