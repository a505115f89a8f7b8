"""What the PDF's template lays out: words, amounts and dates as text, in the document's language.

The template decides where things stand; which things, and how they read, is decided here.
"""

from typing import Any

from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.logo import accent_colour, logo_data
from services.invoicer.documents.model import Address, CreditNote, Document, Invoice
from services.invoicer.documents.payment import epc_payload, qr_svg
from services.invoicer.documents.rows import lines_data
from services.invoicer.documents.text import (
    breakable,
    clean,
    day,
    iban_text,
    money,
    month,
    rate_label,
)
from services.invoicer.documents.ubl import render_ubl

_WIDE_TOTAL = 15  # characters; beyond it the totals stand below the VAT, not beside it


def page_data(document: Document, *, with_logo: bool, ubl: bytes | None = None) -> dict[str, Any]:
    """What the template lays out: words, amounts and dates as text, in the document's language."""
    words, seller = LABELS[document.language], document.seller
    draft = document.number is None
    kind = "invoice" if isinstance(document, Invoice) else "credit_note"
    heading = words[f"draft_{kind}" if draft else kind]
    title = heading if draft else f"{heading} {clean(document.number or '')}"
    payload = epc_payload(document) if isinstance(document, Invoice) else None
    return {
        "language": document.language,
        "words": dict(words),
        "title": f"{title} · {clean(seller.shown_name)}",
        "heading": heading,
        "running": title,
        "draft": draft,
        "colour": accent_colour(seller.colour),
        "logo": logo_data(seller.logo) if with_logo and seller.logo else None,
        "seller": _seller(document),
        "buyer": _buyer(document),
        "facts": _facts(document),
        "notes": _notes(document),
        **lines_data(document),
        **_totals(document),
        "total_label": words["to_pay" if kind == "invoice" else "to_get_back"],
        **_closing(document),
        "qr": qr_svg(payload) if payload else None,
        "ubl": None if draft else _attached(document, title, ubl or render_ubl(document)),
    }


def _attached(document: Document, title: str, ubl: bytes) -> dict[str, str]:
    return {
        "name": f"{document.file_stem}.xml",
        "content": ubl.decode(),
        "description": f"UBL 2.1 {title}",
    }


def _seller(document: Document) -> dict[str, Any]:
    words, seller = LABELS[document.language], document.seller
    return {
        "name": breakable(seller.shown_name),
        "legal_name": breakable(seller.legal_name),
        "address": _address(document, seller.address),
        "facts": _present(
            (words["chamber_number"], seller.chamber_number),
            (words["vat_number"], seller.vat_number),
            (words["iban"], iban_text(seller.iban) if seller.iban else None),
            ("", seller.email),
            longest=34,
        ),
        "footer": _footer(document),
    }


def _buyer(document: Document) -> dict[str, Any]:
    words, buyer = LABELS[document.language], document.buyer
    person = words["attention"].format(name=buyer.name) if buyer.company and buyer.name else ""
    return {
        "name": breakable(buyer.shown_name),
        "address": [
            *([breakable(person)] if person else []),
            *_address(document, buyer.address),
        ],
        "facts": _present(
            (words["chamber_number"], buyer.chamber_number),
            (words["vat_number"], buyer.vat_number),
        ),
    }


def _totals(document: Document) -> dict[str, Any]:
    total = _money(document, document.total)
    return {
        "vat": [
            {
                "rate": rate_label(row.rate, document.language),
                "base": _money(document, row.base),
                "vat": _money(document, row.vat),
                "gross": _money(document, row.gross),
            }
            for row in document.vat
        ],
        "net": _money(document, document.net),
        "vat_total": _money(document, document.vat_total),
        "total": total,
        "wide": len(total) > _WIDE_TOTAL,
    }


def _money(document: Document, amount: int) -> str:
    return money(amount, document.currency, document.language)


def _present(*pairs: tuple[str, str | None], longest: int = 22) -> list[tuple[str, str]]:
    return [(name, breakable(value, longest=longest)) for name, value in pairs if value]


def _address(document: Document, address: Address) -> list[str]:
    """Street, then postcode and city; the country only where it is not the seller's."""
    place = f"{address.postcode}  {address.city}".strip()
    abroad = address.country if address.country != document.seller.address.country else ""
    return [breakable(row) for row in (address.street, place, abroad) if row]


def _footer(document: Document) -> str:
    seller = document.seller
    number = LABELS[document.language]["vat_number"]
    parts = [
        seller.legal_name,
        f"KVK {seller.chamber_number}" if seller.chamber_number else "",
        f"{number} {seller.vat_number}" if seller.vat_number else "",
        iban_text(seller.iban) if seller.iban else "",
    ]
    return breakable(" · ".join(part for part in parts if part), longest=45)


def _facts(document: Document) -> list[tuple[str, str]]:
    words, language = LABELS[document.language], document.language
    account = " · ".join(part for part in (document.account, document.account_description) if part)
    if isinstance(document, Invoice):
        return _present(
            (words["invoice_number"], document.number),
            (words["issued_on"], day(document.issued_on, language)),
            (words["due_on"], day(document.due_on, language)),
            (words["period"], month(document.period, language)),
            (words["account"], account),
        )
    of = words["refers_to_of"].format(
        number=document.refers_to, date=day(document.refers_to_issued_on, language)
    )
    return _present(
        (words["credit_note_number"], document.number),
        (words["credit_issued_on"], day(document.issued_on, language)),
        (words["refers_to"], of),
        (words["period"], month(document.period, language)),
        (words["account"], account),
    )


def _notes(document: Document) -> list[str]:
    words = LABELS[document.language]
    notes = [words["draft_note"]] if document.number is None else []
    if isinstance(document, Invoice) and document.supplementary:
        notes.append(words["supplementary"])
    if isinstance(document, CreditNote) and document.reason:
        notes.append(breakable(f"{words['reason']}: {document.reason}"))
    return notes


def _closing(document: Document) -> dict[str, Any]:
    words, seller = LABELS[document.language], document.seller
    if isinstance(document, CreditNote):
        heading, rows = "", [words["credit_text"].format(number=document.refers_to)]
    elif document.number is None:
        heading, rows = "", []
    else:
        heading = words["how_to_pay"]
        rows = [
            words["pay_iban" if seller.iban else "pay_plain"].format(
                amount=_money(document, document.total),
                date=day(document.due_on, document.language),
                iban=iban_text(seller.iban or "").replace(" ", "\u00a0"),
                name=seller.legal_name,
                number=document.number,
            )
        ]
    if seller.email:
        rows.append(words["questions"].format(email=seller.email))
    return {"closing_heading": heading, "closing": [breakable(row, longest=45) for row in rows]}
