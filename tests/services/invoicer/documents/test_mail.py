"""Mails say the same in text and HTML, can't be broken by names, and are the same each time."""

import re
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default

import pytest
from lxml import html

from services.invoicer.documents.mail import attachments, compose, compose_copy
from services.invoicer.documents.mime import BadAddressError, Composed, Envelope, message_id
from services.invoicer.documents.model import Document, Language
from tests.services.invoicer.documents.samples import (
    AMSTERDAM,
    AWKWARD,
    BUSINESS,
    GUEST,
    REPLACED,
    SELLER,
    credit_note,
    invoice,
)

ENVELOPE = Envelope(
    mail_id="018f3a5c-3333-7000-8000-000000000001",
    sender="rekening@onaccount.example",
    to="sanne@voorbeeld.example",
    reply_to="administratie@derdehelft.example",
    at=datetime(2026, 12, 1, 9, 30, tzinfo=AMSTERDAM),
)


def mail(document: Document, envelope: Envelope = ENVELOPE) -> EmailMessage:
    return read(written(document, envelope))


def written(document: Document, envelope: Envelope = ENVELOPE) -> Composed:
    files = attachments(document, pdf=b"%PDF-1.7", specification=b"PK", ubl=b"<Invoice/>")
    return compose(document, envelope, files)


def read(composed: Composed) -> EmailMessage:
    """As the other side parses its bytes."""
    parsed = message_from_bytes(composed.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    assert not [each for part in parsed.walk() for each in part.defects]
    return parsed


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def test_its_headers_say_who_when_and_what() -> None:
    parsed = mail(invoice())
    assert parsed["From"] == "De Derde Helft <rekening@onaccount.example>"
    assert parsed["To"] == "sanne@voorbeeld.example"
    assert parsed["Reply-To"] == "De Derde Helft <administratie@derdehelft.example>"
    assert parsed["Subject"] == "Factuur 2026-00042 van De Derde Helft over november 2026"
    assert parsed["Date"] == "Tue, 01 Dec 2026 09:30:00 +0100"
    assert parsed["Content-Language"] == "nl"
    assert parsed["Auto-Submitted"] == "auto-generated"


def test_it_carries_the_three_files_by_number() -> None:
    parts = list(mail(invoice(number="F/2026/7")).iter_attachments())
    assert [(part.get_filename(), part.get_content_type()) for part in parts] == [
        ("F-2026-7.pdf", "application/pdf"),
        (
            "F-2026-7.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        ("F-2026-7.xml", "application/xml"),
    ]
    assert parts[0].get_content() == b"%PDF-1.7"


@pytest.mark.parametrize(
    ("document", "sayings"),
    [
        (
            invoice(),
            (
                "Beste Sanne van den Berg,",
                "november 2026",
                "28900001",
                "€\u00a019,60",
                "uiterlijk 15 december 2026",
                "NL91 ABNA 0417 1643 00",
                "Sportcafé De Derde Helft B.V.",
                "2026-00042",
            ),
        ),
        (
            invoice(language="en", buyer=BUSINESS),
            ("Dear J. Pietersen,", "November 2026", "€19.60", "by 15 December 2026"),
        ),
        (
            credit_note(),
            ("creditnota", "2026-00042", "1 december 2026", "Gecrediteerd bedrag", "verrekend"),
        ),
    ],
    ids=["nl", "en", "credit note"],
)
def test_text_and_html_say_the_same(document: Document, sayings: tuple[str, ...]) -> None:
    message = mail(document)
    plain = body(message, "plain")
    shown = html.fromstring(body(message, "html")).text_content()
    for saying in sayings:
        assert saying in plain
        assert saying in shown
    assert "None" not in plain + shown
    assert "{" not in plain + shown


@pytest.mark.parametrize(
    ("reason", "language", "says"),
    [
        ("Verkeerde rekening.", "nl", "2026. Reden: Verkeerde rekening."),
        ("deleted", "en", "Reason: the invoice was withdrawn."),
        ("reversed", "nl", "Reden: na het factureren teruggenomen, of aan de kassa betaald."),
    ],
)
def test_a_credit_notes_mail_says_why_it_was_made(
    reason: str, language: Language, says: str
) -> None:
    message = mail(credit_note(reason=reason, language=language))
    assert says in body(message, "plain").splitlines()[2]
    assert says[-20:] in " ".join(body(message, "html").split())


def test_a_credit_note_asks_for_no_payment() -> None:
    assert "NL91" not in body(mail(credit_note()), "plain")


def test_a_number_is_not_broken_at_its_hyphens_where_a_line_ends() -> None:
    page = html.fromstring(body(mail(credit_note()), "html"))
    whole = [each.text for each in page.iter("span") if "nowrap" in (each.get("style") or "")]
    assert "2026-00042" in whole
    long = "F" * 200
    page = html.fromstring(body(mail(credit_note(refers_to=long)), "html"))
    assert long not in [each.text for each in page.iter("span")]
    assert long in page.text_content()


def test_without_a_reply_address_nobody_is_asked_to_answer() -> None:
    message = mail(invoice(), replace(ENVELOPE, reply_to=None))
    assert message["Reply-To"] is None
    assert "Beantwoord" not in body(message, "plain")


@pytest.mark.parametrize("typed", [*AWKWARD, "x\r\nBcc: all@world.example", "<script>x()</script>"])
def test_names_can_break_neither_headers_nor_html(typed: str) -> None:
    document = invoice(
        number=typed,
        buyer=replace(GUEST, name=typed),
        seller=replace(SELLER, name=typed, legal_name=typed),
        account=typed,
    )
    message = mail(document)
    parsed = message
    assert parsed["Bcc"] is None
    assert len(parsed.get_all("To", [])) == 1
    page = html.fromstring(body(message, "html"))
    assert page.find(".//script") is None
    assert page.find(".//b") is None
    shown = " ".join(page.text_content().split())
    assert " ".join(typed.split()) in shown


@pytest.mark.parametrize(
    "address",
    [
        "no address",
        "a@b\r\nBcc: all@world.example",
        "a@",
        "@b.example",
        "a@b.example, c@d.example",
        "jösé@voorbeeld.example",
        "a@b.example\nx",
        "",
    ],
)
def test_an_address_that_can_not_stand_in_a_mail_is_refused_without_repeating_it(
    address: str,
) -> None:
    with pytest.raises(BadAddressError) as refusal:
        mail(invoice(), replace(ENVELOPE, to=address))
    assert not address or address not in str(refusal.value)


def test_a_domain_with_letters_outside_ascii_goes_as_idna() -> None:
    for domain, ascii_domain in (
        ("café.example", "xn--caf-dma.example"),
        ("straße.example", "xn--strae-oqa.example"),  # which is not strasse.example
    ):
        parsed = mail(invoice(), replace(ENVELOPE, to=f"piet@{domain}"))
        assert parsed["To"].addresses[0].addr_spec == f"piet@{ascii_domain}"


def test_the_message_id_is_the_mails_and_the_recipients_for_ever() -> None:
    given = ("mail-1", "a@b.example", "x@onaccount.example")
    assert message_id(*given) == message_id(*given)
    assert message_id("mail-1", "A@B.example", given[2]) == message_id(*given)
    assert message_id("mail-2", *given[1:]) != message_id(*given)
    assert message_id("mail-1", "c@b.example", given[2]) != message_id(*given)
    assert message_id(*given).endswith("@onaccount.example>")


def test_the_same_mail_has_the_same_bytes() -> None:
    assert written(invoice()) == written(invoice())


def test_attachments_arrive_byte_for_byte() -> None:
    files = attachments(
        invoice(), pdf=bytes(range(256)) * 99, specification=b"", ubl=b"<x/>" * 5000
    )
    for document in (invoice(), credit_note(buyer=BUSINESS)):
        message = read(compose(document, ENVELOPE, files))
        parts = [each.get_content() for each in message.iter_attachments()]
        assert parts == [each.content for each in files]


def test_each_line_is_as_short_as_mail_wants_it() -> None:
    long = "Een heel lange naam met “aanhalingstekens” " * 20
    for name in (long, "Plain, but long: " * 20):
        seller = replace(SELLER, name=name, legal_name=name)
        content = written(invoice(seller=seller, number="F" * 200)).content
        lines = content.split(b"\r\n")
        assert b"\n" not in b"".join(lines)
        assert b"\r" not in b"".join(lines)
        named = [each for each in lines if b"filename" not in each]
        assert max(map(len, named)) <= 78  # RFC 5322, 2.1.1
        assert max(map(len, lines)) <= 998
        # email.policy.default puts spaces between the words of a long name; RFC 2047, 6.2 has none
        shown = str(make_header(decode_header(message_from_bytes(content)["From"])))
        assert shown.partition("<")[0].strip(' "') == name.strip()


@pytest.mark.parametrize(
    "name", ['A "quoted" \\ name', "=?utf-8?q?no_word?=", "De Club, bar (zaal)"]
)
def test_a_venues_name_reads_as_it_is_typed(name: str) -> None:
    message = mail(invoice(seller=replace(SELLER, name=name)))
    assert message["From"].addresses[0].display_name == name
    assert name in message["Subject"]


@pytest.mark.parametrize(
    ("document", "language", "sayings"),
    [
        (invoice(language="en"), "nl", ("Kopie: Factuur 2026-00042", "aan Sanne van den Berg")),
        (invoice(), "en", ("Copy: Invoice 2026-00042", "to Sanne van den Berg")),
        (credit_note(buyer=BUSINESS), "nl", ("Kopie: Creditnota", "bij factuur 2026-00042")),
    ],
)
def test_finances_copy_speaks_to_finance_in_its_language_and_asks_for_no_money(
    document: Document, language: Language, sayings: tuple[str, str]
) -> None:
    files = attachments(document, pdf=b"%PDF-1.7", specification=b"PK", ubl=b"<Invoice/>")
    message = read(compose_copy(document, ENVELOPE, files, language))
    plain = body(message, "plain")
    shown = html.fromstring(body(message, "html")).text_content()
    assert message["Subject"].startswith(sayings[0])
    for text in (plain, shown):
        assert sayings[1] in text
        assert "Dear" not in text
        assert "Beste" not in text
        assert "NL91" not in text.partition("-- ")[0]
        assert "None" not in text


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("nl", "in de plaats van factuur 2026-00007 van 2 november 2026, waarvoor"),
        ("en", "replaces invoice 2026-00007 of 2 November 2026, which was"),
    ],
)
def test_the_mail_of_an_invoice_that_replaces_another_says_so(
    language: Language, says: str
) -> None:
    message = mail(invoice(language=language, replaces=REPLACED[:1]))
    shown = html.fromstring(body(message, "html")).text_content()
    for text in (body(message, "plain"), shown):
        assert says in re.sub(r"\s+", " ", text)
    assert "2026-00007" not in body(mail(invoice(language=language)), "plain")
    both = body(mail(invoice(language=language, replaces=REPLACED)), "plain")
    assert {"nl": "creditnota's zijn gemaakt", "en": "which were credited"}[language] in both
