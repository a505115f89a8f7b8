"""Runs a service's own check of its database, in a process of its own: we never import it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cli.messages import Json
from cli.options import Common
from cli.trouble import Trouble
from cli.where import Unreachable, postgres

LONGEST_S = 600


def report(service: str, folder: Path, *options: str) -> tuple[int, Json]:
    """Exit status and JSON report of `python -m services.SERVICE verify --json`.

    Raises Trouble when it gives no report.
    """
    done = _run(service, folder, "--json", *options)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    try:
        found: Any = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise _no_report(service, done) from None
    return done.returncode, found if isinstance(found, dict) else {"report": found}


def verify(service: str, common: Common, *options: str) -> int:
    """Run the check, with options of its own, and show its report.

    Gives the exit status: 0 when all is as it must be.
    """
    screen = common.screen
    if common.as_json:
        status, found = report(service, common.directory, *options)
        screen.data(found)
        return status
    with screen.waiting(f"the {service}'s database is checked ..."):
        done = _run(service, common.directory, *options)
    if done.returncode not in (0, 1):
        raise _no_report(service, done)
    screen.say(done.stdout.rstrip())
    if done.returncode == 0:
        screen.good(f"the {service}'s database is as it must be")
    else:
        screen.bad(f"the {service}'s database is not as it must be: see above")
    return done.returncode


def _run(service: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    name = f"ONACCOUNT_POSTGRES_{service.upper()}"
    try:
        return subprocess.run(
            [sys.executable, "-m", f"services.{service}", "verify", *options],
            env={**os.environ, name: postgres(folder, service)},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Trouble(
            f"The check of the {service}'s database took longer than {LONGEST_S} seconds and was "
            "ended; see what that database is busy with."
        ) from None


def _no_report(service: str, done: subprocess.CompletedProcess[str]) -> Trouble:
    said = done.stderr.strip().splitlines()
    return Unreachable(
        f"The check of the {service}'s database gave no report "
        f"({said[-1][:300] if said else f'status {done.returncode}'}); see whether PostgreSQL "
        f"answers at ONACCOUNT_POSTGRES_{service.upper()} and its schema was migrated."
    )
