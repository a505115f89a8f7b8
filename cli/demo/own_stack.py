"""The demo's own stack: started in a folder of its own, and gone at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.screen import Screen
from cli.stack.folder import Folder
from cli.stack.process import Program, end_leftovers, last_lines, spawn
from cli.trouble import Trouble
from cli.where import stack as described

START_S = 300.0  # cold caches: Kafka's jars are downloaded
STOP_S = 60.0
LOG = "up.log"


@dataclass(slots=True)
class OwnStack:
    """A running stack: what stack.json says, and whether it is to be left up."""

    folder: Path
    info: dict[str, Any]
    keep: bool = False

    @property
    def mails(self) -> Path:
        """Where the mail catcher keeps its mails."""
        return Path(self.info["mail_dir"])


@contextlib.contextmanager
def own_stack(folder: Path, screen: Screen, *, may_stay: bool, logs_to: Path) -> Iterator[OwnStack]:
    """Start a stack in `folder`, and end it unless `keep` was set on what is given.

    Raises Trouble when it does not start. Nothing of it is left after an exception or Ctrl-C, but
    its logs, which are put to `logs_to`.
    """
    for name in [name for name in os.environ if name.startswith("ONACCOUNT_")]:
        del os.environ[name]  # the demo's stack is its own, wherever else one usually works
    log = folder / LOG
    process = spawn(
        Program(
            name="stack",
            command=[sys.executable, "-m", "cli", "stack", "up", "--dir", str(folder)],
            log=log,
            environment={"COLUMNS": "160"},
            # A kill -9 of the demo ends its stack too, unless that may be wanted afterwards.
            death_signal=None if may_stay else signal.SIGTERM,
        ),
        lambda mark: None,
    )
    running = None
    try:
        running = OwnStack(folder=folder, info=_wait(folder, process, log, screen))
        yield running
    except Exception as fault:
        logs = (folder / "logs").is_dir()  # not where the stack refused to start
        if logs:
            shutil.copytree(folder / "logs", logs_to, dirs_exist_ok=True)
        if isinstance(fault, Trouble) and logs:
            told = str(fault).replace(str(folder / "logs"), str(logs_to))
            hint = "" if str(logs_to) in told else f" The stack's logs are kept in {logs_to}."
            raise type(fault)(told + hint) from fault
        raise
    finally:
        if running is None or not running.keep:
            with _undisturbed():
                _end(folder, process, screen)


def clear(folder: Path, screen: Screen) -> None:
    """Take away what an earlier demo left; raises Trouble where its stack still runs."""
    if not folder.exists():
        return
    leftover = Folder(path=folder)
    if not leftover.try_lock():
        raise Trouble(
            f"A stack of an earlier demo runs in {folder}; end it with `onaccount stack down "
            f"--dir {folder}`, then start the demo again."
        )
    try:
        if end_leftovers(leftover.marks()):
            screen.say("ended what an earlier demo had left running")
    finally:
        leftover.unlock()
    _remove(folder)


def _wait(
    folder: Path, process: subprocess.Popen[bytes], log: Path, screen: Screen
) -> dict[str, Any]:
    """Show what the stack says until it serves; gives stack.json."""
    shown, deadline = 0, time.monotonic() + START_S
    while True:
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        lines = text.splitlines()
        whole = len(lines) if text.endswith("\n") else len(lines) - 1
        for line in lines[shown : max(shown, whole)]:
            screen.say(f"  {line}", "dim")
        shown = max(shown, whole)
        if (folder / "stack.json").exists():
            return described(folder)
        if process.poll() is not None:
            said = last_lines(log, 1)
            raise Trouble(
                said[0].removeprefix("onaccount: ")
                if said
                else f"The stack ended by itself (status {process.returncode})."
            )
        if time.monotonic() > deadline:
            raise Trouble(
                f"The stack did not come up within {START_S:.0f} seconds; see {log} and "
                f"{folder / 'logs'}."
            )
        time.sleep(0.05)


def _end(folder: Path, process: subprocess.Popen[bytes], screen: Screen) -> None:
    with screen.waiting("the stack is ended ..."):
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        left = Folder(path=folder)
        end_leftovers(left.marks())
        _remove(folder)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as fault:
        raise Trouble(
            f"{folder} can't be removed ({fault.strerror}: {fault.filename}); remove it yourself."
        ) from fault


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Another Ctrl-C meanwhile changes nothing: what is being ended is ended."""
    before = {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
