"""What was told of money, worded again from the rows that it became, some at a time."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record

from runtime.answers import Answer, answer
from runtime.breath import Breath
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.base import Message
from schemas.billing import (
    CreditNoteIssued,
    InvoicedSale,
    InvoiceIssued,
    PaymentReceived,
    PaymentRefunded,
    ReplacedInvoice,
)
from schemas.values import account_key
from services.invoicer.replies import EVENTS
from services.invoicer.store.invoices import replaced, vat_from, vat_lines

sql = statements("services.invoicer", "sql/republish.sql")

Told = tuple[list[str], list[Answer]]
"""Ids, in order, and what was told of those that moved money. No ids: there are no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Most:
    """Of one step: documents, and lines of all but the last of them (which may have 20,000)."""

    documents: int = 100
    lines: int = 20_000


async def invoices(tx: Tx, environment: int, after: str, most: Most) -> Told:
    """The next invoices, drafts among the ids."""
    rows = await tx.fetch(sql.invoices, environment, after, most.documents, most.lines)
    ids = [r["invoice_id"] for r in rows]
    before = await replaced(tx, environment, ids)
    told, breath = [], Breath()
    for r in rows:
        if r["number"] is None:
            continue
        replaces = tuple(ReplacedInvoice(**asdict(x)) for x in before.get(r["invoice_id"], ()))
        message = InvoiceIssued(
            **await _document(environment, r, breath),
            period=r["period"],
            due_on=r["due_on"],
            replaces=replaces or None,
        )
        told.append(_answer(message, r, message.invoice_id, r["issued_at"]))
    return ids, told


async def credit_notes(tx: Tx, environment: int, after: str, most: Most) -> Told:
    """The next credit notes."""
    rows = await tx.fetch(sql.credit_notes, environment, after, most.documents, most.lines)
    told, breath = [], Breath()
    for r in rows:
        message = CreditNoteIssued(
            **await _document(environment, r, breath),
            credit_note_id=r["credit_note_id"],
            frees=r["frees"],
            reason=r["reason"],
        )
        told.append(_answer(message, r, message.credit_note_id, r["issued_at"]))
    return [r["credit_note_id"] for r in rows], told


async def payments(tx: Tx, environment: int, after: str, most: Most) -> Told:
    """The next payments and refunds."""
    rows = await tx.fetch(sql.payments, environment, after, most.documents)
    told = [_answer(_payment(environment, r), r, r["payment_id"], r["recorded_at"]) for r in rows]
    return [r["payment_id"] for r in rows], told


async def asked_back(tx: Tx, environment: int) -> list[Answer]:
    """Sales that a correction takes off, while they are held: should that be lost they stay so."""
    return [Answer(*r) for r in await tx.fetch(sql.asked_back, environment)]


async def _document(environment: int, r: Record, breath: Breath) -> dict[str, Any]:
    sales = []
    for one in json.loads(r["sales"]):
        sales.append(InvoicedSale(**one))
        await breath.take()
    return {
        "invoice_id": r["invoice_id"],
        "number": r["number"],
        "environment": environment,
        "account": r["account"],
        "issued_at": r["issued_at"],
        "currency": r["currency"],
        "total": r["total"],
        "vat": vat_lines(vat_from(r["vat"])),
        "sales": tuple(sales),
    }


def _payment(environment: int, r: Record) -> PaymentReceived | PaymentRefunded:
    values: dict[str, Any] = {
        "invoice_id": r["invoice_id"],
        "number": r["number"],
        "environment": environment,
        "account": r["account"],
        "amount": abs(r["amount"]),
        "currency": r["currency"],
        "at": r["received_at"],
        "open": r["open"],
    }
    if r["amount"] > 0:
        return PaymentReceived(payment_id=r["payment_id"], **values)
    return PaymentRefunded(
        refund_id=r["payment_id"], reverses=r["reverses"], method=r["method"], **values
    )


def _answer(message: Message, r: Record, id: str, time: datetime) -> Answer:
    environment: int = message.environment  # type: ignore[attr-defined]
    name = f"{message.type}/{environment}/{id}"
    return answer(EVENTS, account_key(environment, r["account"]), message, id=name, time=time)
