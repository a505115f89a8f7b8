"""Documents: what they show, read from rows; and their files, kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import cast
from zoneinfo import ZoneInfo

from asyncpg import Record

from runtime.sql import statements
from runtime.transaction import Tx
from services.invoicer import parties
from services.invoicer.documents.model import CreditNote, Document, Invoice, Language, Line, Seller
from services.invoicer.store import invoices, registry

sql = statements("services.invoicer", "sql/documents.sql")
_rows = statements("services.invoicer", "sql/invoices.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One kept file."""

    format: str
    file_name: str
    media_type: str
    content: bytes


async def exists(tx: Tx, environment: int, document_id: str, *, draft: bool) -> bool:
    return bool(await tx.fetchval(sql.exists, environment, document_id, draft))


async def keep(
    tx: Tx, environment: int, document_id: str, *, draft: bool, files: Sequence[File]
) -> None:
    """Keep files; those that are kept already stay as they are."""
    for file in files:
        await tx.execute(
            sql.keep,
            environment,
            document_id,
            draft,
            file.format,
            file.file_name,
            file.media_type,
            sha256(file.content).digest(),
            file.content,
        )


async def files(
    tx: Tx, environment: int, document_id: str, *, draft: bool = False, format: str | None = None
) -> dict[str, File]:
    """Kept files by format."""
    rows = await tx.fetch(sql.files, environment, document_id, draft, format)
    return {r["format"]: File(**dict(r)) for r in rows}


async def credit_note_exists(
    tx: Tx, environment: int, credit_note_id: str, invoice_id: str | None = None
) -> bool:
    """Whether there is such a credit note, of this invoice where one is named."""
    return bool(await tx.fetchval(sql.credit_note_exists, environment, credit_note_id, invoice_id))


async def issued_by(tx: Tx, environment: int, document_id: str, moment: datetime) -> bool:
    """Whether a document had its number at that moment."""
    return bool(await tx.fetchval(sql.issued_by, environment, document_id, moment))


# -- what a document shows ---------------------------------------------------------------------


async def load(tx: Tx, environment: int, kind: str, document_id: str) -> Document:
    """An invoice (a draft too) or a credit note as its documents show it.

    Raises LookupError where there is none.
    """
    if kind == "invoice":
        return await load_invoice(tx, environment, document_id)
    return await load_credit_note(tx, environment, document_id)


async def load_invoice(tx: Tx, environment: int, invoice_id: str) -> Invoice:
    row = (await invoices.find(tx, environment, [invoice_id])).get(invoice_id)
    if row is None:
        raise LookupError("no such invoice")
    lines = await tx.fetch(_rows.invoice_lines, environment, invoice_id)
    zone = await _zone(tx, environment)
    return Invoice(
        invoice_id=invoice_id,
        number=row.number,
        language=cast("Language", row.language),
        seller=await _seller(tx, environment, row.letterhead),
        buyer=parties.buyer_from(row.buyer),
        account=row.account,
        account_description=await _description(tx, environment, row.account),
        issued_on=row.issued_on or row.drafted_on,
        period=row.period,
        currency=row.currency,
        lines=tuple(_line(r, zone) for r in lines),
        vat=row.vat,
        total=row.total,
        due_on=row.due_on or row.drafted_on,
        supplementary=row.supplementary,
    )


async def load_credit_note(tx: Tx, environment: int, credit_note_id: str) -> CreditNote:
    row = await tx.fetchrow(_rows.credit_note, environment, credit_note_id)
    if row is None:
        raise LookupError("no such credit note")
    invoice = (await invoices.find(tx, environment, [row["invoice_id"]]))[row["invoice_id"]]
    lines = await tx.fetch(_rows.credit_note_lines, environment, credit_note_id)
    zone = await _zone(tx, environment)
    assert invoice.issued_on is not None  # only what was issued is credited
    return CreditNote(
        invoice_id=credit_note_id,
        number=row["number"],
        language=cast("Language", invoice.language),
        seller=await _seller(tx, environment, row["letterhead"]),
        buyer=parties.buyer_from(invoice.buyer),
        account=row["account"],
        account_description=await _description(tx, environment, row["account"]),
        issued_on=row["issued_on"],
        period=invoice.period,
        currency=row["currency"],
        lines=tuple(_line(r, zone) for r in lines),
        vat=invoices.vat_from(row["vat"]),
        total=row["total"],
        refers_to=invoice.number or "",
        refers_to_issued_on=invoice.issued_on,
        reason="" if row["reason"] == "reversed" else row["reason"],
    )


async def _zone(tx: Tx, environment: int) -> ZoneInfo:
    state = await registry.environment(tx, environment)
    return ZoneInfo(state.time_zone if state else "UTC")


async def _seller(tx: Tx, environment: int, letterhead: bytes) -> Seller:
    return parties.seller_from(await tx.fetchval(_rows.letterhead, environment, letterhead))


async def _description(tx: Tx, environment: int, account: str) -> str:
    return await tx.fetchval(_rows.description, environment, account) or ""


def _line(r: Record, zone: ZoneInfo) -> Line:
    return Line(
        sale_id=r["sale_id"],
        sold_at=r["booked_at"].astimezone(zone),
        description=r["description"],
        quantity=r["quantity"],
        unit_price=r["unit_price"],
        vat_rate=r["vat_rate"],
        total=r["amount"],
        terminal=r["terminal"],
    )
