"""Starting a program so that it can be found and ended later, whatever happens to us."""

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
            alive = abs(process.create_time() - self.started) < 0.5
            return process if alive and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


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


def end(
    process: subprocess.Popen[bytes],
    *,
    ask: signal.Signals = signal.SIGTERM,
    patience_s: float = 10.0,
) -> None:
    """Ask a program to end, wait, and kill it and what it started if it does not. Blocks."""
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            process.send_signal(ask)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    kill_group(process.pid)


def kill_group(leader_pid: int) -> None:
    """Kill what is left in the process group of a program that has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader_pid, signal.SIGKILL)


def end_leftovers(marks: Iterable[Mark], *, patience_s: float = 5.0) -> list[Mark]:
    """End those of these processes that still run, and their children; returns which they were.

    Used when nobody is left who started them. Blocks until they are gone.
    """
    found: list[Mark] = []
    alive: list[psutil.Process] = []
    for mark in marks:
        process = mark.process()
        if process is None:
            continue
        found.append(mark)
        with contextlib.suppress(psutil.Error):
            alive += [process, *process.children(recursive=True)]
            process.send_signal(signal.SIGINT if mark.name == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(alive, timeout=patience_s)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    return found


def end_everyone_in(folder: Path, name: str) -> None:
    """Kill each process called `name` that works in `folder`.

    PostgreSQL's backends lead process groups of their own; they outlive a killed postmaster for a
    moment, or for long when busy, and hold its shared memory, so that a new one would not start.
    """
    victims = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if process.info["name"] == name and Path(process.cwd()) == folder:
                process.kill()
                victims.append(process)
    psutil.wait_procs(victims, timeout=5)


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
