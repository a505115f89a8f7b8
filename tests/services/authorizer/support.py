"""Messages as tills, administrators and the invoicer send them, and a bench that holds a venue."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import asyncpg

from runtime.answers import Answer
from runtime.haste import seconds
from schemas.wire import decode
from services.authorizer.handlers import invoices, registry, sales, tills
from services.authorizer.store.recent import Recent
from services.authorizer.store.states import STATES
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

VENUE = 2890
GUEST = "28900001"
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def uid(name: object) -> str:
    """An id that is the same for the same name."""
    return str(uuid5(NAMESPACE_URL, str(name)))


JO = uid("Jo")


def read(topic: str, content: dict[str, Any]) -> Any:
    """A message as it comes off the log: Malformed where it is wrong."""
    return decode(topic, json.dumps(content).encode())


def line(price: int, rate: str = "21", **more: Any) -> dict[str, Any]:
    given = {"description": "Pils", "quantity": "1", "unit_price": price, "vat_rate": rate}
    return {**given, "total": price} | more


def requested(name: object, *totals: int, **more: Any) -> Any:
    """A sale.requested of one line for each total; `name` names its id."""
    lines = more.pop("lines", [line(total) for total in totals or (250,)])
    given = {
        "type": "sale.requested",
        "sale_id": uid(name),
        "environment": VENUE,
        "terminal": "bar",
        "account": GUEST,
        "at": NOON.isoformat(),
        "currency": "EUR",
        "total": sum(each["total"] for each in lines),
        "lines": lines,
    }
    return read("pos.sales", {**given, **more})


def recorded(name: object, *totals: int, **more: Any) -> Any:
    return requested(name, *totals, **{"type": "sale.recorded", **more})


def cancelled(name: object, sale: object, amount: int | None = None, **more: Any) -> Any:
    given = {
        "type": "sale.cancelled",
        "cancellation_id": uid(name),
        "sale_id": uid(sale),
        "environment": VENUE,
        "terminal": "bar",
        "account": GUEST,
        "at": NOON.isoformat(),
        "reason": "cancelled",
        **({} if amount is None else {"amount": amount}),
    }
    return read("pos.sales", {**given, **more})


def command(kind: str, name: object, /, **fields: Any) -> Any:
    given = {"type": kind, "command_id": uid(name), "environment": VENUE, "by": "admin"}
    return read("registry.commands", {**given, "at": NOON.isoformat(), **fields})


def register(name: object = "Jo", **fields: Any) -> Any:
    """A customer.register; `name` names its id and the customer's."""
    given = {"first_name": "Jo", "last_name": "Jansen"}
    return command("customer.register", f"r {name}", customer_id=uid(name), **(given | fields))


def changes(outcome: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What an outcome says became of what."""
    return [(c["kind"], c["id"], c["change"]) for c in outcome["changes"]]


def invoice(name: object, total: int, **more: Any) -> Any:
    given = {
        "type": "invoice.issued", "invoice_id": uid(name), "number": "2026-00001",
        "environment": VENUE, "account": GUEST, "period": "2026-07",
        "issued_at": NOON.isoformat(), "due_on": "2026-08-15", "currency": "EUR",
        "total": total, "vat": [], "sales": [],
    }  # fmt: skip
    return read("invoices.events", {**given, **more})


def credit_note(name: object, total: int, **more: Any) -> Any:
    given = {
        "type": "credit_note.issued", "credit_note_id": uid(name), "number": "2026-00002",
        "invoice_id": uid("invoice"), "environment": VENUE, "account": GUEST,
        "issued_at": NOON.isoformat(), "currency": "EUR", "total": total, "vat": [],
        "sales": [], "frees": True, "reason": "wrong",
    }  # fmt: skip
    return read("invoices.events", {**given, **more})


def payment(name: object, amount: int, **more: Any) -> Any:
    given = {
        "type": "payment.received", "payment_id": uid(name), "invoice_id": uid("invoice"),
        "number": "2026-00001", "environment": VENUE, "account": GUEST, "amount": amount,
        "currency": "EUR", "at": NOON.isoformat(), "open": 0,
    }  # fmt: skip
    return read("invoices.events", {**given, **more})


def refund(name: object, amount: int, **more: Any) -> Any:
    paid = payment(name, amount).model_dump(mode="json", exclude={"type", "payment_id"})
    return read("invoices.events", {
        "type": "payment.refunded", "refund_id": uid(name), **paid, **more,
    })  # fmt: skip


def said(answer: Answer) -> dict[str, Any]:
    """What an answer says."""
    content: dict[str, Any] = json.loads(answer.value)
    return content


def words(answer: Answer) -> tuple[Any, ...]:
    """An answer in short: its type and its reason or its amount."""
    content = said(answer)
    return answer.type, content.get("reason") if "amount" not in content else content["amount"]


class Clock:
    """A worker's own, in seconds; once it was stopped it is moved by hand (`at`)."""

    def __init__(self) -> None:
        self.at: float | None = None

    def __call__(self) -> float:
        return seconds() if self.at is None else self.at


class Venue(HandlerBench):
    """The bench, with the authorizer's handlers by name; `recent` is its worker's memory."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self.clock = Clock()
        super().__init__(*args, **more, clock=self.clock)
        self.recent = Recent(self.clock)
        self.decide_sales = partial(sales.decide_sales, self.recent)

    async def sell(self, *messages: Any, at: datetime | None = NOON) -> list[Answer]:
        """As the edge decides a batch: at once, or else in a transaction."""
        at_once = partial(sales.decide_at_once, self.recent)
        return await self.handle(self.decide_sales, messages, at=at, at_once=at_once)

    async def one(self, message: Any, at: datetime | None = NOON) -> dict[str, Any]:
        (answer,) = await self.sell(message, at=at)
        return said(answer)

    async def order(self, *commands: Any) -> list[dict[str, Any]]:
        return [said(a) for a in await self.handle(registry.carry_out_commands, commands)]

    async def account_for(self, *events: Any) -> None:
        assert await self.handle(invoices.add_up, events) == []

    async def ask(self, *messages: Any) -> list[Answer]:
        return await self.handle(tills.answer_tills, messages)

    async def rows(self, query: str, *args: Any) -> Sequence[asyncpg.Record]:
        return await self.database.fetch(query, *args)

    async def used(self, account: str = GUEST) -> int:
        """What is used of an account's limit, as a decline that changes nothing says."""
        answer = await self.one(requested(uuid4(), 1, account=account, currency="XXX"))
        return int(answer["used"])

    def told(self) -> dict[str, dict[str, Any]]:
        """The last state record of each key."""
        return {a.key: said(a) for a in self.published.answers if a.topic == "registry.state"}


def empty(database: Database) -> Venue:
    """A bench without a venue."""
    return Venue(database.dsn("authorizer"), states=STATES)


def opening(limit: int | None = 1_000, **settings: Any) -> Iterable[Any]:
    """What makes a venue that sells on one account."""
    return (
        command("environment.configure", "configure", **{"language": "en", **settings}),
        command("environment.accept_gdpr", "gdpr", accepted_by="Jo", document="terms-1"),
        command("environment.activate", "activate"),
        command("account.open", "open", account=GUEST, limit=limit, on_account=True),
    )


@asynccontextmanager
async def venue(database: Database, **settings: Any) -> AsyncIterator[Venue]:
    """A bench with a venue that sells; settings are those of `opening`."""
    async with Venue(database.dsn("authorizer"), states=STATES, by_key=True) as bench:
        outcomes = await bench.order(*opening(**settings))
        assert all(outcome["type"] == "command.applied" for outcome in outcomes), outcomes
        yield bench
