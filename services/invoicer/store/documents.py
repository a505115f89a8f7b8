"""Documents: what they show, read from rows; and their files, kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import cast
from zoneinfo import ZoneInfo

from asyncpg import Record

from runtime.arrays import columns
from runtime.sql import statements
from runtime.transaction import Tx
from services.invoicer import parties
from services.invoicer.documents.model import (
    CreditNote,
    Document,
    EuroVat,
    Invoice,
    Language,
    Line,
    Preceding,
    Seller,
)
from services.invoicer.store import invoices

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
) -> bool:
    """Keep files; those that are kept already stay as they are. Whether all of these are kept."""
    return bool(await keep_all(tx, environment, {document_id: files}, draft=draft))


async def keep_all(
    tx: Tx, environment: int, made: Mapping[str, Sequence[File]], *, draft: bool = False
) -> set[str]:
    """As `keep`, of several documents; gives those of which all files are kept."""
    files = [file for its in made.values() for file in its]
    rows = await tx.fetch(
        sql.keep,
        environment,
        draft,
        [document_id for document_id, its in made.items() for _ in its],
        [file.format for file in files],
        [file.file_name for file in files],
        [file.media_type for file in files],
        [sha256(file.content).digest() for file in files],
        [file.content for file in files],
    )
    kept = Counter(r["document_id"] for r in rows)
    return {document_id for document_id, its in made.items() if kept[document_id] == len(its)}


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


async def job_is_open(tx: Tx, environment: int, document_id: str) -> bool:
    """Whether the job that makes a document, since it was issued, is still to do so."""
    return bool(await tx.fetchval(sql.job_is_open, f"{environment}/{document_id}"))


async def issued_by(tx: Tx, environment: int, document_id: str, moment: datetime) -> bool:
    """Whether a document had its number at that moment."""
    return bool(await tx.fetchval(sql.issued_by, environment, document_id, moment))


# -- what a document shows ---------------------------------------------------------------------


async def load(
    tx: Tx, environment: int, kind: str, document_id: str, *, lines: bool = True
) -> Document:
    """An invoice (a draft too) or a credit note as its documents show it; without `lines` as a
    mail tells of it.

    Raises LookupError where there is none.
    """
    found = await load_all(tx, environment, [(kind, document_id)], lines=lines)
    if document_id not in found:
        raise LookupError(f"no such {kind}")
    return found[document_id]


async def load_all(
    tx: Tx, environment: int, named: Sequence[tuple[str, str]], *, lines: bool = True
) -> dict[str, Document]:
    """As `load`, of several that are named by kind and id; what there is none of is left out."""
    ids = [document_id for kind, document_id in named if kind == "invoice"]
    found: dict[str, Document] = {}
    if ids:
        found |= await load_invoices(tx, environment, ids, lines=lines)
    for kind, document_id in named:
        if kind == "credit_note":
            note = await load_credit_note(tx, environment, document_id, lines=lines)
            found |= {} if note is None else {document_id: note}
    return found


async def load_invoices(
    tx: Tx, environment: int, invoice_ids: Sequence[str], *, lines: bool = True
) -> dict[str, Invoice]:
    rows = await invoices.find(tx, environment, invoice_ids)
    of = await _surroundings(
        tx, environment, [(row.letterhead, row.account) for row in rows.values()]
    )
    its: dict[str, list[Record]] = {}
    for r in await tx.fetch(_rows.invoice_lines, environment, list(rows)) if lines else ():
        its.setdefault(r["invoice_id"], []).append(r)
    # Of the others none of the lines stood anywhere before.
    asked = [
        name for name in rows if not lines or any(r["was_credited"] for r in its.get(name, ()))
    ]
    before = await invoices.replaced(tx, environment, asked) if asked else {}
    return {
        name: _invoice(
            row, of[row.letterhead, row.account], its.get(name, ()), before.get(name, ())
        )
        for name, row in rows.items()
    }


def _invoice(
    row: invoices.Invoice,
    of: "_Surroundings",
    lines: Sequence[Record],
    before: Sequence[invoices.Replaced],
) -> Invoice:
    return Invoice(
        invoice_id=row.invoice_id,
        number=row.number,
        language=cast("Language", row.language),
        seller=of.seller,
        buyer=parties.buyer_from(row.buyer),
        account=row.account,
        account_description=of.description,
        issued_on=row.issued_on or row.drafted_on,
        period=row.period,
        currency=row.currency,
        lines=tuple(_line(r, of.zone) for r in lines),
        vat=row.vat,
        total=row.total,
        due_on=row.due_on or row.drafted_on,
        euro=_euro(row.vat_euro, row.exchange_rate),
        # What stood on an invoice before did not come in later: its note says enough.
        supplementary=row.supplementary and not before,
        replaces=tuple(Preceding(number=one.number, issued_on=one.issued_on) for one in before),
    )


async def load_credit_note(
    tx: Tx, environment: int, credit_note_id: str, *, lines: bool = True
) -> CreditNote | None:
    row = await tx.fetchrow(_rows.credit_note, environment, credit_note_id)
    if row is None:
        return None
    invoice = (await invoices.find(tx, environment, [row["invoice_id"]]))[row["invoice_id"]]
    named = (row["letterhead"], row["account"])
    of = (await _surroundings(tx, environment, [named]))[named]
    its = await tx.fetch(_rows.credit_note_lines, environment, credit_note_id) if lines else []
    assert invoice.issued_on is not None  # only what was issued is credited
    return CreditNote(
        invoice_id=credit_note_id,
        number=row["number"],
        language=cast("Language", invoice.language),
        seller=of.seller,
        buyer=parties.buyer_from(invoice.buyer),
        account=row["account"],
        account_description=of.description,
        issued_on=row["issued_on"],
        period=invoice.period,
        currency=row["currency"],
        lines=tuple(_line(r, of.zone) for r in its),
        vat=invoices.vat_from(row["vat"]),
        total=row["total"],
        euro=_euro(row["vat_euro"], row["exchange_rate"]),
        refers_to=invoice.number or "",
        refers_to_issued_on=invoice.issued_on,
        reason=row["reason"],
    )


def _euro(vat: int | None, rate: str | None) -> EuroVat | None:
    return None if vat is None or rate is None else EuroVat(vat=vat, rate=rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Surroundings:
    seller: Seller
    zone: ZoneInfo
    description: str


async def _surroundings(
    tx: Tx, environment: int, named: Sequence[tuple[bytes, str]]
) -> dict[tuple[bytes, str], _Surroundings]:
    """By letterhead and account; a document refers to its letterhead, so there are all."""
    rows = await tx.fetch(_rows.surroundings, environment, *columns(sorted(set(named))))
    return {
        (r["sha256"], r["account"]): _Surroundings(
            seller=_seller(r["letterhead"]),
            zone=ZoneInfo(r["time_zone"] or "UTC"),
            description=r["description"] or "",
        )
        for r in rows
    }


_seller = lru_cache(64)(parties.seller_from)
"""Of each venue's letterhead, as its documents follow one another."""


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
