"""The payment QR says exactly what EPC069-12 asks, or is not there."""

import re
from dataclasses import replace

import pytest
import zxingcpp
from lxml import etree

from services.invoicer.documents.payment import MAX_BYTES, epc_payload, qr_svg
from tests.services.invoicer.documents.samples import SELLER, invoice, line


def test_the_qr_of_an_invoice_holds_name_iban_amount_and_number() -> None:
    assert epc_payload(invoice()) == (
        "BCD\n002\n1\nSCT\n\nSportcafé De Derde Helft B.V.\nNL91ABNA0417164300\nEUR19.60\n\n\n"
        "2026-00042"
    )


@pytest.mark.parametrize(
    "without",
    [
        invoice(number=None),
        invoice(seller=replace(SELLER, iban=None)),
        invoice(currency="GBP"),
        invoice(line(quantity="0")),
        invoice(line(unit_price=10_000_000, quantity="1000000")),
    ],
    ids=["draft", "no IBAN", "no euro", "nothing to pay", "too much"],
)
def test_where_it_would_be_wrong_there_is_none(without: object) -> None:
    assert epc_payload(without) is None  # type: ignore[arg-type]


def test_a_long_name_is_cut_so_that_a_bank_still_takes_it() -> None:
    payload = epc_payload(invoice(seller=replace(SELLER, legal_name="龍" * 300), number="9" * 200))
    assert payload is not None
    assert len(payload.encode()) <= MAX_BYTES
    assert payload.split("\n")[5] == "龍" * 48  # what 140 characters of number leave room for


def test_the_qr_is_a_picture_with_a_quiet_zone() -> None:
    svg = etree.fromstring(qr_svg(epc_payload(invoice()) or "").encode())
    side = float(svg.get("viewBox", "").split()[2])
    assert (side - 8 - 17) % 4 == 0  # modules of a QR version, and four of quiet on each side


@pytest.mark.parametrize(
    "name",
    ["De Derde Helft B.V.", "Café De Derde Helft B.V.", "Κυλικείο 龍 بار", "龍" * 300],
)
def test_what_a_banks_app_reads_is_the_very_text_at_level_m(name: str) -> None:
    payload = epc_payload(invoice(seller=replace(SELLER, legal_name=name))) or ""
    side, pixels = drawn(qr_svg(payload))
    (read,) = zxingcpp.read_barcodes(memoryview(pixels).cast("B", (side, side)))
    assert (read.bytes, read.text, read.ec_level) == (payload.encode(), payload, "M")
    assert version(side) <= 13


def test_a_symbol_names_its_character_set_where_there_is_one_to_name() -> None:
    """Seen by its size: 331 bytes fill the thirteenth version, and the name takes one more."""
    plain, accented = "x" * MAX_BYTES, "é" + "x" * (MAX_BYTES - 2)
    assert [version(drawn(qr_svg(text))[0]) for text in (plain, accented)] == [13, 14]
    assert version(drawn(qr_svg(accented[:-1]))[0]) == 13


@pytest.mark.parametrize("more", range(8))
def test_however_long_the_names_the_symbol_is_one_that_banks_take(more: int) -> None:
    number = "é" * 90 + "x" * more
    payload = epc_payload(invoice(number=number, seller=replace(SELLER, legal_name="龍" * 70)))
    assert payload is not None
    assert MAX_BYTES - 4 < len(payload.encode()) < MAX_BYTES
    assert version(drawn(qr_svg(payload))[0]) == 13  # the largest that EPC069-12 allows


def version(side: int) -> int:
    return (side // SCALE - 8 - 17) // 4


SCALE = 4


def drawn(svg: str) -> tuple[int, bytes]:
    """The SVG as grey pixels of a square, its side first."""
    picture = etree.fromstring(svg.encode())
    side = int(picture.get("viewBox", "").split()[2]) * SCALE
    pixels = bytearray(b"\xff" * side * side)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)", picture[1].get("d", "")):
        dark = b"\x00" * int(width) * SCALE
        for row in range(int(y) * SCALE, int(y) * SCALE + SCALE):
            at = row * side + int(x) * SCALE
            pixels[at : at + len(dark)] = dark
    return side, bytes(pixels)
