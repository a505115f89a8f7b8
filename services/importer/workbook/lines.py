"""What the reading child and its parent say to each other: one JSON value a line.

Child, when it reads: `{"sheet": {...}}` for every sheet, with its first rows, and `{"sheets": how
many, "macros": whether it has them}`; then, told which sheet to go on with, `{"rows": [[row, [cell,
...]], ...]}` again and again, at last `{"end": rows, "noticed": {...}}`. An Odd cell is an object.
When it writes a report: `{"end": 0}`. Where a file keeps it busy, `{"busy": true}` now and then.
Or at any time `{"failed": reason, "kind": kind}`. Both ends are ours; its content is not.
"""

from __future__ import annotations

import json
from typing import Any, Final

from services.importer.domain.cells import Odd

MAX_LINE: Final = 4 * 1024 * 1024
"""The longest line, in bytes; a row of the most and longest cells stays below it."""

MAX_CELL: Final = 500
"""Characters of a cell that come along; longer ones are Odd "long"."""

MAX_COLUMNS: Final = 250

_ODD: Final = "odd"


def write(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_odd_to_json)
    return text.encode("utf-8", "replace") + b"\n"


def read(line: bytes) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object."""
    value = json.loads(line, object_hook=_of_json)
    if not isinstance(value, dict):
        raise ValueError("a line of the child is not an object")  # noqa: TRY004
    return value


def _odd_to_json(cell: Odd) -> dict[str, str]:
    return {_ODD: cell.kind, "text": cell.text}


def _of_json(value: dict[str, Any]) -> dict[str, Any] | Odd:
    if _ODD in value:
        return Odd(kind=value[_ODD], text=value["text"])
    return value
