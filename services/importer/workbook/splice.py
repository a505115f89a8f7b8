"""A part copied as its markup goes by, byte for byte but for what is taken out and put in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final
from xml.sax.saxutils import quoteattr

from services.importer.workbook.bounds import Unfit
from services.importer.workbook.encodings import in_utf_8
from services.importer.workbook.markup import End, Markup, Start

_TAG: Final = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")
_ATTRIBUTE: Final = rb"""\s%s\s*=\s*(?:"[^"]*"|'[^']*')"""


class Splice:
    """Copies to `write`. `start` and `end` hear of every tag and say what is to be different.

    One in UTF-16 comes out in UTF-8. Raises Unfit for a part in yet another encoding: what is put
    in would not fit.
    """

    def __init__(self, start: Start, end: End, write: Callable[[bytes], object]) -> None:
        self._markup = Markup(start, end)
        self._write = write
        self._waiting = bytearray()
        self._base = 0
        self._edits: list[tuple[int, int, bytes]] = []
        self.held: int | None = None
        """From here on nothing is copied yet: it may still be replaced."""

    @property
    def position(self) -> int:
        """Where the present tag begins."""
        return self._markup.position

    def tag(self) -> bytes:
        """The present tag as it stands in the part; nothing at the end of one like <c/>."""
        found = _TAG.match(self._waiting, self.position - self._base)
        return found[0] if found else b""

    def put(self, content: bytes) -> None:
        """Before the present tag, or behind one like <c/> that ends here."""
        self.replace(self.position, self.position, content)

    def replace_tag(self, content: bytes) -> None:
        self.replace(self.position, self.position + len(self.tag()), content)

    def replace(self, begin: int, end: int, content: bytes) -> None:
        self._edits.append((begin, end, content))

    def closes(self, name: str) -> bool:
        """Whether the present tag is </name>: of one like <c/> the end is where the next begins."""
        tag = self.tag()
        return tag.startswith(b"</") and re.split(rb"[\s>:/]+", tag)[-2] == name.encode()

    def end_of(self, name: str) -> int:
        """Where the element `name`, which ends here, has its last byte."""
        return self.position + (len(self.tag()) if self.closes(name) else 0)

    def is_empty_tag(self) -> bool:
        return self.tag().endswith(b"/>")

    def run(self, pieces: Iterable[bytes]) -> None:
        for piece in in_utf_8(pieces):
            self._waiting += piece
            self._markup.feed(piece)
            if self._markup.encoding not in ("utf-8", "utf8", "us-ascii", "ascii"):
                raise Unfit("unreadable")
            self._flush(self.position if self.held is None else self.held)
        self._markup.close()
        self._flush(self._base + len(self._waiting))

    def _flush(self, upto: int) -> None:
        while self._edits and self._edits[0][1] <= upto and self._edits[0][0] < upto:
            begin, end, content = self._edits.pop(0)
            self._copy(begin)
            self._write(content)
            self._drop(end)
        if upto >= self._base + len(self._waiting):
            for _, _, content in self._edits:  # at the very end
                self._write(content)
            self._edits.clear()
        limit = min(upto, self._edits[0][0]) if self._edits else upto
        self._copy(max(limit, self._base))

    def _copy(self, upto: int) -> None:
        self._write(bytes(self._waiting[: upto - self._base]))
        self._drop(upto)

    def _drop(self, upto: int) -> None:
        del self._waiting[: upto - self._base]
        self._base = upto


def prefix_of(tag: bytes) -> bytes:
    """The namespace prefix of a tag, with its colon: b"x:" of <x:row>."""
    name = re.match(rb"</?([^\s/>]+)", tag)
    return name[1][: name[1].find(b":") + 1] if name else b""


def without(tag: bytes, attribute: bytes) -> bytes:
    """A start tag without one of its attributes."""
    return re.sub(_ATTRIBUTE % attribute, b"", tag)


def with_attribute(tag: bytes, attribute: bytes, value: str) -> bytes:
    """A start tag with this value for an attribute."""
    bare = without(tag, attribute)
    at = len(bare) - (2 if bare.endswith(b"/>") else 1)
    return bare[:at] + b" " + attribute + b"=" + quoteattr(value).encode() + bare[at:]
