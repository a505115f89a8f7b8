"""The payment QR says exactly what EPC069-12 asks, or is not there."""

from dataclasses import replace

import pytest
import segno
from lxml import etree

from services.invoicer.documents.payment import MAX_BYTES, epc_payload, qr_svg
from services.invoicer.documents.qr import symbol
from tests.services.invoicer.documents.paper import Picture
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


@pytest.mark.parametrize("version", range(1, 14))
def test_a_symbol_is_the_one_that_another_maker_draws(version: int) -> None:
    """For texts that fill a version: segno pads others with a codeword of its own invention."""
    length, text = (14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331)[version - 1], ""
    while len(text) < length:
        text += chr(97 + len(text) * 7 % 26)
    made = segno.make(text, version=version, error="m", mask=2, mode="byte", boost_error=False)
    assert symbol(text.encode()) == ["".join(map(str, row)) for row in made.matrix]


def test_a_symbol_of_any_length_reads_as_what_it_says() -> None:
    for length in range(1, MAX_BYTES + 1, 3):
        text = "".join(chr(33 + (length * 31 + at * 17) % 94) for at in range(length))
        rows = symbol(text.encode())
        quiet = b"\xff" * (3 * (len(rows) + 8))
        pixels = [quiet] * 12
        for row in rows:
            dark = b"".join(b"\x00\x00\x00" if bit == "1" else b"\xff\xff\xff" for bit in row)
            pixels += [b"\xff" * 12 + dark + b"\xff" * 12] * 3
        pixels += [quiet] * 12
        side = len(quiet)
        assert text in Picture(side, side, b"".join(pixels)).codes()


def test_more_than_a_symbol_of_ours_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="332 bytes"):
        symbol(b"x" * (MAX_BYTES + 1))
