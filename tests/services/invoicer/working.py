"""A worker's runs in a process of its own, to be killed: python -m tests.services.invoicer.working

Takes the login's DSN; works until no run is left, and prints its memory as it goes: a line of
steps made, accounts done and resident kilobytes, after each step.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from services.invoicer.__main__ import STATES
from services.invoicer.jobs.run import RUN
from tests.support.handlers import HandlerBench

DONE = "SELECT count(*) FROM run_item WHERE done"


def resident_kb() -> int:
    """This process's memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


async def work(dsn: str) -> None:
    async with HandlerBench(dsn, states=STATES) as bench:
        runner = bench.runner([RUN])
        steps = 0
        while (job := await runner.claim(RUN)) is not None:
            while not job.ended:
                await RUN.run(job)
                steps += 1
                bench.published.answers.clear()  # a broker's memory, not ours
                done = (await bench.database.fetch(DONE))[0][0]
                sys.stdout.write(f"{steps} {done} {resident_kb()}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
