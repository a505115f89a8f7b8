"""Reads the mails that were caught, and looks at what is attached as their receiver would."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from cli.amounts import decimal

PAYABLE = "//*[local-name()='LegalMonetaryTotal']/*[local-name()='PayableAmount']"
NUMBER = "/*/*[local-name()='ID']"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One caught mail."""

    file: Path
    to: tuple[str, ...]
    subject: str
    attachments: dict[str, bytes] = field(default_factory=dict)

    @property
    def number(self) -> str | None:
        """The invoice number its PDF is named by; None where no invoice is in it."""
        names = [name for name in self.attachments if name.lower().endswith(".pdf")]
        return names[0].rsplit(".", 1)[0] if names else None


def read(file: Path) -> Mail:
    """Parse an .eml file of the mail catcher."""
    message = message_from_bytes(file.read_bytes(), policy=modern)
    if not isinstance(message, EmailMessage):
        raise TypeError(f"{file} is no mail")
    return Mail(
        file=file,
        to=tuple(str(one) for one in message.get_all("X-Envelope-To", [])),
        subject=str(message.get("Subject", "")),
        attachments={
            part.get_filename() or "": bytes(part.get_payload(decode=True) or b"")
            for part in message.iter_attachments()
        },
    )


def read_all(folder: Path) -> list[Mail]:
    """Every mail that was caught, in order of time."""
    return [read(file) for file in sorted(folder.glob("*.eml"))]


def faults(mail: Mail, total: int) -> list[str]:
    """What is wrong with an invoice mail whose invoice comes to `total` minor units."""
    number = mail.number or "?"
    found = []
    for ending, looks_right in (
        ("pdf", _pdf),
        ("xlsx", _xlsx),
        ("xml", lambda content: _ubl(content, number, total)),
    ):
        content = mail.attachments.get(f"{number}.{ending}")
        if content is None:
            found.append(f"{number}.{ending} is not attached")
        elif fault := looks_right(content):
            found.append(f"{number}.{ending} {fault}")
    return found


def _pdf(content: bytes) -> str | None:
    whole = content.startswith(b"%PDF-") and b"%%EOF" in content[-64:]
    return None if whole else "is no whole PDF"


def _xlsx(content: bytes) -> str | None:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), read_only=True)
    except (BadZipFile, KeyError, ValueError):
        return "can't be opened as a workbook"
    rows = sum(1 for sheet in book.worksheets for _ in sheet.iter_rows())
    book.close()
    return None if rows > 1 else "has no rows"


def _texts(tree: Any, path: str) -> list[str]:
    return [str(node.text) for node in tree.xpath(path)]


def _ubl(content: bytes, number: str, total: int) -> str | None:
    from lxml import etree

    try:
        tree = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return "is no XML"
    says, payable = _texts(tree, NUMBER), _texts(tree, PAYABLE)
    wanted = decimal(total)
    if says[:1] != [number]:
        return f"is of invoice {says[:1]}"
    return None if payable == [wanted] else f"asks for {payable}, not {wanted}"
