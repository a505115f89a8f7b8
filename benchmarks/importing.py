"""An import of many members, against what openpyxl alone needs to read their workbook.

    python -m benchmarks.importing [--rows 100000] [--few 10000] [--sales-per-s 200] [--json]

One broker, one database with fsync, one authorizer and one importer, all on this machine.

Rates are rows a second. openpyxl's is that of a process that reads every cell of the workbook in
read-only mode and does nothing else, before the import and once more after it, for this machine is
at times half as quick: of both together. Preview: from the upload's last part on the log to
import.previewed; import: from import.confirmed to import.completed, which is sent once every
command has its outcome. Both by the broker's clock, which is this machine's.

Then the large workbook is imported three times more, each of another environment, while tills sell
at a steady rate: their p99, from when a sale was due to its decision on the log, while the workbook
is read and while its commands are carried out, is set against that of a quiet moment before. A
hundredth of some seconds' sales is a single pause of anybody's, so the last line has the medians of
three. At both times a small workbook of another environment is uploaded too. The authorizer gives
way to tills, so these imports take longer.

Memory is the importer's largest resident size, of the worker alone and of its children, looked at
ten times a second; for few rows, for three times as many (of which as much is under way at once as
of more) and for many, each in a worker of its own. CPU a row is that of each process from upload to
import.previewed, and from confirmation to import.completed: it says what the limit is, whatever
else the machine does ("reader": the importer's children that ended meanwhile).
"""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvloop
from aiokafka import AIOKafkaProducer

from benchmarks import load, servers
from benchmarks.members import openpyxl_rate, workbook
from benchmarks.subjects import Subject
from benchmarks.uploader import Person, person
from cli.stack.component import running
from cli.stack.ports import free_port
from cli.stack.worker import Worker
from runtime import topics

WARM_UP = 60_000
"""Rows that are imported before anything counts: a broker that was just started compiles itself. Of
20,000 rows after another it took 110, 89, 55 and 42 us each, of which its compiler was 51, 37, 11
and 9; so the fourth is the first of a broker as a venue has it."""

BESIDE_TILLS = (704, 706, 707)
"""Environments whose imports tills go on beside."""

READING_S, IMPORTING_S = 5, 10
"""Seconds for which tills sell while the large workbook is read, and while it is carried out."""


@dataclass
class Memory:
    """The largest resident sizes seen, in MiB."""

    worker: float = 0
    child: float = 0

    async def watch(self, pid: int) -> None:
        process = psutil.Process(pid)
        while True:
            self.worker = max(self.worker, process.memory_info().rss / 2**20)
            for one in process.children():
                with contextlib.suppress(psutil.Error):
                    self.child = max(self.child, one.memory_info().rss / 2**20)
            await asyncio.sleep(0.1)


def cpu_s(importer: int) -> dict[str, float]:
    """CPU seconds so far of what takes part, by kind of process."""
    found = {"importer": 0.0, "reader": 0.0, "authorizer": 0.0, "postgres": 0.0, "kafka": 0.0}
    kinds = {"java": "kafka", "postgres": "postgres"}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            name = "importer" if process.pid == importer else kinds.get(process.name(), "")
            if not name and "services.authorizer" in process.cmdline():
                name = "authorizer"
            if name:
                used = process.cpu_times()
                found[name] += used.user + used.system
            if name == "importer":  # its children that have ended
                found["reader"] += used.children_user + used.children_system
    return found


@contextlib.contextmanager
def watched(pid: int) -> Iterator[Memory]:
    memory = Memory()
    task = asyncio.create_task(memory.watch(pid))
    try:
        yield memory
    finally:
        task.cancel()


class Scene:
    """Servers, an authorizer, and importers that come and go."""

    def __init__(self, path: Path, kafka: str, dsns: Any) -> None:
        self.path = path
        self.kafka = kafka
        self.subject = Subject(name="onaccount", kafka=kafka, dsns=dsns, folder=path)

    @contextlib.asynccontextmanager
    async def importer(self) -> AsyncIterator[int]:
        worker = Worker(
            name="importer-1",
            service="importer",
            health_port=free_port(),
            environment={
                "ONACCOUNT_KAFKA": self.kafka,
                "ONACCOUNT_POSTGRES_IMPORTER": self.subject.dsns["importer"],
                "ONACCOUNT_LOG_LEVEL": "WARNING",
            },
            log=self.path / "importer.log",
            death_signal=signal.SIGKILL,
        )
        async with running(worker) as pid:
            yield pid

    def members(self, rows: int, environment: int) -> Path:
        """The workbook of so many members, made once."""
        path = self.path / f"{environment}-{rows}.xlsx"
        if not path.exists():
            workbook(path, environment, rows, name=f"Bedrijf{rows}")
        return path

    async def tills(self, per_s: float, seconds: float) -> float:
        """p99 in milliseconds of sales at a steady rate."""
        if not per_s:
            return 0.0
        count = int(per_s * seconds)
        return await load.tills_p99_ms(self.kafka, load.accounts(100), per_s=per_s, count=count)


async def terms(scene: Scene, *environments: int) -> None:
    """Environments that may import."""
    async with AIOKafkaProducer(bootstrap_servers=scene.kafka, acks="all") as producer:
        for environment in environments:
            for kind, more in (
                ("environment.configure", {"name": "Benchmark"}),
                ("environment.accept_gdpr", {"accepted_by": "b", "document": "terms"}),
            ):
                message = {
                    "type": kind, "command_id": str(uuid.uuid4()), "environment": environment,
                    "at": "2026-11-01T10:00:00Z", "by": "benchmark", **more,
                }  # fmt: skip
                await producer.send_and_wait(
                    "registry.commands", json.dumps(message).encode(), key=str(environment).encode()
                )


async def small_job(someone: Person, content: bytes) -> float:
    """Seconds from a small upload to its preview."""
    job_id, at = await someone.upload(700, content)
    return await someone.wait(job_id, "import.previewed") - at


async def imported(
    scene: Scene, rows: int, *, environment: int, per_s: float = 0
) -> dict[str, float]:
    """One import in a worker of its own; with small jobs and tills meanwhile where `per_s`."""
    content = scene.members(rows, environment).read_bytes()
    little = workbook(scene.path / "little.xlsx", 700, 20, name=f"Klein{rows}")
    found: dict[str, float] = {"rows": rows}
    async with scene.importer() as pid, person(scene.kafka) as someone:
        with watched(pid) as memory:
            first, _ = await someone.upload(700, little)
            await someone.wait(first, "import.previewed")
            start = cpu_s(pid)
            job_id, sent = await someone.upload(environment, content)
            if per_s:
                await asyncio.sleep(0.5)
                (
                    found["tills_p99_reading_ms"],
                    found["small_while_reading_s"],
                ) = await asyncio.gather(scene.tills(per_s, READING_S), small_job(someone, little))
                if (job_id, "import.previewed") in someone.heard:
                    raise SystemExit("the workbook was read before the tills had sold")
            previewed = await someone.wait(job_id, "import.previewed")
            before = cpu_s(pid)
            planned = {name: after - start[name] for name, after in before.items()}
            counts = someone.heard[job_id, "import.previewed"]
            if counts["creates"] != rows:
                raise SystemExit(f"not all are to be created: {counts}")
            confirmed = await someone.confirm(environment, job_id)
            if per_s:
                await asyncio.sleep(1)
                (
                    found["tills_p99_importing_ms"],
                    found["small_while_importing_s"],
                ) = await asyncio.gather(
                    scene.tills(per_s, IMPORTING_S), small_job(someone, little)
                )
                if (job_id, "import.completed") in someone.heard:
                    raise SystemExit("the rows were imported before the tills had sold")
            completed = await someone.wait(job_id, "import.completed")
            used = {name: after - before[name] for name, after in cpu_s(pid).items()}
            if someone.heard[job_id, "import.completed"]["created"] != rows:
                raise SystemExit("not all were created")
            reported = await someone.wait(job_id, "import.report")
    found |= {f"preview_{name}_cpu_us_a_row": s * 1e6 / rows for name, s in planned.items()}
    found |= {f"import_{name}_cpu_us_a_row": s * 1e6 / rows for name, s in used.items()}
    found["preview_per_s"] = rows / (previewed - sent)
    found["import_per_s"] = rows / (completed - confirmed)
    found["report_s"] = reported - completed
    found["worker_mib"], found["child_mib"] = memory.worker, memory.child
    return found


async def beside_openpyxl(scene: Scene, rows: int, *, environment: int) -> dict[str, float]:
    """One import, and what openpyxl alone needs for its workbook just before it and just after."""
    path = scene.members(rows, environment)
    before, cpu_before_us = openpyxl_rate(path)
    found = await imported(scene, rows, environment=environment)
    after, cpu_after_us = openpyxl_rate(path)
    both = 2 / (1 / before + 1 / after)  # rows of both by the seconds of both
    return found | {
        "openpyxl_before_per_s": before,
        "openpyxl_after_per_s": after,
        "openpyxl_cpu_us": (cpu_before_us + cpu_after_us) / 2,
        "preview_of_openpyxl": found["preview_per_s"] / both,
        "import_of_openpyxl": found["import_per_s"] / both,
    }


async def measure(options: argparse.Namespace, tell: Callable[[dict[str, float]], None]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        path = stack.enter_context(servers.folder("importing"))
        kafka = await stack.enter_async_context(servers.kafka(path))
        dsns = await stack.enter_async_context(servers.postgres(path))
        await topics.apply({"bootstrap_servers": kafka})
        scene = Scene(path, kafka, dsns)
        await scene.subject.get_ready(load.accounts(100))
        await stack.enter_async_context(scene.subject.working())
        await terms(scene, 700, 701, 702, 703, *BESIDE_TILLS, 705)
        await imported(scene, WARM_UP, environment=703)
        for rows, environment in ((options.few, 701), (3 * options.few, 705), (options.rows, 702)):
            if rows:
                tell(await beside_openpyxl(scene, rows, environment=environment))
        if per_s := options.sales_per_s:
            lines = []
            for environment in BESIDE_TILLS:
                quiet = await scene.tills(per_s, IMPORTING_S)
                line = await imported(scene, options.rows, environment=environment, per_s=per_s)
                lines.append({**line, "tills_p99_quiet_ms": quiet})
                tell(lines[-1])
            waits = [name for name in lines[0] if name.startswith("tills_p99")]
            medians = {name: statistics.median(line[name] for line in lines) for name in waits}
            tell({"medians_of": len(lines), **medians})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--sales-per-s", type=float, default=200)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if not options.json:
        print(servers.machine())

    def tell(line: dict[str, float]) -> None:
        shown = "  ".join(f"{key} {value:.4g}" for key, value in line.items())
        print(json.dumps(line) if options.json else shown, flush=True)

    begin = time.monotonic()
    uvloop.run(measure(options, tell))
    if not options.json:
        print(f"took {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
