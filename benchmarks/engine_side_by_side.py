"""The authorizer's engine on all cores: as many processes as operations would run workers.

    python -m benchmarks.engine_side_by_side [--workers 2] [--sales 40000] [--rounds 5]

What `engine_authorizer` measures of one process, of several at once on one PostgreSQL: each has
the accounts of its own partitions, as the workers of a group have, and hands batches to the
handler, one after another. `floor` sends the same rows by the same statements without a thought.
One process and several, engine and floor, are run in turns. Decisions a second of all together,
from the first that begins to the last that ends; median of the rounds, and the best.
"""

import argparse
import multiprocessing
import random
import statistics
import time
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

import uvloop

from benchmarks import engine_authorizer as one
from benchmarks import servers, telling
from runtime.database import Database
from runtime.incoming import Incoming
from services.authorizer.store.recent import Recent

WAYS = {"engine": one.engine, "floor": one.floor}
WARM_UP = 20
"""Batches before the clock starts: connections, plans and caches, and nearly all accounts once."""


class Share(NamedTuple):
    """What one process does: the `number`-th of `of` has each `of`-th account."""

    way: str
    number: int
    of: int
    accounts: int
    sales: int
    batch: int


async def _work(dsn: str, share: Share, ready: Barrier) -> tuple[float, float]:
    draw = random.Random()
    database = Database(dsn, size=2, by_key=True)
    await database.open()
    mine = range(share.number, share.accounts, share.of)

    def batches(count: int) -> list[one.Work]:
        sales = [one.sale(f"2890{draw.choice(mine):06}") for _ in range(count)]
        records = [Incoming(s, "pos.sales", share.number, n, one.NOON) for n, s in enumerate(sales)]
        starts = range(0, count, share.batch)
        return [WAYS[share.way](records[start : start + share.batch]) for start in starts]

    recent = Recent()
    warm_up = batches(WARM_UP * share.batch)
    await one.rate(database, warm_up, 1, partition=share.number, recent=recent)
    given = batches(share.sales)
    ready.wait(60)
    began = time.monotonic()
    await one.rate(database, given, share.sales, partition=share.number, recent=recent)
    ended = time.monotonic()
    await database.close()
    return began, ended


def _process(dsn: str, share: Share, ready: Barrier, results: Any) -> None:
    results.put(uvloop.run(_work(dsn, share, ready)))


def rate(dsn: str, way: str, workers: int, options: argparse.Namespace) -> float:
    """Decisions a second of so many processes together."""
    spawn = multiprocessing.get_context("spawn")
    ready, results = spawn.Barrier(workers), spawn.Queue()
    each = options.sales // workers
    processes = [
        spawn.Process(
            target=_process,
            args=(
                dsn,
                Share(way, number, workers, options.accounts, each, options.batch),
                ready,
                results,
            ),
            daemon=True,
        )
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    times = [results.get(timeout=300) for _ in processes]
    for process in processes:
        process.join(30)
    took = max(end for _, end in times) - min(began for began, _ in times)
    return float(each * workers / took)


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Measure on a server of its own."""
    ways = {
        "one": ("engine", 1),
        "engine": ("engine", options.workers),
        "floor": ("floor", options.workers),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    with servers.folder("engine-side-by-side") as path:
        async with servers.postgres(path) as dsns:
            await one.prepare(dsns["admin"], options.accounts)
            for _ in range(options.rounds):
                for name, (way, workers) in ways.items():
                    found[name].append(rate(dsns["authorizer"], way, workers, options))
    middle = {name: statistics.median(rates) for name, rates in found.items()}
    return {
        "benchmark": "engine_side_by_side",
        "machine": servers.machine(),
        "workers": options.workers,
        "batch": options.batch,
        "accounts": options.accounts,
        "one_per_s": round(middle["one"]),
        "engine_per_s": round(middle["engine"]),
        "engine_best_per_s": round(max(found["engine"])),
        "floor_per_s": round(middle["floor"]),
        "engine_to_floor": round(middle["engine"] / middle["floor"], 2),
        "engine_to_one": round(middle["engine"] / middle["one"], 2),
    }


def main() -> None:
    parser = telling.asked(__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sales", type=int, default=40_000, help="of all, in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--accounts", type=int, default=5_000)
    options = parser.parse_args()
    found = uvloop.run(run(options))
    telling.tell(found, as_json=options.json)


if __name__ == "__main__":
    main()
