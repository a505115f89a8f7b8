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
from cli.where import postgres

LONGEST_S = 600


def report(service: str, folder: Path) -> tuple[int, Json]:
    """Exit status and JSON report of `python -m services.SERVICE verify --json`.

    Raises Trouble when it gives no report.
    """
    name = f"ONACCOUNT_POSTGRES_{service.upper()}"
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"services.{service}", "verify", "--json"],
            env={**os.environ, name: postgres(folder, service)},
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Trouble(
            f"The check of the {service}'s database took longer than {LONGEST_S} seconds and was "
            "ended; see what that database is busy with."
        ) from None
    lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
    try:
        found: Any = json.loads(lines[-1])
    except (IndexError, ValueError):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Trouble(
            f"The check of the {service}'s database gave no report "
            f"({said[-1][:300] if said else f'status {done.returncode}'}); see whether PostgreSQL "
            f"answers at {name} and `onaccount migrate` was run."
        ) from None
    return done.returncode, found if isinstance(found, dict) else {"report": found}


def verify(service: str, common: Common) -> int:
    """Run the check and show its report; gives the exit status: 0 when all is as it must be."""
    screen = common.screen
    with screen.waiting(f"the {service}'s database is checked ..."):
        status, found = report(service, common.directory)
    screen.data(found)
    screen.fields(found)
    if status == 0:
        screen.good(f"the {service}'s database is as it must be")
        return 0
    screen.bad(f"the {service}'s database is not as it must be: see above")
    return 1
