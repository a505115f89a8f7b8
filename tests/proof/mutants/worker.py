"""Tries its share of the faults in a copy of the tree, each in a child of this process.

What is heavy is imported and started once, here: the libraries, the messages, a database server.
A child gets the copy with one fault in it, imports the services from there, and runs the tests of
that file until one fails.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cli.stack.postgres import Postgres
from tests.proof.mutants.guards import Guard, guards
from tests.proof.mutants.plan import GUARD_TESTS, TESTS, Tests, planned
from tests.proof.mutants.python_faults import Fault
from tests.support import databases, run, servers
from tests.support.apart import run_apart

TREE = Path.cwd()
PATIENCE_S = float(os.environ.get("ONACCOUNT_MUTANT_PATIENCE_S", "240"))
SMALLER = {"ONACCOUNT_MODEL_SEQUENCES": "25", "ONACCOUNT_MODEL_SHRINK": "0"}


class Warm:
    """Lets a child's tests find the server that runs already."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_sessionstart(self) -> None:
        shutil.copy(self._file, run.current().folder / self._file.name)


class Notes:
    """Which test failed first, for the table."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._file.write_text(report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._file.write_text(f"{report.nodeid} (not importable)")


def start_server() -> tuple[Postgres, Path]:
    """A server for all children, as the fixture of tests/support would start it."""
    this = run.current()
    server = servers.new_postgres(this.new_folder("postgres"))
    facts = servers.started(server, this)
    run_apart(databases.make_template(server))
    file = this.folder / "postgres.json"
    file.write_text(json.dumps({**facts, "folder": str(server.folder), "port": server.port}))
    return server, file


def tried(phases: Tests, warm: Path) -> tuple[str, str]:
    """("killed", by which test) or ("survived", "")."""
    for tests in phases:
        found = _tried(tests.split(), warm)
        if found[0] == "killed":
            return found
    return "survived", ""


def _tried(tests: list[str], warm: Path) -> tuple[str, str]:
    noted = warm.with_name("noted")
    noted.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _run_child(tests, warm, noted)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            by = (
                noted.read_text() if noted.exists() else f"exit {os.waitstatus_to_exitcode(status)}"
            )
            return ("survived", "") if status == 0 else ("killed", by)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "killed", f"no end within {PATIENCE_S:.0f} s"


def _run_child(tests: list[str], warm: Path, noted: Path) -> None:
    os.setpgid(0, 0)
    os.environ.update(SMALLER)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    options = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "--no-header", "--tb=no"]
    existing = [test for test in tests if Path(test).exists()]
    os._exit(pytest.main([*options, *existing], plugins=[Warm(warm), Notes(noted)]))


def try_fault(fault: Fault, warm: Path) -> tuple[str, str]:
    file = TREE / fault.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(fault.text, encoding="utf-8")
    try:
        return tried(TESTS[fault.file], warm)
    finally:
        file.write_text(whole, encoding="utf-8")


def try_guard(guard: Guard, server: Postgres, warm: Path) -> tuple[str, str]:
    run_apart(_without(server, guard))
    try:
        return tried(GUARD_TESTS, warm)
    finally:
        run_apart(_whole_again(server))


async def _without(server: Postgres, guard: Guard) -> None:
    connection = await asyncpg.connect(server.dsn(databases.TEMPLATE))
    await connection.execute(guard.without)
    await connection.close()


async def _whole_again(server: Postgres) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    await connection.execute(f"DROP DATABASE {databases.TEMPLATE} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {databases.TEMPLATE} TEMPLATE whole")
    await connection.close()


async def _keep_whole(server: Postgres) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    await connection.execute(f"CREATE DATABASE whole TEMPLATE {databases.TEMPLATE}")
    await connection.close()


def main(share: int, of: int, only: str, results: Path) -> None:
    """Every `of`th fault from `share` on; one line of JSON each, appended to `results`."""
    lock = run.begin()
    server, warm = start_server()
    run_apart(_keep_whole(server))
    try:
        todo: list[Fault | Guard] = []
        if only != "guards":
            todo += planned(TREE, only)
        if "guards" in only or not only:
            todo += run_apart(guards(server.dsn(databases.TEMPLATE)))
        for number, one in list(enumerate(todo))[share::of]:
            began = time.monotonic()
            if isinstance(one, Fault):
                outcome, by = try_fault(one, warm)
                where, fault = f"{one.file}:{one.line}", f"{one.was} -> {one.now}"
            else:
                outcome, by = try_guard(one, server, warm)
                where, fault = one.where, f"without {one.says}"
            took = round(time.monotonic() - began, 1)
            line = {"number": number, "of": len(todo), "where": where, "fault": fault,
                    "outcome": outcome, "by": by, "took_s": took}  # fmt: skip
            with results.open("a") as out:
                out.write(json.dumps(line) + "\n")
    finally:
        run.finish(lock, keep=False)


if __name__ == "__main__":
    import aiokafka
    import hypothesis.stateful
    import uvloop

    import runtime.transaction
    import schemas.wire
    import tests.support.fixtures

    for each in (aiokafka, hypothesis, uvloop, runtime, schemas, tests):
        assert each is not None
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
