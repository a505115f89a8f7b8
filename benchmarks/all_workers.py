"""All four workers on one machine under a steady load: do they keep up, and in how much memory?

    python -m benchmarks.all_workers [--rate 5000] [--seconds 60]

One broker, one database with fsync, one worker of each service, all on this machine with the till
that sends. The lag of a group is what stands on its topic and is not committed: decisions for the
ledger and the invoicer are only there once the authorizer has made them. It is looked at every
second; bounded is what is no longer at the end than in the middle. Then it must run out. CPU is
that of each process for a sale, from the first one sent until all is done, in microseconds
("postgres:ledger" is PostgreSQL's sessions of that service): what it adds up to says what the
machine could hold.
"""

import argparse
import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import psutil
import uvloop

from benchmarks import load, servers, telling
from benchmarks.subjects import open_accounts
from cli.stack.component import running
from cli.stack.ports import free_port
from cli.stack.postgres import SERVICES
from cli.stack.worker import Worker
from runtime import topics
from runtime.edge.watch import Watch

READS = {"authorizer": "pos.sales", "ledger": "pos.decisions", "invoicer": "pos.decisions"}
PATIENCE_S = 120
WARM_UP = 240_000  # Kafka compiles its code for two minutes: 77 us a sale in the first, 57 after
GROUPS_S = 0.01  # what came due is sent together: the tills are not what is measured


@contextlib.asynccontextmanager
async def working(kafka: str, dsns: Mapping[str, str], path: Path) -> AsyncIterator[dict[str, int]]:
    """A worker of each service; gives their pids."""
    async with contextlib.AsyncExitStack() as stack:
        pids = {}
        for service in SERVICES:
            worker = Worker(
                name=f"{service}-1",
                service=service,
                health_port=free_port(),
                environment={
                    "ONACCOUNT_KAFKA": kafka,
                    f"ONACCOUNT_POSTGRES_{service.upper()}": dsns[service],
                    "ONACCOUNT_SMTP": "127.0.0.1:9",
                    "ONACCOUNT_LOG_LEVEL": "WARNING",
                },
                log=path / f"{service}.log",
            )
            pids[service] = await stack.enter_async_context(running(worker))
        yield pids


def cpu_s(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far of all that takes part, by kind of process."""
    kinds = {pid: service for service, pid in pids.items()}
    found = dict.fromkeys(kinds.values(), 0.0)
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            kind = kinds.get(process.pid) or ("till" if process is this else process.name())
            if kind == "postgres":
                session = re.match(r"postgres: (\w+) ", " ".join(process.cmdline()))
                kind += f":{session[1]}" if session and session[1] in READS else ""
            used = process.cpu_times()
            found[kind] = found.get(kind, 0) + used.user + used.system
    return found


class Lags:
    """How far each group is behind."""

    def __init__(self, kafka: str) -> None:
        self._watches = {g: Watch({"bootstrap_servers": kafka}, g) for g in READS}

    async def now(self) -> dict[str, int]:
        found = {}
        for group, topic in READS.items():
            watch = self._watches[group]
            committed = await watch.committed()
            ends = (await watch.logs([topic])).ends
            found[group] = sum(end - committed.get(tp, 0) for tp, end in ends.items())
        return found

    async def run_out(self) -> float:
        """Seconds until nothing is left to do. Raises TimeoutError."""
        started = time.monotonic()
        async with asyncio.timeout(PATIENCE_S):
            while any((await self.now()).values()):
                await asyncio.sleep(0.2)
        return time.monotonic() - started

    async def close(self) -> None:
        for watch in self._watches.values():
            await watch.close()


async def sampled(lags: Lags, seconds: float) -> list[dict[str, int]]:
    """The lags each second."""
    found = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found.append(await lags.now())
        await asyncio.sleep(1)
    return found


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Measure on servers of its own."""
    accounts = load.accounts(options.accounts)
    with servers.folder("all-workers") as path:
        async with servers.kafka(path) as kafka, servers.postgres(path) as dsns:
            await topics.apply({"bootstrap_servers": kafka})
            async with working(kafka, dsns, path) as pids:
                await open_accounts(kafka, accounts)
                warm = load.sales(WARM_UP, accounts, seed=1)
                await load.open_loop(kafka, warm, per_s=2_000, every_s=GROUPS_S)
                sent = load.sales(int(options.rate * options.seconds), accounts, seed=2)
                lags = Lags(kafka)
                await lags.run_out()
                watching = asyncio.create_task(sampled(lags, options.seconds))
                started, before = time.monotonic(), cpu_s(pids)
                await load.open_loop(kafka, sent, per_s=options.rate, every_s=GROUPS_S)
                took = time.monotonic() - started
                samples = await watching
                drained, after = await lags.run_out(), cpu_s(pids)
                memory = {
                    service: round(psutil.Process(pid).memory_info().rss / 2**20)
                    for service, pid in pids.items()
                }
                await lags.close()
    third = max(1, len(samples) // 3)
    return {
        "benchmark": "all_workers",
        "machine": servers.machine(),
        "sent_per_s": round(len(sent) / took),
        "lag_middle": {g: max(s[g] for s in samples[third : 2 * third]) for g in READS},
        "lag_end": {g: max(s[g] for s in samples[2 * third :]) for g in READS},
        "drained_s": round(drained, 1),
        "memory_mb": memory,
        "cpu_us_a_sale": {
            kind: round((used - before.get(kind, 0)) / len(sent) * 1e6)
            for kind, used in sorted(after.items())
        },
    }


def main() -> None:
    parser = telling.asked(__doc__)
    parser.add_argument("--rate", type=float, default=5_000, help="sales a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--accounts", type=int, default=1_000)
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    found = uvloop.run(run(options))
    telling.tell(found, as_json=options.json)


if __name__ == "__main__":
    main()
