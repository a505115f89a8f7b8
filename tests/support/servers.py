"""Real servers for tests, which can be killed and started again."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.stack.component import Component, answers
from cli.stack.kafka import Kafka
from cli.stack.ports import free_port
from cli.stack.postgres import Postgres
from cli.stack.process import end, kill_group, spawn
from tests.support.apart import run_apart
from tests.support.learned import learn
from tests.support.run import Run, current

ADMIN_PASSWORD = "tests-only"


@dataclass
class Server:
    """One component that a test may treat badly. It keeps its address and its data."""

    component: Component
    run: Run = field(default_factory=current)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """host:port"""
        return f"127.0.0.1:{self.component.port}"  # type: ignore[attr-defined]

    @property
    def pid(self) -> int:
        """Of java, or of the postmaster."""
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        await self.component.prepare()
        self.process = spawn(self.component.program(), self.run.note)
        await answers(self.component, self.process)

    async def kill(self) -> None:
        """kill -9, as when the machine takes it away."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        kill_group(self.process.pid)

    def pause(self) -> None:
        """Stop it where it stands; its connections stay open."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Wake it."""
        os.kill(self.pid, signal.SIGCONT)

    async def stop(self) -> None:
        """End it in an orderly way."""
        if self.process is not None:
            if self.process.poll() is None:
                self.go_on()
            await end(self.process, ask=self.component.program().stop_signal, patience_s=5)
            self.process = None


def quicken_kafka(run: Run) -> None:
    """Once for a checkout: the brokers of all runs start in half the time then."""

    def make() -> dict[str, Any]:
        run_apart(learn(run.note))
        return {}

    run.shared("learned", make)


def lay_storage(run: Run, folder: Path) -> None:
    """Give a broker in `folder` the storage that another would make of nothing.

    Java is started for that each time, and makes two small files: the ids of the cluster and of
    the folder, and the version of the log. Brokers of one run share the ids and never meet.
    """

    def make() -> dict[str, Any]:
        pattern = _kafka(run.new_folder("storage"))
        run_apart(pattern.prepare())
        return {"data": str(pattern.folder / "data")}

    if not (folder / "data").exists():
        shutil.copytree(run.shared("storage", make)["data"], folder / "data")


def new_kafka(folder: Path) -> Kafka:
    """A broker for tests; not started."""
    quicken_kafka(current())
    node = _kafka(folder)
    lay_storage(current(), node.folder)
    return node


def _kafka(folder: Path) -> Kafka:
    port = free_port()
    return Kafka(
        folder=folder / "kafka",
        port=port,
        controller_port=free_port(taken={port}),
        log=folder / "kafka.log",
    )


def new_postgres(
    folder: Path, *, fsync: bool = False, log: Path | None = None, **settings: str
) -> Postgres:
    """A database server for tests; not started."""
    return Postgres(
        folder=folder / "postgres",
        port=free_port(),
        password=ADMIN_PASSWORD,
        log=log or folder / "postgres.log",
        fsync=fsync,
        # A password's four thousand rounds are a millisecond of each test's connections.
        settings={"scram_iterations": "1", **settings},
    )


def started(component: Component, run: Run) -> dict[str, Any]:
    """Start a component for the whole run."""
    server = Server(component, run)
    run_apart(server.start())
    return {"address": server.address, "pid": server.pid}
