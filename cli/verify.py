"""Runs a service's own check of its database, in a process of its own: we never import it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.amounts import Misuse
from cli.messages import Json
from cli.options import Common
from cli.screen import Gauge
from cli.trouble import Trouble
from cli.where import Unreachable, kafka, postgres
from runtime.verifying import NOT_LOOKED_AT, NOT_THERE

LONGEST_SILENCE_S = 600
UNREAD = "database can't be read"
"""What it says then where that is PostgreSQL."""
STORE_ONLY = frozenset({"--books-only", "--store-only"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a check ended, and what it said."""

    status: int
    out: str
    err: list[str]


def report(service: str, folder: Path, *options: str) -> tuple[int, Json]:
    """Exit status and JSON report of `python -m services.SERVICE verify --json`.

    Raises Trouble when it gives no report.
    """
    done = _run(service, folder, "--json", *options)
    lines = [line for line in done.out.splitlines() if line.strip()]
    try:
        found: Any = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise _no_report(service, done) from None
    return done.status, found if isinstance(found, dict) else {"report": found}


def verify(service: str, common: Common, *options: str) -> int:
    """Run the check, with options of its own, and show its report.

    Gives the exit status: 0 when all is as it must be.
    """
    screen = common.screen
    if common.as_json:
        status, found = report(service, common.directory, *options)
        screen.data(found)
        return status
    what = f"the {service}'s database is checked ..."
    with screen.progress(what) as gauge:
        done = _run(service, common.directory, "--progress", *options, gauge=gauge)
    if done.status not in (0, 1):
        raise _no_report(service, done)
    screen.say(done.out.rstrip())
    if done.status == 0:
        screen.good(f"the {service}'s database is as it must be")
    else:
        screen.bad(f"the {service}'s database is not as it must be: see above")
    return done.status


def _run(service: str, folder: Path, *options: str, gauge: Gauge | None = None) -> Done:
    environment = {**os.environ, f"ONACCOUNT_POSTGRES_{service.upper()}": postgres(folder, service)}
    if STORE_ONLY.isdisjoint(options):
        environment["ONACCOUNT_KAFKA"] = kafka(folder).kafka
    with (
        tempfile.TemporaryFile() as out,
        subprocess.Popen(
            [sys.executable, "-m", f"services.{service}", "verify", *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as check,
        _ended_when_silent(service, check) as heard,
    ):
        assert check.stderr is not None
        said: list[str] = []
        for line in check.stderr:
            heard()
            match line.split(maxsplit=3):
                case ["progress", done, total, _] if gauge is not None:
                    gauge(int(done), int(total))
                case _:
                    said.append(line)
        status = check.wait()
        out.seek(0)
        return Done(status=status, out=out.read().decode(errors="replace"), err=said)


@contextlib.contextmanager
def _ended_when_silent(service: str, check: subprocess.Popen[str]) -> Iterator[Any]:
    """Ends a check of which nothing was heard for long; its end too is heard of."""
    silent = threading.Event()

    def end() -> None:
        silent.set()
        check.kill()

    watch: threading.Timer | None = None

    def heard() -> None:
        nonlocal watch
        if watch is not None:
            watch.cancel()
        watch = threading.Timer(LONGEST_SILENCE_S, end)
        watch.daemon = True
        watch.start()

    heard()
    try:
        yield heard
    finally:
        if watch is not None:
            watch.cancel()
        if check.poll() is None:
            check.kill()
    if silent.is_set():
        raise Trouble(
            f"The check of the {service}'s database said nothing for {LONGEST_SILENCE_S} seconds "
            "and was ended; see what that database is busy with."
        )


def _no_report(service: str, done: Done) -> Trouble:
    said = [line.strip() for line in done.err if line.strip()]
    if said and done.status == NOT_THERE:
        return Misuse(said[-1])
    why = said[-1].removeprefix(f"{service} verify: ")[:300] if said else f"status {done.status}"
    none = f"The check of the {service}'s database gave no report"
    if said and done.status == NOT_LOOKED_AT and UNREAD not in why:
        return Unreachable(f"{none}: {why.rstrip('.')}.")  # a topic, or a setting: it says which
    return Unreachable(
        f"{none} ({why}); see whether PostgreSQL answers at ONACCOUNT_POSTGRES_{service.upper()} "
        "and its schema was migrated."
    )
