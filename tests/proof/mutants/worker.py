"""Tries its share of the faults in a copy of the tree, each in a child of this process.

What is heavy is imported and started once, here: the libraries, the messages, a database server.
A child gets the copy with one fault in it, imports the services from there, and runs the tests of
that file until one fails.
"""

from __future__ import annotations

import compileall
import contextlib
import gc
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

import pytest

from tests.proof.mutants.__main__ import stopped
from tests.proof.mutants.plan import TESTS, Tests, planned
from tests.proof.mutants.python_faults import Fault
from tests.support import databases, run, servers
from tests.support.apart import run_apart

TREE = Path.cwd()
PATIENCE_S = float(os.environ.get("ONACCOUNT_MUTANT_PATIENCE_S", "240"))
OPTIONS = (
    "-x", "-q", "-n0", "-p", "no:cacheprovider", "-p", "no:anyio", "--no-header", "--tb=no",
    "--assert=plain",
)  # fmt: skip
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


def start_server() -> Path:
    """A server for all children, as the fixture of tests/support would start it."""
    this = run.current()
    server = servers.new_postgres(this.new_folder("postgres"))
    facts = servers.started(server, this)
    run_apart(databases.make_template(server))
    file = this.folder / "postgres.json"
    file.write_text(json.dumps({**facts, "folder": str(server.folder), "port": server.port}))
    return file


def compile_tree() -> None:
    """So that a child compiles only the file with the fault: what was compiled counts where it is
    of the very text. By time and length, a fault of the same second would pass for the code."""
    by_text = PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(TREE, quiet=1, invalidation_mode=by_text)
    # Faults are not kept, nor what hypothesis or pytest would write beside them.
    sys.dont_write_bytecode = True


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
    pid, deadline = 0, time.monotonic() + PATIENCE_S
    try:
        while time.monotonic() < deadline:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                exited = f"exit {os.waitstatus_to_exitcode(status)}"
                by = noted.read_text() if noted.exists() else exited
                return ("survived", "") if status == 0 else ("killed", by)
            time.sleep(0.02)
    finally:
        if not pid:  # it takes too long, or we are told to stop
            with contextlib.suppress(ProcessLookupError):  # it may have no group of its own yet
                os.killpg(child, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return "killed", f"no end within {PATIENCE_S:.0f} s"


def _run_child(tests: list[str], warm: Path, noted: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setpgid(0, 0)
    os.environ.update(SMALLER)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    existing = [test for test in tests if Path(test.partition("::")[0]).exists()]
    os._exit(pytest.main([*OPTIONS, *existing], plugins=[Warm(warm), Notes(noted)]))


def try_fault(fault: Fault, warm: Path) -> tuple[str, str]:
    file = TREE / fault.file
    whole = file.read_text(encoding="utf-8")
    file.write_text(fault.text, encoding="utf-8")
    try:
        return tried(TESTS[fault.file], warm)
    finally:
        file.write_text(whole, encoding="utf-8")


def _wanted(faults: list[Fault], again: Path) -> list[Fault]:
    """All, or those that survived before: by file, code and fault, since lines move."""
    before = json.loads(again.read_text())
    if before is None:
        return faults
    names = {(one["where"].rpartition(":")[0], one["code"], one["fault"]) for one in before}
    return [one for one in faults if (one.file, one.code, f"{one.was} -> {one.now}") in names]


def main(share: int, of: int, only: str, results: Path) -> None:
    """Every `of`th fault from `share` on; one line of JSON each, appended to `results`."""
    signal.signal(signal.SIGTERM, stopped)
    lock = run.begin()
    try:
        warm = start_server()
        compile_tree()
        todo = _wanted(planned(TREE, only), results.with_name("again.json"))
        # Without a fault all must pass: else every fault would seem to be found.
        phases = sorted({phase for name in {one.file for one in todo} for phase in TESTS[name]})
        for phase in phases[share::of]:
            if (found := tried((phase,), warm))[0] != "survived":
                sys.exit(f"{phase} fails without any fault: {found[1]}")
        # Mixed, so that a run that is stopped has seen something of everything.
        random.Random(1).shuffle(todo)
        for number, fault in list(enumerate(todo))[share::of]:
            began = time.monotonic()
            outcome, by = try_fault(fault, warm)
            took = round(time.monotonic() - began, 1)
            line = {"number": number, "of": len(todo), "where": f"{fault.file}:{fault.line}",
                    "code": fault.code, "fault": f"{fault.was} -> {fault.now}",
                    "outcome": outcome, "by": by, "took_s": took}  # fmt: skip
            with results.open("a") as out:
                out.write(json.dumps(line) + "\n")
    finally:
        run.finish(lock, keep=False)


if __name__ == "__main__":
    import aiokafka
    import faststream.kafka
    import hypothesis.stateful
    import openpyxl
    import pycountry
    import uvloop
    import xlsxwriter

    import runtime.transaction
    import schemas.wire
    import tests.support.fixtures

    for each in (aiokafka, faststream, hypothesis, openpyxl, pycountry, uvloop, xlsxwriter):
        assert each is not None
    for each in (runtime, schemas, tests):
        assert each is not None
    # A child would find the code there, whatever its file says.
    assert not sys.modules.keys() & {one.removesuffix(".py").replace("/", ".") for one in TESTS}
    gc.freeze()  # else each child looks through all of it, and has it copied
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
