"""A run over many accounts: killed with -9 in the middle, gone on with, in memory that stays.

Method: sales on every account; a worker in a process of its own takes up the run and is killed
within a step, once a third is done; another goes on when the lease has run out. Then every account
has its invoice, the numbers have no gap, and the second worker's memory at the end is about what it
was at its start.

`make prove-ten-thousand` does it with 10,000 accounts; ONACCOUNT_RUN_ACCOUNTS sets how many.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from itertools import islice

import asyncpg
import pytest

from schemas.billing import OpenAccount, RunCompleted, SkippedAccount
from schemas.wire import encode
from services.invoicer.jobs.run import ACCOUNTS_PER_STEP
from services.invoicer.store.runs import MOST_LISTED, fitting
from services.invoicer.verify import audit
from tests.services.invoicer.world import (
    BEER,
    ENV,
    LUNCH,
    World,
    account,
    asked,
    customer,
    environment,
    new_id,
    nth,
    said,
    sale,
)
from tests.support.databases import Database

ACCOUNTS = int(os.environ.get("ONACCOUNT_RUN_ACCOUNTS", "120"))
PER_ACCOUNT = 2
GROWTH = 1.25
LOCK = "SELECT FROM account WHERE account = $1 FOR UPDATE"

pytestmark = pytest.mark.timeout(3600)


async def worker(postgres: Database) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.services.invoicer.working", postgres.dsn("invoicer")),
        stdout=asyncio.subprocess.PIPE,
    )


async def told(process: asyncio.subprocess.Process) -> AsyncIterator[tuple[int, int, int]]:
    assert process.stdout is not None
    async for line in process.stdout:
        steps, done, kilobytes = map(int, line.split())
        yield steps, done, kilobytes


async def prepare(world: World) -> None:
    names = iter([f"{n:06}" for n in range(ACCOUNTS)])
    await world.registry(environment())
    while some := list(islice(names, 250)):
        ids = [new_id() for _ in some]
        await world.registry(
            *(customer(one) for one in ids),
            *(account(name, one) for name, one in zip(some, ids, strict=True)),
        )
        await world.sell(*(sale(name, BEER, LUNCH) for name in some for _ in range(PER_ACCOUNT)))


async def test_a_run_that_is_killed_goes_on_and_its_memory_does_not_grow(
    world: World, postgres: Database
) -> None:
    await prepare(world)
    await world.command(asked(send=False))
    begun = time.monotonic()
    third = ACCOUNTS // 3
    holding = await asyncpg.connect(postgres.admin)
    await holding.execute(
        "SET search_path TO invoicer; SET idle_in_transaction_session_timeout = 0"
    )
    async with holding.transaction():
        # Whoever holds this account makes the worker wait in the middle of a step.
        await holding.execute(LOCK, f"{third:06}")
        first = await worker(postgres)
        async for _, done, _ in told(first):
            if done > third - ACCOUNTS_PER_STEP:
                break
        await asyncio.sleep(0.3)
        first.kill()
        await first.wait()
    await holding.close()
    at_kill = (await world.fetch("SELECT count(*) FROM number"))[0][0]
    assert third - ACCOUNTS_PER_STEP < at_kill <= third
    await world.bench.make_due("run")  # its lease runs out
    second = await worker(postgres)
    memory = [kilobytes async for _, _, kilobytes in told(second)]
    assert await second.wait() == 0
    took = time.monotonic() - begun
    await world.bench.runner(()).recover(older_than_s=0)  # what the first left unpublished
    numbers = [r["number"] for r in await world.fetch("SELECT number FROM number ORDER BY seq")]
    assert numbers == [nth(n) for n in range(1, ACCOUNTS + 1)]
    rows = await world.fetch("SELECT count(DISTINCT account), sum(total)::bigint FROM invoice")
    assert tuple(rows[0]) == (ACCOUNTS, ACCOUNTS * PER_ACCOUNT * 1950)
    (again,) = said(await world.command(asked(send=False)), "run.completed")
    assert (again["issued"], again["skipped"], again["open"]) == (ACCOUNTS, [], [])
    checked = time.monotonic()
    async with world.bench.database.connection() as connection:
        assert (await audit(connection, ENV))["ok"]  # type: ignore[arg-type]
    sys.stdout.write(
        f"\n{ACCOUNTS} accounts, killed after {at_kill}: {took:.1f} s; memory {memory[0] // 1024} "
        f"to {memory[-1] // 1024} MB; verified in {time.monotonic() - checked:.1f} s\n"
    )
    assert memory[-1] <= GROWTH * memory[0]


def test_what_a_run_says_of_accounts_of_the_longest_names_fits_a_record() -> None:
    for name, told in (("28900001", 10_000), ("é" * 64, 4_000)):
        skipped = [SkippedAccount(account=name, reason="no_postal_address")] * MOST_LISTED
        still = [OpenAccount(account=name, amount=10**13, why="no_postal_address")] * MOST_LISTED
        said = RunCompleted(
            run_id="july", environment=ENV, period="2026-07", drafted=0, issued=0, sent=0,
            skipped=fitting(skipped), open=fitting(still), total=0, vat=(), currency="EUR",
        )  # fmt: skip
        assert min(len(said.skipped), len(said.open)) >= told
        assert len(encode(said)) < 2 * 1024 * 1024
