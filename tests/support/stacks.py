"""A whole stack, started as a person would: `onaccount stack up`."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.stack.folder import Folder
from cli.stack.process import Mark, wait_until
from cli.stack.worker import for_good
from tests.support.run import current
from tests.support.servers import lay_storage, quicken_kafka

NO_WORKERS = "authorizer=0,ledger=0,importer=0,invoicer=0"


@dataclass
class Stack:
    """A running `stack up` and its folder."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def info(self) -> dict[str, Any]:
        """stack.json as it is now."""
        found: dict[str, Any] = json.loads((self.folder / "stack.json").read_text())
        return found

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return (self.folder / "up.txt").read_text()

    def pid(self, name: str) -> int | None:
        """The pid of one of its processes now; None while that is away."""
        return next(one["pid"] for one in self.info["processes"] if one["name"] == name)

    def health(self, name: str) -> str:
        """The health address of a worker."""
        return str(next(one["health"] for one in self.info["processes"] if one["name"] == name))

    def stopped_for_good(self) -> str | None:
        """The words of a worker that waits for a person (a store went back); None where all go."""
        for one in self.info["processes"]:
            if "health" in one and (why := for_good(_unready(one["health"]))):
                return f"{one['name']}: {why}"
        return None

    def waits(self) -> dict[str, list[str]]:
        """Why each worker does not serve now, as it says itself, and which processes are away."""
        return {
            one["name"]: ["away"] if one["pid"] is None else _unready(one["health"])
            for one in self.info["processes"]
            if one["pid"] is None or "health" in one
        }

    def kill(self, name: str) -> int:
        """kill -9 one of its processes; gives the pid that it had."""
        pid = self.pid(name)
        assert pid is not None, f"{name} is away already"
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_back(self, name: str, old_pid: int, *, within_s: float = 90) -> None:
        """Wait until a killed process is there again, under another pid."""
        back = wait_until(lambda: self.pid(name) not in (None, old_pid), within_s=within_s)
        assert back, f"{name} is not back after {within_s} s: {self.output}"

    def wait_ready(self, *, within_s: float = 180) -> None:
        """Wait until it has written stack.json; fails with what it said when it does not."""
        # Not until the file is there: it may be one that a killed stack has left.
        wait_until(
            lambda: "ready after" in self.output or self.process.poll() is not None,
            within_s=within_s,
        )
        assert "ready after" in self.output, f"the stack did not start: {self.output}"

    def end(self, number: signal.Signals = signal.SIGTERM, *, within_s: float = 40) -> int:
        """End it, and give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(within_s)


def _unready(health: str) -> list[str]:
    """Why a worker does not serve, as it says; nothing where it is away, too busy to say it, or
    killed while it did."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        try:
            with urllib.request.urlopen(f"{health}/ready", timeout=2):
                return []
        except urllib.error.HTTPError as answer:
            why: list[str] = json.loads(answer.read())["why"]
            return why
    return []


def begin_stack(
    folder: Path,
    *,
    workers: str = "",
    environment: Mapping[str, str] | None = None,
    options: tuple[str, ...] = ("--no-fsync",),
    formatted: bool = True,
) -> Stack:
    """Start `stack up` in a folder, without waiting for it. Kafka's storage is there already, but
    where it is not to be `formatted`: as on a person's first start."""
    quicken_kafka(current())
    if formatted:
        lay_storage(current(), folder / "kafka")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cli", "stack", "up", "--dir", str(folder), *options]
    if workers:
        command += ["--workers", workers]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ONACCOUNT_")}
    with (folder / "up.txt").open("wb") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**clean, **(environment or {})},
            start_new_session=True,
        )
    import psutil

    current().note(
        Mark(name="up", pid=process.pid, started=psutil.Process(process.pid).create_time())
    )
    return Stack(folder, process)


def running_in(folder: Path) -> list[Mark]:
    """Those of the processes noted in a stack's folder that run now."""
    return [mark for mark in Folder(path=folder).marks() if mark.process() is not None]
