"""A till: signs on, sells, records what it sold while offline, cancels. Used by hand (`onaccount
till`), by the demo, by the journeys and by the benchmarks.

    async with Client(kafka, listen=TILL_TOPICS) as client:
        till = Till(client, environment=2890, terminal="bar-1")
        await till.sign_on()
        reply = await till.sell("28900001", [line("Pils", 350, "21", quantity="2")])

Many tills may share one client: one consumer hears the answers for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.client import Client
from cli.messages import Json, answer_topics, given, new_id, now
from cli.replies import Reply
from schemas.values import line_total

TILL_TOPICS = answer_topics("sale.requested", "terminal.signed_on")
ANSWER_S = 30.0


def line(
    description: str,
    unit_price: int,
    vat_rate: str,
    *,
    quantity: str = "1",
    product: str | None = None,
) -> Json:
    """One line of a sale. `unit_price` is in minor units, VAT included; rounds half up."""
    return {
        "description": description,
        **given({"product": product}),
        "quantity": quantity,
        "unit_price": unit_price,
        "vat_rate": vat_rate,
        "total": line_total(quantity, unit_price),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One account behind the till's on-account button."""

    account: str
    name: str
    description: str


@dataclass(slots=True)
class Till:
    """One terminal of one environment. Ids are new unless given: give one to repeat a message."""

    client: Client
    environment: int
    terminal: str
    currency: str = "EUR"
    timeout_s: float = ANSWER_S

    def sale(
        self,
        account: str,
        lines: Sequence[Json],
        *,
        kind: str = "sale.requested",
        sale_id: str | None = None,
        **fields: Any,
    ) -> Json:
        """A sale.requested or sale.recorded of these lines, not yet sent."""
        return {
            "type": kind,
            "sale_id": sale_id or new_id(),
            "environment": self.environment,
            "terminal": self.terminal,
            "account": account,
            "at": now(),
            "currency": self.currency,
            "total": sum(one["total"] for one in lines),
            "lines": list(lines),
            **given(fields),
        }

    async def sign_on(self) -> tuple[list[Entry], Json]:
        """The accounts behind the button, and the last page, whose `reason` says why none are."""
        message = {
            "type": "terminal.signed_on",
            "session_id": new_id(),
            "environment": self.environment,
            "terminal": self.terminal,
            "at": now(),
        }
        pages: dict[int, Json] = {}
        with self.client.expecting(message) as answers:
            await self.client.send(message)
            while True:
                page = (await answers.next(self.timeout_s)).message
                pages[page["page"]] = page
                if len(pages) == page["pages"]:
                    break
        entries = [
            Entry(account=e["account"], name=e["name"], description=e["description"])
            for number in sorted(pages)
            for e in pages[number]["accounts"]
        ]
        return entries, page

    async def search(self, query: str) -> Json:
        """directory.found for a part of a name or number."""
        message = {
            "type": "terminal.searched",
            "search_id": new_id(),
            "environment": self.environment,
            "terminal": self.terminal,
            "at": now(),
            "query": query,
        }
        return (await self.client.ask(message, timeout_s=self.timeout_s)).message

    async def sell(
        self, account: str, lines: Sequence[Json], *, sale_id: str | None = None, **fields: Any
    ) -> Reply:
        """Ask for a sale: sale.approved or sale.declined."""
        message = self.sale(account, lines, sale_id=sale_id, **fields)
        return await self.client.ask(message, timeout_s=self.timeout_s)

    async def record(
        self, account: str, lines: Sequence[Json], *, sale_id: str | None = None, **fields: Any
    ) -> Reply:
        """Tell of a sale that was already made without an answer."""
        message = self.sale(account, lines, kind="sale.recorded", sale_id=sale_id, **fields)
        return await self.client.ask(message, timeout_s=self.timeout_s)

    async def repeat(self, message: Json) -> Reply:
        """Send a message once more, as it was; its answer is the first one, byte for byte."""
        return await self.client.ask(message, timeout_s=self.timeout_s)

    async def cancel(
        self,
        account: str,
        sale_id: str,
        *,
        reason: str = "cancelled",
        cancellation_id: str | None = None,
        amount: int | None = None,
        lines: Sequence[Json] | None = None,
    ) -> Reply:
        """Take a sale back, wholly or for an amount: sale.reversed or sale.reversal_refused."""
        message = {
            "type": "sale.cancelled",
            "cancellation_id": cancellation_id or new_id(),
            "sale_id": sale_id,
            "environment": self.environment,
            "terminal": self.terminal,
            "account": account,
            "at": now(),
            "reason": reason,
            **given({"amount": amount, "lines": lines}),
        }
        return await self.client.ask(message, timeout_s=self.timeout_s)
