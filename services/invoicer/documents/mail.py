"""Mails as `EmailMessage`: text and HTML that say the same, with their attachments.

Pure: the time, the ids and the addresses come as arguments. The same arguments give the same
bytes, Message-ID and MIME boundaries too, so that a mail that is sent a second time after a crash
is recognised as the same one.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.invoicer.documents.logo import accent_colour
from services.invoicer.documents.mail_words import WORDS
from services.invoicer.documents.model import Document, Invoice, Seller
from services.invoicer.documents.payment import epc_payload
from services.invoicer.documents.text import clean, day, iban_text, money, month

_POLICY = SMTP.clone(max_line_length=78)
_SEVEN_BITS = "quoted-printable"  # a server need not know 8BITMIME
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class BadAddressError(ValueError):
    """An address that no mail can be sent to; says which rule, never the address itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who mails what to whom. `sender` is the system's own address (a setting), which is shown
    under the venue's name; answers go to `reply_to`. `at` (aware) becomes the mail's Date: the time
    at which the mail was handed over, not the time of a try."""

    mail_id: str
    sender: str
    to: str
    reply_to: str | None
    at: datetime


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


def message_id(mail_id: str, to: str, sender: str) -> str:
    """ "<...@domain of the sender>": the same for the same mail and recipient, for ever."""
    digest = hashlib.sha256(f"{mail_id}\0{to.casefold()}".encode()).hexdigest()[:32]
    return f"<{digest}@{_ascii_domain(sender)}>"


def compose(document: Document, envelope: Envelope, attached: Iterable[Attachment]) -> EmailMessage:
    """The mail that brings an invoice or credit note, in the document's language.

    Raises BadAddressError where `envelope.to` (or another address) can't stand in a mail.
    """
    language, words = document.language, WORDS[document.language]
    kind = "invoice" if isinstance(document, Invoice) else "credit_note"
    seller = document.seller
    amount = money(document.total, document.currency, language)
    fill = {
        "number": clean(document.number or ""),
        "venue": clean(seller.shown_name),
        "month": month(document.period, language),
        "account": clean(document.account),
        **_reference(document),
    }
    person = clean(document.buyer.name or document.buyer.company)
    values = {
        "subject": words[f"subject_{kind}"].format(**fill),
        "greeting": words["greeting"].format(name=person) if person else words["greeting_nobody"],
        "intro": words[f"intro_{kind}"].format(**fill),
        "extra": words["supplementary"]
        if isinstance(document, Invoice) and document.supplementary
        else "",
        "amount_label": words["to_pay" if kind == "invoice" else "to_get_back"],
        "amount": amount,
        "due": words["due"].format(date=day(document.due_on, language))
        if isinstance(document, Invoice)
        else "",
        "pay_rows": _pay_rows(document, words),
        "closing": _closing(document, kind, fill, envelope),
        "preview": f"{amount} · {fill['number']}",
    }
    return assemble("invoice", values, seller, language, envelope, attached)


def _reference(document: Document) -> dict[str, str]:
    if isinstance(document, Invoice):
        return {}
    return {
        "refers_to": clean(document.refers_to),
        "date": day(document.refers_to_issued_on, document.language),
    }


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
    document: Document, kind: str, fill: Mapping[str, str], envelope: Envelope
) -> list[str]:
    words = WORDS[document.language]
    rows = []
    if isinstance(document, Invoice):
        if epc_payload(document):
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
) -> EmailMessage:
    """Fill in `template` (.txt and .html) with `values`, and make the mail of it."""
    venue = clean(seller.shown_name)
    given = {
        **values,
        "language": language,
        "words": WORDS["nl" if language == "nl" else "en"],
        "venue": venue,
        "colour": accent_colour(seller.colour),
        "footer": _footer(seller),
    }
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(envelope.sender, venue)
    message["To"] = _address(envelope.to)
    if envelope.reply_to:
        message["Reply-To"] = _address(envelope.reply_to, venue)
    message["Subject"] = values["subject"]
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = message_id(envelope.mail_id, envelope.to, envelope.sender)
    message["Auto-Submitted"] = "auto-generated"
    text = _templates().get_template(f"{template}.txt.j2").render(given)
    message.set_content(text, cte=_SEVEN_BITS)
    html = _templates().get_template(f"{template}.html.j2").render(given)
    message.add_alternative(html, subtype="html", cte=_SEVEN_BITS)
    for each in attached:
        main, _, sub = each.media_type.partition("/")
        message.add_attachment(b"", maintype=main, subtype=sub, filename=each.name)
        *_, part = message.iter_attachments()
        part.set_payload(base64.encodebytes(each.content).decode())
    message["Content-Language"] = language  # set last: what is set before moves to an inner part
    _fix_boundaries(message, envelope)
    return message


def wire_bytes(message: EmailMessage) -> bytes:
    """What `as_bytes` gives, some ten times as fast: the library writes attachments line by line.

    They are put in afterwards, in place of a word that stands nowhere else in the mail.
    """
    held: list[tuple[EmailMessage, str, bytes]] = []
    try:
        for place, part in enumerate(message.iter_attachments()):
            payload = part.get_payload()
            assert isinstance(payload, str)  # base64
            word = hashlib.sha256(f"{message['Message-ID']}\0{place}".encode()).hexdigest()
            held.append((part, payload, word.encode()))
            part.set_payload(f"{word}\n")
        whole = message.as_bytes()
    finally:
        for part, payload, _ in held:
            part.set_payload(payload)
    for _, payload, mark in held:
        before, found, after = whole.partition(mark + b"\r\n")
        assert found
        whole = before + payload.replace("\n", "\r\n").encode() + after
    return whole


def _footer(seller: Seller) -> str:
    place = f"{seller.address.postcode} {seller.address.city}".strip()
    parts = (
        seller.legal_name,
        seller.address.street,
        place,
        f"KVK {seller.chamber_number}" if seller.chamber_number else "",
        seller.vat_number or "",
    )
    return " · ".join(clean(part) for part in parts if part)


def _address(address: str, name: str = "") -> MailAddress:
    """Refuses what would need another header, another encoding or SMTPUTF8."""
    local, _, _ = address.rpartition("@")
    if not local.isascii():
        raise BadAddressError("an address with letters outside ASCII before the @")
    try:
        return MailAddress(display_name=name, addr_spec=f"{local}@{_ascii_domain(address)}")
    except (MessageError, ValueError, IndexError) as error:
        raise BadAddressError("not an e-mail address") from error


def _ascii_domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    try:
        plain = domain.encode("idna").decode()
    except UnicodeError as error:
        raise BadAddressError("not a domain that mail can go to") from error
    if not plain or any(c in plain for c in " <>\r\n\t,;:"):
        raise BadAddressError("not a domain that mail can go to")
    return plain


def _fix_boundaries(message: EmailMessage, envelope: Envelope) -> None:
    """Python draws them at random; ours are made of the mail's id, so the bytes stay the same."""
    for place, part in enumerate(message.walk()):
        if part.is_multipart():
            seed = f"{envelope.mail_id}\0{envelope.to}\0{place}".encode()
            part.set_boundary("=_" + hashlib.sha256(seed).hexdigest()[:40])


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("services.invoicer.documents"),
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
