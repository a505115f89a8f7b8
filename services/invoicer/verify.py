"""The audit: numbers consecutive without a gap, totals that match their lines and their VAT, and
what was told of them.

Everything is worked out again from the rows: the register, the lines, credit notes and payments;
nothing is taken from sums that are kept. Then the register is held against invoices.events and
invoices.state (told.py). It only reads, in one snapshot and in no consumer group.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import asyncpg

from runtime.reading import Log, LogAway
from runtime.sql import statements
from services.invoicer.euros import vat_euro
from services.invoicer.settings import Settings
from services.invoicer.store.invoices import vat_from
from services.invoicer.told import TOPICS, Gauge, prepare
from services.invoicer.vat import vat_rows

sql = statements("services.invoicer", "sql/verify.sql")
PAGE = 1_000
SETTLED = timedelta(minutes=10)
"""Longer than what a step told takes to reach its topic; after a standstill it can be too short."""


def unheard(what: str, done: int, total: int) -> None:
    """A gauge for those who don't want to know."""


async def audit(
    connection: asyncpg.Connection,
    environment: int | None = None,
    *,
    log: Log | None = None,
    settled: timedelta = SETTLED,
    gauge: Gauge = unheard,
) -> dict[str, Any]:
    """{"ok", "series": [..], "documents", "told": {..}, "problems": [{environment, number,
    problem}]}; `told` is None where no log is given.

    Reads one snapshot, so that it may run beside everything else. Raises LogAway and what asyncpg
    raises.
    """
    telling = None if log is None else await prepare(log, gauge)
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
        told = None if telling is None else await telling.hold(connection, environment, settled)
    if told is not None:
        problems += told.problems
    return {
        "ok": not problems,
        "series": series,
        "documents": documents,
        "told": told and told.counts(),
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


async def _run(settings: Settings, chosen: argparse.Namespace) -> dict[str, Any]:
    async with AsyncExitStack() as opened:
        log = None
        if not chosen.register_only:
            log = await opened.enter_async_context(Log(settings, TOPICS))
        dsn = settings.postgres.get_secret_value()
        connection = await asyncpg.connect(dsn, timeout=10)
        opened.push_async_callback(connection.close)
        gauge = _say_how_far if chosen.progress else unheard
        return await audit(connection, chosen.environment, log=log, gauge=gauge)


def _say_how_far(what: str, done: int, total: int) -> None:
    sys.stderr.write(f"progress {done} {total} {what}\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Exit status: 0 where all is as it must be, 1 where not, 2 where it can't be read."""
    parser = argparse.ArgumentParser(prog="python -m services.invoicer verify", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--environment", type=int, help="this one alone")
    parser.add_argument(
        "--register-only", action="store_true", help="look at the database, not at the topics"
    )
    parser.add_argument("--progress", action="store_true", help="say on standard error how far")
    chosen = parser.parse_args(arguments)
    try:
        found = asyncio.run(_run(Settings(), chosen))
    except LogAway as fault:
        sys.stderr.write(f"{fault}; --register-only looks at the database alone\n")
        return 2
    except (OSError, asyncpg.PostgresError) as error:
        sys.stderr.write(f"the invoicer's database can't be read: {type(error).__name__}\n")
        return 2
    if chosen.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        _tell(found)
    return 0 if found["ok"] else 1


def _tell(found: dict[str, Any]) -> None:
    for s in found["series"]:
        sys.stdout.write(
            f"environment {s['environment']}, {s['series']} {s['year']}: "
            f"{_many(s['numbers'], 'number')}, {_many(s['invoices'], 'invoice')}, "
            f"{_many(s['credit_notes'], 'credit note')}\n"
        )
    if told := found["told"]:
        sys.stdout.write(
            f"held against what was told: {_many(told['events'], 'event')} of money, "
            f"{_many(told['states'], 'state')}\n"
        )
        for count, what in (
            (told["unreadable"], "records can't be read"),
            (told["older"], "documents and payments may be older than what the topic still holds"),
            (told["on_their_way"], "documents, payments or states are still to be told"),
        ):
            if count:
                sys.stdout.write(f"{count} {what}\n")
    for p in found["problems"]:
        sys.stdout.write(f"environment {p['environment']}, {p['number']}: {p['problem']}\n")
    verdict = "all as it must be" if found["ok"] else "NOT in order"
    sys.stdout.write(f"{_many(found['documents'], 'document')}: {verdict}\n")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
