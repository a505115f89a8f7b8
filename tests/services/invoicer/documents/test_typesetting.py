"""What a person typed reaches typst as it was typed: it is data there, whatever it looks like."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
import typst
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.invoicer.documents.model import Logo
from services.invoicer.documents.pdf import render_pdf
from services.invoicer.documents.text import clean
from services.invoicer.documents.typesetting import _PLAIN, _Desk, _our_fonts, fonts
from tests.services.invoicer.documents.samples import SELLER, invoice

Read = Callable[..., tuple[object, object]]

ODD = st.sampled_from(
    (
        '"', '\\"', '"))', "\\", "\\u{41}", "\\n", "#let x = 1", "//", "*/", "`", "$x$", "\r\n",
        "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ufffe", "\ud800",
        "שלום", "🍻", "x" * 9_999,
    )
)  # fmt: skip
TEXT = st.lists(ODD | st.text(max_size=20), max_size=8).map("".join)


@pytest.fixture(scope="module")
def read() -> Read:
    """What typst makes of data and an attachment that were laid out for it."""
    desk = _Desk()
    of_data, of_attached = re.findall(r'"(/\d+)"', desk.laid("none.typ", "{}", b"").decode())
    shown = f'(json("{of_data}"), array(read("{of_attached}", encoding: none)))'
    main, fonts = f"#metadata({shown})<it>".encode(), typst.Fonts(include_system_fonts=False)

    def read(data: str, attached: bytes = b"") -> tuple[object, object]:
        desk.laid("none.typ", data, attached)
        found = typst.query(main, "<it>", "value", one=True, root=_Desk.root, font_paths=fonts)
        said, taken = json.loads(found)
        return said, bytes(taken)

    return read


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXT, max_size=6))
@example(texts=['"))#panic("', "\\u{110000}", '\\\\"', "\ud800"])
def test_what_typst_reads_is_what_was_given(read: Read, texts: list[str]) -> None:
    data = {"words": [clean(text) for text in texts]}
    assert read(json.dumps(data, ensure_ascii=False))[0] == data


@settings(max_examples=60, deadline=None)
@given(text=TEXT)
def test_an_attachment_is_read_byte_for_byte(read: Read, text: str) -> None:
    whole = text.encode(errors="replace")
    assert read("{}", whole)[1] == whole


def test_nothing_is_left_of_what_was_longer(read: Read) -> None:
    assert read('{"a": "some words"}', b"many bytes") == ({"a": "some words"}, b"many bytes")
    assert read("{}", b"few") == ({}, b"few")


LETTERS = [c for c in map(chr, range(0x20, 0x2300)) if _PLAIN.fullmatch(c) and c != "\x7f"]
WEIGHTS = (400, 600, 700)


def widths(fonts: typst.Fonts, words: list[str]) -> list[list[float]]:
    """Of these words in each weight, in thousandths of the size."""
    shown = json.dumps(json.dumps(words, ensure_ascii=False), ensure_ascii=False)
    main = (
        '#set text(font: "Noto Sans", size: 1000pt, fallback: false, number-width: "tabular")\n'
        f"#context [#metadata({WEIGHTS}.map(weight => json(bytes({shown})).map(word => "
        "measure(text(weight: weight, word)).width.pt())))<it>]"
    )
    found = typst.query(main.encode(), "<it>", "value", one=True, font_paths=fonts)
    return cast("list[list[float]]", json.loads(found))


def test_our_fonts_have_the_widths_of_the_font_that_they_are_made_of() -> None:
    pairs = [a + b for a in "AFLPTVWYařvy.,1" for b in "AaOeoňvy.,-1"]
    words = [letter for letter in LETTERS if not letter.isspace() and letter != "\u00ad"] + pairs
    for ours, its in zip(widths(_our_fonts(), words), widths(fonts(), words), strict=True):
        apart = {w: (a, b) for w, a, b in zip(words, ours, its, strict=True) if abs(a - b) > 1}
        assert not apart


@pytest.mark.parametrize("weight", WEIGHTS)
def test_our_fonts_have_every_letter_that_is_set_in_them_alone(weight: int) -> None:
    def made(text: str) -> object:
        shown = json.dumps(json.dumps(text, ensure_ascii=False), ensure_ascii=False)
        main = (
            f'#set document(title: "x")\n#set text(font: "Noto Sans", weight: {weight})\n'
            f"#json(bytes({shown}))"
        )
        compiler = typst.Compiler(font_paths=_our_fonts())
        return compiler.compile(main.encode(), format="pdf", pdf_standards="a-3b")

    assert made("".join(LETTERS))
    with pytest.raises(typst.TypstError):
        made("γ")


def test_a_logo_that_is_written_in_letters_has_all_fonts() -> None:
    def fonts_of(within: str) -> set[str]:
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 9">{within}</svg>'
        logo = Logo(content=svg.encode(), media_type="image/svg+xml")
        made = render_pdf(invoice(seller=replace(SELLER, logo=logo)))
        return set(re.findall("[A-Z]{6}\\+([A-Za-z]+)", made.decode("latin-1")))

    assert fonts_of("<rect width='9' height='9'/>") == {"NotoSans"}
    assert "DejaVuSansMono" in fonts_of("<text y='9' font-family='DejaVu Sans Mono'>Club</text>")
