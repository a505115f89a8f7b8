"""Reading a workbook of members, and writing its report, against openpyxl.

    python -m benchmarks.reading [--rows 10000 100000] [--json]

No broker and no database: a workbook of eight columns is read by openpyxl alone (read-only mode,
in a process of its own, every cell looked at), and by the importer's reading child, from its start
to its last row taken by the parent. Rates are rows a second of the wall clock; processor seconds
stand beside them, as they tell more on a machine that has other things to do. Memory is the
child's high-water mark. The report is the same workbook back with a result beside each row.
"""

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.members import READ, workbook
from services.importer.child import ChildLimits, opened
from services.importer.settings import Settings

LIMITS = replace(
    Settings(postgres="postgresql://unused").child_limits(), max_rows=1_000_000, silence_s=600
)
SHEET = "Leden"


async def watch(pid: int, seen: list[int]) -> None:
    """A process's high-water mark, in bytes, for as long as it lives."""
    try:
        while True:
            status = await asyncio.to_thread(Path(f"/proc/{pid}/status").read_text)
            line = next(x for x in status.splitlines() if x.startswith("VmHWM"))
            seen[0] = max(seen[0], int(line.split()[1]) * 1024)
            await asyncio.sleep(0.02)
    except (OSError, StopIteration):
        pass


async def read(path: Path, limits: ChildLimits) -> int:
    """Rows that the child gave; and its memory."""
    seen = [0]
    async with opened(limits, ask="rows", path=str(path)) as child:
        watching = asyncio.create_task(watch(child.pid, seen))
        await child.outlines()
        async for _ in child.rows(SHEET, 1):
            pass
        watching.cancel()
    return seen[0]


async def report(path: Path, rows: int, limits: ChildLimits) -> int:
    told = path.with_suffix(".jsonl")
    lines = (json.dumps([n, "created", f"aangemaakt: rekeningen {n}"]) for n in range(2, rows + 2))
    told.write_text("\n".join(lines))
    asked: dict[str, Any] = {
        "ask": "report",
        "path": str(path),
        "results": str(told),
        "to": str(path.with_suffix(".out")),
        "sheet": SHEET,
        "header_row": 1,
        "columns": 8,
        "title": "Resultaat",
        "note": "",
        "rewrite": False,
    }
    seen = [0]
    async with opened(limits, **asked) as child:
        watching = asyncio.create_task(watch(child.pid, seen))
        await child.finished()
        watching.cancel()
    return seen[0]


def by_openpyxl(path: Path) -> int:
    """In a process of its own, whose memory is not looked at."""
    subprocess.run([sys.executable, "-c", READ, str(path)], check=True, capture_output=True)
    return 0


def measured(what: Callable[[], Awaitable[int]] | None, path: Path) -> dict[str, float]:
    """Wall clock and processor seconds (of children and our own), and memory in MiB."""
    before, begin = _used(), time.perf_counter()
    memory = asyncio.run(_awaited(what)) if what else by_openpyxl(path)
    took = {"wall_s": time.perf_counter() - begin, "cpu_s": _used() - before}
    return {**took, "memory_mib": memory / 2**20}


async def _awaited(what: Callable[[], Awaitable[int]]) -> int:
    return await what()


def _used() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(u.ru_utime + u.ru_stime for u in usages)


def run(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "members.xlsx"
        workbook(path, 2890, rows, name="Bedrijf")
        theirs = measured(None, path)
        ours = measured(lambda: read(path, LIMITS), path)
        written = measured(lambda: report(path, rows, LIMITS), path)
    return {
        "rows": rows,
        "openpyxl_rows_per_s": rows / theirs["wall_s"],
        "child_rows_per_s": rows / ours["wall_s"],
        "ratio": theirs["wall_s"] / ours["wall_s"],
        "ratio_of_processor_time": theirs["cpu_s"] / ours["cpu_s"],
        "child_memory_mib": ours["memory_mib"],
        "report_s": written["wall_s"],
        "report_memory_mib": written["memory_mib"],
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    for found in map(run, given.rows):
        if given.json:
            print(json.dumps(found))
            continue
        print(f"{found.pop('rows'):,} rows")
        for name, value in found.items():
            print(f"  {name:26} {value:12,.2f}")


if __name__ == "__main__":
    main()
