"""The parts of a workbook's package and what they are to each other (ECMA-376 part 2)."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.importer.workbook.bounds import Unfit, plain_name
from services.importer.workbook.markup import elements

PIECE: Final = 64 * 1024
PIECES_A_SIGN: Final = 64
MAX_SHEETS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`kind` is the last word of its type: worksheet, styles, sharedStrings, ..."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPart:
    """A worksheet as the workbook names it, and the part that holds it."""

    name: str
    hidden: bool
    part: str


class Package:
    """An opened workbook; `bounds.check` has looked at it before.

    `sign` is called after every four megabytes that were read of it, in whatever parts.
    """

    def __init__(self, path: str, sign: Callable[[], None] = lambda: None) -> None:
        self._sign = sign
        self._read = 0
        try:
            self.archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise Unfit("unreadable") from error
        # Part names are equivalent whatever their case.
        self._names = {plain_name(n).casefold(): n for n in self.archive.namelist()}
        self.workbook = self._find_workbook()
        self.relations = self._relations(self.workbook)
        self.macros = any(r.kind == "vbaProject" for r in self.relations.values())
        self.dates_from_1904 = False
        self.never_computed = False
        """Whether its writer left it to Excel to compute the formulas."""
        self.sheets: list[SheetPart] = []
        elements(self.pieces(self.workbook), self._in_workbook)
        if not self.sheets:
            raise Unfit("unreadable")

    def name_of(self, part: str) -> str | None:
        """The entry that holds a part, None where there is none."""
        return self._names.get(part.casefold())

    def pieces(self, part: str) -> Iterator[bytes]:
        """A part's bytes. Raises Unfit where it is not there, or damaged."""
        name = self.name_of(part)
        if name is None:
            raise Unfit("unreadable")
        try:
            left = self.archive.getinfo(name).file_size
            with self.archive.open(name) as file:
                while piece := file.read(PIECE):
                    left -= len(piece)
                    self._read += 1
                    if self._read % PIECES_A_SIGN == 0:
                        self._sign()
                    yield piece
            if left:
                raise Unfit("unreadable")
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            ValueError,
            OSError,
            RuntimeError,
        ) as error:
            raise Unfit("unreadable") from error

    def related(self, kind: str) -> str | None:
        """The workbook's one part of a kind, None where it has none."""
        for relation in self.relations.values():
            if relation.kind == kind and self.name_of(relation.target):
                return relation.target
        return None

    def _find_workbook(self) -> str:
        for relation in self._relations("").values():
            if relation.kind == "officeDocument":
                return relation.target
        return "xl/workbook.xml"

    @staticmethod
    def relations_of(part: str) -> str:
        """The part that holds another's relations."""
        folder, name = posixpath.split(part)
        return posixpath.join(folder, "_rels", f"{name}.rels")

    def _relations(self, part: str) -> dict[str, Relation]:
        folder = posixpath.dirname(part)
        rels = self.relations_of(part)
        found: dict[str, Relation] = {}

        def seen(name: str, attributes: Mapping[str, str]) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                kind = attributes.get("Type", "").rpartition("/")[2]
                target = attributes.get("Target", "").replace("\\", "/")
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                relation = Relation(kind=kind, target=target)
                found.setdefault(attributes.get("Id", ""), relation)

        if self.name_of(rels):
            elements(self.pieces(rels), seen)
        return found

    def _in_workbook(self, name: str, attributes: Mapping[str, str]) -> None:
        match name:
            case "workbookPr":
                self.dates_from_1904 = is_on(attributes.get("date1904"))
            case "calcPr":
                self.never_computed = is_on(attributes.get("fullCalcOnLoad"))
            case "sheet":
                self._add_sheet(attributes)

    def _add_sheet(self, attributes: Mapping[str, str]) -> None:
        key = next((v for k, v in attributes.items() if k.endswith(" id")), "")
        relation = self.relations.get(key)
        if relation is None or relation.kind != "worksheet":
            return  # a chart, or a sheet of macros
        if len(self.sheets) >= MAX_SHEETS:
            raise Unfit("too_demanding")
        hidden = attributes.get("state", "visible") != "visible"
        name = attributes.get("name", "")
        self.sheets.append(SheetPart(name=name, hidden=hidden, part=relation.target))


def is_on(value: str | None) -> bool:
    """An xsd:boolean; absent is off."""
    return value in ("1", "true", "on")
