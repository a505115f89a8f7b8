"""What people fill in where there is nothing to say: a dash, "n.v.t.", "geen".

Taken at its letters such a cell becomes a customer called "-" whom every row after it is then
about, or a street "Dorpsstraat 12-" (decision 95). So does the 0 that Excel gives for a formula
that refers to an empty cell (decision 135).
"""

from __future__ import annotations

from typing import Final

from services.importer.domain.cells import Cell, clean
from services.importer.domain.fields import FIELDS, Field

_DASHES: Final = "-‐‑‒–—―−_ "
_NOT_APPLICABLE: Final = frozenset({"nvt", "nvt.", "n.v.t.", "n.v.t", "n/a", "n.a."})

OWN_MEANING: Final[frozenset[Field]] = frozenset(
    {"limit", "status", "on_account", "in_overview", "email_fictitious"}
)
"""Fields of which a dash says no, or could: of a limit that there is none, or that it is 0."""

BLANK: Final[frozenset[Field]] = frozenset(FIELDS) - OWN_MEANING
"""Fields of which a cell that says nothing is an empty one."""

_NONE: Final = frozenset({"geen", "none", "onbekend", "unknown", "?", "??", "???"})
NAMED: Final[frozenset[Field]] = frozenset((
    "company", "infix", "email", "street", "postcode", "city", "account", "chamber_number",
    "vat_number", "peppol_id",
))  # fmt: skip
"""Fields that nothing is called so in; there are people whose last name is Geen."""

_NOT_NOUGHT: Final[frozenset[Field]] = BLANK - {"account", "account_count"}
"""Of an account's number nobody knows whether it is one; no account is a number of them."""


def is_blank(cell: Cell, field: Field) -> bool:
    """Whether a cell with content says no more than an empty one in a column of this field."""
    if isinstance(cell, str):
        if (first := cell[:1]).isalnum() and first not in "nN":
            return False  # nearly all cells
        return says_nothing(cell) and field in BLANK
    return cell == 0 and cell is not False and field in _NOT_NOUGHT


def says_nothing(cell: Cell) -> bool:
    """Whether a cell holds dashes alone, or that it does not apply."""
    if not isinstance(cell, str):
        return False
    if (first := cell[:1]).isalnum() and first not in "nN":
        return False  # nearly all cells
    text = clean(cell)
    if not text.strip(_DASHES):
        return bool(text)
    return text.casefold() in _NOT_APPLICABLE


def says_none(cell: Cell) -> bool:
    """Whether a cell says in words that there is none, or that nobody knows."""
    return isinstance(cell, str) and len(cell) < 20 and clean(cell).casefold() in _NONE
