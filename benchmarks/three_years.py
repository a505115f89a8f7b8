"""A venue's databases after three years: how large they are, and what looking through them takes.

    python -m benchmarks.three_years [--sales 720000] [--accounts 50000] [--customers 30000]

A server of its own is filled by SQL with what the services would have written in that time: most
sales on a part of the accounts, an invoice each month for each of these, seven in eight of them
paid, and a last month that is to be invoiced still. Documents are left out but for a row each:
their bytes are in docs/decisions/0116. Told are the size of each service for a million sales, and
the CPU time and the most memory of what reads all of it. Takes some minutes, and 8 GB of disk.
"""

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import uvloop

from benchmarks import servers, telling
from cli.stack.postgres import SERVICES
from runtime.sql import statements
from services.invoicer.verify import audit
from services.ledger.answers import entry_bytes
from services.ledger.domain import Event, Journal, RateTotal, charge, invoice, payment
from services.ledger.verify import verify

sql: Final = statements("benchmarks", "three_years.sql")
SETTINGS: Final = {
    "iban": "NL91ABNA0417164300", "logo": None, "name": "De Club", "colour": None, "country": "NL",
    "city": "Utrecht", "street": "Dorpsstraat 1", "postcode": "1234 AB", "currency": "EUR",
    "language": "nl", "reply_to": None, "schedule": None, "time_zone": "Europe/Amsterdam",
    "legal_name": "Stichting De Club", "vat_number": "NL123456782B90",
    "chamber_number": "12345678", "finance_email": "finance@club.nl", "finance_copy": "report",
    "payment_days": 14, "limit_release": "issued", "number_format": "{year}-{seq:05}",
    "credit_note_format": "{year}-{seq:05}", "default_limit": None, "default_on_account": True,
    "default_in_overview": True, "import_enabled": True, "viewer_statements": False,
}  # fmt: skip
ENVIRONMENT: Final = 2890
MONTHS: Final = 36
AFTER: Final = datetime(2026, 11, 1, tzinfo=UTC)
MEAL: Final = 975
REVISIONS: Final = 100
"""Of the directory that tills signed on to."""
ENTRIES_AT_ONCE: Final = 50_000
COLUMNS: Final = (
    "environment", "kind", "source_id", "entry_id", "account", "refers_to", "currency", "at",
    "ledger_accounts", "amounts", "answer", "posted_at",
)  # fmt: skip
# A superuser's, who writes no row that the services would not, and need not have each checked.
FILLING: Final = {
    "synchronous_commit": "off",
    "session_replication_role": "replica",
    "work_mem": "256MB",
}


class Filling:
    """Fills one database, several statements at once where they do not need each other."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def all(self, sales: int, accounts: int, customers: int) -> None:
        """Make the venue, and all that happened there."""
        state = {
            **SETTINGS, "type": "environment.state", "environment": ENVIRONMENT, "version": 3,
            "active": True, "gdpr": None,
        }  # fmt: skip
        connection = await self._connect()
        await connection.execute(sql.begin)
        await connection.close()
        await self._do(sql.house, AFTER, json.dumps(SETTINGS))
        await self._do(sql.houses_copies, json.dumps(state))
        await self._do(sql.people, customers)
        await self._do(sql.accounts, accounts, customers)
        last = min(sales // MONTHS * 4, accounts * 2)
        await self._do(sql.sales, sales, MONTHS, accounts, accounts * 4 // 25, AFTER, last)
        await self._do(sql.invoices, MONTHS, AFTER)
        await self._do(sql.invoiced, MONTHS)
        await self._do(sql.invoicers_invoices)
        await asyncio.gather(self._authorizer(accounts), self._invoicer(), self._ledger())
        connection = await self._connect()
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    async def _authorizer(self, accounts: int) -> None:
        for statement in (sql.decided, sql.effects, sql.authorizers_sums):
            await self._do(statement)
        await self._do(sql.commands, accounts * 3 // 2)
        await self._do(sql.directories, REVISIONS)
        await self._do(sql.sessions, accounts * 3, REVISIONS)
        await self._do(sql.searches, accounts * 6)

    async def _invoicer(self) -> None:
        for statement in (
            sql.invoicers_sales, sql.invoicers_lines, sql.runs, sql.run_items, sql.series,
            sql.numbers, sql.letterhead, sql.invoicers_invoice_lines, sql.payments, sql.requests,
            sql.answers, sql.mails, sql.documents,
        ):  # fmt: skip
            await self._do(statement)

    async def _ledger(self) -> None:
        """Its entries, whose ids and bytes only its own code makes."""
        reading, writing = await self._connect(), await self._connect()
        rows: list[tuple[Any, ...]] = []

        async def flush() -> None:
            await writing.copy_records_to_table(
                "entry", schema_name="ledger", columns=COLUMNS, records=rows
            )
            rows.clear()

        for query, made in ((sql.charges, _charged), (sql.billings, _billed)):
            async with reading.transaction():
                async for row in reading.cursor(query, ENVIRONMENT, prefetch=5_000):
                    rows.extend(map(_entry, made(row)))
                    if len(rows) >= ENTRIES_AT_ONCE:
                        await flush()
        await flush()
        await asyncio.gather(reading.close(), writing.close())
        await self._do(sql.balances)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self._dsn, server_settings=FILLING)

    async def _do(self, statement: str, *arguments: Any) -> None:
        connection = await self._connect()
        await connection.execute(statement, ENVIRONMENT, *arguments)
        await connection.close()


def _charged(row: asyncpg.Record) -> Iterator[Journal]:
    event = Event(ENVIRONMENT, row["account"], row["sale_id"], row["at"], "EUR")
    beer = row["beer"]
    yield charge(event, beer + MEAL, (("21", beer), ("9", MEAL)))


def _billed(row: asyncpg.Record) -> Iterator[Journal]:
    event = Event(ENVIRONMENT, row["account"], row["invoice_id"], row["at"], "EUR")
    yield invoice(event, row["total"], [RateTotal(**one) for one in json.loads(row["vat"])])
    if row["payment"]:
        paid = event._replace(source_id=row["payment"], refers_to=row["invoice_id"])
        yield payment(paid, row["total"])


def _entry(journal: Journal) -> tuple[Any, ...]:
    kind, event, legs = journal
    entry_id = journal.source.entry_id
    return (
        event.environment, str(kind), event.source_id, entry_id, event.account, event.refers_to,
        event.currency, event.at, list(legs), list(legs.values()), entry_bytes(journal, entry_id),
        event.at,
    )  # fmt: skip


def _cpu_s(pid: int) -> float:
    """What a process took so far, of itself and of the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def looked_through(
    dsn: str, look: Callable[[asyncpg.Connection], Awaitable[object]]
) -> dict[str, float]:
    """CPU seconds of the command and of PostgreSQL, for one look at everything."""
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    server, own = _cpu_s(connection.get_server_pid()), time.process_time()
    await look(connection)
    took = {
        "command": round(time.process_time() - own, 1),
        "postgresql": round(_cpu_s(connection.get_server_pid()) - server, 1),
    }
    await connection.close()
    return took


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Measure on a server of its own."""
    with servers.folder("three-years") as path:
        async with servers.large_postgres(path, ("years",)) as named:
            dsns = named["years"]
            await Filling(dsns["admin"]).all(options.sales, options.accounts, options.customers)
            connection = await asyncpg.connect(dsns["admin"])
            sizes = {row[0]: row[1] for row in await connection.fetch(sql.sizes, list(SERVICES))}
            sales = await connection.fetchval("SELECT count(*) FROM authorizer.sale")
            invoices = await connection.fetchval("SELECT count(*) FROM invoicer.invoice")
            await connection.close()
            ledger = await looked_through(dsns["ledger"], verify)
            invoicer = await looked_through(dsns["invoicer"], audit)
    return {
        "benchmark": "three_years",
        "machine": servers.machine(),
        "sales": sales,
        "invoices": invoices,
        "mb_a_million_sales": {
            name: round(size / 2**20 / sales * 1_000_000) for name, size in sizes.items()
        },
        "ledger_verify_books_only_cpu_s": ledger,
        "invoicer_verify_cpu_s": invoicer,
        "most_mb_of_this_process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = telling.asked(__doc__)
    parser.add_argument("--sales", type=int, default=720_000)
    parser.add_argument("--accounts", type=int, default=50_000)
    parser.add_argument("--customers", type=int, default=30_000)
    options = parser.parse_args()
    telling.tell(uvloop.run(run(options)), as_json=options.json)


if __name__ == "__main__":
    main()
