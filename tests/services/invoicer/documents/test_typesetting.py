"""What a person typed reaches typst as it was typed: it is data there, whatever it looks like."""

import json
import re
from collections.abc import Callable

import pytest
import typst
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.invoicer.documents.text import clean
from services.invoicer.documents.typesetting import _Desk

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


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(TEXT, max_size=6))
@example(texts=['"))#panic("', "\\u{110000}", '\\\\"', "\ud800"])
def test_what_typst_reads_is_what_was_given(read: Read, texts: list[str]) -> None:
    data = {"words": [clean(text) for text in texts]}
    assert read(json.dumps(data, ensure_ascii=False))[0] == data


@settings(max_examples=200, deadline=None)
@given(text=TEXT)
def test_an_attachment_is_read_byte_for_byte(read: Read, text: str) -> None:
    whole = text.encode(errors="replace")
    assert read("{}", whole)[1] == whole


def test_nothing_is_left_of_what_was_longer(read: Read) -> None:
    assert read('{"a": "some words"}', b"many bytes") == ({"a": "some words"}, b"many bytes")
    assert read("{}", b"few") == ({}, b"few")
