"""Messages as the authorizer and the invoicer send them, with little to say."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import asyncpg

from runtime.answers import Answer
from schemas.base import Message
from schemas.billing import (
    CreditNoteIssued,
    InvoicedSale,
    InvoiceIssued,
    PaymentReceived,
    PaymentRefunded,
    VatLine,
)
from schemas.pos import ReversedLine, SaleApproved, SaleLine, SaleReversed
from services.ledger.handlers import decisions, invoices
from services.ledger.states import BALANCE
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

VENUE = 2890
GUEST = "28900001"
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
ISSUED = datetime(2026, 8, 1, 6, 30, tzinfo=UTC)

Gross = Mapping[str, int]


def uid(name: object) -> str:
    """An id that is the same for the same name."""
    return str(uuid5(NAMESPACE_URL, str(name)))


def approved(sale: object, gross: Gross, *, account: str = GUEST, **more: Any) -> SaleApproved:
    """A sale with one line per rate."""
    lines = tuple(
        SaleLine(description="Bier", quantity="1", unit_price=x, vat_rate=rate, total=x)
        for rate, x in gross.items()
    )
    values: dict[str, Any] = {
        "environment": VENUE,
        "currency": "EUR",
        "online": True,
        "over_limit": False,
        "limit": None,
        "used": 0,
        "available": None,
        "lines": lines,
        "total": sum(gross.values()),
    }
    return SaleApproved(
        sale_id=uid(sale),
        terminal="bar",
        account=account,
        at=NOON,
        booked_at=NOON,
        decided_at=NOON,
        **{**values, **more},
    )


def reversed_(
    name: object, sale: object, gross: Gross, *, account: str = GUEST, environment: int = VENUE
) -> SaleReversed:
    """A part of a sale, or all of it, taken back."""
    return SaleReversed(
        cancellation_id=uid(name),
        sale_id=uid(sale),
        environment=environment,
        terminal="bar",
        account=account,
        at=NOON,
        decided_at=NOON,
        currency="EUR",
        amount=sum(gross.values()),
        lines=tuple(
            ReversedLine(description="Bier", vat_rate=r, total=x) for r, x in gross.items()
        ),
        reason="cancelled",
        available=None,
    )


def vat_lines(gross: Gross) -> tuple[VatLine, ...]:
    """VAT as an invoice has it: exact per rate, rounded half up."""
    lines = []
    for rate, amount in gross.items():
        percent = int(rate)
        vat = (2 * abs(amount) * percent + 100 + percent) // (2 * (100 + percent))
        vat = -vat if amount < 0 else vat
        lines.append(VatLine(rate=rate, base=amount - vat, vat=vat, gross=amount))
    return tuple(lines)


def issued(invoice: object, gross: Gross, *, account: str = GUEST, **more: Any) -> InvoiceIssued:
    values: dict[str, Any] = {"total": sum(gross.values()), "vat": vat_lines(gross)}
    return InvoiceIssued(
        invoice_id=uid(invoice),
        environment=VENUE,
        account=account,
        number=f"2026-{uid(invoice)[:5]}",
        period="2026-07",
        issued_at=ISSUED,
        due_on=ISSUED.date(),
        currency="EUR",
        sales=(InvoicedSale(sale_id=uid("any"), amount=1),),
        **{**values, **more},
    )


def credited(
    note: object, invoice: object, gross: Gross, *, frees: bool, account: str = GUEST
) -> CreditNoteIssued:
    return CreditNoteIssued(
        credit_note_id=uid(note),
        invoice_id=uid(invoice),
        environment=VENUE,
        account=account,
        number=f"C-{uid(note)[:5]}",
        issued_at=ISSUED,
        currency="EUR",
        total=sum(gross.values()),
        vat=vat_lines(gross),
        sales=(),
        frees=frees,
        reason="wrong",
    )


def paid(name: object, invoice: object, amount: int, *, account: str = GUEST) -> PaymentReceived:
    return PaymentReceived(
        payment_id=uid(name),
        invoice_id=uid(invoice),
        environment=VENUE,
        account=account,
        number="2026-1",
        amount=amount,
        currency="EUR",
        at=ISSUED,
        open=0,
    )


def refunded(name: object, invoice: object, amount: int) -> PaymentRefunded:
    same = paid(name, invoice, amount).model_dump(exclude={"type", "payment_id"})
    return PaymentRefunded(refund_id=uid(name), **same)


@asynccontextmanager
async def ledger(postgres: Database, **more: Any) -> AsyncIterator[HandlerBench]:
    """The ledger's handlers on its own database, with its login role."""
    dsn = postgres.dsn("ledger")
    async with HandlerBench(dsn, states=(BALANCE,), by_key=True, **more) as bench:
        yield bench


async def post(bench: HandlerBench, *messages: Message) -> list[Answer]:
    """Hand messages in as the edge does: one batch per topic, at once or in one transaction."""
    answers: list[Answer] = []
    if batch := [m for m in messages if isinstance(m, decisions.TAKES)]:
        answers += await bench.handle(decisions.handle, batch, at_once=decisions.handle_at_once)
    if batch := [m for m in messages if isinstance(m, invoices.TAKES)]:
        answers += await bench.handle(invoices.handle, batch)
    return answers


def legs(answer: Answer) -> dict[str, int]:
    """An answer's legs: debit above zero, credit below."""
    found: Iterable[dict[str, Any]] = json.loads(answer.value)["legs"]
    return {leg["ledger_account"]: leg["debit"] - leg["credit"] for leg in found}


def last_balance(bench: HandlerBench, account: str = GUEST) -> tuple[int, int, int]:
    """(version, unbilled, billed) of the last balance.state that was published."""
    states = [a for a in bench.published.answers if a.key == f"{VENUE}:{account}"]
    state = json.loads(states[-1].value)
    return state["version"], state["unbilled"], state["billed"]


async def as_admin(postgres: Database, *statements: str) -> None:
    """Do to the ledger's schema what only a superuser can."""
    connection = await asyncpg.connect(postgres.admin)
    try:
        await connection.execute("SET search_path TO ledger")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
