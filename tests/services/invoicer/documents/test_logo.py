"""The venue's logo and colour: fitted, dark enough, and never more than the picture itself."""

import base64
import io
import struct
import zlib
from dataclasses import replace

import pytest
from pypdf import PdfReader

from services.invoicer.documents.logo import accent_colour, logo_data
from services.invoicer.documents.model import Logo
from services.invoicer.documents.pdf import render_pdf
from tests.services.invoicer.documents.samples import SELLER, invoice

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 50">'
    b'<rect width="9" height="9"/></svg>'
)


def png(width: int = 120, height: int = 40) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x99\x22\x11" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "logo",
    [Logo(content=png(), media_type="image/png"), Logo(content=SVG, media_type="image/svg+xml")],
    ids=["png", "svg"],
)
def test_the_venues_logo_stands_in_place_of_its_name(logo: Logo) -> None:
    first, second = (
        PdfReader(io.BytesIO(render_pdf(invoice(seller=seller)))).pages[0].extract_text()
        for seller in (SELLER, replace(SELLER, logo=logo))
    )
    assert "De Derde Helft\n" in first.replace("B.V.", "")
    assert second.count("De Derde Helft") == first.count("De Derde Helft") - 1
    assert b"pdfaid" in render_pdf(invoice(seller=replace(SELLER, logo=logo)))


@pytest.mark.parametrize(
    "logo",
    [
        Logo(content=b"no picture", media_type="image/png"),
        Logo(content=png()[:40] + b"rubbish", media_type="image/png"),
        Logo(content=png()[:16] + b"\xff" * 8 + png()[24:], media_type="image/png"),
        Logo(content=b"<svg", media_type="image/svg+xml"),
        Logo(content=b"<html/>", media_type="image/svg+xml"),
        Logo(content=b'<svg xmlns="http://www.w3.org/2000/svg"/>', media_type="image/svg+xml"),
        Logo(content="<svg viewBox='0 0 9 9'>漢</svg>".encode(), media_type="image/svg+xml"),
    ],
)
def test_a_logo_that_is_no_picture_does_not_stop_an_invoice(logo: Logo) -> None:
    content = render_pdf(invoice(seller=replace(SELLER, logo=logo)))
    assert b"pdfaid" in content


@pytest.mark.parametrize(
    "link",
    [
        "../1", "letter.png", "file://x.png", "/etc/passwd", "https://club.example/a.png",
        "&#46;&#46;/1", " ../1", "#/../../2", "#..", "data:x/../../2", "data:../2", "data:,a",
        "data:image/png;base64,/../../2", "data:image/png;base64,AA==#/../2",
        "data:image/svg+xml;base64,A",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["href", "xlink:href"])
def test_a_logo_that_takes_in_another_file_is_no_picture(link: str, name: str) -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 9 9"><g><image width="9" height="9" {name}="{{}}"/></g></svg>'
    )
    assert logo_data(Logo(content=svg.format(link).encode(), media_type="image/svg+xml")) is None
    within = "data:image/png;base64," + base64.b64encode(png()).decode()
    for inside in (within, "#part"):
        its = svg.format(inside).encode()
        assert logo_data(Logo(content=its, media_type="image/svg+xml")) is not None


def of_svg(content: str | bytes) -> Logo:
    made = content if isinstance(content, bytes) else content.encode()
    return Logo(content=made, media_type="image/svg+xml")


def test_a_logo_is_read_as_typst_reads_it_whatever_encoding_it_names() -> None:
    """What is a comment in UTF-7 is a picture in UTF-8."""
    hidden = (
        '<?xml version="1.0" encoding="{}"?><svg xmlns="http://www.w3.org/2000/svg" '
        'viewBox="0 0 9 9">+ADwAIQAtAC0-<image href="{}"/>+AC0ALQA+-</svg>'
    )
    for encoding in ("UTF-7", "UTF-16", "iso-8859-1", "utf-8"):
        assert logo_data(of_svg(hidden.format(encoding, "../2"))) is None
    assert logo_data(of_svg(hidden.format("iso-8859-1", "#a"))) is not None


@pytest.mark.parametrize("link", ["../2", "#/../../2", "data:x/../../2"])
def test_a_picture_within_a_logo_takes_in_no_other_file_either(link: str) -> None:
    outer = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><image href="{}"/></svg>'
    for href, is_taken in ((link, False), ("#a", True)):
        within = outer.format(href)
        for _ in range(2):
            coded = base64.b64encode(within.encode()).decode()
            within = outer.format("data:image/svg+xml;base64," + coded)
            assert (logo_data(of_svg(within)) is not None) is is_taken


def test_a_logo_may_link_to_a_page_and_have_words_by_an_entity() -> None:
    svg = (
        '<!DOCTYPE svg [<!ENTITY n "De Club">]>'
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>&n;</title>'
        '<a href="https://club.example"><rect width="9" height="9"/></a></svg>'
    )
    plain = render_pdf(
        invoice(seller=replace(SELLER, logo=Logo(content=SVG, media_type="image/svg+xml")))
    )
    drawn = render_pdf(invoice(seller=replace(SELLER, logo=of_svg(svg))))
    told = [PdfReader(io.BytesIO(each)).pages[0].extract_text() for each in (plain, drawn)]
    assert told[0] == told[1]
    for other in ('<!ENTITY n SYSTEM "../2">', '<!ENTITY n "&#60;g/>">', '<!ENTITY % n "x">'):
        assert logo_data(of_svg(svg.replace('<!ENTITY n "De Club">', other))) is None


@pytest.mark.parametrize(
    "entities",
    [
        """<!ENTITY x "<image href='../1'/>">""",
        """<!ENTITY x "<image hr&#101;f='../1'/>">""",
        """<!ENTITY x "&y;"> <!ENTITY y "words">""",
    ],
)
def test_what_a_logo_takes_in_by_an_entity_is_no_picture(entities: str) -> None:
    svg = (
        f'<!DOCTYPE svg [{entities} <!ENTITY ns "http://www.w3.org/2000/svg">'
        ' <!ENTITY up "../1">]>'
        '<svg xmlns="&ns;" viewBox="0 0 9 9">{}</svg>'
    )
    for within in ("&x;", "<g>&x;</g>", '<image href="&up;"/>'):
        its = svg.format(within).encode()
        assert logo_data(Logo(content=its, media_type="image/svg+xml")) is None
    its = svg.format("<rect/>").encode()
    assert logo_data(Logo(content=its, media_type="image/svg+xml")) is not None


def test_a_logo_is_fitted_into_its_box() -> None:
    wide = logo_data(Logo(content=SVG, media_type="image/svg+xml"))
    tall = logo_data(Logo(content=png(10, 100), media_type="image/png"))
    assert wide is not None
    assert tall is not None
    assert (wide["width"], tall["width"]) == (60.0, 2.0)


def test_a_pale_colour_is_darkened_until_white_text_can_be_read_on_it() -> None:
    assert accent_colour("#003366") == "#003366"
    assert accent_colour("#ffd400") == "#8a7300"
    assert accent_colour("red") == accent_colour(None)
