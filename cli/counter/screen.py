"""What the till in the terminal shows."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.panel import Panel
from rich.text import Text

from cli.amounts import money
from cli.counter.tab import Guest, Sold, Tab, by_hand
from cli.counter.typed import HELP
from cli.decisions import taken_back
from cli.messages import Json
from cli.screen import Screen, harmless, plain

A_PAGE = 20
BAR = 30
MORE_LETTERS = "there are more: type more letters, or another word of the name"


class Display:
    """Prints to a Screen; with --json only the answers themselves."""

    def __init__(self, screen: Screen, currency: str) -> None:
        self.screen = screen
        self.currency = currency

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
        for number, one in enumerate(tab.lines, start=1):
            price = self.money(one["total"])
            text = f"{one['quantity']} x {one['description']}"
            self.screen.say(f"  {number}. {text:<32} {price:>12}   {one['vat_rate']}%")
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
        share = min(used / limit, 1.0) if limit else 1.0
        full = round(share * BAR)
        colour = "green" if share < 0.75 else "yellow" if share < 1 else "red"
        text = Text("  ")
        text.append("━" * full, colour)
        text.append("━" * (BAR - full), "bright_black")
        text.append(
            f"  {self.money(used)} of {self.money(limit)} used, {self.money(available)} left"
        )
        if not self.screen.as_json:
            self.screen.console.print(text)

    def reversal(self, answer: Json, meaning: str) -> None:
        """sale.reversed or sale.reversal_refused."""
        self.screen.data(answer)
        if answer["type"] == "sale.reversed":
            left = answer["available"]
            room = "" if left is None else f"; {self.money(left)} left"
            self.screen.good(f"{taken_back(answer, self.currency)}{room}")
        else:
            self.screen.bad(f"not taken back: {meaning}")

    def sales(self, sold: Sequence[Sold]) -> None:
        """What was sold since sign-on."""
        if not sold:
            self.screen.say("nothing sold yet", "dim")
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
