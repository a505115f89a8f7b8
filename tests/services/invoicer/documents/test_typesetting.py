"""What a person typed reaches typst as it was typed: it is data there, whatever it looks like."""

import json
from collections.abc import Callable

import pytest
import typst
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.invoicer.documents.text import clean
from services.invoicer.documents.typesetting import _literal

Read = Callable[[str], object]

ODD = st.sampled_from(
    (
        '"', '\\"', '"))', "\\", "\\u{41}", "\\n", "#let x = 1", "//", "*/", "`", "$x$", "\r\n",
        "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ufffe", "\ud800",
        "שלום", "🍻", "x" * 9_999,
    )
)  # fmt: skip
TEXT = st.lists(ODD | st.text(max_size=20), max_size=8).map("".join)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """What typst makes of an expression."""
    page = tmp_path_factory.mktemp("typst") / "empty.typ"
    page.write_text("")
    compiler = typst.Compiler(page)
    return lambda expression: json.loads(compiler.eval(expression))


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(TEXT, max_size=6))
@example(texts=['"))#panic("', "\\u{110000}", '\\\\"', "\ud800"])
def test_what_typst_reads_is_what_was_given(read: Read, texts: list[str]) -> None:
    data = {"words": [clean(text) for text in texts]}
    written = json.dumps(data, ensure_ascii=False)
    assert read(f"json(bytes({_literal(written)}))") == data


@settings(max_examples=200, deadline=None)
@given(text=TEXT)
def test_a_literal_ends_where_its_text_does(read: Read, text: str) -> None:
    whole = text.encode(errors="replace").decode()  # half a character never comes so far
    assert read(_literal(whole)) == whole
