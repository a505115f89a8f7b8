"""The last chapter before the summary: the month is invoiced and mailed."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from cli.amounts import money
from cli.demo import venue
from cli.demo.scene import BY, Scene
from cli.invoices import follow_run, run_message
from cli.messages import Json
from cli.trouble import Trouble

MAILS_S = 60.0
RUN_S = 120.0


async def invoice_the_month(scene: Scene) -> None:
    """Run the month, wait for the mails, keep them."""
    zone = ZoneInfo(str(venue.LEGAL["time_zone"]))
    scene.told.period = datetime.now(zone).strftime("%Y-%m")
    scene.teller.chapter(f"The month {scene.told.period} is invoiced and mailed")
    message = run_message(venue.ENVIRONMENT, scene.told.period, issue=True, send=True, by=BY)
    sent = scene.client.watching("the invoices' mails", _mailed)
    with sent as mailed, scene.client.expecting(message) as answers:
        await scene.client.send(message)
        with scene.screen.progress("invoices issued") as gauge:
            run = await follow_run(answers, gauge, RUN_S)
        if run["type"] == "command.refused" or run.get("reason"):
            raise Trouble(f"The run was refused: {run.get('message') or run.get('reason')}.")
        scene.told.run = run
        with scene.screen.progress("invoices mailed") as gauge:
            for number in range(run["issued"]):
                await mailed.next(MAILS_S)
                gauge(number + 1, run["issued"])
    await _until(lambda: len(scene.eml()) > run["issued"], "the run's report to finance")
    mails = scene.results / "mails"
    mails.mkdir()
    for file in scene.eml():
        await asyncio.to_thread(shutil.copy2, file, mails / file.name)
    scene.screen.good(
        f"{run['issued']} invoices, {money(run['total'])}; {len(scene.eml())} mails caught"
    )


async def _until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + MAILS_S
    while not true():
        if time.monotonic() > deadline:
            raise Trouble(f"{what} did not come within {MAILS_S:g} seconds.")
        await asyncio.sleep(0.05)


def _mailed(message: Json) -> bool:
    return message.get("type") in ("invoice.sent", "invoice.undeliverable")
