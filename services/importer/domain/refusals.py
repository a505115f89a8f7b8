"""Why a cell or a row cannot be taken, as a value; messages.py has the words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A cell that is not what its column holds. `code` names the sentence in messages.py."""

    code: str
    write: str = ""
    where: str = ""
    at_most: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that refuses a row, or (as a warning) that a person should know.

    `column` is the header as the person wrote it (empty where no one column is at fault),
    `value` what stands in the cell.
    """

    row: int
    column: str
    value: str
    message: str
