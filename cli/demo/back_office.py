"""The first chapters: the venue is opened, its members are imported and allowed on account."""

from __future__ import annotations

import asyncio
import time

from cli.amounts import money
from cli.demo import venue
from cli.demo.scene import BY, Scene
from cli.demo.workbook import workbook
from cli.imported import show_preview
from cli.imports import Job, Upload
from cli.messages import Json, command
from cli.trouble import Trouble

FILE_NAME = "leden.xlsx"
COMPANIES = 10
STATES_S = 10.0


async def open_the_venue(scene: Scene) -> None:
    """Legal data, GDPR terms, the module."""
    number = venue.ENVIRONMENT
    scene.teller.chapter(f"Environment {number}: legal data, GDPR terms, the module switched on")
    await scene.order(command("environment.configure", number, by=BY, **venue.LEGAL))
    await scene.order(command("environment.accept_gdpr", number, by=BY, **venue.GDPR))
    await scene.order(command("environment.activate", number, by=BY))
    scene.screen.say(
        f"{venue.LEGAL['legal_name']}, {venue.LEGAL['city']}: {venue.GDPR['document']} "
        f"accepted by {venue.GDPR['accepted_by']}; the module is on"
    )


async def import_the_members(scene: Scene) -> None:
    """The workbook: dropped on the topic, previewed, confirmed, its report saved."""
    scene.teller.chapter("A workbook with ten companies on the import topic")
    content = await asyncio.to_thread(workbook)
    (scene.results / FILE_NAME).write_bytes(content)
    job = Job(
        scene.client,
        Upload(
            environment=venue.ENVIRONMENT,
            file_name=FILE_NAME,
            content=content,
            by=BY,
            extra={},
        ),
    )
    with scene.client.expecting(job.asked) as answers:
        await job.send()
        preview = await job.previewed(answers)
        _not_failed(preview)
        show_preview(scene.screen, preview)
        await job.say("import.confirmed")
        with scene.screen.progress("rows done") as gauge:
            result = await job.completed(answers, gauge)
        _not_failed(result)
        await job.reported(answers)
    scene.told.imported = result
    report = scene.results / "leden.result.xlsx"
    report.write_bytes(job.report or b"")
    scene.screen.good(
        f"confirmed: {result['created']} created, {result['refused']} refused; each row's "
        f"outcome is in {report}"
    )


async def allow_on_account(scene: Scene) -> None:
    """The article's "Wijzig credits": all accounts on account, in the overview, with limits."""
    scene.teller.chapter("Accounts allowed on account, in the tills' overview, with limits")
    accounts = await _accounts(scene)
    scene.told.accounts = accounts
    everyone = {"status": "active", "on_account": True, "in_overview": True}
    await scene.order(
        command(
            "account.change",
            venue.ENVIRONMENT,
            by=BY,
            accounts=accounts,
            limit=venue.LIMIT,
            **everyone,
        )
    )
    await scene.order(
        command(
            "account.change",
            venue.ENVIRONMENT,
            by=BY,
            accounts=accounts[-1:],
            limit=venue.SMALL_LIMIT,
        )
    )
    scene.screen.say(
        f"{len(accounts)} accounts, {accounts[0]} to {accounts[-1]}: up to "
        f"{money(venue.LIMIT)}, the last one up to {money(venue.SMALL_LIMIT)}"
    )


def _not_failed(message: Json) -> None:
    if message["type"] == "import.failed":
        raise Trouble(f"The import failed ({message['reason']}): {message['message']}")


async def _accounts(scene: Scene) -> list[str]:
    """The accounts that the import opened, from registry.state, which may be a moment behind."""
    deadline = time.monotonic() + STATES_S
    while True:
        states = await scene.client.view("registry.state")
        found = sorted(s["account"] for s in states.values() if s["type"] == "account.state")
        if len(found) >= COMPANIES or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.05)
