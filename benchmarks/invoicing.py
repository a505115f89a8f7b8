"""A month's invoices: made, kept and handed to a mail server, by one worker on one core.

    python -m benchmarks.invoicing [--accounts 300] [--lines 40] [--growth 4]

Real Kafka, PostgreSQL with fsync, and the invoicer as a process; it and the process that makes its
documents are held to the last core, the rest has the others (but for `tills`). Figures:

- files: what PDF, XLSX and UBL of one invoice take in CPU time, and the PDF's against `bare
  typst`: the same pages compiled by typst alone, from data that is ready. In turns, one process.
- run: invoices a second, from the command to the last mail (`per_s`), and by the CPU time that the
  worker and its child took (`per_cpu_s`): that one holds also where the machine does other work.
- memory: the most that both together had, for a run, and for one of `--growth` times as many.
- small run: three accounts of another environment, asked while the greater run is at work, until
  the last of its mails, and the same with nothing else to do.
- tills: the authorizer's p99 for sales at 200/s while a greater run is at work, and before it;
  every process may run on every core, as on a machine that has them all.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import uvloop

from benchmarks import load, servers, venue
from benchmarks.subjects import Subject
from cli.stack.component import running
from cli.stack.ports import free_port
from cli.stack.worker import Worker
from runtime import topics
from schemas.invoices import InvoicesRun
from services.invoicer.documents.page import page_data
from services.invoicer.documents.pdf import render_pdf
from services.invoicer.documents.specification import render_specification
from services.invoicer.documents.typesetting import pdf
from services.invoicer.documents.ubl import render_ubl
from services.invoicer.store import documents as kept

CORES = sorted(os.sched_getaffinity(0))
TILLS_PER_S = 200


@dataclass(kw_only=True)
class Bench:
    """A worker at work, and a look into its database."""

    kafka: str
    dsns: Mapping[str, str]
    database: asyncpg.Pool
    worker: psutil.Process

    async def know(self, environment: int, accounts: Sequence[str], lines: int) -> None:
        """Let the worker hear of a venue and its sales, and wait until it knows them."""
        sales = venue.month(environment, accounts, lines)
        await venue.send(self.kafka, "registry.state", venue.states(environment, accounts))
        await venue.send(self.kafka, "pos.decisions", sales)
        count = "SELECT count(*) FROM invoicer.sale WHERE environment = $1"
        while await self.database.fetchval(count, environment) < len(sales):
            await asyncio.sleep(0.1)

    async def run(self, environment: int, accounts: int) -> float:
        """Ask for a run, and wait for the last mail; seconds."""
        asked = InvoicesRun(
            run_id="bench", environment=environment, period=venue.PERIOD, mode="issue", send=True,
            by="bench",
        )  # fmt: skip
        sent = (
            "SELECT count(*) FROM invoicer.mail WHERE environment = $1 AND state = 'sent' "
            "AND kind = 'invoice'"
        )
        began = time.perf_counter()
        await venue.send(self.kafka, "invoices.commands", [asked])
        while await self.database.fetchval(sent, environment) < accounts:
            await asyncio.sleep(0.05)
        return time.perf_counter() - began

    def cpu_s(self) -> float:
        """CPU time of the worker and its children."""
        times = [p.cpu_times() for p in self._family()]
        return sum(t.user + t.system for t in times)

    def memory_mb(self) -> float:
        """What they have in memory, shared pages once for each."""
        return sum(p.memory_info().rss for p in self._family()) / 2**20

    def _family(self) -> list[psutil.Process]:
        return [self.worker, *self.worker.children(recursive=True)]


@asynccontextmanager
async def bench(path: Path) -> AsyncIterator[Bench]:
    """Servers on all cores but the last, the worker on the last."""
    os.sched_setaffinity(0, CORES[:-1] or CORES)
    async with (
        servers.postgres(path) as dsns,
        servers.kafka(path) as kafka,
        venue.mail_server() as smtp,
    ):
        await topics.apply({"bootstrap_servers": kafka})
        worker = Worker(
            name="invoicer-1",
            service="invoicer",
            health_port=free_port(),
            environment={
                "ONACCOUNT_KAFKA": kafka,
                "ONACCOUNT_POSTGRES_INVOICER": dsns["invoicer"],
                "ONACCOUNT_SMTP": smtp,
                "ONACCOUNT_LOG_LEVEL": "WARNING",
            },
            log=path / "invoicer.log",
            death_signal=signal.SIGKILL,
        )
        os.sched_setaffinity(0, CORES[-1:])  # what is started now inherits it
        async with running(worker) as pid:
            os.sched_setaffinity(0, CORES[:-1] or CORES)
            async with asyncpg.create_pool(dsns["admin"], min_size=1, max_size=3) as database:
                yield Bench(kafka=kafka, dsns=dsns, database=database, worker=psutil.Process(pid))


async def month_of(bench: Bench, environment: int, accounts: int, lines: int) -> dict[str, float]:
    """One run with its figures, memory watched meanwhile."""
    await bench.know(environment, load.accounts(accounts), lines)
    most = bench.memory_mb()

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, bench.memory_mb())
            await asyncio.sleep(0.2)

    watching, before = asyncio.create_task(watch()), bench.cpu_s()
    took_s = await bench.run(environment, accounts)
    cpu_s = bench.cpu_s() - before
    watching.cancel()
    return {
        "per_s": round(accounts / took_s, 1),
        "per_cpu_s": round(accounts / cpu_s, 1),
        "most_mb": round(most),
    }


async def idle_share(bench: Bench) -> float:
    """The share of a core that the worker takes while there is nothing to do; on a machine that is
    slow for other work, `per_cpu_s` holds much of it."""
    before = bench.cpu_s()
    await asyncio.sleep(5)
    return round((bench.cpu_s() - before) / 5, 3)


async def small_run(bench: Bench, environment: int, accounts: int, lines: int) -> dict[str, float]:
    """Three accounts alone, and three while a greater run is at work."""
    for number in (environment + 1, environment + 2):
        await bench.know(number, load.accounts(3), lines)
    await bench.know(environment, load.accounts(accounts), lines)
    alone_s = await bench.run(environment + 1, 3)
    great = asyncio.create_task(bench.run(environment, accounts))
    made = "SELECT count(*) FROM invoicer.document WHERE environment = $1"
    while await bench.database.fetchval(made, environment) < 9:
        await asyncio.sleep(0.05)
    beside_s = await bench.run(environment + 2, 3)
    assert not great.done(), "the greater run was over first: give more --accounts"
    await great
    return {
        "alone_s": round(alone_s, 2),
        "beside_s": round(beside_s, 2),
        "delay_s": round(beside_s - alone_s, 2),
    }


def unpin() -> None:
    """Let all that was started run on every core. While one core is the worker's, all else shares
    the rest: on two cores a till would wait for what a mail server and PostgreSQL do there."""
    ours = psutil.Process()
    for process in (ours, *ours.children(recursive=True)):
        for thread in process.threads():
            with suppress(OSError):  # it ended meanwhile
                os.sched_setaffinity(thread.id, CORES)


async def tills(
    bench: Bench, subject: Subject, environment: int, accounts: int, lines: int
) -> dict[str, float]:
    """Sales at a steady rate, before a run and while its documents are made."""
    known = load.accounts(100)
    await subject.get_ready(known)
    await bench.know(environment, load.accounts(accounts), lines)
    count = int(TILLS_PER_S * min(10, accounts / 40))
    async with subject.working():
        await load.tills_p99_ms(bench.kafka, known, per_s=TILLS_PER_S, count=200)  # warms up
        quiet = await load.tills_p99_ms(bench.kafka, known, per_s=TILLS_PER_S, count=count)
        run = asyncio.create_task(bench.run(environment, accounts))
        made = "SELECT count(*) FROM invoicer.document WHERE environment = $1"
        while await bench.database.fetchval(made, environment) < 9:
            await asyncio.sleep(0.05)
        beside = await load.tills_p99_ms(bench.kafka, known, per_s=TILLS_PER_S, count=count)
        assert not run.done(), "the run was over first: give more --accounts"
        await run
    return {
        "p99_quiet_ms": round(quiet, 1),
        "p99_beside_ms": round(beside, 1),
        "ratio": round(beside / quiet, 2),
    }


def cpu_ms(make: Callable[[Any], object], each: Sequence[Any]) -> float:
    began = time.process_time()
    for one in each:
        make(one)
    return (time.process_time() - began) / len(each) * 1000


async def files(dsn: str, environment: int) -> dict[str, float]:
    """What the files of issued invoices take, made again in this process; in turns of 10."""
    from runtime.database import Database
    from runtime.edge.guard import Guard

    database = Database(dsn, size=1)
    await database.open()
    async with database.begin() as connection:
        tx = await Guard("benchmark").open(connection)
        query = "SELECT invoice_id::text FROM invoice WHERE environment = $1 LIMIT 60"
        rows = await tx.fetch(query, environment)
        ids = [row["invoice_id"] for row in rows]
        issued = list((await kept.load_invoices(tx, environment, ids)).values())
    await database.close()
    ready = [(one, page_data(one, with_logo=True), render_ubl(one)) for one in issued]
    found: dict[str, list[float]] = {name: [] for name in ("typst", "pdf", "xlsx", "ubl")}
    for start in range(0, len(ready), 10):
        some = ready[start : start + 10]
        ways: dict[str, Callable[[Any], object]] = {
            "typst": lambda of: pdf("document.typ", of[1], of[0].issued_on, "a-3b", attached=of[2]),
            "pdf": lambda of: render_pdf(of[0], ubl=of[2]),
            "xlsx": lambda of: render_specification(of[0]),
            "ubl": lambda of: render_ubl(of[0]),
        }
        for name, way in ways.items():
            # typst remembers what it laid out: each way gets pages that are new to it.
            fresh = [(o, {**d, "title": f"{d['title']} {name}"}, u) for o, d, u in some]
            found[name].append(cpu_ms(way, fresh))
    ms = {f"{name}_ms": round(statistics.median(values), 1) for name, values in found.items()}
    ratios = [a / b for a, b in zip(found["pdf"], found["typst"], strict=True)]
    return {**ms, "pdf_to_bare_typst": round(statistics.median(ratios), 2)}


async def measure(options: argparse.Namespace) -> dict[str, object]:
    """All of it, in one run on servers of its own."""
    with servers.folder("invoicing") as path:
        async with bench(path) as made:
            await month_of(made, 10, 20, options.lines)  # warms up
            idle = await idle_share(made)
            few = await month_of(made, 20, options.accounts, options.lines)
            many = await month_of(made, 30, options.accounts * options.growth, options.lines)
            small = await small_run(made, 40, options.accounts, options.lines)
            unpin()
            subject = Subject(name="onaccount", kafka=made.kafka, dsns=made.dsns, folder=path)
            beside = await tills(made, subject, 50, options.accounts, options.lines)
            dsn = await _invoicers_dsn(made)
            of_files = await files(dsn, 20)
    return {
        "benchmark": "invoicing",
        "machine": servers.machine(),
        "accounts": options.accounts,
        "lines": options.lines,
        "idle_core_share": idle,
        **{f"files_{name}": value for name, value in of_files.items()},
        **{f"run_{name}": value for name, value in few.items()},
        **{f"run_x{options.growth}_{name}": value for name, value in many.items()},
        **{f"small_run_{name}": value for name, value in small.items()},
        **{f"tills_{name}": value for name, value in beside.items()},
    }


async def _invoicers_dsn(made: Bench) -> str:
    return str(made.worker.environ()["ONACCOUNT_POSTGRES_INVOICER"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=300)
    parser.add_argument("--lines", type=int, default=40, help="of each invoice")
    parser.add_argument("--growth", type=int, default=4, help="how much greater the second run is")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = uvloop.run(measure(options))
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:<28} {value}")


if __name__ == "__main__":
    main()
