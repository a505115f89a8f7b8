"""What tills feel while workers come, go and die, and while the servers restart.

    python -m benchmarks.disturbed [--only NAME,...] [--times 5] [--rate 200] [--seconds 15]
                                   [--workers authorizer=2]

On one `onaccount stack up` of its own, with the session's time-out of production, sales are sent at
a steady rate. Three seconds later one thing happens, and is through once all workers are ready
again. A sale waits from the moment it was due to its first decision's time on the log, so also
while Kafka is away and takes none. Each thing is done several times, in turns. Shown are, in
seconds, the longest wait of each turn, sorted, and after how long all was ready again in the worst
one; how many sales waited for more than a second in the worst; and, of all turns, how many got no
answer or different ones. There may be none of these: exit status 1.

What is ended or killed the stack starts again at once. Elsewhere it is away for as long as
whatever watches it takes.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import load, servers
from benchmarks.load import Decided, Decisions, Sale
from benchmarks.subjects import open_accounts
from cli.stack.component import running
from cli.stack.ports import free_port
from cli.stack.worker import Worker
from runtime.settings import WorkerSettings

Happening = Callable[[], Awaitable[object]]
BEFORE_S, AFTER_S, PATIENCE_S, LONG_S = 3.0, 2.0, 120.0, 1.0
ACCOUNTS = 1_000
SESSION_MS = str(WorkerSettings.model_fields["session_timeout_ms"].default)


@dataclass(frozen=True, slots=True)
class Stack:
    """One that runs."""

    folder: Path

    def told(self) -> Any:
        """What its stack.json says at the moment."""
        return json.loads((self.folder / "stack.json").read_text())

    async def ready(self, *, but: Sequence[int] = ()) -> None:
        """Return when all processes are there, none is one of these, and all workers are ready."""
        until = time.monotonic() + PATIENCE_S
        while missing := await asyncio.to_thread(self._not_ready, but):
            if time.monotonic() > until:
                raise SystemExit(f"not ready after {PATIENCE_S:.0f} s: {missing}")
            await asyncio.sleep(0.05)

    def _not_ready(self, but: Sequence[int]) -> dict[str, str]:
        """Process -> why."""
        found = {}
        for one in self.told()["processes"]:
            if one["pid"] in (None, *but):
                found[one["name"]] = "away"
            elif "health" in one:
                try:
                    urllib.request.urlopen(f"{one['health']}/ready", timeout=5).close()
                except urllib.error.HTTPError as unready:
                    found[one["name"]] = unready.read().decode()
                except OSError as error:
                    found[one["name"]] = str(error)
        return found

    async def back(self, name: str, how: signal.Signals) -> None:
        """End all whose names begin so, at once; return when they are back."""
        ended = [p["pid"] for p in self.told()["processes"] if p["name"].startswith(name)]
        for pid in ended:
            os.kill(pid, how)
        await self.ready(but=ended)

    async def rolling(self) -> None:
        """One authorizer after the other, each waited for."""
        for one in self.told()["processes"]:
            if one["name"].startswith("authorizer"):
                await self.back(one["name"], signal.SIGTERM)

    def one_more(self) -> Worker:
        """An authorizer that the stack does not know of."""
        told = self.told()
        return Worker(
            name="authorizer-more",
            service="authorizer",
            health_port=free_port(),
            environment={
                "ONACCOUNT_KAFKA": told["kafka"],
                "ONACCOUNT_POSTGRES_AUTHORIZER": told["postgres"]["authorizer"],
            },
            log=self.folder / "more.log",
            death_signal=signal.SIGKILL,
        )


@contextlib.asynccontextmanager
async def stack_up(folder: Path, workers: str) -> AsyncIterator[Stack]:
    """One of its own, ended at the end."""
    command = [sys.executable, "-m", "cli", "stack", "up", "--dir"]
    command += [str(folder), "--workers", workers]
    environment = {"ONACCOUNT_SESSION_TIMEOUT_MS": SESSION_MS, **os.environ}
    with (folder / "out.log").open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (folder / "stack.json").exists():
                if process.poll() is not None:
                    raise SystemExit((folder / "out.log").read_text())
                await asyncio.sleep(0.1)
        yield Stack(folder)
    finally:
        process.terminate()
        process.wait()


@contextlib.asynccontextmanager
async def happenings(stack: Stack) -> AsyncIterator[Mapping[str, Happening]]:
    """What can happen, by name, in an order in which each leaves all as it was before the first."""
    term, kill = signal.SIGTERM, signal.SIGKILL
    async with contextlib.AsyncExitStack() as more:

        async def joins() -> None:
            await more.enter_async_context(running(stack.one_more()))

        yield {
            "nothing": lambda: asyncio.sleep(0),
            "one more joins": joins,
            "one more leaves": more.aclose,
            "rolling restart": stack.rolling,
            "one killed": lambda: stack.back("authorizer-1", kill),
            "all killed": lambda: stack.back("authorizer", kill),
            "ledger restarts": lambda: stack.back("ledger-1", term),
            "invoicer restarts": lambda: stack.back("invoicer-1", term),
            "Kafka restarts": lambda: stack.back("kafka", term),
            "Kafka killed": lambda: stack.back("kafka", kill),
            "PostgreSQL restarts": lambda: stack.back("postgres", signal.SIGINT),
            "PostgreSQL killed": lambda: stack.back("postgres", kill),
        }


async def answered(decisions: Decisions, sent: Sequence[Sale]) -> dict[str, Decided]:
    """The decisions; of sales that get none within PATIENCE_S there is none."""
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(TimeoutError):
            await decisions.wait_for(len(sent), within_s=max(0.0, until - time.monotonic()))
        found = await decisions.read()
        if len(found) >= len(sent) or time.monotonic() > until:
            return found
        await asyncio.sleep(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the sales of one turn got."""

    took_s: float
    longest_s: float
    long: int
    unanswered: int
    differing: int


async def turn(stack: Stack, happen: Happening, rate: float, seconds: float) -> Turn:
    """Let it happen while sales are sent."""
    kafka = stack.told()["kafka"]
    sent = load.sales(int(rate * seconds), load.accounts(ACCOUNTS), seed=time.monotonic_ns())
    async with Decisions(kafka) as decisions:
        tills = asyncio.create_task(load.open_loop(kafka, sent, per_s=rate))
        await asyncio.sleep(BEFORE_S)
        began = time.monotonic()
        await happen()
        took_s = time.monotonic() - began
        due = await tills
        found = await answered(decisions, sent)
    await stack.ready()
    await asyncio.sleep(AFTER_S)
    waits = [found[sale].at - moment for sale, moment in due.items() if sale in found]
    return Turn(
        took_s=took_s,
        longest_s=max(waits, default=PATIENCE_S),
        long=sum(wait > LONG_S for wait in waits),
        unanswered=len(sent) - len(waits),
        differing=sum(one.differing for one in found.values()),
    )


async def measure(options: argparse.Namespace) -> dict[str, list[Turn]]:
    """The turns of each thing."""
    found: dict[str, list[Turn]] = {}
    async with contextlib.AsyncExitStack() as at_the_end:
        folder = at_the_end.enter_context(servers.folder("disturbed"))
        stack = await at_the_end.enter_async_context(stack_up(folder, options.workers))
        await open_accounts(stack.told()["kafka"], load.accounts(ACCOUNTS))
        can_happen = await at_the_end.enter_async_context(happenings(stack))
        wanted = [name for name in can_happen if name in (options.only or can_happen)]
        await turn(stack, can_happen["nothing"], options.rate, options.seconds)  # warms up
        for name in wanted * options.times:
            one = await turn(stack, can_happen[name], options.rate, options.seconds)
            found.setdefault(name, []).append(one)
            print(f"{name}: {one}", file=sys.stderr, flush=True)
    return found


HEAD = ("what happens", "longest", "ready after", "over 1 s", "no answer", "different")


def line(name: str, turns: Sequence[Turn]) -> tuple[str, ...]:
    """As HEAD has it."""
    return (
        name,
        " ".join(f"{longest:.1f}" for longest in sorted(one.longest_s for one in turns)),
        f"{max(one.took_s for one in turns):.1f}",
        str(max(one.long for one in turns)),
        str(sum(one.unanswered for one in turns)),
        str(sum(one.differing for one in turns)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=lambda text: text.split(","), help="names, with commas")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--rate", type=float, default=200, help="sales a second")
    parser.add_argument("--seconds", type=float, default=15, help="of sales, in each turn")
    parser.add_argument("--workers", default="authorizer=2")
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print(servers.machine())
    found = uvloop.run(measure(options))
    lines = [HEAD, *(line(name, turns) for name, turns in found.items())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for one in lines:
        print("  ".join(map(str.ljust, one, widths)).rstrip())
    if any(one.unanswered or one.differing for turns in found.values() for one in turns):
        sys.exit(1)


if __name__ == "__main__":
    main()
