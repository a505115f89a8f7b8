"""The authorizer's engine alone: batches of sales handed to the handler, no Kafka.

    python -m benchmarks.engine_authorizer [--sales 100000] [--batch 1000] [--accounts 5000]

Real PostgreSQL with fsync, the login role's grants, one batch after another, as the edge does it:
at once where the worker remembers the accounts, else in a transaction. Sales have two lines of two
rates, each account has a limit. The `floor` sends the same rows by the same statements without a
thought: no content, decision or answer is made.
`hot` is the engine where all sales are on one account. All are run in turns, so that what else
the machine does falls on each. Decisions a second; median of the rounds, and the best.
"""

import argparse
import gc
import random
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import uvloop

from benchmarks import servers, telling
from runtime.database import Database
from runtime.edge.decide import AT_ONCE
from runtime.edge.guard import Guard, Place
from runtime.incoming import Incoming
from runtime.worker import spare_the_collector
from schemas.content import digest
from schemas.pos import GivenLine, SaleRequested
from services.authorizer import answers
from services.authorizer.domain.book import Book, KnownSale
from services.authorizer.domain.sales import Approved
from services.authorizer.handlers.sales import decide_at_once, decide_sales
from services.authorizer.store import at_once
from services.authorizer.store import sales as store
from services.authorizer.store.recent import Recent

ENVIRONMENT = 2890
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
LINES = (
    GivenLine(description="Bier", quantity="2", unit_price=250, vat_rate="21", total=500),
    GivenLine(description="Bitterballen", quantity="1", unit_price=750, vat_rate="9", total=750),
)

SETTINGS = '{"currency": "EUR", "language": "nl", "limit_release": "issued"}'
ENVIRONMENT_ROW = """
    INSERT INTO authorizer.environment (environment, version, revision, active, gdpr_by,
                                        gdpr_document, gdpr_at, settings, changed_at)
    VALUES ($1, 1, 1, true, 'benchmark', 'terms', now(), $2, now())
"""
ACCOUNT_ROWS = """
    INSERT INTO authorizer.account (environment, account, credit_limit, status, on_account,
                                    in_overview, version, description, searched, changed_at)
    SELECT $1, '2890' || lpad(n::text, 6, '0'), 1000000000, 'active', true, true, 1, '', '', now()
    FROM generate_series(0, $2 - 1) AS n
"""


def sale(account: str) -> SaleRequested:
    """What a till asks for one ordinary sale."""
    return SaleRequested(
        sale_id=str(uuid.uuid4()),
        environment=ENVIRONMENT,
        terminal="till-1",
        account=account,
        at=NOON,
        currency="EUR",
        total=1250,
        lines=LINES,
    )


class Hand(NamedTuple):
    """What a worker has for its batches, and the positions of the one in hand."""

    database: Database
    recent: Recent
    guard: Guard
    marks: dict[Place, int]


Work = Callable[[Hand], Awaitable[object]]


def engine(records: Sequence[Incoming]) -> Work:
    """The handlers, as the edge calls them."""
    few = len(records) <= AT_ONCE

    async def decide(hand: Hand) -> None:
        async with hand.database.connection() as connection:
            glance = hand.guard.glance(connection, hand.marks, few=few)
            if await decide_at_once(hand.recent, records, glance) is not None:
                return
        async with hand.database.begin() as connection:
            tx = await hand.guard.open(connection, hand.marks, alone=True)
            await decide_sales(hand.recent, records, tx)
        tx.was_committed()

    return decide


def floor(records: Sequence[Incoming]) -> Work:
    """The handlers' statements with rows that are made beforehand."""
    sales = [record.message for record in records]
    decision = Approved(NOON, False, True, False, 1_000_000_000, 1250, 999_998_750)
    rows = {
        (s.environment, s.sale_id): KnownSale(
            "approved",
            s.account,
            digest(s),
            s.total,
            answer=answers.approved(s, decision, NOON),
            stored="new",
            decided=True,
        )
        for s in sales
    }

    def write(book: Book) -> None:
        for s in sales:
            book.standings[s.environment, s.account].charge(s.total)
        book.sales = rows

    async def send(hand: Hand) -> None:
        async with hand.database.connection() as connection:
            glance = hand.guard.glance(connection, hand.marks, few=len(sales) <= AT_ONCE)
            now, book = glance.without_a_look(), hand.recent.recall(sales)
            if now is not None and book is not None:
                write(book)
                await at_once.record(glance, book, now, remembered=True)
                hand.recent.recorded(book)
                return
        async with hand.database.begin() as connection:
            tx = await hand.guard.open(connection, hand.marks, alone=True)
            book = await store.open_book(tx, sales, set())
            write(book)
            await store.record(tx, book)
        hand.recent.recorded(book)

    return send


async def rate(
    database: Database,
    batches: Sequence[Work],
    records: int,
    partition: int = 0,
    recent: Recent | None = None,
) -> float:
    """Decisions a second over these batches, each committed with its positions, as the edge."""
    guard, recent = Guard("benchmark"), recent or Recent()
    place = Place("pos.sales", partition)
    # As the worker does; the messages that wait in memory are the benchmark's, not the worker's.
    spare_the_collector()
    started = time.perf_counter()
    for number, work in enumerate(batches):
        await work(Hand(database, recent, guard, {place: number}))
    took = time.perf_counter() - started
    gc.unfreeze()
    return records / took


async def measure(dsn: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """All ways in turns; the first turn of each warms up and is left out."""
    draw = random.Random(ENVIRONMENT)
    ways = (
        ("engine", engine, options.accounts),
        ("floor", floor, options.accounts),
        ("hot", engine, 1),
    )
    found: dict[str, list[float]] = {name: [] for name, _, _ in ways}
    each = options.sales // options.rounds
    database = Database(dsn, size=2, by_key=True)
    await database.open()
    recent = Recent()
    for turn in range(options.rounds + 1):
        for name, way, accounts in ways:
            sales = [sale(f"2890{draw.randrange(accounts):06}") for _ in range(each)]
            records = [Incoming(s, "pos.sales", 0, n, NOON) for n, s in enumerate(sales)]
            batches = [
                way(records[start : start + options.batch])
                for start in range(0, each, options.batch)
            ]
            found_now = await rate(database, batches, each, recent=recent)
            if turn:
                found[name].append(found_now)
    await database.close()
    return found


async def prepare(admin: str, accounts: int) -> None:
    """One environment with its accounts."""
    database = Database(admin, size=1)
    async with database.connection() as connection:
        await connection.execute(ENVIRONMENT_ROW, ENVIRONMENT, SETTINGS)
        await connection.execute(ACCOUNT_ROWS, ENVIRONMENT, accounts)
        await connection.execute("VACUUM ANALYZE")
    await database.close()


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Measure on a server of its own."""
    with servers.folder("engine-authorizer") as path:
        async with servers.postgres(path) as dsns:
            await prepare(dsns["admin"], options.accounts)
            found = await measure(dsns["authorizer"], options)
    middle = {name: statistics.median(rates) for name, rates in found.items()}
    return {
        "benchmark": "engine_authorizer",
        "machine": servers.machine(),
        "batch": options.batch,
        "accounts": options.accounts,
        "engine_per_s": round(middle["engine"]),
        "engine_best_per_s": round(max(found["engine"])),
        "floor_per_s": round(middle["floor"]),
        "hot_per_s": round(middle["hot"]),
        "engine_to_floor": round(middle["engine"] / middle["floor"], 2),
        "hot_to_uniform": round(middle["hot"] / middle["engine"], 2),
    }


def main() -> None:
    parser = telling.asked(__doc__)
    parser.add_argument("--sales", type=int, default=100_000, help="in all rounds, of each way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--accounts", type=int, default=5_000)
    options = parser.parse_args()
    found = uvloop.run(run(options))
    telling.tell(found, as_json=options.json)


if __name__ == "__main__":
    main()
