"""A part in UTF-16 as UTF-8: what is put into it then fits."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final

from services.importer.workbook.bounds import Unfit

_DECLARED: Final = re.compile(
    r"""(<\?xml[^>]*?encoding\s*=\s*)("UTF-16[LB]?E?"|'UTF-16[LB]?E?')""", re.I
)
_LONGEST_DECLARATION: Final = 200


def in_utf_8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same part; one without UTF-16's byte order mark as it is. Raises Unfit for half a
    character."""
    waiting = iter(pieces)
    first = next(waiting, b"")
    if first[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        yield first
        yield from waiting
        return
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        text = decoder.decode(first)
        while len(text) < _LONGEST_DECLARATION and (piece := next(waiting, b"")):
            text += decoder.decode(piece)
        yield _DECLARED.sub(r'\1"UTF-8"', text, count=1).encode()
        for piece in waiting:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise Unfit("unreadable") from None
