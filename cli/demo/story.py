"""The story that the demo tells, chapter by chapter, over the topics as anyone would."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from cli.amounts import money
from cli.client import Client
from cli.commands.imports import show_preview
from cli.demo import venue
from cli.demo.own_stack import OwnStack
from cli.demo.workbook import workbook
from cli.imports import Job, Upload
from cli.invoices import follow_run, run_message
from cli.messages import Json, command
from cli.replies import Reply
from cli.screen import Screen
from cli.till import Entry, Till
from cli.trouble import Trouble

ANSWER_S = 30.0
MAILS_S = 60.0
BY = "demo"
FILE_NAME = "leden.xlsx"


@dataclass(slots=True)
class Told:
    """What was done and answered, as its doer remembers it; the summary compares it."""

    accounts: list[str] = field(default_factory=list)
    imported: Json = field(default_factory=dict)
    approved: dict[str, Json] = field(default_factory=dict)
    repeated: int = 0
    repeated_same: int = 0
    declined: Json = field(default_factory=dict)
    offline: Json = field(default_factory=dict)
    reversed: Json = field(default_factory=dict)
    run: Json = field(default_factory=dict)
    period: str = ""


@dataclass(slots=True)
class Teller:
    """Says where the story is, and how long it has taken."""

    screen: Screen
    began: float = field(default_factory=time.monotonic)
    chapters: int = 0

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self.chapters += 1
        self.screen.say("")
        seconds = time.monotonic() - self.began
        self.screen.say(f"{self.chapters}. {title}  ({seconds:.1f} s)", "bold cyan")


@dataclass(slots=True)
class Story:
    """One telling: against one stack, with one client that hears all answers."""

    screen: Screen
    teller: Teller
    client: Client
    stack: OwnStack
    results: Path
    told: Told = field(default_factory=Told)

    async def tell(self) -> Told:
        """All chapters; raises Trouble where it can't go on."""
        await self.open_the_venue()
        await self.import_the_members()
        await self.allow_on_account()
        await self.sell()
        await self.special_cases()
        await self.invoice_the_month()
        return self.told

    # --- 1 to 3: the back office --------------------------------------------------------------

    async def open_the_venue(self) -> None:
        """Legal data, GDPR terms, the module."""
        number = venue.ENVIRONMENT
        self.teller.chapter(f"Environment {number}: legal data, GDPR terms, the module switched on")
        await self._order(command("environment.configure", number, by=BY, **venue.LEGAL))
        await self._order(command("environment.accept_gdpr", number, by=BY, **venue.GDPR))
        await self._order(command("environment.activate", number, by=BY))
        self.screen.say(
            f"{venue.LEGAL['legal_name']}, {venue.LEGAL['city']}: {venue.GDPR['document']} "
            f"accepted by {venue.GDPR['accepted_by']}; the module is on"
        )

    async def import_the_members(self) -> None:
        """The workbook: dropped on the topic, previewed, confirmed, its report saved."""
        self.teller.chapter("A workbook with ten companies on the import topic")
        content = await asyncio.to_thread(workbook)
        (self.results / FILE_NAME).write_bytes(content)
        job = Job(
            self.client,
            Upload(
                environment=venue.ENVIRONMENT,
                file_name=FILE_NAME,
                content=content,
                by=BY,
                extra={},
            ),
        )
        with self.client.expecting(job.asked) as answers:
            await job.send()
            preview = await job.previewed(answers)
            self._not_failed(preview)
            show_preview(self.screen, preview)
            await job.say("import.confirmed")
            with self.screen.progress("rows imported") as gauge:
                result = await job.completed(answers, gauge)
        self._not_failed(result)
        self.told.imported = result
        report = self.results / "leden.result.xlsx"
        report.write_bytes(job.report or b"")
        self.screen.good(
            f"confirmed: {result['created']} created, {result['refused']} refused; each row's "
            f"outcome is in {report}"
        )

    async def allow_on_account(self) -> None:
        """The article's "Wijzig credits": all accounts on account, in the overview, with limits."""
        self.teller.chapter("Accounts allowed on account, in the tills' overview, with limits")
        accounts = await self._accounts()
        self.told.accounts = accounts
        everyone = {"status": "active", "on_account": True, "in_overview": True}
        await self._order(
            command(
                "account.change",
                venue.ENVIRONMENT,
                by=BY,
                accounts=accounts,
                limit=venue.LIMIT,
                **everyone,
            )
        )
        await self._order(
            command(
                "account.change",
                venue.ENVIRONMENT,
                by=BY,
                accounts=accounts[-1:],
                limit=venue.SMALL_LIMIT,
            )
        )
        self.screen.say(
            f"{len(accounts)} accounts, {accounts[0]} to {accounts[-1]}: up to "
            f"{money(venue.LIMIT)}, the last one up to {money(venue.SMALL_LIMIT)}"
        )

    # --- 4 and 5: the bar ---------------------------------------------------------------------

    async def sell(self) -> None:
        """All tills sign on and sell at the same time; some send a sale twice."""
        names = venue.terminals()
        self.teller.chapter(f"{len(names)} tills sign on and sell")
        tills = [self._till(name) for name in names]
        signed = await asyncio.gather(*(till.sign_on() for till in tills))
        self._see_the_button(signed[0][0], signed[0][1])
        plan = venue.orders(self.told.accounts[:-1])
        total = sum(len(orders) for orders in plan.values())
        began = time.monotonic()
        with self.screen.progress("sales") as gauge:

            async def behind(till: Till) -> None:
                for order in plan[till.terminal]:
                    message = till.sale(order.account, order.lines, operator="demo")
                    reply = await self.client.ask(message, timeout_s=ANSWER_S)
                    self._approved(reply)
                    gauge(len(self.told.approved), total)
                    if len(self.told.approved) % venue.SENT_TWICE_EVERY == 0:
                        await self._again(till, message, reply)

            await asyncio.gather(*(behind(till) for till in tills))
        seconds = time.monotonic() - began
        worth = sum(sale["total"] for sale in self.told.approved.values())
        self.screen.good(
            f"{total} sales, {money(worth)}, in {seconds:.1f} s; {self.told.repeated} were sent "
            f"twice, {self.told.repeated_same} of these answered byte for byte as before"
        )

    async def special_cases(self) -> None:
        """Declined over the limit, recorded by an offline till, cancelled."""
        self.teller.chapter("One is declined, one was made offline, one is cancelled")
        till, account = self._till("bar-01"), self.told.accounts[-1]
        self._approved(await till.sell(account, [venue.COFFEE]))
        declined = (await till.sell(account, [venue.LUNCH])).message
        if declined["type"] != "sale.declined":
            raise Trouble(
                f"A sale over the limit was not declined but answered {declined['type']}."
            )
        self.told.declined = declined
        self.screen.say(f"declined at bar-01: {declined['explanation']}", "yellow")

        offline = self._till("bar-02")
        recorded = await offline.record(account, [venue.FAREWELL], note="kassa was offline")
        self._approved(recorded)
        self.told.offline = recorded.message
        self.screen.say(
            f"bar-02 was offline and had sold {money(recorded.message['total'])} already: booked, "
            f"over the limit: {'yes' if recorded.message['over_limit'] else 'no'}"
        )

        sale = next(iter(self.told.approved.values()))
        reply = await self._till(sale["terminal"]).cancel(sale["account"], sale["sale_id"])
        if reply.type != "sale.reversed":
            raise Trouble(f"A cancellation was refused: {reply.message.get('reason')}.")
        self.told.reversed = reply.message
        self.screen.say(
            f"cancelled at {sale['terminal']}: {money(reply.message['amount'])} back on account "
            f"{sale['account']}"
        )

    # --- 6: invoices --------------------------------------------------------------------------

    async def invoice_the_month(self) -> None:
        """Run the month, wait for the mails, keep them."""
        zone = ZoneInfo(str(venue.LEGAL["time_zone"]))
        self.told.period = datetime.now(zone).strftime("%Y-%m")
        self.teller.chapter(f"The month {self.told.period} is invoiced and mailed")
        message = run_message(venue.ENVIRONMENT, self.told.period, issue=True, send=True, by=BY)
        sent = self.client.watching("the invoices' mails", _mailed)
        with sent as mailed, self.client.expecting(message) as answers:
            await self.client.send(message)
            with self.screen.progress("invoices issued") as gauge:
                run = await follow_run(answers, gauge, ANSWER_S * 4)
            if run["type"] == "command.refused" or run.get("reason"):
                raise Trouble(f"The run was refused: {run.get('message') or run.get('reason')}.")
            self.told.run = run
            with self.screen.progress("invoices mailed") as gauge:
                for number in range(run["issued"]):
                    await mailed.next(MAILS_S)
                    gauge(number + 1, run["issued"])
        await self._until(lambda: len(self._eml()) > run["issued"], "the run's report to finance")
        mails = self.results / "mails"
        mails.mkdir()
        for file in self._eml():
            await asyncio.to_thread(shutil.copy2, file, mails / file.name)
        self.screen.good(
            f"{run['issued']} invoices, {money(run['total'])}; {len(self._eml())} mails caught"
        )

    # --- inside -------------------------------------------------------------------------------

    def _till(self, terminal: str) -> Till:
        return Till(self.client, venue.ENVIRONMENT, terminal, timeout_s=ANSWER_S)

    def _eml(self) -> list[Path]:
        return sorted(self.stack.mails.glob("*.eml"))

    async def _order(self, message: Json) -> None:
        reply = await self.client.ask(message, timeout_s=ANSWER_S)
        if reply.type == "command.refused":
            raise Trouble(
                f"{message['type']} was refused ({reply.message['reason']}): "
                f"{reply.message.get('message')}"
            )

    def _not_failed(self, message: Json) -> None:
        if message["type"] == "import.failed":
            raise Trouble(f"The import failed ({message['reason']}): {message['message']}")

    async def _accounts(self) -> list[str]:
        """The accounts that the import opened, from registry.state."""
        states = await self.client.view("registry.state")
        return sorted(s["account"] for s in states.values() if s["type"] == "account.state")

    def _see_the_button(self, entries: list[Entry], page: Json) -> None:
        if len(entries) != len(self.told.accounts):
            raise Trouble(
                f"A till sees {len(entries)} accounts behind the on-account button instead of "
                f"{len(self.told.accounts)} ({page.get('reason') or 'no reason given'})."
            )
        shown = ", ".join(entry.name for entry in islice(entries, 4))
        self.screen.say(f"behind the button: {shown} and {len(entries) - 4} more")

    def _approved(self, reply: Reply) -> None:
        if reply.type != "sale.approved":
            raise Trouble(
                f"A sale was not approved: {reply.message.get('reason')}, "
                f"{reply.message.get('explanation')}"
            )
        self.told.approved[reply.message["sale_id"]] = reply.message

    async def _again(self, till: Till, message: Json, first: Reply) -> None:
        second = await till.repeat(message)
        self.told.repeated += 1
        self.told.repeated_same += _identity(first) == _identity(second)

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + MAILS_S
        while not true():
            if time.monotonic() > deadline:
                raise Trouble(f"{what} did not come within {MAILS_S:g} seconds.")
            await asyncio.sleep(0.05)


def _mailed(message: Json) -> bool:
    return message.get("type") in ("invoice.sent", "invoice.undeliverable")


def _identity(reply: Reply) -> tuple[object, ...]:
    """What must be the same whenever a message is answered (contract part 1)."""
    return reply.key, reply.value, reply.header("ce_id"), reply.header("ce_time")
