"""Mails as bytes: RFC 5322 headers, text and HTML that say the same, attachments.

Python's own EmailMessage parses and folds each header anew, for milliseconds a mail; ours have
always the same few. The same arguments give the same bytes, boundaries too, so that a mail that is
sent a second time after a crash is recognised as the same one.
"""

import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import quote

import idna

_LINE = 76  # characters of base64 in a line (RFC 2045, 6.8)
_WORD_BYTES = 40  # of text in an encoded word: with a header's name it fits a line (RFC 2047, 2)
_PLAIN_LENGTH = 60  # longer headers are folded, as encoded words
_REMEMBERED = 1_024  # senders and venues, of which there are few


class BadAddressError(ValueError):
    """An address that no mail can be sent to; says which rule, never the address itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A mail that is ready: its bytes with CR LF, and to whom it goes (as SMTP has it)."""

    to: str
    message_id: str
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


def message_id(mail_id: str, to: str, sender: str) -> str:
    """ "<...@domain of the sender>": the same for the same mail and recipient, for ever."""
    digest = hashlib.sha256(f"{mail_id}\0{to.casefold()}".encode()).hexdigest()[:32]
    return f"<{digest}@{_ascii_domain(sender)}>"


def written(
    envelope: Envelope,
    *,
    venue: str,
    subject: str,
    language: str,
    text: str,
    html: str,
    attached: Iterable[Attachment],
) -> Composed:
    """The mail's bytes. Raises BadAddressError where one of its addresses can't stand in a mail."""
    to = _address(envelope.to)
    own_id = message_id(envelope.mail_id, envelope.to, envelope.sender)
    mixed, alternative = _boundary(envelope, 0), _boundary(envelope, 1)
    headers = [
        f"From: {_mailbox(envelope.sender, venue)}",
        f"To: {to}",
        *([f"Reply-To: {_mailbox(envelope.reply_to, venue)}"] if envelope.reply_to else []),
        f"Subject: {_words(subject)}",
        f"Date: {format_datetime(envelope.at)}",
        f"Message-ID: {own_id}",
        "Auto-Submitted: auto-generated",
        f"Content-Language: {language}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed;\r\n boundary="{mixed}"',
        "",
        f"--{mixed}",
        f'Content-Type: multipart/alternative;\r\n boundary="{alternative}"',
        "",
    ]
    pieces = ["\r\n".join((*headers, "")).encode()]
    for kind, content in (("plain", text), ("html", html)):
        pieces += (
            f"--{alternative}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode(),
            binascii.b2a_qp(_lines(content)).replace(b"\n", b"\r\n"),
            b"\r\n",
        )
    pieces.append(f"--{alternative}--\r\n".encode())
    for each in attached:
        pieces += (
            f"--{mixed}\r\nContent-Type:\r\n {each.media_type}\r\n"
            "Content-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; {_file_name(each.name)}\r\n\r\n".encode(),
            *_base64(each.content),
        )
    pieces.append(f"--{mixed}--\r\n".encode())
    return Composed(to=to, message_id=own_id, content=b"".join(pieces))


def _lines(content: str) -> bytes:
    return content.replace("\r\n", "\n").replace("\r", "\n").encode()


def _base64(content: bytes) -> tuple[bytes, bytes]:
    whole = binascii.b2a_base64(content, newline=False)
    return b"\r\n".join([whole[at : at + _LINE] for at in range(0, len(whole), _LINE)]), b"\r\n"


def _boundary(envelope: Envelope, place: int) -> str:
    """Of no text of ours: "=_" is in neither base64 nor quoted-printable."""
    seed = f"{envelope.mail_id}\0{envelope.to}\0{place}".encode()
    return "=_" + hashlib.sha256(seed).hexdigest()[:40]


def _words(text: str) -> str:
    """Text in a header: as it is, or as encoded words on lines of their own (RFC 2047)."""
    if text.isascii() and text.isprintable() and len(text) <= _PLAIN_LENGTH and "=?" not in text:
        return text
    words, word = [], b""
    for part in re.findall(r"\S{1,9}\s?|\s", text):  # nine letters are 36 bytes at most
        piece = part.encode()
        if word and len(word) + len(piece) > _WORD_BYTES:
            words.append(word)
            word = b""
        word += piece
    words.append(word)
    encoded = (binascii.b2a_base64(each, newline=False).decode() for each in words)
    return "\r\n ".join(f"=?utf-8?b?{each}?=" for each in encoded)


@lru_cache(_REMEMBERED)
def _mailbox(address: str, name: str) -> str:
    """`Name <address>`."""
    spec = _address(address)
    if not name:
        return spec
    shown = _words(name)
    if shown == name:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{spec}>'
    return f"{shown}\r\n <{spec}>"


def can_stand(address: str) -> bool:
    """Whether an address can stand in a mail."""
    try:
        _address(address)
    except BadAddressError:
        return False
    return True


def _address(address: str) -> str:
    """Refuses what would need another header, another encoding or SMTPUTF8."""
    local, _, _ = address.rpartition("@")
    if not local.isascii():
        raise BadAddressError("an address with letters outside ASCII before the @")
    try:
        return Address(addr_spec=f"{local}@{_ascii_domain(address)}").addr_spec
    except (MessageError, ValueError, IndexError) as error:
        raise BadAddressError("not an e-mail address") from error


@lru_cache(_REMEMBERED)
def _idna(domain: str) -> str:
    """IDNA 2008: Python's own codec has the rules of 2003, by which a mail to straße.de went to
    strasse.de, which may be another's."""
    plain = domain.isascii()
    return (domain.encode("idna") if plain else idna.encode(domain, uts46=True)).decode()


def _ascii_domain(address: str) -> str:
    try:
        plain = _idna(address.rpartition("@")[2])
    except UnicodeError as error:
        raise BadAddressError("not a domain that mail can go to") from error
    if not plain or any(c in plain for c in " <>\r\n\t,;:"):
        raise BadAddressError("not a domain that mail can go to")
    return plain


def _file_name(name: str) -> str:
    """RFC 2183; of other than the plainest characters RFC 2231."""
    if name.isascii() and all(c.isalnum() or c in "._-" for c in name):
        return f'filename="{name}"'
    return f"filename*=utf-8''{quote(name, safe='')}"
