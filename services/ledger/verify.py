"""`python -m services.ledger verify [--json] [--books-only]`: do the books balance?

Recomputes every balance from the journals, looks at each entry by itself, looks for entries that
come twice or whose origin was never posted, and for guards that the database has lost. Then it
holds the books against the topics (chain.py): what was decided must be posted, what is posted must
have been decided and published, just so. It names what differs. It only reads, in one snapshot and
in no consumer group, so it may run while the ledger works.

Exit code 0: all of it is true. 1: something differs. 2: it could not be looked at.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import asyncpg
from pydantic import ValidationError

from runtime.database import Connection
from runtime.faults import describe
from runtime.reading import Gauge, Log, LogAway, unheard
from runtime.settings import wrong_in
from runtime.sql import statements
from runtime.verifying import SETTLED, cannot, say_how_far
from services.ledger.audit import Finding, Flaw, Posted, examine
from services.ledger.chain import TOPICS, prepare
from services.ledger.report import BookedOn, Report, in_words
from services.ledger.settings import Settings

sql = statements("services.ledger", "sql/verify.sql")

ENTRIES_AT_ONCE = 2_000


async def verify(
    connection: Connection,
    *,
    log: Log | None = None,
    settled: timedelta = SETTLED,
    gauge: Gauge = unheard,
) -> Report:
    """Look at everything, in one snapshot; at the topics too where a log is given.

    `gauge` hears what is looked at, how much of it is done, and of how much. Raises LogAway and
    what asyncpg raises.
    """
    report = Report()
    chain = None if log is None else await prepare(log, report, gauge)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await _look_at_books(connection, report, settled, gauge)
        if chain is not None:
            await chain.trace(connection, settled)
    return report


async def _look_at_books(
    connection: Connection, report: Report, settled: timedelta, gauge: Gauge
) -> None:
    rows = await connection.fetch(sql.entries_by_kind)
    report.entries = {row["kind"]: row["entries"] for row in rows}
    report.accounts = await connection.fetchval(sql.count_balances)
    report.booked = [_booked(row) for row in await connection.fetch(sql.trial_balance)]
    for row in await connection.fetch(sql.missing_guards):
        report.add(Finding(flaw=Flaw.UNGUARDED, says=row["guard"]))
    for row in await connection.fetch(sql.unsound_balances):
        for finding in _unsound(row):
            report.add(finding)
    for row in await connection.fetch(sql.repeated_entries):
        report.add(_repeated(row))
    for row in await connection.fetch(sql.entries_without_origin, settled):
        report.waiting += not row["late"]
        if row["late"]:
            report.add(_without_origin(row))
    done, total = 0, sum(report.entries.values())
    async for entry in _entries(connection):
        for finding in examine(entry):
            report.add(finding)
        done += 1
        if done % ENTRIES_AT_ONCE == 0 or done == total:
            gauge("journal", done, total)


async def _entries(connection: Connection) -> AsyncIterator[Posted]:
    async for row in connection.cursor(sql.entries_to_check, prefetch=ENTRIES_AT_ONCE):
        yield Posted(**row)


def _unsound(row: asyncpg.Record) -> Iterator[Finding]:
    def finding(flaw: Flaw, says: str) -> Finding:
        return Finding(flaw=flaw, says=says, environment=row["environment"], account=row["account"])

    if row["missing"]:
        yield finding(
            Flaw.BALANCE_MISSING,
            f"no balance is kept; its entries say unbilled {row['unbilled']}, "
            f"billed {row['billed']}",
        )
        return
    for name in ("unbilled", "billed"):
        if row[f"kept_{name}"] != int(row[name]):
            yield finding(
                Flaw.BALANCE_DIFFERS,
                f"{name} is kept as {row[f'kept_{name}']}, its entries say {row[name]}",
            )
    if row["kept_entries"] != row["entries"]:
        yield finding(
            Flaw.ENTRIES_DIFFER,
            f"{row['kept_entries']} entries were posted, {row['entries']} are there",
        )
    elif row["changed"]:
        yield finding(Flaw.ENTRIES_DIFFER, "its entries are not those that were posted")
    currencies = {row["kept_currency"], row["currency"], row["last_currency"]} - {None}
    if len(currencies) > 1:
        yield finding(Flaw.CURRENCY_DIFFERS, f"it is kept in {', '.join(sorted(currencies))}")


def _repeated(row: asyncpg.Record) -> Finding:
    return Finding(
        flaw=Flaw.REPEATED,
        says=f"{row['kind']} {row['source_id']} is posted {row['times']} times",
        environment=row["environment"],
        account=row["account"],
    )


def _without_origin(row: asyncpg.Record) -> Finding:
    return Finding(
        flaw=Flaw.ORIGIN_MISSING,
        says=f"the {row['kind']} is of {row['refers_to']}, which was never posted",
        environment=row["environment"],
        account=row["account"],
        entry_id=row["entry_id"],
    )


def _booked(row: asyncpg.Record) -> BookedOn:
    return BookedOn(
        environment=row["environment"],
        currency=row["currency"],
        ledger_account=row["ledger_account"],
        debit=int(row["debit"]),
        credit=int(row["credit"]),
    )


async def _connect_and_verify(settings: Settings, options: argparse.Namespace) -> Report:
    async with AsyncExitStack() as opened:
        log = (
            None if options.books_only else await opened.enter_async_context(Log(settings, TOPICS))
        )
        connection = await asyncpg.connect(
            settings.postgres.get_secret_value(), timeout=10, server_settings={"timezone": "UTC"}
        )
        opened.push_async_callback(connection.close)
        gauge = say_how_far if options.progress else unheard
        return await verify(connection, log=log, gauge=gauge)


def main(arguments: Sequence[str]) -> int:
    """Look at the books of ONACCOUNT_POSTGRES_LEDGER, print the report, give the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.ledger verify", description=__doc__, formatter_class=_AsWritten
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--books-only", action="store_true", help="look at the database alone, not at the topics"
    )
    parser.add_argument(
        "--progress", action="store_true", help="say on standard error how far it is"
    )
    options = parser.parse_args(arguments)
    try:
        settings: Any = Settings()
    except ValidationError as error:
        return cannot(f"ledger verify: {wrong_in(error, Settings)}")
    try:
        report = asyncio.run(_connect_and_verify(settings, options))
    except LogAway as fault:
        return cannot(f"ledger verify: {fault}; --books-only looks at the database alone")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        return cannot(f"ledger verify: the ledger's database can't be read ({describe(fault)})")
    lines = [report.as_json()] if options.json else list(in_words(report))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if report.ok else 1


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """The docstring is laid out already."""
