"""What every part of the stack can do, and how one is started by itself."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from cli.stack.process import Note, Program, end, last_lines, spawn
from cli.trouble import Trouble

PATIENCE_S = 60.0


class Component(Protocol):
    """One program of the stack, with what must be done before and known after its start."""

    @property
    def name(self) -> str:
        """As in stack.json: kafka, postgres, mail, authorizer-1."""
        ...

    @property
    def log(self) -> Path:
        """Where what it prints goes."""
        ...

    async def prepare(self) -> None:
        """Make its folder ready, as far as it is not, and clear what a killed one left."""
        ...

    def program(self) -> Program:
        """How it is started."""
        ...

    async def probe(self, *, again: bool = False) -> None:
        """Return when it does its work now; otherwise raise.

        `again` is asked of one that died and was started again: it need only be back, for what
        it depends on may be away.
        """
        ...


async def answers(
    component: Component,
    process: subprocess.Popen[bytes],
    *,
    within_s: float = PATIENCE_S,
    again: bool = False,
) -> None:
    """Wait until a started component does its work.

    Raises Trouble when its process ends before, or when it takes longer than `within_s` seconds.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Trouble(
                f"{component.name} ended by itself while it started (status {process.returncode}); "
                f"{_why(component.log)}"
            )
        try:
            async with asyncio.timeout(10):
                await component.probe(again=again)
            return
        except Trouble:
            raise
        except Exception:
            await asyncio.sleep(0.05)  # whatever it is, it is not ready yet
    raise Trouble(
        f"{component.name} does not answer after {within_s:.0f} seconds; {_why(component.log)}"
    )


_TELLING = (("Caused by: ",), ("FATAL", "ERROR"))
"""What stands in the line of a log that tells why its process ended, best first."""


@contextlib.asynccontextmanager
async def running(component: Component, note: Note = lambda mark: None) -> AsyncIterator[int]:
    """The component, started, answering, and ended at the end; gives its pid."""
    await component.prepare()
    program = component.program()
    process = spawn(program, note)
    try:
        await answers(component, process)
        yield process.pid
    finally:
        await end(process, ask=program.stop_signal)


def start(component: Component, note: Note = lambda mark: None) -> subprocess.Popen[bytes]:
    """Start a component and wait until it answers, outside of an event loop.

    Whoever calls this ends it, with `stop`.
    """

    async def started() -> subprocess.Popen[bytes]:
        await component.prepare()
        program = component.program()
        process = spawn(program, note)
        try:
            await answers(component, process)
        except BaseException:
            await end(process, ask=program.stop_signal)
            raise
        return process

    return asyncio.run(started())


def stop(component: Component, process: subprocess.Popen[bytes], *, patience_s: float = 10) -> None:
    """End what `start` started, outside of an event loop."""
    asyncio.run(end(process, ask=component.program().stop_signal, patience_s=patience_s))


def _why(log: Path) -> str:
    lines = last_lines(log, 200)
    for words in _TELLING:
        # Kafka closes down at length after it said what is wrong.
        if found := [line for line in lines if any(word in line for word in words)]:
            return f"see its log {log}. It says: {found[-1].strip()[:300]}"
    said = f" It ends with: {lines[-1].strip()[:300]}" if lines else ""
    return f"see its log {log}.{said}"
