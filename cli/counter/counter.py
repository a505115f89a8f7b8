"""The till in the terminal: reads a line, does it, shows what was answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cli.amounts import Misuse
from cli.counter.keyboard import Keyboard, Pipe
from cli.counter.screen import A_PAGE, Display, words
from cli.counter.tab import Guest, Sold, Tab
from cli.counter.typed import Typed, understand
from cli.decisions import REFUSALS
from cli.imported import counted
from cli.messages import Json, new_id
from cli.outgoing import on_the_wire
from cli.replies import NoAnswer, Reply
from cli.till import Till
from cli.where import Unreachable

PATIENCE_S = 2.0
"""How long a guest is kept waiting before the till says so, and asks again (docs/tills.md)."""


class Counter:
    """One session at one till. `failed` is whether anything was declined or not understood."""

    def __init__(self, till: Till, display: Display, *, valid_s: int | None = None) -> None:
        self.till, self.display, self.valid_s = till, display, valid_s
        self.tab = Tab()
        self.failed = False
        self._screen = display.screen

    async def serve(self, *, interactive: bool) -> None:
        """Sign on, then line by line until the input ends."""
        async with self.display.waiting():
            await self.sign_on()
        try:
            await self._lines(interactive=interactive)
        finally:  # by Ctrl-C too
            if self.tab.unanswered is not None:
                self.display.unanswered(self.tab.unanswered)
            if self.tab.waiting:
                await self._close()

    async def _close(self) -> None:
        """Tell what was sold offline: whatever ends the till, it is sold."""
        self._say(f"\nbefore the till closes: {counted(len(self.tab.waiting), 'offline sale')}")
        try:
            await self.online()
        finally:  # by Ctrl-C too
            self.display.left(self.tab.waiting)

    async def _lines(self, *, interactive: bool) -> None:
        silent = self._screen.as_json
        lines = Keyboard(self.tab) if interactive and not silent else Pipe(silent=silent)
        while (text := await lines.line(self.prompt())) and await self.line(text):
            pass

    def prompt(self) -> str:
        """Which till, whom it serves, and whether it is offline."""
        who = f" {self.tab.guest.account}" if self.tab.guest else ""
        total = f" {self.display.money(self.tab.total)}" if self.tab.lines else ""
        return f"{self.till.terminal}{who}{total}{' (offline)' if self.tab.offline else ''}> "

    async def line(self, text: str) -> bool:
        """Do what one line says; False to end."""
        try:
            meant = understand(text, listed=len(self.tab.shown))
            if meant.kind == "quit":
                return False
            async with self.display.waiting():
                await self.do(meant)
        except Misuse as fault:
            self._no(str(fault))
        except Unreachable as fault:
            self._no_answer(fault)
        return True

    async def do(self, meant: Typed) -> None:
        """One thing that was typed."""
        plainly: dict[str, Callable[[], Awaitable[None]]] = {
            "charge": self.charge,
            "repeat": self.repeat,
            "online": self.online,
            "sign_on": self.sign_on,
        }
        match meant.kind:
            case "item":
                self.tab.lines.append(meant.line or {})
                self.display.tab(self.tab)
            case "pick":
                self.choose(self.tab.shown[(meant.number or 1) - 1])
            case "find":
                await self.find(meant.text)
            case "list":
                self.list(meant.number or 1)
            case "sales":
                self.display.sales(self.tab.sold, self.tab.unanswered)
            case "cancelled" | "returned" | "settled":
                await self.take_back(meant)
            case "drop":
                self.drop(meant.number)
            case "again":
                self.tab.again()
                self.display.tab(self.tab)
            case "served" | "not_served":
                await self.tell(served=meant.kind == "served")
            case "offline":
                self.tab.offline = True
                self._say("offline: sales are kept, and told when the till is online again")
            case "help":
                self.display.help()
            case _:
                await plainly[meant.kind]()

    # --- whom ---------------------------------------------------------------------------------

    async def sign_on(self) -> None:
        """Ask what stands behind the button."""
        first = not self.tab.directory
        entries, page = await self.till.sign_on()
        new, gone = self.tab.sign_on(entries)
        if not first:
            self._say(f"signed on: {len(entries)} accounts, {new} new, {gone} gone")
        if reason := page.get("reason"):
            self._no(f"nothing stands behind the on-account button: {words(reason)}")
        self.list(1)

    def list(self, page: int) -> None:
        """Show a page of what stands behind the button."""
        start = (page - 1) * A_PAGE
        some = self.tab.directory[start : start + A_PAGE]
        self.tab.shown = self.tab.directory[: start + len(some)]
        if some:
            self.display.guests(some, first=start + 1, of=len(self.tab.directory))
        elif page > 1:
            self._no(f"there is no page {page}")
        else:
            self._say(
                "the list behind the on-account button is empty; a search finds others", "dim"
            )

    async def find(self, text: str) -> None:
        """Search; what fits alone and can be charged is chosen."""
        known = self.tab.guest_of(text)
        if known is not None:
            self.choose(known)
            return
        found = await self.till.search(text)
        self._screen.data(found)
        if reason := found.get("reason"):
            self._no(f"nothing can be found: {words(reason)}")
            return
        hits = [Guest.found(one) for one in found["accounts"]]
        self.tab.shown = hits or self.tab.shown
        exact = [one for one in hits if one.account == text]
        if len(hits) == 1 or exact:
            self.choose((exact or hits)[0])
        elif hits:
            self.display.guests(hits)
            self.display.first_of_more(found)
        else:
            self._no(f"no account fits {text!r}; ? shows what can be typed")

    def choose(self, guest: Guest) -> None:
        """Serve this account from now on."""
        self.tab.guest = guest
        if guest.reason:
            self._no(f"{guest.called} can't be charged: {words(guest.reason)}")
        self.display.tab(self.tab)

    # --- what ---------------------------------------------------------------------------------

    def drop(self, number: int | None) -> None:
        """Take a line off the tab, or all."""
        if number is None:
            self.tab.lines.clear()
        elif number > len(self.tab.lines):
            raise Misuse(f"There is no line {number} on the tab.")
        else:
            del self.tab.lines[number - 1]
        self.display.tab(self.tab)

    async def charge(self) -> None:
        """Ask whether the tab may be charged; offline keep it as sold."""
        if self.tab.unanswered is not None:
            await self._ask(self.tab.unanswered)
            return
        if not self.tab.lines or self.tab.guest is None:
            self._say("type a name or a number, then what is sold; ? shows what can be typed")
            return
        kind = "sale.recorded" if self.tab.offline else "sale.requested"
        valid_s = None if self.tab.offline else self.valid_s
        message = self.till.sale(self.tab.guest.account, self.tab.lines, kind=kind, valid_s=valid_s)
        on_the_wire(message)  # what can't be sent stays on the tab
        self.tab.lines = []
        if self.tab.offline:
            self.tab.sold.append(Sold(message))
            self._say(f"{self.display.money(message['total'])} sold offline; kept", "yellow")
            return
        await self._ask(message)

    async def _ask(self, message: Json) -> None:
        self.tab.unanswered = self.tab.last = message
        reply = await self._patiently(message)
        self.tab.unanswered = None
        self.tab.sold.append(Sold(message, reply.message))
        self._decided(message, reply.message)

    async def _patiently(self, message: Json) -> Reply:
        """Ask, and ask once more with the same id when no answer comes."""
        try:
            return await self.till.client.ask(message, timeout_s=PATIENCE_S)
        except NoAnswer:
            self._say("no answer yet; asking again under the same id", "yellow")
            return await self.till.client.ask(message, timeout_s=self.till.timeout_s)

    def _no_answer(self, fault: Unreachable) -> None:
        # How a command is given again says more than a till needs, which asks again itself.
        self._no("no answer" if isinstance(fault, NoAnswer) else str(fault).partition("; ")[0])
        if self.tab.unanswered is not None:
            self._say(
                "an empty line asks again under the same id; `served` tells that it was sold "
                "anyway, `unserved` that it was not",
                "yellow",
            )
        for line in self.tab.not_taken_back():
            self._say(f"`{line}` asks again under the same id: it is taken back once", "yellow")

    async def tell(self, *, served: bool) -> None:
        """Say what was done with a sale that was never answered."""
        message = self.tab.unanswered
        if message is None:
            raise Misuse("Every sale was answered.")
        if served:
            told = {k: v for k, v in message.items() if k != "valid_s"} | {"type": "sale.recorded"}
            await self._ask(told)
            return
        reply = await self.till.cancel(message["account"], message["sale_id"])
        self.tab.unanswered = None
        self.display.called_off(reply.message)

    def _decided(self, message: Json, answer: Json) -> None:
        self.failed |= answer["type"] != "sale.approved"
        self.display.decision(answer)
        self.display.what_next(message, answer)

    # --- afterwards ---------------------------------------------------------------------------

    async def take_back(self, meant: Typed) -> None:
        """Take back a sale of this session, or a part of it."""
        number = meant.number or len(self.tab.sold)
        if not 1 <= number <= len(self.tab.sold):
            raise Misuse("There is no such sale in this session; `sales` lists them.")
        sold = self.tab.sold[number - 1]
        if sold.answer is None:
            raise Misuse("This sale is not answered yet; `online` tells it (again).")
        # Typed again for want of an answer it is the same, whatever was asked in between: else a
        # part would be taken back twice.
        asked = (meant.kind, meant.amount)
        reply = await self.till.cancel(
            sold.message["account"],
            sold.message["sale_id"],
            reason=meant.kind,
            amount=meant.amount,
            cancellation_id=sold.unanswered.setdefault(asked, new_id()),
        )
        answer = reply.message
        del sold.unanswered[asked]
        sold.taken_back += int(answer.get("amount", 0))
        self.failed |= answer["type"] != "sale.reversed"
        self.display.reversal(answer, REFUSALS.get(str(answer.get("reason")), ""))

    async def repeat(self) -> None:
        """Send the last question once more, and compare the answers."""
        if self.tab.last is None:
            raise Misuse("Nothing was asked yet.")
        before = next(
            (s.answer for s in self.tab.sold if s.message["sale_id"] == self.tab.last["sale_id"]),
            None,
        )
        reply = await self.till.repeat(self.tab.last)
        self.display.decision(reply.message)
        if reply.message == before:
            self.display.same(reply.message)

    async def online(self) -> None:
        """Tell what was sold offline, oldest first; all of it, whoever is silent."""
        self.tab.offline = False
        waiting, silent = self.tab.waiting, None
        self._say(f"online; {counted(len(waiting), 'sale')} to tell")
        for sold in waiting:
            self.tab.last = sold.message
            if silent is not None:  # Kafka has it then: it is booked, and answered, later
                await self.till.client.send(sold.message)
                sold.told = True
                continue
            try:
                sold.answer = (await self._patiently(sold.message)).message
            except NoAnswer as fault:
                silent, sold.told = fault, True
            else:
                self._decided(sold.message, sold.answer)
        if silent is not None:
            raise silent

    # --- inside -------------------------------------------------------------------------------

    def _say(self, text: str, style: str | None = None) -> None:
        self._screen.say(text, style)

    def _no(self, text: str) -> None:
        self.failed = True
        self._screen.bad(text)
        self._screen.data({"error": text})
