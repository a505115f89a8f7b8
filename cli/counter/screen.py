"""What the till in the terminal shows."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator, Sequence

from rich import box
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.amounts import money
from cli.counter.tab import Guest, Sold, Tab, by_hand
from cli.counter.typed import HELP
from cli.decisions import REFUSALS, taken_back
from cli.messages import Json
from cli.screen import Screen, harmless, plain

A_PAGE = 20
BAR = 30
LEAST_BAR = 10
SLOW_S = 0.5
"""An answer takes some hundredths of a second; after this a person sees that it is waited for."""
MORE_LETTERS = "there are more: type more letters, or another word of the name"


class Display:
    """Prints to a Screen; with --json only the answers themselves."""

    def __init__(self, screen: Screen, currency: str) -> None:
        self.screen = screen
        self.currency = currency
        screen.by_words = screen.console.is_terminal

    def money(self, amount: int | None) -> str:
        """An amount in the till's currency."""
        return money(amount, self.currency)

    def welcome(self, venue: str, terminal: str) -> None:
        """The head of the screen."""
        if not self.screen.as_json:
            text = Text(harmless(venue), style="bold")
            text.append(f"\ntill {harmless(terminal)}; ? shows what can be typed", "dim")
            self.screen.console.print(Panel(text, box=box.ROUNDED, expand=False, padding=(0, 2)))

    def guests(self, some: Sequence[Guest], *, first: int = 1, of: int | None = None) -> None:
        """A list to choose from by number."""
        can_not = any(one.reason for one in some)
        columns = ("", "Account", "Name", "Description", *(("Can be charged",) if can_not else ()))
        self.screen.table(
            columns,
            (
                (
                    number,
                    one.account,
                    one.name,
                    "" if one.description == one.name else one.description,
                    *((f"no: {words(one.reason)}" if one.reason else "yes",) if can_not else ()),
                )
                for number, one in enumerate(some, start=first)
            ),
            right=("",),
        )
        if of is not None and of > len(some):
            last = first + len(some) - 1
            page = (first - 1) // A_PAGE + 1
            more = f"; list {page + 1} shows more" if last < of else ""
            self.screen.say(f"{first} to {last} of {of}{more}", "dim")

    def first_of_more(self, found: Json) -> None:
        """Says of a search that not all of it is shown."""
        if found.get("more"):
            self.screen.say(f"the first {len(found['accounts'])}; {MORE_LETTERS}", "yellow")

    def tab(self, tab: Tab) -> None:
        """What is to be charged to whom."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, justify="right")
        grid.add_column(overflow="fold", min_width=24)
        for _ in ("price", "rate"):
            grid.add_column(no_wrap=True, justify="right")
        for number, one in enumerate(tab.lines, start=1):
            what = plain(f"{one['quantity']} x {one['description']}")
            grid.add_row(f"  {number}.", what, self.money(one["total"]), f"{one['vat_rate']}%")
        if tab.lines and not self.screen.as_json:
            self.screen.console.print(grid)
        who = tab.guest.called if tab.guest else "nobody yet: type a name or a number"
        self.screen.say(f"  for {who}: {self.money(tab.total)}", "bold")

    def decision(self, answer: Json) -> None:
        """sale.approved or sale.declined, with what is left of the limit."""
        self.screen.data(answer)
        if answer["type"] == "sale.approved":
            how = "" if answer["online"] else ", as it was made already"
            over = ", over the limit" if answer["over_limit"] else ""
            self.screen.good(f"{self.money(answer['total'])} approved{how}{over}")
        else:
            self.screen.bad(f"declined: {answer['explanation']}")
            self.screen.say(f"  {answer['reason']}", "dim")
        if answer.get("reason") != "currency_mismatch":
            self.room(answer.get("limit"), answer.get("used"), answer.get("available"))

    def room(self, limit: int | None, used: int | None, available: int | None) -> None:
        """How much of the limit is used, drawn."""
        if limit is None or used is None or available is None:
            return
        numbers = f"{self.money(used)} of {self.money(limit)} used, {self.money(available)} left"
        bar = max(LEAST_BAR, min(BAR, self.screen.console.width - len(numbers) - 5))
        share = min(used / limit, 1.0) if limit else 1.0
        full = round(share * bar)
        colour = "green" if share < 0.75 else "yellow" if share < 1 else "red"
        text = Text("  ")
        text.append("━" * full, colour)
        text.append("━" * (bar - full), "bright_black")
        text.append(f"  {numbers}")
        if not self.screen.as_json:
            self.screen.console.print(text)

    def reversal(self, answer: Json, meaning: str) -> None:
        """sale.reversed or sale.reversal_refused."""
        self.screen.data(answer)
        if answer["type"] == "sale.reversed":
            left = answer["available"]
            room = "" if left is None else f"; {self.money(left)} left"
            said = "nothing was left to take back"  # the sale is known: it was made here
            if answer["amount"] or answer.get("lines"):
                said = taken_back(answer, self.currency)
            self.screen.good(f"{said}{room}")
        else:
            self.screen.bad(f"not taken back: {meaning}")

    def called_off(self, answer: Json) -> None:
        """What was answered to taking back a sale that was not served."""
        if answer["type"] == "sale.reversed" and answer["amount"] == 0:
            said = "nothing is charged, also if the question should still come in"
        elif answer.get("reason") == "sale_declined":
            said = "it was declined: nothing is charged"
        else:
            self.reversal(answer, REFUSALS.get(str(answer.get("reason")), ""))
            return
        self.screen.data(answer)
        self.screen.good(said)

    def same(self, answer: Json) -> None:
        """Of a repetition, that it was answered as before."""
        once = ": it counted once" if answer["type"] == "sale.approved" else ""
        self.screen.say(f"  the same answer as before{once}", "dim")

    def what_next(self, message: Json, answer: Json) -> None:
        """What can be done about a decline."""
        if answer["type"] == "sale.approved":
            return
        if message["type"] == "sale.recorded":
            self.screen.say("  a person sees to it: onaccount sales unbooked", "yellow")
        else:
            self.screen.say(
                "  `again` puts it on the tab once more, for another account or to be changed",
                "dim",
            )

    @contextlib.asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Within this context a person sees that an answer is waited for, once it is slow."""
        spinning = asyncio.create_task(self._spin())
        try:
            yield
        finally:
            spinning.cancel()
            await asyncio.gather(spinning, return_exceptions=True)

    async def _spin(self) -> None:
        await asyncio.sleep(SLOW_S)
        with self.screen.waiting("waiting for an answer"):
            await asyncio.Event().wait()

    def sales(self, sold: Sequence[Sold], unanswered: Json | None) -> None:
        """What was sold since sign-on."""
        if unanswered is not None:
            which = f"{self.money(unanswered['total'])} of {unanswered['account']}"
            self.screen.say(f"{which} is not answered yet; an empty line asks again", "yellow")
        elif not sold:
            self.screen.say("nothing sold yet", "dim")
        if not sold:
            return
        self.screen.table(
            ("", "Account", "What", "Total", "How it stands"),
            (
                (
                    number,
                    one.message["account"],
                    ", ".join(plain(each["description"]) for each in one.message["lines"]),
                    self.money(one.message["total"]),
                    one.status,
                )
                for number, one in enumerate(sold, start=1)
            ),
            right=("", "Total"),
        )

    def unanswered(self, message: Json) -> None:
        """What was asked and is not answered where the till ends: what is to be done."""
        self.screen.data({"unanswered": message})
        which = f"{self.money(message['total'])} of {message['account']}"
        self.screen.say(f"! {which} was not answered, and may be approved yet", "yellow")
        self.screen.say(f"  if it was served: {by_hand(message)}")
        if message["type"] == "sale.requested":
            place = f"{message['environment']} {shlex.quote(message['account'])}"
            self.screen.say(f"  if it was not: onaccount till cancel {place} {message['sale_id']}")

    def left(self, waiting: Sequence[Sold]) -> None:
        """What was sold offline and is not answered where the till ends: what is to be done."""
        for sold in waiting:
            self.screen.data({"unanswered" if sold.told else "untold": sold.message})
            which = f"{self.money(sold.message['total'])} of {sold.message['account']}"
            if sold.told:
                self.screen.say(f"! {which}: Kafka has it; it is booked, and answered, later")
            else:
                self.screen.say(f"! to tell it later: {by_hand(sold.message)}", "yellow")

    def help(self) -> None:
        """What can be typed."""
        self.screen.table(("Type", "to"), HELP)


def words(reason: str | None) -> str:
    """A reason of the contract as words."""
    return str(reason).replace("_", " ")
