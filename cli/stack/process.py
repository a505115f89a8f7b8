"""Starting a program so that it can be found and ended later, whatever happens to us."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LAUNCH = Path(__file__).with_name("launch.py")
LAST_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How one program is started.

    `stop_signal` asks it to end; `death_signal` reaches it when the process that started it dies
    (None: it lives on); `user` is who it believes to be, as launch.py takes it. `environment` is
    added to ours.
    """

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals | None = None
    user: str = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A process for certain: a pid can be used again, a pid with its start time can't."""

    name: str
    pid: int
    started: float

    def process(self) -> psutil.Process | None:
        """The process, if it is still this one and alive (a zombie is not)."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 0.5
            return process if same and not gone(process) else None
        except psutil.Error:
            return None

    def is_zombie(self) -> bool:
        """Whether it has ended without anybody having taken note of it."""
        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


Note = Callable[[Mark], None]


def spawn(program: Program, note: Note) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; `note` is called before the program itself runs."""
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        process = subprocess.Popen(
            launched(program.command, program.user, program.death_signal),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.cwd,
            env={**os.environ, **program.environment},
            start_new_session=True,
        )
    with contextlib.suppress(psutil.NoSuchProcess):
        started = psutil.Process(process.pid).create_time()
        note(Mark(name=program.name, pid=process.pid, started=started))
    gate = process.stdin
    if gate is not None:
        with contextlib.suppress(BrokenPipeError):
            gate.write(b"g")
            gate.flush()
        gate.close()
        process.stdin = None
    return process


def launched(
    command: list[str], user: str = "-", death_signal: signal.Signals | None = None
) -> list[str]:
    """A command as launch.py runs it, once it has read a byte."""
    how = [str(os.getpid()), str(int(death_signal or 0)), user]
    return [sys.executable, "-I", "-S", str(LAUNCH), *how, *command]


async def run(
    command: list[str], *, user: str = "-", cwd: Path | None = None
) -> tuple[int, list[str]]:
    """Run a program to its end; gives its status and what it printed, without empty lines.

    It ends with us: when this is cancelled, and when we are killed.
    """
    process = await asyncio.create_subprocess_exec(
        *launched(command, user, signal.SIGKILL),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=cwd,
        start_new_session=True,
    )
    try:
        printed, _ = await process.communicate(b"g")
    finally:
        kill_group(process.pid)
        await process.wait()
    lines = printed.decode(errors="replace").splitlines()
    return process.returncode or 0, [line.strip() for line in lines if line.strip()]


async def ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for a program's end; gives its status."""
    while (status := process.poll()) is None:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.1)
    return status


async def end(
    process: subprocess.Popen[bytes],
    *,
    ask: signal.Signals = signal.SIGTERM,
    patience_s: float = 10.0,
) -> None:
    """Ask a program to end, wait, and kill it and what it started if it does not."""
    if process.poll() is None:
        process.send_signal(ask)
    deadline = time.monotonic() + patience_s
    while process.poll() is None and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    if process.poll() is None:
        process.kill()
    while process.poll() is None:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.01)
    kill_group(process.pid)


def kill_group(leader_pid: int) -> None:
    """Kill what is left in the process group of a program that has ended or is to end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader_pid, signal.SIGKILL)


def end_leftovers(marks: Iterable[Mark], *, patience_s: float = 8.0) -> list[Mark]:
    """End those of these programs that still run, with all in their groups; says which they were.

    Used when nobody is left who started them. Blocks until they are gone.
    """
    leaders, found, victims = {}, [], []
    for mark in marks:
        process = mark.process()
        if process is not None:
            found.append(mark)
            leaders[mark.pid] = process
            with contextlib.suppress(psutil.Error):
                victims += process.children(recursive=True)
                process.send_signal(signal.SIGINT if mark.name == "postgres" else signal.SIGTERM)
        elif psutil.pid_exists(mark.pid) and not mark.is_zombie():
            continue  # the number is somebody else's now
        victims += _members(mark.pid)
    victims += leaders.values()
    wait_until(lambda: all(map(gone, victims)), within_s=patience_s)
    for process in victims:
        with contextlib.suppress(psutil.Error):
            process.kill()
    wait_until(lambda: all(map(gone, victims)), within_s=5)
    return found


def _members(group: int) -> list[psutil.Process]:
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != group and os.getpgid(process.pid) == group:
                members.append(process)
    return members


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended; nobody need have taken note of it (a zombie)."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def end_servers_of(data: Path) -> None:
    """Kill what is left of a PostgreSQL server that was killed, in the folder of its cluster.

    Its backends lead process groups of their own. They outlive the postmaster for a moment, or for
    long when busy, and hold its shared memory, so that a new one would not start. Blocks.
    """
    victims = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError, IndexError):
            title = process.cmdline()[0]
            if not (title.startswith("postgres: ") or Path(title).name == "postgres"):
                continue
            try:
                ours = Path(process.cwd()) == data
            except psutil.AccessDenied:  # root in a container; then any orphan is taken for ours
                parent = process.parent()
                orphan = parent is None or parent.name() != "postgres"
                ours = title.startswith("postgres: ") and orphan
            if ours:
                process.kill()
                victims.append(process)
    wait_until(lambda: all(map(gone, victims)), within_s=5)


def last_lines(log: Path, count: int = LAST_LINES) -> list[str]:
    """The last lines of a log file, for a person who asks why something ended."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]


def wait_until(true: Callable[[], bool], *, within_s: float, every_s: float = 0.02) -> bool:
    """Whether something became true in time. Blocks."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(every_s)
    return true()
