"""Invoices and credit notes as they stand."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from asyncpg import Record

from runtime.answers import Answer, answer
from runtime.database import Connection
from runtime.sql import statements
from runtime.state import Key, Rows
from runtime.transaction import Tx
from schemas.billing import InvoiceState, VatLine
from schemas.invoices import PaymentRecord, PaymentRefund
from services.invoicer.domain import Item
from services.invoicer.vat import VatRow

sql = statements("services.invoicer", "sql/invoices.sql")

LAST_PERIOD = "9999-12"
"""No draft is of a later month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A row of `invoice`. `buyer` is its JSON, `letterhead` the digest that names the seller."""

    environment: int
    invoice_id: str
    version: int
    account: str
    period: str
    run_id: str | None
    send: bool
    status: str
    number: str | None
    drafted_on: date
    issued_at: datetime | None
    issued_on: date | None
    due_on: date | None
    currency: str
    total: int
    vat: tuple[VatRow, ...]
    credited: int
    paid: int
    letterhead: bytes
    buyer: str
    language: str
    supplementary: bool
    vat_euro: int | None
    exchange_rate: str | None
    holder: str | None
    """The customer_id of whom it was made out to; None: a draft, or issued before that was kept."""

    @property
    def open(self) -> int:
        """What is still to be paid; negative: too much came."""
        return self.total - self.credited - self.paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One item of an invoice, and how much of it was credited since."""

    item: Item
    credited: int


def vat_from(text: str) -> tuple[VatRow, ...]:
    return tuple(VatRow(**row) for row in json.loads(text))


def vat_json(rows: Iterable[VatRow]) -> str:
    return json.dumps(
        [{"rate": r.rate, "base": r.base, "vat": r.vat, "gross": r.gross} for r in rows]
    )


def vat_lines(rows: Iterable[VatRow]) -> tuple[VatLine, ...]:
    """As messages carry them."""
    return tuple(VatLine(rate=r.rate, base=r.base, vat=r.vat, gross=r.gross) for r in rows)


async def find(tx: Tx, environment: int, invoice_ids: Iterable[str]) -> dict[str, Invoice]:
    rows = await tx.fetch(sql.find, environment, sorted(set(invoice_ids)))
    return {r["invoice_id"]: _invoice(environment, r) for r in rows}


async def find_locked(tx: Tx, environment: int, invoice_id: str) -> Invoice | None:
    """An invoice under its account's lock, which is waited for where the caller has it not yet."""
    row = await tx.fetchrow(sql.find_locked, environment, invoice_id)
    return None if row is None else _invoice(environment, row)


def _invoice(environment: int, row: Record) -> Invoice:
    return Invoice(environment=environment, **{**dict(row), "vat": vat_from(row["vat"])})


async def drafts(tx: Tx, environment: int, accounts: Sequence[str], period: str) -> list[Invoice]:
    """Drafts of these accounts, of months up to and with `period`."""
    rows = await tx.fetch(sql.drafts, environment, list(accounts), period)
    return list((await find(tx, environment, [r["invoice_id"] for r in rows])).values())


async def by_number(tx: Tx, environment: int, number: str) -> str | None:
    found: str | None = await tx.fetchval(sql.by_number, environment, number)
    return found


async def accounts_of(
    tx: Tx, named: Sequence[tuple[int, str | None, str | None]]
) -> set[tuple[int, str]]:
    """Environment and account of invoices named by (environment, id, number)."""
    rows = await tx.fetch(sql.where_they_are, *map(list, zip(*named, strict=True)))
    return {(r["environment"], r["account"]) for r in rows}


async def items(tx: Tx, environment: int, invoice_id: str) -> list[Standing]:
    return [
        Standing(
            item=Item(
                sale_id=r["sale_id"], line=r["line"], vat_rate=r["vat_rate"], amount=r["amount"]
            ),
            credited=r["credited"],
        )
        for r in await tx.fetch(sql.items, environment, invoice_id)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """An invoice whose sales, or some of them, stand on another one now."""

    invoice_id: str
    number: str
    issued_on: date


async def replaced(
    tx: Tx, environment: int, invoice_ids: Sequence[str]
) -> dict[str, list[Replaced]]:
    """The invoices that each of these replaces: those that its lines stood on just before."""
    found: dict[str, list[Replaced]] = {}
    for r in await tx.fetch(sql.replaced, environment, list(invoice_ids)):
        values = dict(r)
        found.setdefault(values.pop("by_id"), []).append(Replaced(**values))
    return found


async def set_status(tx: Tx, invoice: Invoice, status: str, *, credited: int, paid: int) -> None:
    await tx.execute(
        sql.set_status,
        invoice.environment,
        invoice.invoice_id,
        status,
        credited,
        paid,
        invoice.status,
    )
    tx.touch("invoice", invoice.environment, invoice.invoice_id)


async def mailed(
    tx: Tx, environment: int, invoice_ids: Sequence[str], status: str, among: Sequence[str]
) -> None:
    """Let the status say what became of the mails, where nothing later is to be seen."""
    rows = await tx.fetch(sql.mailed, environment, list(invoice_ids), status, list(among))
    for r in rows:
        tx.touch("invoice", environment, r["invoice_id"])


async def add_payment(
    tx: Tx,
    invoice: Invoice,
    command: PaymentRecord | PaymentRefund,
    payment_id: str,
    amount: int,
    open_after: int,
) -> None:
    """Keep a payment; `amount` is negative of what was paid back."""
    await tx.execute(
        sql.add_payment,
        invoice.environment,
        payment_id,
        invoice.invoice_id,
        amount,
        command.at,
        command.method,
        command.by,
        open_after,
        command.reverses if isinstance(command, PaymentRefund) else None,
    )


async def payment_left(tx: Tx, invoice: Invoice, payment_id: str) -> int | None:
    """What of a payment was not undone yet; None where this invoice has no such payment."""
    left: int | None = await tx.fetchval(
        sql.payment_left, invoice.environment, payment_id, invoice.invoice_id
    )
    return left


async def was_reversed(tx: Tx, invoice: Invoice) -> bool:
    """Whether a payment of it was ever undone."""
    return bool(await tx.fetchval(sql.was_reversed, invoice.environment, invoice.invoice_id))


async def delivery(tx: Tx, invoice: Invoice) -> str:
    """The status of an issued invoice of which nothing is paid or credited."""
    state = await tx.fetchval(sql.delivery, invoice.environment, invoice.invoice_id, invoice.send)
    return {"sent": "sent", "failed": "undeliverable"}.get(state, "issued")


# -- state records -----------------------------------------------------------------------------


async def read_states(connection: Connection, keys: Sequence[Key]) -> Rows:
    """(environment, invoice_id) -> (version, invoice.state)."""
    rows = await connection.fetch(sql.states, [k[0] for k in keys], [k[1] for k in keys])
    return {(r["environment"], r["invoice_id"]): (r["version"], partial(_state, r)) for r in rows}


def _state(r: Record) -> Answer:
    state = InvoiceState(
        invoice_id=r["invoice_id"],
        environment=r["environment"],
        account=r["account"],
        version=r["version"],
        period=r["period"],
        status=r["status"],
        number=r["number"],
        currency=r["currency"],
        total=r["total"],
        paid=r["paid"],
        credited=r["credited"] or None,
        due_on=r["due_on"],
    )
    key = f"{state.environment}:{state.invoice_id}"
    return answer(
        "invoices.state",
        key,
        state,
        id=f"invoice.state/{state.environment}/{state.invoice_id}/{state.version}",
        time=r["changed_at"],
    )
