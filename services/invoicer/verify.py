"""The audit: numbers consecutive without a gap, totals that match their lines and their VAT.

Everything is worked out again from the rows: the register, the lines, credit notes and payments;
nothing is taken from sums that are kept.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg

from runtime.sql import statements
from services.invoicer.euros import vat_euro
from services.invoicer.settings import Settings
from services.invoicer.store.invoices import vat_from
from services.invoicer.vat import vat_rows

sql = statements("services.invoicer", "sql/verify.sql")
PAGE = 1_000


async def audit(connection: asyncpg.Connection, environment: int | None = None) -> dict[str, Any]:
    """{"ok", "series": [..], "documents", "problems": [{environment, number, problem}]}.

    Reads one snapshot, so that it may run beside everything else.
    """
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
    return {"ok": not problems, "series": series, "documents": documents, "problems": problems}


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


async def _run(dsn: str, environment: int | None) -> dict[str, Any]:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return await audit(connection, environment)
    finally:
        await connection.close()


def main(arguments: list[str]) -> int:
    """Exit status: 0 where all is as it must be, 1 where not, 2 where it can't be read."""
    parser = argparse.ArgumentParser(prog="python -m services.invoicer verify", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--environment", type=int, help="this one alone")
    chosen = parser.parse_args(arguments)
    try:
        dsn = Settings().postgres.get_secret_value()
        found = asyncio.run(_run(dsn, chosen.environment))
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
    for p in found["problems"]:
        sys.stdout.write(f"environment {p['environment']}, {p['number']}: {p['problem']}\n")
    verdict = "all as it must be" if found["ok"] else "NOT in order"
    sys.stdout.write(f"{_many(found['documents'], 'document')}: {verdict}\n")


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
