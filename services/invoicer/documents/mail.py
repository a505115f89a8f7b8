"""The words of mails: text and HTML that say the same, in the reader's language.

Pure: the time, the ids and the addresses come as arguments.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from services.invoicer.documents import mime
from services.invoicer.documents.labels import credit_reason, replaced_text
from services.invoicer.documents.logo import accent_colour
from services.invoicer.documents.mail_words import WORDS
from services.invoicer.documents.mime import Attachment, Composed, Envelope
from services.invoicer.documents.model import Document, Invoice, Language, Seller
from services.invoicer.documents.payment import epc_payload
from services.invoicer.documents.text import clean, day, iban_text, money, month

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_SHORT = 24
"""Characters: a longer number may be broken, or it would be wider than a phone."""


def attachments(
    document: Document, *, pdf: bytes, specification: bytes, ubl: bytes
) -> tuple[Attachment, ...]:
    """NUMBER.pdf, NUMBER.xlsx and NUMBER.xml."""
    stem = document.file_stem
    return (
        Attachment(name=f"{stem}.pdf", media_type="application/pdf", content=pdf),
        Attachment(name=f"{stem}.xlsx", media_type=XLSX, content=specification),
        Attachment(name=f"{stem}.xml", media_type="application/xml", content=ubl),
    )


def compose(
    document: Document,
    envelope: Envelope,
    attached: Iterable[Attachment],
    *,
    left: int | None = None,
) -> Composed:
    """The mail that brings an invoice or credit note, in the document's language. It asks for what
    is `left` to pay of the invoice when it goes, after payments and credit notes; None: all.

    Raises BadAddressError where `envelope.to` (or another address) can't stand in a mail.
    """
    language, words = document.language, WORDS[document.language]
    kind, fill = _kind(document), _fill(document, document.language)
    person = clean(document.buyer.name or document.buyer.company)
    left = document.total if left is None else left
    to_pay = isinstance(document, Invoice) and left > 0
    label = "to_get_back" if kind == "credit_note" else "to_pay" if to_pay else "amount"
    values = {
        "subject": words[f"subject_{kind}"].format(**fill),
        "greeting": words["greeting"].format(name=person) if person else words["greeting_nobody"],
        "intro": words[f"intro_{kind}"].format(**fill),
        "extra": _extra(document, words, language),
        "amount_label": words[label],
        "due": words["due"].format(date=day(document.due_on, language))
        if isinstance(document, Invoice) and to_pay
        else "",
        "pay_rows": _pay_rows(document, words) if to_pay else [],
        "closing": _closing(document, kind, fill, envelope, left),
        **_amount(document, left if to_pay else document.total, language, fill),
    }
    return assemble("invoice", values, document.seller, language, envelope, attached)


def compose_copy(
    document: Document, envelope: Envelope, attached: Iterable[Attachment], language: Language
) -> Composed:
    """Finance's copy of the same, in finance's own language: nobody asks it to pay.

    Raises BadAddressError.
    """
    words, kind, fill = WORDS[language], _kind(document), _fill(document, language)
    subject = words[f"subject_{kind}"].format(**fill)
    values = {
        "subject": words["subject_copy"].format(subject=subject),
        "greeting": words["greeting_nobody"],
        "intro": words[f"copy_{kind}"].format(**fill),
        "extra": _extra(document, words, language),
        "amount_label": words["amount"],
        "due": "",
        "pay_rows": [],
        "closing": [words["attached"].format(kind=words[f"kind_{kind}"]), words["copy_note"]],
        **_amount(document, document.total, language, fill),
    }
    return assemble("invoice", values, document.seller, language, envelope, attached)


def _kind(document: Document) -> str:
    return "invoice" if isinstance(document, Invoice) else "credit_note"


def _fill(document: Document, language: Language) -> dict[str, str]:
    reference = (
        {}
        if isinstance(document, Invoice)
        else {
            "refers_to": clean(document.refers_to),
            "date": day(document.refers_to_issued_on, language),
        }
    )
    return {
        "number": clean(document.number or ""),
        "venue": clean(document.seller.shown_name),
        "month": month(document.period, language),
        "account": clean(document.account),
        "buyer": clean(document.buyer.shown_name),
        **reference,
    }


def _amount(
    document: Document, minor_units: int, language: Language, fill: Mapping[str, str]
) -> dict[str, Any]:
    amount = money(minor_units, document.currency, language)
    replaced = document.replaces if isinstance(document, Invoice) else ()
    return {
        "amount": amount,
        "preview": f"{amount} · {fill['number']}",
        "numbers": [
            *(fill[name] for name in ("number", "refers_to") if name in fill),
            *(clean(one.number) for one in replaced),
        ],
    }


def _extra(document: Document, words: Mapping[str, str], language: Language) -> str:
    if not isinstance(document, Invoice):
        why = clean(credit_reason(document, language))
        return f"{words['reason']}: {why.rstrip('.')}." if why else ""
    said = [words["supplementary"]] if document.supplementary else []
    if document.replaces:
        several = "replaces" if len(document.replaces) == 1 else "replaces_several"
        said.append(words[several].format(invoices=replaced_text(document, language)))
    return " ".join(said)


def _pay_rows(document: Document, words: Mapping[str, str]) -> list[tuple[str, str]]:
    seller = document.seller
    if not (isinstance(document, Invoice) and seller.iban and document.total > 0):
        return []
    return [
        (words["iban"], iban_text(seller.iban)),
        (words["in_name_of"], clean(seller.legal_name)),
        (words["quoting"], clean(document.number or "")),
    ]


def _closing(
    document: Document, kind: str, fill: Mapping[str, str], envelope: Envelope, left: int
) -> list[str]:
    words = WORDS[document.language]
    rows = []
    if isinstance(document, Invoice):
        scan = epc_payload(document) is not None
        if left <= 0:
            rows.append(words["settled"])
        elif left < document.total:
            total = money(document.total, document.currency, document.language)
            rows.append(words["partly_scan" if scan else "partly"].format(total=total))
        elif scan:
            rows.append(words["pay_scan"])
    else:
        rows.append(words["credit_text"].format(**fill))
    rows.append(words["attached"].format(kind=words[f"kind_{kind}"]))
    if envelope.reply_to:
        rows.append(words["questions"])
    return rows


def assemble(
    template: str,
    values: Mapping[str, Any],
    seller: Seller,
    language: str,
    envelope: Envelope,
    attached: Iterable[Attachment],
) -> Composed:
    """Fill in `template` (.txt and .html) with `values`, and make the mail of it."""
    venue, given_words = clean(seller.shown_name), WORDS["nl" if language == "nl" else "en"]
    given = {
        "numbers": (),
        **values,
        "language": language,
        "words": given_words,
        "venue": venue,
        "colour": accent_colour(seller.colour),
        "footer": _footer(seller, given_words),
    }
    return mime.written(
        envelope,
        venue=venue,
        subject=values["subject"],
        language=language,
        text=_templates().get_template(f"{template}.txt.j2").render(given),
        html=_templates().get_template(f"{template}.html.j2").render(given),
        attached=attached,
    )


def _footer(seller: Seller, words: Mapping[str, str]) -> str:
    place = f"{seller.address.postcode} {seller.address.city}".strip()
    parts = (
        seller.legal_name,
        seller.address.street,
        place,
        f"KVK {seller.chamber_number}" if seller.chamber_number else "",
        f"{words['vat_id']} {seller.vat_number}" if seller.vat_number else "",
    )
    return " · ".join(clean(part) for part in parts if part)


def _whole(text: str, numbers: Iterable[str]) -> Markup:
    """The text as HTML in which none of these numbers is broken at the end of a line."""
    short = [re.escape(number) for number in numbers if 0 < len(number) <= _SHORT]
    pieces = re.split(f"({'|'.join(short)})", text) if short else [text]
    return Markup("").join(
        Markup('<span style="white-space:nowrap;">{}</span>').format(piece)
        if i % 2
        else escape(piece)
        for i, piece in enumerate(pieces)
    )


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("services.invoicer.documents"),
        auto_reload=False,  # it would ask the disk for each mail
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["whole"] = _whole
    return templates
