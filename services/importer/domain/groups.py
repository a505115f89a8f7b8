"""A heading in two rows: what columns have in common stands above their own names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from services.importer.domain.cells import Cell, is_empty, shown
from services.importer.domain.fields import field_of, normalise

_A_NUMBER: Final = frozenset({"nummer", "nr", "no", "number"})


def under_groups(
    rows: Sequence[tuple[int, Sequence[Cell]]], header_row: int, wanted: Collection[str]
) -> Sequence[Cell]:
    """The names of columns, with "Rekening" above "Nummer" as "Rekening Nummer", which alone could
    be any number. Not where another column is the account's, nor one that a mapping (`wanted`)
    names, nor below a title, which has a row to itself.
    """
    above: Sequence[Cell] = next((cells for at, cells in rows if at == header_row - 1), ())
    headers = next(cells for at, cells in rows if at == header_row)
    groups = {shown(cell) for cell in above if not is_empty(cell)}
    if len(groups) < 2 or any(field_of(shown(cell)) == "account" for cell in headers):
        return headers
    group = ""
    named: list[Cell] = []
    for index, cell in enumerate(headers):
        group = (shown(above[index]) if index < len(above) else "") or group
        name = normalise(shown(cell))
        under = name in _A_NUMBER and name not in wanted and field_of(group) == "account"
        named.append(f"{group} {shown(cell)}" if under else cell)
    return named
