"""What is due, and the rows of invoices and credit notes that are being made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from runtime.sql import statements
from runtime.transaction import Tx
from services.invoicer.domain import Bill, Item, OpenLine
from services.invoicer.store.invoices import vat_json

sql = statements("services.invoicer", "sql/issuing.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRow:
    """An invoice as it is written. A draft has no number and no issue date."""

    invoice_id: str
    account: str
    bill: Bill
    status: str
    drafted_on: date
    currency: str
    letterhead: bytes
    buyer: str
    language: str
    run_id: str | None
    send: bool
    supplementary: bool
    number: str | None
    issued_at: datetime | None
    issued_on: date | None
    due_on: date | None
    vat_euro: int | None
    exchange_rate: str | None
    holder: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRow:
    """A credit note as it is written."""

    credit_note_id: str
    invoice_id: str
    account: str
    number: str
    issued_at: datetime
    issued_on: date
    currency: str
    bill: Bill
    frees: bool
    reason: str
    letterhead: bytes
    run_id: str | None
    vat_euro: int | None
    exchange_rate: str | None


async def open_lines(
    tx: Tx,
    environment: int,
    accounts: Sequence[str],
    until: datetime,
    sales: Iterable[str] | None = None,
) -> dict[str, list[OpenLine]]:
    """Lines on which something is due, by account, sold before `until` (of `sales` alone)."""
    found: dict[str, list[OpenLine]] = {account: [] for account in accounts}
    only = None if sales is None else list(sales)
    for r in await tx.fetch(sql.open_lines, environment, list(accounts), until, only):
        values = dict(r)
        found[values.pop("account")].append(OpenLine(**values))
    return found


async def billed_on(
    tx: Tx, environment: int, lines: Sequence[OpenLine]
) -> dict[tuple[str, int], str]:
    """The invoice on which each of these lines stands."""
    if not lines:
        return {}
    rows = await tx.fetch(
        sql.billed_on, environment, [x.sale_id for x in lines], [x.line for x in lines]
    )
    return {(r["sale_id"], r["line"]): r["invoice_id"] for r in rows}


async def months_invoiced(
    tx: Tx, environment: int, accounts: Sequence[str]
) -> set[tuple[str, str]]:
    """(account, period) pairs that have an invoice that stands: another is supplementary."""
    rows = await tx.fetch(sql.months_invoiced, environment, list(accounts))
    return {(r["account"], r["period"]) for r in rows}


async def add_letterhead(tx: Tx, environment: int, sha256: bytes, content: str) -> None:
    await tx.execute(sql.add_letterhead, environment, sha256, content)


async def put_invoices(tx: Tx, environment: int, rows: Sequence[InvoiceRow]) -> bool:
    """Write invoices and their lines; what is issued claims its sales. A draft's go first.

    Whether some of what is issued stood on an invoice before.
    """
    if not rows:
        return False
    await tx.execute(
        sql.put_invoices,
        environment,
        [r.invoice_id for r in rows],
        [r.account for r in rows],
        [r.bill.period for r in rows],
        [r.run_id for r in rows],
        [r.send for r in rows],
        [r.status for r in rows],
        [r.number for r in rows],
        [r.drafted_on for r in rows],
        [r.issued_at for r in rows],
        [r.issued_on for r in rows],
        [r.due_on for r in rows],
        [r.currency for r in rows],
        [r.bill.total for r in rows],
        [vat_json(r.bill.vat) for r in rows],
        [r.letterhead for r in rows],
        [r.buyer for r in rows],
        [r.language for r in rows],
        [r.supplementary for r in rows],
        [r.vat_euro for r in rows],
        [r.exchange_rate for r in rows],
        [r.holder for r in rows],
    )
    await _add_lines(
        tx, sql.add_invoice_lines, environment, {r.invoice_id: r.bill.items for r in rows}
    )
    for row in rows:
        tx.touch("invoice", environment, row.invoice_id)
    billed = [item for row in rows if row.number for item in row.bill.items]
    return bool(billed and await tx.fetchval(sql.bill_lines, environment, *_amounts(billed)))


async def drop_draft_lines(tx: Tx, environment: int, invoice_id: str) -> None:
    await tx.execute(sql.drop_draft_lines, environment, invoice_id)


async def add_credit_notes(tx: Tx, environment: int, rows: Sequence[CreditRow]) -> None:
    """Write credit notes and their lines, and take their amounts off invoices and sales."""
    if not rows:
        return
    await tx.execute(
        sql.add_credit_notes,
        environment,
        [r.credit_note_id for r in rows],
        [r.invoice_id for r in rows],
        [r.account for r in rows],
        [r.number for r in rows],
        [r.issued_at for r in rows],
        [r.issued_on for r in rows],
        [r.currency for r in rows],
        [r.bill.total for r in rows],
        [vat_json(r.bill.vat) for r in rows],
        [r.frees for r in rows],
        [r.reason for r in rows],
        [r.letterhead for r in rows],
        [r.run_id for r in rows],
        [r.vat_euro for r in rows],
        [r.exchange_rate for r in rows],
    )
    await _add_lines(
        tx, sql.add_credit_lines, environment, {r.credit_note_id: r.bill.items for r in rows}
    )
    credited = _amounts([item for row in rows for item in row.bill.items])
    await tx.execute(sql.credit_lines, environment, *credited)
    items = [(r.invoice_id, i.sale_id, i.line, i.amount) for r in rows for i in r.bill.items]
    await tx.execute(sql.credit_invoice_lines, environment, *map(list, zip(*items, strict=True)))


async def _add_lines(
    tx: Tx, statement: str, environment: int, items: Mapping[str, Sequence[Item]]
) -> None:
    rows = [
        (document, position, item.sale_id, item.line, item.amount)
        for document, its in items.items()
        for position, item in enumerate(its)
    ]
    await tx.execute(statement, environment, *map(list, zip(*rows, strict=True)))


def _amounts(items: Sequence[Item]) -> tuple[list[str], list[int], list[int]]:
    return [i.sale_id for i in items], [i.line for i in items], [i.amount for i in items]
