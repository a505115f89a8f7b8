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

    def prepare(self) -> None:
        """Make its folder ready, as far as it is not, and clear what a killed one left. Blocks."""
        ...

    def program(self) -> Program:
        """How it is started."""
        ...

    async def probe(self) -> None:
        """Return when it does its work now; otherwise raise."""
        ...


async def answers(
    component: Component, process: subprocess.Popen[bytes], *, within_s: float = PATIENCE_S
) -> None:
    """Wait until a started component does its work.

    Raises Trouble when its process ends before, or when it takes longer than `within_s` seconds.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Trouble(
                f"{component.name} ended by itself while it started (status {process.returncode}); "
                f"{_why(component.log)}."
            )
        try:
            async with asyncio.timeout(10):
                await component.probe()
            return
        except Exception:
            await asyncio.sleep(0.05)
    raise Trouble(
        f"{component.name} does not answer after {within_s:.0f} seconds; {_why(component.log)}."
    )


@contextlib.asynccontextmanager
async def running(component: Component, note: Note = lambda mark: None) -> AsyncIterator[int]:
    """The component, started, answering, and ended at the end; gives its pid."""
    await asyncio.to_thread(component.prepare)
    program = component.program()
    process = spawn(program, note)
    try:
        await answers(component, process)
        yield process.pid
    finally:
        await asyncio.to_thread(end, process, ask=program.stop_signal)


def start(component: Component, note: Note = lambda mark: None) -> subprocess.Popen[bytes]:
    """Start a component and wait until it answers, outside of an event loop.

    Whoever calls this ends it: `process.end(popen, ask=component.program().stop_signal)`.
    """
    component.prepare()
    program = component.program()
    process = spawn(program, note)
    try:
        asyncio.run(answers(component, process))
    except BaseException:
        end(process, ask=program.stop_signal)
        raise
    return process


def _why(log: Path) -> str:
    lines = last_lines(log, 1)
    said = f", which ends with: {lines[0].strip()[:300]}" if lines else ""
    return f"see its log {log}{said}"
