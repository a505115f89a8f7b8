"""`onaccount recover`: what a power cut asks for, where one broker has all of Kafka."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime

from cyclopts import App

from cli.amounts import Misuse
from cli.options import DEFAULT, Common
from cli.trouble import Trouble
from cli.where import kafka, postgres
from runtime.settings import SERVICES

app = App(
    name="recover",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount recover 2026-11-28T21:30+01:00

Stop all workers first, and start them afterwards (docs/runbook.md,
After a power cut). The moment is well before the power went: earlier
costs only time, later leaves things out.
""",
)


@app.default
async def recover(since: str, /, *, common: Common = DEFAULT) -> int:
    """Have the four services read and tell again everything from a moment on.

    For a Kafka whose logs lost their ends while PostgreSQL lost nothing. What is known counts
    once, and is answered as it was.

    Parameters
    ----------
    since
        A moment well before the power went, with its offset.
    """
    try:
        moment = datetime.fromisoformat(since)
        early = moment < datetime.now(UTC)
    except (ValueError, TypeError):
        raise Misuse(
            f"{since!r} is not a moment with its offset: write 2026-11-28T21:30+01:00."
        ) from None
    if not early:
        raise Misuse(f"{since} is still to come: write a moment before the power went.")
    screen, done = common.screen, []
    for service in SERVICES:
        with screen.waiting(f"{service} ..."):
            done.append(await _one(service, moment, common))
        found = done[-1]
        screen.good(f"{service}: {found['records']:,} records are read again")
    screen.data(done)
    return 0


async def _one(service: str, since: datetime, common: Common) -> dict[str, int]:
    """`python -m services.SERVICE recover`: we never import it."""
    login = f"ONACCOUNT_POSTGRES_{service.upper()}"
    folder = common.directory
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}", "recover", since.isoformat()),
        env={
            **os.environ,
            login: postgres(folder, service),
            "ONACCOUNT_KAFKA": kafka(folder).kafka,
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise Trouble(f"The {service} did not go back: {lines[-1]}")
    found: dict[str, int] = json.loads(out)
    return found
