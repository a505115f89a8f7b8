"""What the supervisor does with a program that does not do well.

Method: tiny programs of our own in the place of workers; no server is needed for that.
"""

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from cli.stack.folder import Folder
from cli.stack.plan import Plan
from cli.stack.process import Program
from cli.stack.supervisor import SERVERS_PATIENCE_S, Supervisor
from cli.stack.telling import Teller
from cli.trouble import Trouble

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
CHILD = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', '{}']); "


@dataclass
class Script:
    """A program in Python; `lives` is what it is at its first start, its second, and so on."""

    log: Path
    lives: list[str]
    name: str = "ledger-1"
    health: str = "nowhere"
    starts: int = 0
    stop_signal: signal.Signals = field(default=signal.SIGTERM)

    async def prepare(self) -> None:
        self.starts += 1

    def program(self) -> Program:
        life = self.lives[min(self.starts, len(self.lives)) - 1]
        return Program(name=self.name, command=[sys.executable, "-u", "-c", life], log=self.log)

    async def probe(self, *, again: bool = False) -> None:
        if "up" not in self.log.read_text():
            raise ConnectionError


def stack(folder: Path, script: Script) -> Supervisor:
    """A stack with this program alone."""
    return Supervisor(
        folder=Folder(path=folder),
        plan=Plan(
            kafka=None,
            postgres=None,
            mail=None,
            kafka_address="",
            smtp_address="",
            dsns={},
            workers=[script],  # type: ignore[list-item]
            topics=False,
        ),
        teller=Teller(console=Console(file=io.StringIO(), soft_wrap=True)),
    )


def said(supervisor: Supervisor) -> str:
    file = supervisor.teller.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


async def until(true: object, within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_one_that_ends_while_it_starts_fails_the_stack_with_its_last_line(
    tmp_path: Path,
) -> None:
    script = Script(tmp_path / "log", ["raise SystemExit('no such setting')"])
    with pytest.raises(BaseExceptionGroup) as failed:
        await stack(tmp_path, script).run()
    told = str(failed.value.exceptions[0])
    assert isinstance(failed.value.exceptions[0], Trouble)
    assert "ledger-1" in told
    assert str(script.log) in told
    assert "no such setting" in told


async def test_one_that_keeps_ending_is_started_again_and_again_and_told_of_once(
    tmp_path: Path,
) -> None:
    first = "print('up'); import time; time.sleep(0.5)"
    script = Script(tmp_path / "log", [first, "raise SystemExit('gone')"])
    supervisor = stack(tmp_path, script)
    work = asyncio.create_task(supervisor.run())
    await until(lambda: script.starts >= 4)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert said(supervisor).count("keeps ending") == 1
    assert "log" in said(supervisor)


async def test_one_that_does_not_heed_sigterm_is_killed_when_asked_twice(tmp_path: Path) -> None:
    script = Script(tmp_path / "log", [STUBBORN + "print('up'); time.sleep(60)"])
    supervisor = stack(tmp_path, script)
    work = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.serving)
    work.cancel()
    await asyncio.sleep(0.3)
    assert not work.done()
    supervisor.hurry()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(SERVERS_PATIENCE_S - 2):
            await work


async def test_what_a_dead_worker_had_started_ends_with_it(tmp_path: Path) -> None:
    import psutil

    child = "import time; time.sleep(61.5)"
    life = CHILD.format(child) + "time.sleep(0.3); print('up'); time.sleep(60)"
    script = Script(tmp_path / "log", [life])
    supervisor = stack(tmp_path, script)
    work = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.serving)
    leader = psutil.Process(supervisor.folder.marks()[0].pid)
    orphan = leader.children()[0]
    leader.kill()
    await until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


async def test_one_that_ends_while_the_disk_is_full_is_started_again_and_told_when_there_is_room(
    tmp_path: Path,
) -> None:
    """What stands in the way of the file is a folder in its place: it fails like a full disk."""
    script = Script(log=tmp_path / "log", lives=["print('up'); import time; time.sleep(60)"])
    supervisor = stack(tmp_path, script)
    work = asyncio.create_task(supervisor.run())
    told = tmp_path / "stack.json"
    try:
        await until(told.exists)
        first = json.loads(told.read_text())["processes"][0]["pid"]
        in_the_way = tmp_path / f".stack.json.{os.getpid()}"
        in_the_way.mkdir()
        os.kill(first, signal.SIGKILL)
        await until(lambda: script.starts == 2)
        await until(lambda: f"{script.name} is back" in said(supervisor))
        assert json.loads(told.read_text())["processes"][0]["pid"] == first
        assert said(supervisor).count("can't be written") == 1
        in_the_way.rmdir()
        await until(
            lambda: json.loads(told.read_text())["processes"][0]["pid"] not in (first, None)
        )
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
    assert not told.exists()
