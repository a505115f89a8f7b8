"""Setting pages by typst: PDF/A-3b, the same bytes for the same data on any machine.

Only fonts that are shipped are used, and the time of making is given. A process keeps one compiler.
"""

import json
import os
import re
import threading
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, cast

import typst

Standard = Literal["a-3b", "1.7"]
_PLAIN = re.compile(
    "[\x00-\x7f\xa0-\u017f\u200b\u2013\u2014\u2018-\u201e\u2022\u2026\u20ac\u2212]*"
)
"""What the fonts in fonts/ have: with them alone the same pages are set sooner by a fifth."""

_FAMILY = ("Noto Sans",)

_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")

_one_at_a_time = threading.Lock()


class NotSet(Exception):
    """typst can't set these pages in this way: a glyph that no font has, a picture that is none."""


def pdf(
    template: str,
    data: dict[str, Any],
    made_on: date,
    standard: Standard,
    *,
    attached: bytes = b"",
) -> bytes:
    """The pages of a template, which is a function `pages(data, attached)`. Raises NotSet."""
    made_at = datetime.combine(made_on, time(), UTC)
    text = json.dumps(data, ensure_ascii=False)
    plain = _PLAIN.fullmatch(text) is not None
    families = _FAMILY if plain else _families() + _east_asian(text)
    text = f'{text[:-1]}, "fonts": {json.dumps(families)}}}'
    try:
        with _one_at_a_time:
            main = _desk().laid(template, text, attached)
            made = _compiler(only_ours=plain and not _letters_of_its_own(data)).compile(
                main, format="pdf", pdf_standards=standard, timestamp=made_at
            )
    except typst.TypstError:
        raise NotSet("typst refused it") from None  # its own words may quote what a person typed
    except BaseException as error:
        # A panic of the library is no Exception, and would end more than this document.
        if type(error).__name__ != "PanicException":
            raise
        _compiler.cache_clear()
        raise NotSet("typst panicked") from None
    return cast("bytes", made)


class _Desk:
    """Where templates, data and attachment lie for the compiler: in files that this process has
    open, two of them in memory, for there may be no disk that it may write on.

    As literals of the main file they were read letter by letter (docs/decisions/0118). Raises
    OSError where the system shows no process its files.
    """

    root = "/proc/self/fd"

    def __init__(self) -> None:
        self._templates = os.open(_templates(), os.O_RDONLY | os.O_DIRECTORY)
        self._data, self._attached = os.memfd_create("data"), os.memfd_create("attached")
        Path(self.root, str(self._data)).stat()

    def laid(self, template: str, data: str, attached: bytes) -> bytes:
        """The main file, of which these are laid out."""
        for file, content in ((self._data, data.encode()), (self._attached, attached)):
            os.ftruncate(file, 0)
            os.pwrite(file, content, 0)
        return (
            f'#import "/{self._templates}/{template}": pages\n'
            f'#pages(json("/{self._data}"), read("/{self._attached}", encoding: none))'
        ).encode()


@cache
def _desk() -> _Desk:
    return _Desk()


def _templates() -> Path:
    return Path(str(files(__package__) / "templates"))


def _letters_of_its_own(data: dict[str, Any]) -> bool:
    """Whether a logo may be written in letters: it may ask for any font."""
    logo = data.get("logo")
    return logo is not None and "text" in logo["svg"]


@cache
def _compiler(*, only_ours: bool) -> typst.Compiler:
    return typst.Compiler(root=_Desk.root, font_paths=_our_fonts() if only_ours else fonts())


@cache
def _our_fonts() -> typst.Fonts:
    """Three weights of Noto Sans, made of the font whose weight can be any: typst need not work
    out each letter's outline and width for a weight, in each document (docs/decisions/0119)."""
    ours = [str(files(__package__) / "fonts")]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=ours)


@cache
def fonts() -> typst.Fonts:
    """All fonts that are shipped, read once."""
    paths = [str(files("manimgx_fonts")), str(files("manimgx_fonts_cjk"))]
    return typst.Fonts(include_system_fonts=False, font_paths=paths)


@cache
def _families() -> tuple[str, ...]:
    """Noto Sans first, then one face per script: what the first lacks is looked for in turn."""
    noto = sorted(
        name for name in fonts().families() if name.startswith("Noto") and "CJK" not in name
    )
    return (*_FAMILY, *(name for name in noto if name not in _FAMILY), "DejaVu Sans Mono")


def _east_asian(text: str) -> tuple[str, ...]:
    """Chinese, Japanese and Korean share characters that each writes in its own way; what else a
    text holds tells which. It comes last: its Latin letters are others than ours."""
    if _KANA.search(text):
        return ("Noto Sans CJK JP",)
    return ("Noto Sans CJK KR",) if _HANGUL.search(text) else ("Noto Sans CJK SC",)
