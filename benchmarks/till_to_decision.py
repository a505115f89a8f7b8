"""From the till's record to the published decision, over Kafka and PostgreSQL with fsync.

    python -m benchmarks.till_to_decision [--subjects onaccount,tutorial,echo] [--sales 100000]
                                          [--rates 1000,5000] [--seconds 20] [--times 3]
                                          [--workers 1] [--json]

One broker, one database, one worker process a subject (or of onaccount, as many as are asked for),
all on this machine, one subject after another, each with servers of its own.

Saturation: so many sales stand on the log when the worker starts; decisions a second, from the
first decision's time on the log to the last one's. The tutorial's worker gets fewer, because it
would take minutes; its rate does not depend on how many.

Open loop: sales are sent at a steady rate whatever the worker does; a sale's latency is from the
moment it was due to be sent (not: was sent) to its decision's time on the log, by the broker's
clock, which is this machine's. Every sale must be decided, and once. Of several times the medians
are told: what interrupts this machine for a moment is a hundredth of twenty seconds.

Each is warmed up in the same way before it counts: a broker that was just started spends half a
core on compiling itself, in bursts for which all others wait. And what was written before is on
the disk: else the kernel writes some hundred megabytes of it half a minute later, all at once.
"""

import argparse
import contextlib
import json
import logging
import os
import statistics
from collections.abc import AsyncIterator, Sequence

import psutil
import uvloop

from benchmarks import load, servers
from benchmarks.load import Decided, Decisions, Sale
from benchmarks.subjects import Subject
from runtime import topics

WARM_UP, WARM_UP_S = 90_000, 90  # the broker compiles itself for a minute and a half at 1,000/s
PATIENCE_S = 120
TUTORIAL_SHARE = 20


@contextlib.asynccontextmanager
async def prepared(name: str, accounts: Sequence[str], workers: int) -> AsyncIterator[Subject]:
    """Servers with topics, and a subject that knows its accounts and is not running."""
    async with contextlib.AsyncExitStack() as stack:
        path = stack.enter_context(servers.folder(f"till-{name}"))
        kafka = await stack.enter_async_context(servers.kafka(path))
        dsns = await stack.enter_async_context(servers.postgres(path))
        await topics.apply({"bootstrap_servers": kafka})
        subject = Subject(name=name, kafka=kafka, dsns=dsns, folder=path, workers=workers)
        await subject.get_ready(accounts)
        yield subject


def check(sent: Sequence[Sale], found: dict[str, Decided]) -> None:
    """Every sale was approved, and a subject that was not killed decided none twice."""
    wrong = [s.sale_id for s in sent if not (one := found.get(s.sale_id)) or not one.approved]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {len(sent)} sales were not approved")
    if twice := [one for one in found.values() if one.times > 1]:
        print(f"note: {len(twice)} decisions were published more than once")


async def saturated(subject: Subject, accounts: Sequence[str], count: int) -> float:
    """Decisions a second with all sales waiting on the log."""
    sent = load.sales(count, accounts)
    async with Decisions(subject.kafka) as decisions:
        await load.preload(subject.kafka, sent)
        async with subject.working():
            await decisions.wait_for(count, within_s=PATIENCE_S)
        found = await decisions.read()
    check(sent, found)
    times = sorted(one.at for one in found.values())
    return (count - 1) / max(times[-1] - times[0], 0.001)


async def steady(
    subject: Subject, accounts: Sequence[str], per_s: float, seconds: float, times: int
) -> dict[str, object]:
    """Latencies in milliseconds at a steady rate, and what the worker used: medians of `times`, and
    each time's p99."""
    warm_up = load.sales(int(min(WARM_UP, per_s * WARM_UP_S)), accounts, seed=1)
    async with subject.working() as pids:
        async with Decisions(subject.kafka) as decisions:
            await load.open_loop(subject.kafka, warm_up, per_s=per_s)
            await decisions.wait_for(len(warm_up), within_s=PATIENCE_S)
        workers = [psutil.Process(pid) for pid in pids]
        found = []
        for seed in range(2, 2 + times):
            sent = load.sales(int(per_s * seconds), accounts, seed=seed)
            found.append(await one_steady(subject, sent, workers, per_s, seconds))
    medians: dict[str, object] = {
        name: statistics.median(one[name] for one in found) for name in found[0]
    }
    return medians | {"p99s_ms": [one["p99_ms"] for one in found]}


async def one_steady(
    subject: Subject,
    sent: Sequence[Sale],
    workers: Sequence[psutil.Process],
    per_s: float,
    seconds: float,
) -> dict[str, float]:
    """The same, once."""
    os.sync()
    async with Decisions(subject.kafka) as decisions:
        before = cpu_s(workers)
        due = await load.open_loop(subject.kafka, sent, per_s=per_s)
        await decisions.wait_for(len(sent), within_s=PATIENCE_S)
        used = cpu_s(workers) - before
        memory = max(worker.memory_info().rss for worker in workers)
        found = await decisions.read()
    check(sent, found)
    took = sorted((found[sale_id].at - moment) * 1000 for sale_id, moment in due.items())
    cuts = statistics.quantiles(took, n=1000, method="inclusive")
    return {
        "p50_ms": round(cuts[499], 1),
        "p99_ms": round(cuts[989], 1),
        "p999_ms": round(cuts[998], 1),
        "max_ms": round(took[-1], 1),
        "worker_cpu": round(used / seconds, 2),
        "worker_mb": round(memory / 2**20),
    }


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds so far of these processes."""
    return sum(times.user + times.system for times in (p.cpu_times() for p in processes))


async def measure(name: str, options: argparse.Namespace) -> list[dict[str, object]]:
    """All lines of one subject."""
    lines: list[dict[str, object]] = []
    accounts = load.accounts(options.accounts)
    workers = options.workers if name == "onaccount" else 1
    async with prepared(name, accounts, workers) as subject:
        count = options.sales // (TUTORIAL_SHARE if name == "tutorial" else 1)
        await saturated(subject, accounts, count // 4)  # warms up
        rate = await saturated(subject, accounts, count)
        lines.append({"subject": name, "load": f"{count} waiting", "per_s": round(rate)})
        for per_s in options.rates:
            if name == "tutorial" and per_s > rate * 0.8:
                continue  # it would only fall behind
            found = await steady(subject, accounts, per_s, options.seconds, options.times)
            lines.append({"subject": name, "load": f"{per_s:.0f}/s", **found})
    return lines


def numbers(text: str) -> list[float]:
    return [float(one) for one in text.split(",") if one]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subjects", default="onaccount,tutorial,echo")
    parser.add_argument("--sales", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--rates", type=numbers, default=[1_000.0, 5_000.0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--times", type=int, default=3, help="how often, of which the median")
    parser.add_argument("--workers", type=int, default=1, help="of onaccount")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    # A topic that was made just now has no leader for a moment, and aiokafka says so at length.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if not options.json:
        print(servers.machine())
    for name in options.subjects.split(","):
        for line in uvloop.run(measure(name, options)):
            shown = "  ".join(f"{key} {value}" for key, value in line.items())
            print(json.dumps(line) if options.json else shown, flush=True)


if __name__ == "__main__":
    main()
