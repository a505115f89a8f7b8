"""A logo is looked at before it is taken: what can't be drawn would be missing unseen."""

import base64
import struct
import time

import pytest

from schemas.registry import MAX_LOGO_BYTES
from services.authorizer.domain.checks import logo

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
HUGE = PNG[:16] + struct.pack(">II", 20_000, 20_000) + PNG[24:]
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" %b><rect/></svg>'


@pytest.mark.parametrize(
    "picture",
    [
        PNG,
        SVG % b"",
        SVG % b'viewBox="0 0 300 50"',
        SVG % b'width="30mm" height=".5"',
        b"\xef\xbb\xbf" + SVG % b'viewBox="0,0,1,1"',
        (SVG % b"").replace(b"<rect/>", b'<a href="https://club.example"><rect/></a>'),
        (SVG % b"").replace(b"<rect/>", b'<image href="data:image/png;base64,AA=="/>'),
    ],
)
def test_a_picture_that_can_be_drawn_is_taken(picture: bytes) -> None:
    assert logo(base64.b64encode(picture).decode()) is None


def test_one_may_have_just_so_many_bytes() -> None:
    fits = SVG % b"" + b" " * (MAX_LOGO_BYTES - len(SVG % b""))
    assert logo(base64.b64encode(fits).decode()) is None
    assert logo(base64.b64encode(fits + b" ").decode()) == "is larger than 200 kB"


def test_letters_that_no_base64_has_are_not_passed_over() -> None:
    text = base64.b64encode(PNG).decode()
    assert logo(f"{text[:8]}!{text[8:]}") == "is not base64"


@pytest.mark.parametrize(
    ("picture", "wrong"),
    [
        (b"", "neither a PNG nor an SVG"),
        (b"GIF89a", "neither a PNG nor an SVG"),
        (PNG[:8], "not a whole PNG"),
        (PNG[:-4], "cut off or damaged"),
        (PNG[:45] + b"\x00" + PNG[46:], "cut off or damaged"),
        (HUGE, "20000 x 20000 pixels"),
        (PNG[:16] + bytes(8) + PNG[24:], "0 x 0 pixels"),
        (b"<svg", "not an SVG that can be read"),
        (b"<?xml version='1.0'?><html><svg/></html>", "neither a PNG nor an SVG"),
        (SVG % b'viewBox="0 0 0 50"', "has no size"),
        (SVG % b'width="100%" height=""', "has no size"),
        (SVG % b'width="0.00" height="1"', "has no size"),
        ((SVG % b"").replace(b"rect", b'image href="club.png"'), "takes in another file"),
        ((SVG % b"").replace(b"rect", b'image href="#/../../2"'), "takes in another file"),
        (b"<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg width='&a;'/>", "SVG"),
    ],
)  # fmt: skip
def test_one_that_can_not_is_refused_with_what_is_wrong(picture: bytes, wrong: str) -> None:
    said = logo(base64.b64encode(picture).decode())
    assert said is not None
    assert wrong in said


def test_a_size_of_very_many_digits_holds_nobody_up() -> None:
    """Goal: no logo keeps a worker from its tills. Method: CPU time, for 30,000 digits; when each
    way to part them was tried it was ten seconds, and minutes for as many as a logo may have."""
    since = time.process_time()
    said = logo(base64.b64encode(SVG % (b'width="%b" height="1"' % (b"0" * 30_000))).decode())
    assert said is not None
    assert "has no size" in said
    assert time.process_time() - since < 1


def test_words_of_its_own_hold_nobody_up_however_many_they_are() -> None:
    """Goal and method as above, for 3,000 entities, each named once; when each name went through
    all of them it was many seconds. One that is no words among them is still found."""
    names = [b"e%d" % number for number in range(3_000)]
    given = b"".join(b'<!ENTITY %b "x">' % name for name in names)
    text = b"".join(b"&%b;" % name for name in names)
    picture = (
        b"<!DOCTYPE svg [%b]><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
        b"<text>%b</text></svg>"
    )
    since = time.process_time()
    assert logo(base64.b64encode(picture % (given, text)).decode()) is None
    assert time.process_time() - since < 1
    other = given.replace(b'e2999 "x"', b'e2999 "&#60;g/>"')
    said = logo(base64.b64encode(picture % (other, text)).decode())
    assert said is not None
    assert "takes in another file" in said
