"""What the PDF's template lays out: words, amounts and dates as text, in the document's language.

The template decides where things stand; which things, and how they read, is decided here.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from services.invoicer.documents.fitting import amount_mm, height_mm, table_mm, width_mm
from services.invoicer.documents.labels import (
    LABELS,
    credit_reason,
    euro_note,
    euro_vat,
    replaced_text,
)
from services.invoicer.documents.letterhead import (
    address_rows,
    addressed_data,
    letterhead_data,
    present,
)
from services.invoicer.documents.model import CreditNote, Document, Invoice
from services.invoicer.documents.payment import epc_payload, qr_svg
from services.invoicer.documents.rows import lines_data
from services.invoicer.documents.summing import on_paper
from services.invoicer.documents.text import (
    breakable,
    clean,
    day,
    iban_text,
    money,
    month,
    quantity_text,
    rate_label,
    unbroken,
)

_WIDE_TOTAL = 15  # characters; beyond it the totals stand below the VAT, not beside it

# As templates/document.typ has them.
_PAGE_MM, _CLOSING_MM, _GAP_MM = 170.0, 120.0, 8.0
_TOTAL_FIELD_MM, _LABELS_SIZE, _TOTALS_SIZE = 16.0, 1.12, 1.65  # larger than usual, and bold
_LOW_RATES = 3
_QR_MM = 28.0


def page_data(document: Document, *, with_logo: bool) -> dict[str, Any]:
    """What the template lays out: words, amounts and dates as text, in the document's language."""
    words, seller = LABELS[document.language], document.seller
    draft = document.number is None
    kind = "invoice" if isinstance(document, Invoice) else "credit_note"
    heading = words[f"draft_{kind}" if draft else kind]
    title = heading if draft else f"{heading} {clean(document.number or '')}"
    payload = epc_payload(document) if isinstance(document, Invoice) else None
    return {
        **letterhead_data(
            seller,
            document.language,
            with_logo=with_logo,
            seen_from=document.buyer.address.country,
        ),
        "title": f"{title} · {clean(seller.shown_name)}",
        "heading": heading,
        "running": title,
        "draft": draft,
        **addressed_data(_buyer(document), _facts(document)),
        "notes": _notes(document),
        **lines_data(document),
        **_totals(document),
        "total_label": words["to_pay" if kind == "invoice" else "to_get_back"],
        **_closing(document),
        "qr": qr_svg(payload) if payload else None,
        "ubl": None if draft else _attached(document, title),
    }


def _attached(document: Document, title: str) -> dict[str, str]:
    return {"name": f"{document.file_stem}.xml", "description": f"UBL 2.1 {title}"}


def _buyer(document: Document) -> dict[str, Any]:
    words, buyer = LABELS[document.language], document.buyer
    person = words["attention"].format(name=buyer.name) if buyer.company and buyer.name else ""
    return {
        "name": breakable(buyer.shown_name),
        "address": [
            *([breakable(person)] if person else []),
            *address_rows(
                buyer.address, document.language, seen_from=document.seller.address.country
            ),
        ],
        "facts": present(
            (words["chamber_number"], buyer.chamber_number),
            (words["vat_number"], buyer.vat_number),
        ),
    }


def _totals(document: Document) -> dict[str, Any]:
    total = _money(document, document.total)
    shown = {
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
        "vat_euro": euro_vat(document),
        "total": total,
        "wide": len(total) > _WIDE_TOTAL,
    }
    return {**shown, "vat_is_lower": _vat_is_lower(document, shown)}


def _vat_is_lower(document: Document, shown: dict[str, Any]) -> bool:
    """Whether the VAT surely stands beside the sums, and ends above them: these are two rows or
    more and a field, as high as a head and three rates."""
    words = LABELS[document.language]
    sums = [(words["subtotal"], shown["net"]), (words["vat_total"], shown["vat_total"])]
    sums += shown["vat_euro"]
    total = words["to_pay" if isinstance(document, Invoice) else "to_get_back"]
    right = max(
        *(width_mm(name) + _GAP_MM + amount_mm(value) for name, value in sums),
        _TOTAL_FIELD_MM + width_mm(total) * _LABELS_SIZE + amount_mm(shown["total"]) * _TOTALS_SIZE,
    )
    heads = [words[head] for head in ("vat_rate", "base", "vat", "gross")]
    left = table_mm(heads, [tuple(row.values()) for row in shown["vat"]])
    beside = not shown["wide"] and left + _GAP_MM + right <= _PAGE_MM
    return beside and 0 < len(shown["vat"]) <= _LOW_RATES


def _money(document: Document, amount: int) -> str:
    return money(amount, document.currency, document.language)


def _facts(document: Document) -> list[tuple[str, str]]:
    """Number, dates, period, account. A draft has no invoice date yet, and so no due date."""
    words, language = LABELS[document.language], document.language

    def on(value: date) -> str:
        return unbroken(day(value, language))

    account = " · ".join(part for part in (document.account, document.account_description) if part)
    last = ((words["period"], month(document.period, language)), (words["account"], account))
    if document.number is None:
        return present((words["drafted_on"], on(document.issued_on)), *last)
    if isinstance(document, Invoice):
        return present(
            (words["invoice_number"], document.number),
            (words["issued_on"], on(document.issued_on)),
            (words["due_on"], on(document.due_on)),
            *last,
        )
    of = words["refers_to_of"].format(
        number=document.refers_to, date=on(document.refers_to_issued_on)
    )
    return present(
        (words["credit_note_number"], document.number),
        (words["credit_issued_on"], on(document.issued_on)),
        (words["refers_to"], of),
        *last,
    )


def _notes(document: Document) -> list[str]:
    words = LABELS[document.language]
    notes = [words["draft_note"]] if document.number is None else []
    if (how := on_paper(document).how) != "each":
        file = f"{document.file_stem}.xlsx"
        count = quantity_text(Decimal(len(document.lines)), document.language)
        notes.append(breakable(words[f"summed_{how}"].format(count=count, file=file)))
    if note := euro_note(document):
        notes.append(note)
    if isinstance(document, Invoice) and document.supplementary:
        notes.append(words["supplementary"])
    if isinstance(document, Invoice) and document.replaces:
        of = replaced_text(document, document.language)
        said = "replaces_note" if len(document.replaces) == 1 else "replaces_several"
        notes.append(breakable(words[said].format(invoices=of)))
    if isinstance(document, CreditNote) and document.reason:
        notes.append(breakable(f"{words['reason']}: {credit_reason(document, document.language)}"))
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
                amount=unbroken(_money(document, document.total)),
                date=unbroken(day(document.due_on, document.language)),
                iban=unbroken(iban_text(seller.iban or "")),
                name=seller.legal_name,
                number=document.number,
            )
        ]
    if seller.email:
        rows.append(words["questions"].format(email=seller.email))
    closing = [breakable(row, longest=45) for row in rows]
    high = height_mm([heading, *closing] if heading else closing, _CLOSING_MM)
    return {"closing_heading": heading, "closing": closing, "closing_is_lower": high <= _QR_MM}
