"""One telling of the demo: its stack around it, and where to look afterwards."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from pathlib import Path

from cli.client import Client
from cli.demo import mails, summary, venue
from cli.demo.own_stack import OwnStack, clear, own_stack
from cli.demo.scene import Scene, Teller
from cli.demo.story import tell
from cli.messages import ROUTES
from cli.screen import Screen
from cli.where import kafka

FOLDER = Path("var/demo")
RESULTS = Path("var/demo-results")


def run(*, keep: bool, as_json: bool) -> int:
    """Tell the story; gives 0 only if every figure at its end is as it must be."""
    screen = Screen(as_json=as_json)
    # Whoever asks the demo to end means what Ctrl-C means: nothing is left running.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    began = time.monotonic()
    clear(FOLDER, screen)
    screen.say(f"starting Kafka, PostgreSQL, a mail catcher and four workers in {FOLDER}", "bold")
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    with own_stack(FOLDER, screen, may_stay=keep, logs_to=RESULTS / "logs") as stack:
        started = time.monotonic()
        right = asyncio.run(_tell(screen, stack))
        told = time.monotonic()
        stack.keep = keep
    screen.say("")
    screen.say(
        f"{told - began:.1f} s in all: {started - began:.1f} s to start, "
        f"{told - started:.1f} s of story",
        "dim",
    )
    _where_to_look(screen, keep=keep)
    if right:
        screen.good("every figure is as it must be")
        return 0
    screen.bad("not every figure is as it must be: see above")
    return 1


async def _tell(screen: Screen, stack: OwnStack) -> bool:
    topics = dict.fromkeys(topic for route in ROUTES.values() for topic in route.answers)
    async with Client(kafka(stack.folder), listen=topics) as client:
        teller = Teller(screen)
        told = await tell(
            Scene(screen=screen, teller=teller, client=client, stack=stack, results=RESULTS)
        )
        teller.chapter("Does it all add up? From the topics, the databases and the mails:")
        seen = await summary.look(client, stack, RESULTS)
        _save_documents(seen.mails)
        summary.show_accounts(screen, seen)
        return summary.show(screen, summary.compare(told, seen))


def _save_documents(caught: list[mails.Mail]) -> None:
    folder = RESULTS / "documents"
    folder.mkdir()
    for mail in caught:
        for name, content in mail.attachments.items():
            (folder / Path(name).name).write_bytes(content)


def _where_to_look(screen: Screen, *, keep: bool) -> None:
    screen.say(f"mails:      {RESULTS / 'mails'} (open an .eml file in a mail program)")
    screen.say(f"documents:  {RESULTS / 'documents'} (PDF, XLSX and UBL of each invoice)")
    screen.say(f"workbook:   {RESULTS / 'leden.xlsx'}, and back as leden.result.xlsx")
    if not keep:
        screen.say("topics:     gone with the stack; `make demo KEEP=1` leaves it up")
        return
    number = venue.ENVIRONMENT
    screen.say(f"the stack is up; go on by hand (all take --dir {FOLDER}):")
    for words in (
        f"account list {number}",
        f'till sell {number} {number}0001 "2 x Pils 3,50 21%"',
        f"invoices list {number}",
        f"ledger show {number} {number}0001",
        "dead-letters list",
        "stack down",
    ):
        screen.say(f"  .venv/bin/onaccount {words} --dir {FOLDER}")
