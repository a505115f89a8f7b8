"""The PDF shows what the law asks and what people typed, and is the same each time."""

import hashlib
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
import typst
from pypdf import PdfReader

from services.invoicer.documents.fitting import letter_mm
from services.invoicer.documents.model import Address, Buyer, Document, EuroVat, Line, Seller
from services.invoicer.documents.page import page_data
from services.invoicer.documents.pdf import render_pdf
from services.invoicer.documents.rows import lines_data
from services.invoicer.documents.summing import MOST_ON_PAPER
from services.invoicer.documents.typesetting import fonts
from services.invoicer.documents.ubl import render_ubl
from tests.services.invoicer.documents.samples import (
    AWKWARD,
    BUSINESS,
    REPLACED,
    SELLER,
    credit_note,
    invoice,
    line,
    many_lines,
)


def opened(document: Document) -> PdfReader:
    return PdfReader(io.BytesIO(render_pdf(document)))


def text_of(document: Document) -> str:
    """All text, with any run of blanks as one space: lines are broken where they fit."""
    words = " ".join(page.extract_text() for page in opened(document).pages)
    return re.sub(r"[\s\u00a0]+", " ", words.replace("\u200b", ""))


MUST_HAVE = {
    "nl": (
        "Factuur",
        "Factuurnummer 2026-00042",
        "Factuurdatum 1 december 2026",
        "Vervaldatum 15 december 2026",
        "Sportcafé De Derde Helft B.V.",
        "Kanaalstraat 12",
        "3531 CJ Utrecht",
        "KVK-nummer 12345678",
        "Btw-nummer NL001234567B01",
        "Bouwbedrijf Pietersen & Zonen B.V.",
        "Industrieweg 4",
        "3542 AD Utrecht",
        "Btw-nummer NL801234567B02",
        "dinsdag 3 november",  # supply date
        "Bier 0,25 l",  # nature
        "2 € 3,50 2,8926 21% € 7,00",  # quantity, price, price without VAT, rate, amount
        "21% € 5,79 € 1,21 € 7,00",  # per rate: base, VAT, gross
        "9% € 11,56 € 1,04 € 12,60",
        "Totaal excl. btw € 17,35",
        "Totaal btw € 2,25",
        "Te betalen € 19,60",
        "NL91 ABNA 0417 1643 00",
        "Pagina 1 van 1",
    ),
    "en": (
        "Invoice",
        "Invoice number 2026-00042",
        "Invoice date 1 December 2026",
        "Due date 15 December 2026",
        "VAT number NL001234567B01",
        "Chamber of Commerce (KVK) 12345678",
        "Tuesday 3 November",
        "2 €3.50 2.8926 21% €7.00",
        "21% €5.79 €1.21 €7.00",
        "Amount due €19.60",
        "Page 1 of 1",
    ),
}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_it_shows_every_field_that_a_dutch_invoice_must_have(language: str) -> None:
    """Art. 35a Wet OB 1968 (art. 226 of Directive 2006/112/EC), point by point."""
    words = text_of(invoice(language=language, buyer=BUSINESS))
    assert [must for must in MUST_HAVE[language] if must not in words] == []


def test_a_credit_note_refers_to_its_invoice_and_has_no_qr() -> None:
    words = text_of(credit_note())
    for must in (
        "Creditnota",
        "2026-00043",
        "2026-00042 van 1 december 2026",
        "Verkeerde rekening",
    ):
        assert must in words
    assert "Scan" not in words
    assert "Scan" in text_of(invoice())


def test_a_draft_says_that_it_is_none_and_carries_nothing_to_book() -> None:
    document = invoice(number=None)
    assert "CONCEPT" in text_of(document)
    assert "geen factuur" in text_of(document)
    assert not opened(document).attachments


def test_it_is_pdf_a_3b_with_the_ubl_inside() -> None:
    document = invoice(buyer=BUSINESS)
    content = render_pdf(document)
    assert b"<pdfaid:part>3</pdfaid:part>" in content
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in content
    reader = PdfReader(io.BytesIO(content))
    assert reader.attachments["2026-00042.xml"] == [render_ubl(document)]
    assert reader.metadata is not None
    assert reader.metadata.title == "Factuur 2026-00042 · De Derde Helft"


def test_all_of_500_lines_are_there_with_the_header_on_every_page() -> None:
    lines = many_lines(500)
    reader = opened(invoice(*lines))
    pages = [page.extract_text() for page in reader.pages]
    assert all("Omschrijving" in page for page in pages[:-1])
    assert all(f"Pagina {n} van {len(pages)}" in page for n, page in enumerate(pages, start=1))
    times = re.findall(r"\b\d\d:\d\d\b", " ".join(pages))
    assert sorted(times) == sorted(each.sold_at.strftime("%H:%M") for each in lines)


def many_rows(*lines: Line) -> tuple[list[tuple[str, ...]], str]:
    """What page_data has of so many lines: its rows, and its first note."""
    data = page_data(invoice(*lines), with_logo=False)
    shown = [tuple(each["cells"]) for group in data["groups"] for each in group["lines"]]
    return shown, next(iter(data["notes"]), "")


def test_of_very_many_lines_equal_ones_of_a_day_stand_together_on_paper() -> None:
    """Each with its quantity and price, as an invoice must have them; parts, and weights that are
    rounded each by itself, stand alone."""
    beer, off = line("Bier"), line("Actie", quantity="1", unit_price=-50)
    half = line("Half", quantity="0.5", unit_price=500)
    tomorrow = beer._replace(sold_at=beer.sold_at + timedelta(days=1))
    alone = [line("Kaas", quantity="0.333", unit_price=999), beer._replace(total=100)]
    shown, note = many_rows(*[beer] * MOST_ON_PAPER, *[off] * 3, *[half] * 3, tomorrow, *alone)
    assert sorted(row[1:4] + row[6:] for row in shown) == [
        ("Actie", "−3", "€\u00a00,50", "€\u00a0−1,50"),
        ("Bier", "1", "€\u00a01,00", "€\u00a01,00"),
        ("Bier", "10.000", "€\u00a03,50", "€\u00a035.000,00"),
        ("Bier", "2", "€\u00a03,50", "€\u00a07,00"),
        ("Half", "1,5", "€\u00a05,00", "€\u00a07,50"),
        ("Kaas", "0,333", "€\u00a09,99", "€\u00a03,33"),
    ]
    assert note.startswith("Gelijke regels van een dag staan hier bij elkaar. Alle 5.009 staan")
    assert "2026-00042.xlsx" in note.replace("\u200b", "")
    assert many_rows(*[beer] * 3)[1] == ""


def test_of_very_many_unlike_lines_a_day_and_rate_stand_on_paper() -> None:
    one = line("0", quantity="1", unit_price=100)
    lines = [one._replace(description=str(n)) for n in range(MOST_ON_PAPER)]
    shown, note = many_rows(*lines, one._replace(vat_rate="9"))
    assert shown == [
        ("", "5.000 regels", "", "", "", "21%", "€\u00a05.000,00"),
        ("", "1 regel", "", "", "", "9%", "€\u00a01,00"),
    ]
    assert note.startswith("Hier staat per dag en tarief wat 5.001 regels samen zijn.")


def test_odd_text_comes_out_as_typed_and_is_still_pdf_a() -> None:
    """Right-to-left words are compared by their letters, as extraction turns them round."""
    lines = [line(text, quantity="1", unit_price=100) for text in AWKWARD]
    document = invoice(*lines, buyer=replace(BUSINESS, company=AWKWARD[0], name=AWKWARD[2]))
    words = text_of(document)
    assert b"pdfaid" in render_pdf(document)
    for typed in AWKWARD:
        plain = re.sub(r"\s+", " ", typed).strip()
        if re.search("[\u0590-\u06ff]", plain):
            assert all(letter in words for letter in plain)
        else:
            assert plain.replace(" ", "") in words.replace(" ", "")


def test_a_script_without_a_font_still_gives_a_document() -> None:
    content = render_pdf(invoice(line("\uf8ff, which only one maker's machines show")))
    assert content.startswith(b"%PDF-1.7")
    assert b"pdfaid" not in content


@pytest.mark.parametrize(
    ("typed", "font"),
    [
        ("ラーメン 山田", "NotoSansCJKjp"),
        ("소주 김민수", "NotoSansCJKkr"),
        ("青岛啤酒 上海贸易有限公司", "NotoSansCJKsc"),
    ],
)
def test_east_asian_names_are_set_as_their_country_writes_them(typed: str, font: str) -> None:
    document = invoice(line(typed), buyer=replace(BUSINESS, company=typed))
    content = render_pdf(document)
    assert b"pdfaid" in content
    assert font.encode() in content
    assert text_of(document).count(typed) == 2


def test_what_is_missing_is_left_out_and_nothing_stops() -> None:
    """An environment without its settings can still be asked for a draft."""
    seller = Seller(environment=1, legal_name="", address=Address())
    bare = invoice(number=None, seller=seller, buyer=Buyer(address=Address()), account="")
    empty = replace(bare, lines=(), vat=(), total=0)
    for document in (bare, empty, replace(bare, number="1")):
        assert "None" not in text_of(document)


def test_a_description_stays_in_its_column_also_beside_great_amounts() -> None:
    """Goal: no text over another. Method: typst itself measures each line against the room that
    the columns leave, for letters of every width."""
    lines = [line(letter * 40) for letter in "mW%@Œiq1"]
    shown = lines_data(invoice(*lines, line(quantity="1000000", unit_price=999_999)))
    room = 170 - sum(width or 0 for width in shown["widths"]) - 3.2
    letters = [chr(code) for code in (*range(33, 127), *range(0xA1, 0x180)) if code != 0xAD]
    letters += ["\u20ac", "\u2212", "\u200b"]
    for letter, width in zip(letters, _measured(letters), strict=True):
        assert width <= letter_mm(letter), letter
    for each in shown["groups"][0]["lines"][:-1]:
        pieces = each["cells"][1].split("\u200b")
        assert max(sum(map(letter_mm, piece)) for piece in pieces) <= room


def _measured(letters: list[str]) -> list[float]:
    source = (
        '#set text(font: "Noto Sans", size: 9.5pt, number-width: "tabular")\n'
        "#context [#metadata(json(bytes(sys.inputs.letters))"
        ".map(c => measure(c).width.mm())) <m>]"
    )
    compiler = typst.Compiler(
        source.encode(), font_paths=fonts(), sys_inputs={"letters": json.dumps(letters)}
    )
    widths: list[float] = json.loads(compiler.query("<m>", field="value", one=True))
    return widths


def test_the_same_document_gives_the_same_bytes_in_another_process_too() -> None:
    code = (
        "import hashlib;"
        "from tests.services.invoicer.documents.samples import *;"
        "from services.invoicer.documents.pdf import render_pdf;"
        "render_pdf(credit_note());"
        "print(hashlib.sha256(render_pdf(invoice(*many_lines(30)))).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    here = hashlib.sha256(render_pdf(invoice(*many_lines(30)))).hexdigest()
    assert there.stdout.strip() == here


def test_it_takes_the_ubl_that_the_caller_has_already() -> None:
    document = invoice()
    assert render_pdf(document, ubl=render_ubl(document)) == render_pdf(document)


def test_letters_that_take_the_short_list_of_fonts_are_all_in_its_font() -> None:
    """One that it lacked would be a box, and would not be read back."""
    ranges = (range(0x21, 0x7F), range(0xA1, 0x180), range(0x2018, 0x201F))
    plain = [chr(code) for each in ranges for code in each if chr(code).isprintable()]
    plain += ["\u2013", "\u2014", "\u2022", "\u2026", "\u20ac", "\u2212"]
    lines = [line("".join(plain[at : at + 20])) for at in range(0, len(plain), 20)]
    alone = opened(invoice(*lines))
    fonts_of = {
        str(font["/BaseFont"]).partition("+")[2]
        for page in alone.pages
        for font in (each.get_object() for each in page["/Resources"]["/Font"].values())  # type: ignore[index]
    }
    assert fonts_of
    assert all(name.startswith("NotoSans") for name in fonts_of), fonts_of
    read = "".join(page.extract_text() for page in alone.pages)
    assert all(letter in read for letter in plain)


def test_an_invoice_that_replaces_others_says_so_on_its_face() -> None:
    assert (
        "in de plaats van de facturen 2026-00007 van 2 november 2026 en F/9 & co van "
        "30 november 2026, waarvoor creditnota's zijn gemaakt."
    ) in text_of(invoice(replaces=REPLACED))
    assert "replaces invoice 2026-00007 of 2 November 2026, which was credited." in text_of(
        invoice(replaces=REPLACED[:1], language="en")
    )


def test_vat_in_euros_is_said_with_its_rate() -> None:
    told = text_of(invoice(currency="USD", euro=EuroVat(vat=206, rate="0.9215")))
    assert "Totaal btw $ 2,25 Btw in euro (koers 0,9215) € 2,06" in told
    assert "Btw in euro" not in text_of(invoice(currency="USD"))


def test_a_country_is_named_to_whom_it_is_abroad() -> None:
    irish = Buyer(name="Ann", address=Address(street="Main St 1", city="Dublin", country="IE"))
    told = text_of(invoice(buyer=irish))
    assert "Ierland" in told
    assert "Nederland" in told
    assert "Ireland" in text_of(invoice(buyer=irish, language="en"))
    assert "Nederland" not in text_of(invoice())
    unheard = replace(irish, address=replace(irish.address, country="ZZ"))
    assert "ZZ" in text_of(invoice(buyer=unheard))


def test_a_draft_says_that_its_vat_in_euros_follows_where_it_will() -> None:
    later = "De btw in euro komt op de factuur, tegen de koers van de factuurdatum."
    assert later in text_of(invoice(number=None, currency="USD"))
    belgian = replace(SELLER, address=replace(SELLER.address, country="BE"))
    for other in ({}, {"currency": "USD", "seller": belgian}):
        assert later not in text_of(invoice(number=None, **other))


def test_a_draft_says_its_vat_in_euros_at_the_days_rate_and_that_it_is_provisional() -> None:
    euro = EuroVat(vat=206, rate="0.9215")
    told = text_of(invoice(number=None, currency="USD", euro=euro))
    assert "Btw in euro, voorlopig (koers 0,9215) € 2,06" in told
    assert (
        "De btw in euro is voorlopig: hier tegen de koers van 1 december 2026, op de factuur tegen "
        "die van de factuurdatum."
    ) in told
    told = text_of(invoice(number=None, currency="USD", euro=euro, language="en"))
    assert "VAT in euros, provisional (rate 0.9215) €2.06" in told
    assert "provisional: here at the rate of 1 December 2026, on the invoice at that of its" in told
    assert "voorlopig" not in text_of(invoice(currency="USD", euro=euro))
