"""A mail is looked at as its receiver would; what is missing or damaged is named."""

import io
from email.message import EmailMessage
from pathlib import Path

import pytest
from openpyxl import Workbook

from cli.demo import mails

PDF = b"%PDF-1.7\n...\n%%EOF\n"


def workbook() -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Datum", "Omschrijving", "Bedrag"])
    sheet.append(["2026-10-01", "Pils", 3.5])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ubl(number: str, payable: str) -> bytes:
    return (
        '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" '
        'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2" '
        'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2">'
        f"<cbc:ID>{number}</cbc:ID><cac:LegalMonetaryTotal>"
        f'<cbc:PayableAmount currencyID="EUR">{payable}</cbc:PayableAmount>'
        "</cac:LegalMonetaryTotal></Invoice>"
    ).encode()


def caught(folder: Path, **files: bytes) -> mails.Mail:
    """A mail with these attachments, as the mail catcher keeps it."""
    message = EmailMessage()
    message["Subject"] = "Factuur 2026-00001"
    message.set_content("Beste lezer")
    for name, content in files.items():
        message.add_attachment(
            content, "application", "octet-stream", filename=f"2026-00001.{name}"
        )
    file = folder / "a.eml"
    file.write_bytes(b"X-Envelope-To: a@b.example\r\n" + message.as_bytes())
    return mails.read(file)


def test_a_whole_mail_has_no_faults(tmp_path: Path) -> None:
    mail = caught(tmp_path, pdf=PDF, xlsx=workbook(), xml=ubl("2026-00001", "12.50"))
    assert mail.number == "2026-00001"
    assert mail.to == ("a@b.example",)
    assert mails.faults(mail, 1250) == []


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"pdf": PDF[:-8]}, "2026-00001.pdf is no whole PDF"),
        ({"pdf": PDF, "xlsx": b"PK"}, "2026-00001.xlsx can't be opened as a workbook"),
        ({"pdf": PDF}, "2026-00001.xml is not attached"),
        ({"pdf": PDF, "xml": b"<"}, "2026-00001.xml is no XML"),
        ({"pdf": PDF, "xml": ubl("2026-00001", "12.51")}, "asks for ['12.51'], not 12.50"),
        ({"pdf": PDF, "xml": ubl("2026-00002", "12.50")}, "is of invoice ['2026-00002']"),
    ],
)
def test_what_is_wrong_with_a_mail_is_said(
    files: dict[str, bytes], says: str, tmp_path: Path
) -> None:
    found = mails.faults(caught(tmp_path, **files), 1250)
    assert any(says in one for one in found), found


def test_a_mail_without_an_invoice_has_no_number(tmp_path: Path) -> None:
    assert caught(tmp_path).number is None
