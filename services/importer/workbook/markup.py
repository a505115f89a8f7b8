"""XML as parts of a workbook hold it, from a stream, with everything off that can explode.

A workbook has no use for a document type, so one is refused, and with it every kind of entity.
Depth and the length of a single tag are bounded: expat keeps both in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from xml.parsers import expat

from services.importer.workbook.bounds import Unfit

MAX_DEPTH: Final = 64
MAX_TOKEN: Final = 1024 * 1024
"""Bytes of one tag or comment; a chunk of text is no token."""

MAIN: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
"""SpreadsheetML, transitional and strict (ISO/IEC 29500)."""

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]


def names(*wanted: str) -> dict[str, str]:
    """Expat's names of SpreadsheetML elements, of either kind -> the local name."""
    return {f"{space} {name}": name for space in MAIN for name in wanted}


class Markup:
    """One document, fed in pieces. Every fault of it is Unfit."""

    __slots__ = ("_fed", "_parser", "encoding")

    def __init__(self, start: Start, end: End, text: Text | None = None) -> None:
        self._fed = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_doctype
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = text
        parser.XmlDeclHandler = self._declared
        self.encoding = "utf-8"
        """As the document declares it; that of one in UTF-16 may go without saying."""

    @property
    def position(self) -> int:
        """Where in the bytes that were fed the present event begins."""
        return self._parser.CurrentByteIndex

    def feed(self, piece: bytes) -> None:
        self._fed += len(piece)
        self._parse(piece, False)
        if self._fed - self._parser.CurrentByteIndex > MAX_TOKEN:
            raise Unfit("too_demanding")

    def close(self) -> None:
        self._parse(b"", True)

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = (encoding or self.encoding).lower()

    def _parse(self, piece: bytes, last: bool) -> None:
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            out_of_memory = error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
            raise Unfit("too_demanding" if out_of_memory else "unreadable") from error
        except (ValueError, LookupError) as error:  # an encoding that Python does not know, for one
            raise Unfit("unreadable") from error


def _no_doctype(*_: Any) -> None:
    raise Unfit("unreadable")


class Depth:
    """Counts elements that nobody looks into."""

    __slots__ = ("depth",)

    def __init__(self) -> None:
        self.depth = 0

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unfit("too_demanding")

    def leave(self) -> None:
        self.depth -= 1


def elements(pieces: Iterable[bytes], seen: Callable[[str, Mapping[str, str]], None]) -> None:
    """Tell `seen` of every start tag, by its local name, of a document that is read to its end."""
    depth = Depth()

    def start(name: str, attributes: dict[str, str]) -> None:
        depth.enter()
        seen(name.rpartition(" ")[2], attributes)

    markup = Markup(start, lambda _: depth.leave())
    for piece in pieces:
        markup.feed(piece)
    markup.close()
