"""A venue that goes on while everything around it is killed: tills sell and take back, finance
bills, is paid, deletes and corrects, members are imported. All is said twice, and what must be
answered again until it is.
"""

import asyncio
import base64
import hashlib
import io
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from tests.outside.wire import Json, Wire, cancel, new_id, now

_PLACE = {"street": "Kade 1", "postcode": "1000", "city": "Amsterdam"}
_HEADERS = (
    *("Rekeningnummer", "Achternaam", "E-mail", "Straat", "Postcode", "Plaats", "Land"),
    *("Limiet", "Op naam kopen toestaan"),
)
_PEOPLE = 8
_AGAIN_S = 5
_ENDS = ("import.completed", "import.failed")


class Venue:
    """One venue; `settings` are those of its environment. `nobody_waits` fails where a worker has
    stopped for good, and is asked wherever an answer is long in coming."""

    def __init__(
        self,
        wire: Wire,
        env: int,
        rng: random.Random,
        settings: Json,
        nobody_waits: Callable[[], Awaitable[None]],
    ) -> None:
        self.nobody_waits = nobody_waits
        self.wire, self.env, self.rng, self.settings = wire, env, rng, settings
        self.zone = ZoneInfo(settings["time_zone"])
        self.accounts = [f"{env}{number:02}" for number in range(_PEOPLE)]
        self.said: list[tuple[str, Json]] = []

    # --- saying and hearing -------------------------------------------------------------------

    async def tell(self, topic: str, body: Json) -> None:
        """Say it twice, on whatever partitions; a broker that is away may lose both."""
        self.said.append((topic, body))
        for _ in range(2):
            await self.wire.say(topic, body)

    async def ask(self, topic: str, body: Json, answers: Callable[[Json], bool]) -> Json:
        """Say it until it is answered; gives the last answer."""
        await self.tell(topic, body)
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            try:
                found = await self.wire.wait(answers, environment=self.env, within_s=_AGAIN_S)
            except AssertionError:
                await self.nobody_waits()
                await self.wire.say(topic, body)
            else:
                return found[-1].body
        raise AssertionError(f"no answer to {body}")

    async def order(self, topic: str, kind: str, **fields: Any) -> Json:
        """A command, to the authorizer or the invoicer, and how it was taken."""
        name = {"payment.record": "payment_id", "invoices.run": "run_id"}.get(kind, "command_id")
        body = {"type": kind, name: new_id(), "environment": self.env, "by": "x", **fields}
        if kind != "invoices.run":
            body["at"] = now()
        ends = ("command.applied", "command.refused", "run.completed")
        return await self.ask(
            topic,
            body,
            lambda b: b["type"] in ends and body[name] in (b.get("command_id"), b.get("run_id")),
        )

    # --- what goes on -------------------------------------------------------------------------

    async def begin(self) -> None:
        for kind, fields in (
            ("environment.configure", {**_PLACE, **self.settings}),
            ("environment.accept_gdpr", {"accepted_by": "x", "document": "d"}),
            ("environment.activate", {}),
        ):
            assert (await self.order("registry.commands", kind, **fields))[
                "type"
            ] == "command.applied"
        done = await self.imports(_PEOPLE)
        assert (done["type"], done["created"]) == ("import.completed", _PEOPLE), done

    async def imports(self, people: int) -> Json:
        """A workbook of so many people, in parts that come in any order, and how it ended."""
        content = self._workbook(people)
        size = -(-len(content) // 3)
        job = {"type": "import.uploaded", "job_id": new_id(), "environment": self.env, "by": "x"}
        job |= {"sha256": hashlib.sha256(content).hexdigest(), "file_name": "leden.xlsx"}
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        mode = self.rng.choice(["import", "preview"])
        parts = [
            {
                **job,
                "mode": mode,
                "part": part,
                "parts": 3,
                "content": base64.b64encode(one).decode(),
            }
            for part, one in enumerate(pieces, start=1)
        ]
        self.rng.shuffle(parts)
        for part in parts[1:]:
            await self.tell("imports.uploads", part)
        ends = (*_ENDS, "import.previewed") if mode == "preview" else _ENDS
        mine = job["job_id"]
        told = await self.ask(
            "imports.uploads", parts[0], lambda b: b.get("job_id") == mine and b["type"] in ends
        )
        if told["type"] != "import.previewed":
            return told
        yes = {"type": "import.confirmed", "job_id": mine, "environment": self.env, "by": "x"}
        return await self.ask(
            "imports.uploads", yes, lambda b: b.get("job_id") == mine and b["type"] in _ENDS
        )

    def _workbook(self, people: int) -> bytes:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(_HEADERS)
        for number in range(people):
            limit = ("geen", 25 + people, 400)[number % 3]
            mail = f"m{number}@onaccount.nl"
            name = (f"{self.env}{number:02}", f"Naam {number}", mail)
            sheet.append((*name, "Kade 1", "1011 AB", "Amsterdam", "NL", limit, "ja"))
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()

    async def members(self, until: float) -> None:
        """The list again and again, each time longer and with other limits."""
        people = _PEOPLE
        while time.monotonic() < until:
            people += 1
            assert (await self.imports(people))["type"] == "import.completed"

    async def tills(self, until: float) -> None:
        while time.monotonic() < until:
            one = self._sale()
            back: Json | None = None
            if self.rng.random() < 0.3:
                part = {"amount": self.rng.randint(1, 900)} if self.rng.random() < 0.5 else {}
                back = cancel(one, reason=self.rng.choice(["settled", "returned"]), **part)
                if self.rng.random() < 0.3:
                    await self.tell("pos.sales", back)
            await self.tell("pos.sales", one)
            if self.rng.random() < 0.15:
                await self.tell("pos.sales", {**one, "type": "sale.recorded"})
            if back is not None:
                await self.tell("pos.sales", back)
            await asyncio.sleep(self.rng.random() * 0.3)

    def _sale(self) -> Json:
        lines = [self._line() for _ in range(self.rng.randint(1, 4))]
        if sum(line["total"] for line in lines) < 0:
            lines = [line for line in lines if line["total"] >= 0]
        recorded = self.rng.random() < 0.4
        days = self.rng.randint(0, 44) if recorded else 0
        return {
            **{"type": "sale.recorded" if recorded else "sale.requested", "sale_id": new_id()},
            **{"environment": self.env, "terminal": "bar", "at": now(days=-days)},
            **{"account": self.rng.choice(self.accounts), "currency": self.settings["currency"]},
            **{"total": sum(line["total"] for line in lines), "lines": lines},
        }

    def _line(self) -> Json:
        quantity = self.rng.choice(["1", "2", "3", "0.5", "1.25", "-1", "0.333333"])
        price = self.rng.choice([0, 1, 95, 350, 975, 1999])
        total = (Decimal(quantity) * price).quantize(Decimal(1), ROUND_HALF_UP)
        return {
            **{"description": self.rng.choice(["Пиво", "Fris", "x"]), "quantity": quantity},
            **{"unit_price": price, "total": int(total)},
            "vat_rate": self.rng.choice(["21", "9", "0", "5.5"]),
        }

    async def finance(self, until: float) -> None:
        while time.monotonic() < until:
            issued = self.wire.events("invoice.issued", self.env)
            drafts = self.wire.events("invoice.drafted", self.env)
            what = self.rng.random()
            if what < 0.3 or not issued:
                await self.bill(self.rng.choice([0, 1]), self.rng.choice(["draft", "issue"]))
            elif what < 0.45 and drafts:
                one = self.rng.choice(drafts)["invoice_id"]
                kind = self.rng.choice(["invoice.approve", "invoice.delete"])
                await self.order("invoices.commands", kind, invoice_id=one)
            else:
                kind, fields = self._about(self.rng.choice(issued))
                await self.order("invoices.commands", kind, **fields)

    def _about(self, invoice: Json) -> tuple[str, Json]:
        """Something that finance does with an invoice."""
        one = {"invoice_id": invoice["invoice_id"]}
        sale = self.rng.choice(invoice["sales"])["sale_id"]
        half = invoice["total"] // 2 + 1
        return self.rng.choice(
            [
                ("payment.record", {**one, "amount": half, "method": "bank"}),
                ("payment.record", {"number": invoice["number"], "amount": 1, "method": "cash"}),
                ("invoice.delete", one),
                ("invoice.correct", {**one, "reason": "r"}),
                ("invoice.correct", {**one, "reason": "r", "exclude_sales": [sale]}),
                (
                    "invoice.correct",
                    {**one, "reason": "r", "account": self.rng.choice(self.accounts)},
                ),
            ]
        )

    async def bill(self, months_ago: int, mode: str = "issue") -> Json:
        """A run of this month or the one before."""
        day = datetime.now(self.zone).replace(day=1) - timedelta(days=months_ago)
        run = {"period": day.strftime("%Y-%m"), "mode": mode, "send": True}
        return await self.order("invoices.commands", "invoices.run", **run)

    # --- when all is quiet again --------------------------------------------------------------

    async def settle(self) -> None:
        """Say again what has no answer, then everything; and bill until nothing is open."""
        for _ in range(40):
            waiting = self._unanswered()
            if not waiting:
                break
            await self.nobody_waits()
            for topic, body in waiting:
                await self.wire.say(topic, body)
            await asyncio.sleep(2)
        assert self._unanswered() == []
        await self._say_again()
        for _ in range(10):
            done = await self.bill(0)
            if not done["issued"] and not done["open"]:
                return
        raise AssertionError(f"still open: {done}")

    async def _say_again(self) -> None:
        """Everything once more, until each is decided again: a cancellation that was refused, for
        its sale was not there yet, takes something back now, and a run sees what was decided."""
        decided = -1
        while decided != (decided := self._decisions()):  # what was said before is answered
            await asyncio.sleep(1)
        for topic, body in self.rng.sample(self.said, len(self.said)):
            await self.wire.say(topic, body)
        await self.wire.flush()
        decided += sum(topic == "pos.sales" for topic, _ in self.said)
        async with asyncio.timeout(120):
            while self._decisions() < decided:
                await asyncio.sleep(0.2)

    def _decisions(self) -> int:
        found = self.wire.find(environment=self.env)
        return sum(one.topic == "pos.decisions" for one in found)

    def _unanswered(self) -> list[tuple[str, Json]]:
        heard: set[str] = set()
        for one in self.wire.find(environment=self.env):
            if one.topic == "pos.decisions":
                heard.add(one.body.get("cancellation_id") or one.body["sale_id"])
        return [
            (topic, body)
            for topic, body in self.said
            if topic == "pos.sales"
            and (body.get("cancellation_id") or body["sale_id"]) not in heard
        ]
