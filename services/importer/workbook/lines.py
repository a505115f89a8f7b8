"""What the reading child and its parent say to each other: one JSON value a line.

Child, when it reads: `{"sheets": [...]}` (the first rows of every sheet), then, told which sheet
to go on with, `{"rows": [[row, [cell, ...]], ...]}` again and again, at last `{"end": rows}`.
Or at any time `{"failed": reason, "kind": kind}`. Both ends are ours; its content is not.
"""

from __future__ import annotations

import json
from typing import Any, Final

from services.importer.domain.cells import Cell, Odd

MAX_LINE: Final = 4 * 1024 * 1024
"""The longest line, in bytes; a row of the most and longest cells stays below it."""

MAX_CELL: Final = 500
"""Characters of a cell that come along; longer ones are Odd "long"."""

MAX_COLUMNS: Final = 250


def write(value: dict[str, Any]) -> bytes:
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        + b"\n"
    )


def read(line: bytes) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object."""
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("a line of the child is not an object")  # noqa: TRY004
    return value


def cell_to_json(cell: Cell) -> Any:
    return {cell.kind: cell.text} if isinstance(cell, Odd) else cell


def cell_of_json(value: Any) -> Cell:
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        return Odd(kind=kind, text=str(text))
    return value  # type: ignore[no-any-return]
