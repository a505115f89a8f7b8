"""One folder for one run of pytest, also when several processes share it (pytest-xdist).

Servers are started by whichever process needs one first, and shared; the process that was started
by a person (the controller) ends them all at the end. It holds a lock on the folder meanwhile: a
folder whose lock is free belongs to a run that was killed, and the next run clears it away.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from cli.stack.process import Mark, end_leftovers

RUNS = Path(__file__).resolve().parents[2] / "var" / "test"
VARIABLE = "ONACCOUNT_TEST_RUN"
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 3 * 2**30
"""Free in memory at least, or its place is on the disk."""


class Run:
    """This process's view of the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def note(self, mark: Mark) -> None:
        """Write down a process, so that it is ended whatever happens."""
        file = self.folder / f"{mark.name}-{mark.pid}.mark"
        file.write_text(json.dumps(asdict(mark)))

    def shared(self, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `make` gives, made once in the whole run."""
        file = self.folder / f"{name}.json"
        with _locked(self.folder / f"{name}.lock"):
            if not file.exists():
                file.write_text(json.dumps(make()))
        made: dict[str, Any] = json.loads(file.read_text())
        return made

    def new_folder(self, name: str) -> Path:
        """An empty folder for a server of one test module."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def memory_folder(self) -> Path:
        """An empty folder that needs not outlive the machine: in memory where there is room.

        Each test has a database of fifteen hundred files. A file system that was just told to
        forget so many (ext4 without a journal) takes half a second to make them again.
        """
        try:
            if shutil.disk_usage(MEMORY).free < MEMORY_BYTES:
                return self.new_folder("memory")
            made = Path(tempfile.mkdtemp(prefix="onaccount-test-", dir=MEMORY))
        except OSError:
            return self.new_folder("memory")
        (self.folder / f"{made.name}.memory").symlink_to(made)  # goes with the run
        return made


def current() -> Run:
    """The run that this process takes part in."""
    return Run(Path(os.environ[VARIABLE]))


def begin() -> IO[str]:
    """Make the folder of a new run, and clear away those of killed runs; gives the lock to keep."""
    RUNS.mkdir(parents=True, exist_ok=True)
    for old in RUNS.glob("run-*"):
        _clear(old)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=RUNS))
    os.environ[VARIABLE] = str(folder)
    lock = (folder / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def finish(lock: IO[str], *, keep: bool) -> None:
    """End all that the run has started; `keep` leaves its folder, with the logs, until the next."""
    folder = Path(os.environ.pop(VARIABLE))
    _end_all(folder)
    _forget_memory(folder)
    lock.close()
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


def _clear(folder: Path) -> None:
    try:
        with (folder / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another run, going on now
    except FileNotFoundError:
        pass
    _end_all(folder)
    _forget_memory(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _forget_memory(folder: Path) -> None:
    for link in folder.glob("*.memory"):
        shutil.rmtree(link.readlink(), ignore_errors=True)


def _end_all(folder: Path) -> None:
    marks = (Mark(**json.loads(file.read_text())) for file in folder.glob("*.mark"))
    end_leftovers(marks, patience_s=3)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
