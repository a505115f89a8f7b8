"""The authorizer's engine with a long history, against the same engine with none.

    python -m benchmarks.engine_at_scale [--accounts 1000000] [--remembered 10000000]
        [--warm-up 300000]

Two databases on one server, as docs/deploying.md would have it set up for such a size: one with
5,000 accounts and no sale, one with a million accounts and ten million sales, each with its answer.
Batches of new sales over all accounts are decided in the one and the other in turns. Decisions a
second; median of the rounds. To fill the large one takes some minutes and about 15 GB.

Tills' ids are random, so for a while after each checkpoint nearly every sale is the first to
change its page of an index and of accounts, and PostgreSQL writes such a page out whole. `cold` is
the rate of that while, the first round after a checkpoint. Then sales warm it up, as many as a busy
machine sells in a minute of the thirty between two checkpoints, and the rounds are measured.
"""

import argparse
import random
import statistics
import time

import asyncpg
import uvloop

from benchmarks import engine_authorizer as engine
from benchmarks import servers, telling
from runtime.database import Database
from runtime.incoming import Incoming

SMALL_ACCOUNTS = 5_000
FILLED, PORTION = 500_000, 100_000
"""Rows that are filled in at once, and sales that are held in memory at once."""

# Random ids, as tills make them: their index has no warm end. An answer is as long as one of two
# lines is, and compresses no better than one does.
REMEMBERED = """
    INSERT INTO authorizer.sale (environment, sale_id, state, recorded, account, digest, total,
                                 decided_at, answer)
    SELECT $1, gen_random_uuid(), 'approved', false,
           '2890' || lpad((n % $2)::text, 6, '0'), sha256(n::text::bytea), 1250, now(),
           convert_to(rpad(n::text, 620, md5(n::text)), 'UTF8')
    FROM generate_series($3::bigint, $4::bigint) AS n
"""


async def fill(admin: str, accounts: int, remembered: int) -> None:
    """One environment with its accounts and what was sold on them."""
    await engine.prepare(admin, accounts)
    if not remembered:
        return
    connection = await asyncpg.connect(admin)
    try:
        await connection.execute("SET synchronous_commit = off")
        await connection.execute("ALTER TABLE authorizer.sale DROP CONSTRAINT sale_pkey")
        for first in range(0, remembered, FILLED):
            last = min(first + FILLED, remembered) - 1
            await connection.execute(REMEMBERED, engine.ENVIRONMENT, accounts, first, last)
            print(f"\r{last + 1:,} sales remembered", end="", flush=True)
        print()
        await connection.execute("SET maintenance_work_mem = '1GB'")
        await connection.execute(
            "ALTER TABLE authorizer.sale ADD PRIMARY KEY (environment, sale_id)"
        )
        await connection.execute("VACUUM ANALYZE authorizer.sale")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def rate(database: Database, accounts: int, count: int, batch: int) -> float:
    """Decisions a second of new sales, each on any account."""
    draw = random.Random(time.monotonic_ns())
    sales = [engine.sale(f"2890{draw.randrange(accounts):06}") for _ in range(count)]
    records = [Incoming(s, "pos.sales", 0, n, engine.NOON) for n, s in enumerate(sales)]
    batches = [engine.engine(records[start : start + batch]) for start in range(0, count, batch)]
    return await engine.rate(database, batches, count)


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Measure on a server of its own."""
    sizes = {"small": (SMALL_ACCOUNTS, 0), "large": (options.accounts, options.remembered)}
    found: dict[str, list[float]] = {name: [] for name in sizes}
    with servers.folder("engine-at-scale") as path:
        async with servers.large_postgres(path, tuple(sizes)) as dsns:
            databases = {}
            for name, (accounts, remembered) in sizes.items():
                await fill(dsns[name]["admin"], accounts, remembered)
                databases[name] = Database(dsns[name]["authorizer"], size=2, by_key=True)
            cold = await rate(databases["large"], options.accounts, options.sales, options.batch)
            for done in range(0, options.warm_up, PORTION):
                count = min(PORTION, options.warm_up - done)
                await rate(databases["large"], options.accounts, count, options.batch)
            for turn in range(options.rounds + 1):
                for name, (accounts, _) in sizes.items():
                    one = await rate(databases[name], accounts, options.sales, options.batch)
                    if turn:
                        found[name].append(one)
            for database in databases.values():
                await database.close()
    middle = {name: statistics.median(rates) for name, rates in found.items()}
    return {
        "benchmark": "engine_at_scale",
        "machine": servers.machine(),
        "accounts": options.accounts,
        "remembered": options.remembered,
        "large_cold_per_s": round(cold),
        "large_rounds_per_s": [round(one) for one in found["large"]],
        "small_per_s": round(middle["small"]),
        "large_per_s": round(middle["large"]),
        "large_to_small": round(middle["large"] / middle["small"], 2),
    }


def main() -> None:
    parser = telling.asked(__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--remembered", type=int, default=10_000_000)
    parser.add_argument("--sales", type=int, default=20_000, help="of each, in a round")
    parser.add_argument("--warm-up", type=int, default=300_000, help="sales of the large one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1_000)
    options = parser.parse_args()
    found = uvloop.run(run(options))
    telling.tell(found, as_json=options.json)


if __name__ == "__main__":
    main()
