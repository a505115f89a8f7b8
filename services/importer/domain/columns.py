"""Where the list stands in a workbook: its sheet, its header row, and what each column holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from services.importer.domain.cells import Cell, clean, is_again, is_empty, is_value, shown
from services.importer.domain.fields import (
    FIELDS,
    WHO,
    Field,
    called,
    field_of,
    gives_way,
    normalise,
)
from services.importer.domain.groups import under_groups
from services.importer.domain.messages import Tongue, of_failure
from services.importer.domain.refusals import Problem

SAMPLES: Final = 3

_DEBIT: Final = frozenset({"debet", "debit"})
_CREDIT: Final = frozenset({"credit", "credits", "krediet"})
"""Beside a column Debet it is a side of the books, and no limit."""
_DIGIT: Final = re.compile(r"\d")
_SAID_OF_MEMBERS: Final = frozenset({"name", "company", "status", "on_account"})
"""Fields whose names are values too: there are guests called Gast, of a Vereniging, who are Actief
and buy Op rekening."""
_A_NUMBER: Final = frozenset({"nr", "nummer", "no", "number", "num"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The first rows of a sheet: (Excel's row number, cells from column A)."""

    name: str
    hidden: bool
    rows: Sequence[tuple[int, Sequence[Cell]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column with a header or content. `index` counts from 0; field None is left alone."""

    index: int
    header: str
    field: Field | None
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The list: its rows are those after `header_row` (Excel's number) of `sheet`. `unnamed` are
    indexes of columns without a header that most rows have something in. With `hides_rows` some
    rows are hidden. `warnings` are about the sheet as a whole. What keeps the new accounts from
    buying is told by `advice` before they are made, and by `to_do` afterwards.
    """

    sheet: str
    header_row: int
    columns: tuple[Column, ...]
    unnamed: tuple[int, ...] = ()
    hides_rows: bool = False
    warnings: tuple[Problem, ...] = ()
    advice: tuple[Problem, ...] = ()
    to_do: tuple[Problem, ...] = ()

    def fields(self) -> frozenset[Field]:
        return frozenset(column.field for column in self.columns if column.field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """What a person has to decide; answered by a new upload with a sheet or a mapping.

    `field`: what several of the columns in `choices` can be. `is_list`: there is a list, of which
    something else is not clear.
    """

    reason: Literal["sheet_unclear", "columns_unclear"]
    message: str
    choices: tuple[str, ...]
    field: Field | None = None
    is_list: bool = False


def lay_out(
    sheets: Sequence[Outline],
    *,
    sheet: str | None,
    mapping: Mapping[str, str] | None,
    tongue: Tongue,
) -> Layout | Unclear:
    """Find the list: the sheet that is named, or the only one that fits.

    A given mapping decides for the headers that it names; the others are taken by their names.
    """
    if sheet is not None:
        named = [s for s in sheets if s.name == sheet] or [
            s for s in sheets if normalise(s.name) == normalise(sheet)
        ]
        if len(named) != 1:
            message = of_failure("sheet_unknown", tongue, value=sheet)
            names = tuple(shown(s.name) for s in sheets)
            return Unclear(reason="sheet_unclear", message=message, choices=names)
        return _lay_out_sheet(named[0], mapping, tongue)
    candidates = [s for s in sheets if not s.hidden] or list(sheets)
    found = [(s, _lay_out_sheet(s, mapping, tongue)) for s in candidates]
    fitting = [(s, layout) for s, layout in found if isinstance(layout, Layout)]
    # A list of which only a column is not clear is one that may be meant, too.
    meant = [s for s, layout in found if isinstance(layout, Layout) or layout.is_list]
    if fitting and len(meant) > 1:
        message = of_failure("sheet_unclear", tongue)
        names = tuple(shown(s.name) for s in meant)
        return Unclear(reason="sheet_unclear", message=message, choices=names)
    if fitting:
        return fitting[0][1]
    # Nothing fits: tell of the sheet that comes nearest, which is one whose header was found.
    told = [layout for _, layout in found if isinstance(layout, Unclear)]
    told.sort(key=lambda unclear: (not unclear.is_list, not unclear.choices))
    if told:
        return told[0]
    message = of_failure("no_header", tongue)
    return Unclear(reason="columns_unclear", message=message, choices=())


def _mapping(mapping: Mapping[str, str] | None) -> dict[str, Field]:
    fields: dict[str, Field] = {f: f for f in FIELDS}
    return {normalise(h): fields[f] for h, f in (mapping or {}).items() if f in fields}


def _lay_out_sheet(
    sheet: Outline, mapping: Mapping[str, str] | None, tongue: Tongue
) -> Layout | Unclear:
    wanted = _mapping(mapping)
    header = _header_row(sheet, wanted)
    if header is None:
        first = next((cells for _, cells in sheet.rows if _headers(cells)), ())
        choices = () if any(map(is_value, first)) else _headers(first)
        message = of_failure("no_header", tongue)
        return Unclear(reason="columns_unclear", message=message, choices=choices)
    number = header[0]
    if (other := _another_header(sheet, header, wanted)) is not None:
        rows = sorted((number, other))
        message = of_failure("several_lists", tongue, first=rows[0], second=rows[1])
        return Unclear(reason="columns_unclear", message=message, choices=(), is_list=True)
    columns = _columns(sheet, number, under_groups(sheet.rows, number, wanted), wanted)
    headers = tuple(c.header for c in columns if c.header)
    if missing := set(wanted) - {normalise(h) for h in headers}:
        # As the sender wrote them: who looks for one searches the mapping for it.
        typed = sorted(shown(h) for h in mapping or {} if normalise(h) in missing)
        message = of_failure("mapping_unknown", tongue, value=", ".join(typed))
        return Unclear(reason="columns_unclear", message=message, choices=headers)
    by_field: dict[Field, list[str]] = {}
    for column in columns:
        if column.field:
            by_field.setdefault(column.field, []).append(column.header)
    for field, rivals in by_field.items():
        if len(rivals) > 1:
            return _rivals(field, rivals, tongue)
    if not by_field.keys() & (WHO | {"account"}):
        message = of_failure("nobody_named", tongue)
        return Unclear(reason="columns_unclear", message=message, choices=headers)
    unnamed = _unnamed([row for at, row in sheet.rows if at > number], columns)
    return Layout(sheet=sheet.name, header_row=number, columns=columns, unnamed=unnamed)


def _unnamed(below: Sequence[Sequence[Cell]], columns: Sequence[Column]) -> tuple[int, ...]:
    """Columns right of the first that has a name, for before it rows are numbered."""
    named = {column.index for column in columns}
    filled = Counter(i for row in below for i, cell in enumerate(row) if not is_empty(cell))
    return tuple(
        sorted(
            index
            for index, rows in filled.items()
            if index > min(named) and index not in named and 2 * rows > len(below)
        )
    )


def _rivals(field: Field, headers: Sequence[str], tongue: Tongue) -> Unclear:
    """Several columns for one field: a mapping tells which, unless they are called the same."""
    alike = len({normalise(header) for header in headers}) < len(headers)
    value = headers[0] if alike else called(field, tongue)
    return Unclear(
        reason="columns_unclear",
        message=of_failure("columns_alike" if alike else "columns_unclear", tongue, value=value),
        choices=() if alike else tuple(headers),
        field=field,
        is_list=True,
    )


def _header_row(sheet: Outline, wanted: Mapping[str, Field]) -> tuple[int, Sequence[Cell]] | None:
    """The row with the most names that are known; the first of equals. Titles name nothing."""
    best: tuple[int, Sequence[Cell]] | None = None
    most = 0
    for number, cells in sheet.rows:
        filled = [c for c in cells if not is_empty(c)]
        known = {_field(clean(c), wanted) for c in filled if isinstance(c, str)} - {None}
        # One known word among many cells is a value ("Actief"), not a header; unless it was named.
        named = any(isinstance(c, str) and normalise(clean(c)) in wanted for c in filled)
        enough = len(known) >= 2 or (known and (named or len(filled) <= 2))
        if enough and len(known) > most:
            best, most = (number, cells), len(known)
    return best


def _another_header(
    sheet: Outline, header: tuple[int, Sequence[Cell]], wanted: Mapping[str, Field]
) -> int | None:
    """A row with the names of other columns, and a list of its own: what stands above the header is
    not read, and what stands below another one would be read by the wrong columns."""
    of_list, names = header
    other: int | None = None
    needed = 0
    for number, cells in sheet.rows:
        named = _named(cells, wanted)
        if number == of_list:
            other = None
        elif named and (number < of_list or not _repeated(cells, names)):
            # What says whose list it is, above it, has one row.
            other, needed = number, 1 if number > of_list or "account" in named else 2
        elif other is not None and sum(not is_empty(cell) for cell in cells) > 1:
            needed -= 1
            if needed == 0:
                return other
    return None


def _named(cells: Sequence[Cell], wanted: Mapping[str, Field]) -> set[Field]:
    """The fields of which most cells are names; none where a member's row could say the same."""
    filled = [shown(cell) for cell in cells if not is_empty(cell)]
    named = {field for text in filled if (field := _field(text, wanted))}
    most = len(named) > 1 and 2 * len(named) > len(filled)
    return named if most and named - _SAID_OF_MEMBERS else set()


def _repeated(cells: Sequence[Cell], names: Sequence[Cell]) -> bool:
    """Whether a row has the header's names, each in its column."""
    return all(
        is_empty(cell) or (index < len(names) and is_again(cell, shown(names[index])))
        for index, cell in enumerate(cells)
    )


def _headers(cells: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(shown(c) for c in cells if not is_empty(c))


def _field(header: str, wanted: Mapping[str, Field]) -> Field | None:
    return wanted.get(normalise(header)) or field_of(header)


def _columns(
    sheet: Outline, header_row: int, headers: Sequence[Cell], wanted: Mapping[str, Field]
) -> tuple[Column, ...]:
    below = [cells for number, cells in sheet.rows if number > header_row]
    taken = set(wanted.values())
    balances = any(isinstance(cell, str) and normalise(cell) in _DEBIT for cell in headers)
    columns: list[Column] = []
    for index, cell in enumerate(headers):
        header = shown(cell)
        if not header:
            continue
        field = wanted.get(normalise(header))
        if field is None and (field := field_of(header)) in taken:
            field = None  # the person gave this field to another column
        if balances and wanted.get(normalise(header)) is None and normalise(header) in _CREDIT:
            field = None
        values = [shown(cells[index]) for cells in below if index < len(cells)]
        samples = tuple([v for v in values if v][:SAMPLES])
        columns.append(Column(index=index, header=header, field=field, samples=samples))
    return _beside_a_number(_beside_a_street(_plainest(columns, wanted), wanted), wanted)


def _plainest(columns: Sequence[Column], wanted: Mapping[str, Field]) -> Sequence[Column]:
    """Of columns for one field those with a plain name, if any: "Naam" before "Deelnemer"."""
    giving = {c.index for c in columns if gives_way(c.header) and normalise(c.header) not in wanted}
    plain = {column.field for column in columns if column.index not in giving}
    return [
        replace(column, field=None) if column.index in giving and column.field in plain else column
        for column in columns
    ]


def _beside_a_street(columns: Sequence[Column], wanted: Mapping[str, Field]) -> Sequence[Column]:
    """A column "Nr" just right of a street is the house's, unless most streets have theirs already;
    anywhere else it may be any number."""
    if any(column.field == "house_number" for column in columns):
        return columns
    return [
        replace(column, field="house_number")
        if column.field is None
        and before is not None
        and (before.field, before.index) == ("street", column.index - 1)
        and normalise(column.header) in _A_NUMBER
        and normalise(column.header) not in wanted
        and 2 * sum(map(bool, map(_DIGIT.search, before.samples))) <= len(before.samples)
        else column
        for before, column in zip((None, *columns), columns, strict=False)
    ]


def _beside_a_number(columns: Sequence[Column], wanted: Mapping[str, Field]) -> tuple[Column, ...]:
    """A column "Huisnr toev" holds both where it stands alone; beside a Huisnr what follows it."""
    numbers = [column for column in columns if column.field == "house_number"]
    suffixed = any(column.field == "house_number_suffix" for column in columns)
    if len(numbers) != 2 or suffixed:
        return tuple(columns)
    following = [c for c in numbers if normalise(c.header) == "huisnrtoev" and "+" not in c.header]
    following = [c for c in following if normalise(c.header) not in wanted]
    return tuple(
        replace(c, field="house_number_suffix") if following == [c] else c for c in columns
    )
