"""The ledger's engine alone: batches of approved sales handed to the handler, no Kafka.

    python -m benchmarks.engine_ledger [--entries 100000] [--batch 1000] [--accounts 1000]

Real PostgreSQL with fsync, the login role's grants, one connection, one transaction a batch, as
the edge does it; sales have two lines of two rates, so entries have three legs. The `floor` sends
the same rows by the same statements without reading a message, making a journal or an answer: it
is what PostgreSQL and its driver leave to win. Both are run in turns, so that what else the
machine does falls on both. Records a second; median of the rounds, and the best.
"""

import argparse
import gc
import random
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import uvloop

from benchmarks import servers, telling
from runtime.database import Database
from runtime.edge.guard import Guard, Place
from runtime.incoming import Incoming
from runtime.transaction import Tx
from runtime.worker import spare_the_collector
from schemas.pos import SaleApproved, SaleLine
from services.ledger import store
from services.ledger.answers import entry_bytes
from services.ledger.domain import AccountKey, changes
from services.ledger.handlers import decisions
from services.ledger.store import NewEntry

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
LINES = (
    SaleLine(description="Bier", quantity="2", unit_price=250, vat_rate="21", total=500),
    SaleLine(description="Bitterballen", quantity="1", unit_price=750, vat_rate="9", total=750),
)
Work = Callable[[Tx], Awaitable[object]]


def sale(account: str) -> SaleApproved:
    """What the authorizer says of one ordinary sale."""
    return SaleApproved(
        sale_id=str(uuid.uuid4()),
        environment=2890,
        terminal="till-1",
        account=account,
        at=NOON,
        booked_at=NOON,
        decided_at=NOON,
        currency="EUR",
        total=1250,
        lines=LINES,
        online=True,
        over_limit=False,
        limit=None,
        used=0,
        available=None,
    )


def engine(records: Sequence[Incoming]) -> Work:
    """The handler, as the edge calls it."""
    return partial(decisions.handle, records)


def floor(records: Sequence[Incoming]) -> Work:
    """The handler's statements with rows that are made beforehand."""
    journals = [decisions.journal_of(record.message) for record in records]
    entries = []
    for journal in journals:
        entry_id = journal.source.entry_id
        entries.append(NewEntry(journal, entry_id, entry_bytes(journal, entry_id)))
    currencies: dict[AccountKey, str] = {journal.key: "EUR" for journal in journals}
    sources = [journal.source for journal in journals]
    moved = changes((entry.journal, entry.answer) for entry in entries)

    async def send(tx: Tx) -> None:
        await store.lock(tx, currencies)
        await store.recall(tx, sources)
        await store.record(tx, entries, moved)

    return send


async def rate(database: Database, batches: Sequence[Work], records: int) -> float:
    """Records a second over these batches, each committed and with its positions, as the edge."""
    guard = Guard("benchmark")
    place = Place("pos.decisions", 0)
    # As the worker does; the messages that wait in memory are the benchmark's, not the worker's.
    spare_the_collector()
    started = time.perf_counter()
    for number, work in enumerate(batches):
        async with database.begin() as connection:
            tx = await guard.open(connection, {place: number})
            await work(tx)
    took = time.perf_counter() - started
    gc.unfreeze()
    return records / took


async def measure(dsn: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """Engine and floor in turns; the first turn of each warms up and is left out."""
    draw = random.Random(2890)
    found: dict[str, list[float]] = {"engine": [], "floor": []}
    each = options.entries // options.rounds
    database = Database(dsn, size=2, by_key=True)
    await database.open()
    for turn in range(options.rounds + 1):
        for name, way in (("engine", engine), ("floor", floor)):
            sales = [sale(f"2890{draw.randrange(options.accounts):05}") for _ in range(each)]
            records = [Incoming(s, "pos.decisions", 0, n, NOON) for n, s in enumerate(sales)]
            batches = [
                way(records[start : start + options.batch])
                for start in range(0, each, options.batch)
            ]
            found_now = await rate(database, batches, each)
            if turn:
                found[name].append(found_now)
    await database.close()
    return found


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Measure on a server of its own."""
    with servers.folder("engine-ledger") as path:
        async with servers.postgres(path) as dsns:
            found = await measure(dsns["ledger"], options)
    engine_s, floor_s = (statistics.median(found[name]) for name in ("engine", "floor"))
    return {
        "benchmark": "engine_ledger",
        "machine": servers.machine(),
        "batch": options.batch,
        "accounts": options.accounts,
        "engine_per_s": round(engine_s),
        "engine_best_per_s": round(max(found["engine"])),
        "floor_per_s": round(floor_s),
        "engine_to_floor": round(engine_s / floor_s, 2),
    }


def main() -> None:
    parser = telling.asked(__doc__)
    parser.add_argument("--entries", type=int, default=100_000, help="in all rounds, of each way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--accounts", type=int, default=1_000)
    options = parser.parse_args()
    found = uvloop.run(run(options))
    telling.tell(found, as_json=options.json)


if __name__ == "__main__":
    main()
