"""`python -m services.ledger verify [--json]`: do the books balance?

Recomputes every balance from the journals, looks at each entry by itself, looks for entries that
come twice or whose origin was never posted, and for guards that the database has lost; names what
differs. It only reads, in one snapshot, so it may run while the ledger works.

Exit code 0: all of it is true. 1: something differs. 2: it could not be looked at.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
from pydantic import ValidationError

from runtime.database import Connection
from runtime.faults import describe
from runtime.sql import statements
from services.ledger.audit import Finding, Flaw, Posted, examine
from services.ledger.settings import Settings

sql = statements("services.ledger", "sql/verify.sql")

MOST_FINDINGS = 1_000  # are named; the rest is counted
ENTRIES_AT_ONCE = 2_000
# Longer than any group of messages takes to come in; after a standstill it can be too short.
SETTLED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedOn:
    """What went over one ledger account of one environment, in minor units."""

    environment: int
    currency: str
    ledger_account: str
    debit: int
    credit: int


@dataclass(slots=True, kw_only=True)
class Report:
    """What was looked at and what was found. `waiting` entries' origins have yet to come."""

    entries: dict[str, int] = field(default_factory=dict)
    accounts: int = 0
    waiting: int = 0
    booked: list[BookedOn] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    found: int = 0

    @property
    def ok(self) -> bool:
        return self.found == 0

    def add(self, finding: Finding) -> None:
        self.found += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)

    def as_json(self) -> str:
        """The report for machines; `findings` holds the first thousand of `found`."""
        return json.dumps({"ok": self.ok, **asdict(self)}, ensure_ascii=False)


async def verify(connection: Connection, *, settled: timedelta = SETTLED) -> Report:
    """Look at everything, in one snapshot. Raises what asyncpg raises."""
    report = Report()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
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
        async for entry in _entries(connection):
            for finding in examine(entry):
                report.add(finding)
        rows = await connection.fetch(sql.entries_by_kind)
        report.entries = {row["kind"]: row["entries"] for row in rows}
        report.accounts = await connection.fetchval(sql.count_balances)
        report.booked = [_booked(row) for row in await connection.fetch(sql.trial_balance)]
    return report


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


def in_words(report: Report) -> Iterator[str]:
    """The report for people, line by line. Amounts are minor units (cents)."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.entries.items())
    yield f"{sum(report.entries.values()):,} entries ({kinds or 'none'})"
    yield f"{report.accounts:,} account{'' if report.accounts == 1 else 's'}"
    venue: tuple[int, str] | None = None
    for row in report.booked:
        if venue != (row.environment, row.currency):
            venue = (row.environment, row.currency)
            yield f"environment {row.environment}, {row.currency}, in minor units:"
        yield (
            f"  {row.ledger_account:<24} debit {row.debit:>15,}  credit {row.credit:>15,}"
            f"  balance {row.debit - row.credit:>15,}"
        )
    if report.waiting:
        yield f"{report.waiting:,} entries wait for what they reverse, credit or pay"
    for one in report.findings:
        place = "" if one.account is None else f" {one.environment}:{one.account}"
        entry = "" if one.entry_id is None else f" entry {one.entry_id}"
        yield f"{one.flaw}{place}{entry}: {one.says}"
    if report.found > len(report.findings):
        yield f"... and {report.found - len(report.findings):,} more"
    yield "The books balance." if report.ok else f"{report.found:,} differences."


async def _connect_and_verify(dsn: str) -> Report:
    connection = await asyncpg.connect(dsn, timeout=10, server_settings={"timezone": "UTC"})
    try:
        return await verify(connection)
    finally:
        await connection.close()


def main(arguments: Sequence[str]) -> int:
    """Look at the books of ONACCOUNT_POSTGRES_LEDGER, print the report, give the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.ledger verify", description=__doc__, formatter_class=_AsWritten
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options = parser.parse_args(arguments)
    try:
        settings: Any = Settings()
    except ValidationError:
        return _cannot("set ONACCOUNT_POSTGRES_LEDGER to the DSN of the ledger's database")
    try:
        report = asyncio.run(_connect_and_verify(settings.postgres.get_secret_value()))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        return _cannot(f"the ledger's database can't be read ({describe(fault)})")
    lines = [report.as_json()] if options.json else list(in_words(report))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if report.ok else 1


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """The docstring is laid out already."""


def _cannot(why: str) -> int:
    sys.stderr.write(f"ledger verify: {why}\n")
    return 2
