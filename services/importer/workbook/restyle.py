"""The colours of a result, added to the styles that a workbook has already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from services.importer.workbook.markup import Depth, names
from services.importer.workbook.splice import Splice, prefix_of, with_attribute

FILLS: Final = {
    "created": "C6EFCE",
    "changed": "DDEBF7",
    "unchanged": "EDEDED",
    "refused": "FFC7CE",
}
INKS: Final = {"created": "006100", "changed": "1F4E78", "unchanged": "595959", "refused": "9C0006"}
HEADING: Final = "heading"
MOST_STYLES: Final = 64_000
"""Excel opens no workbook with more than 65,490 cell styles."""

_LISTS: Final = names("fonts", "fills", "cellXfs")
_ITEMS: Final = {"fonts": "font", "fills": "fill", "cellXfs": "xf"}


class _Counting:
    """How many fonts, fills and cell styles there are, and what the first font is."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.size = "11"
        self.face = "Calibri"

    def seen(self, where: Mapping[int, str], depth: int, name: str, value: str) -> None:
        around = where.get(depth - 1)
        if around is not None and name == _ITEMS[around]:
            self.counts[around] += 1
        elif where.get(depth - 2) == "fonts" and self.counts["fonts"] == 1 and value:
            if name == "sz":
                self.size = value
            elif name == "name":
                self.face = value


def restyle(pieces: Iterable[bytes], write: Callable[[bytes], object]) -> dict[str, int]:
    """Copy a styles part with more cell styles; gives their indexes, by outcome and HEADING.

    Nothing of what was there changes. Gives none where they find no room.
    """
    counting = _Counting()
    depth = Depth()
    where: dict[int, str] = {}
    found: dict[str, int] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        depth.enter()
        kind = _LISTS.get(name)
        if kind and depth.depth == 2:
            where[depth.depth] = kind
            counting.counts[kind] = 0
            if not splice.is_empty_tag() and "count" in attributes:
                more = {"fonts": 5, "fills": 4, "cellXfs": 5}[kind]
                count = str(_number(attributes["count"]) + more)
                splice.replace_tag(with_attribute(splice.tag(), b"count", count))
            return
        local = name.rpartition(" ")[2]
        counting.seen(where, depth.depth, local, attributes.get("val", ""))

    def end(name: str) -> None:
        kind = where.pop(depth.depth, None)
        depth.leave()
        if kind is None or not splice.closes(kind):
            return
        made = _made(kind, counting, prefix_of(splice.tag()).decode())
        if kind == "cellXfs" and made:
            found.update({n: counting.counts[kind] + i for i, n in enumerate((HEADING, *FILLS))})
        splice.put(made.encode())

    splice = Splice(start, end, write)
    splice.run(pieces)
    return found


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def _made(kind: str, counting: _Counting, x: str) -> str:
    """What is added to one of the lists."""
    match kind:
        case "fonts":
            rest = f'<{x}sz val="{_number(counting.size.split(".")[0]) or 11}"/>'
            face = counting.face.replace("&", "&amp;").replace('"', "").replace("<", "")
            name = f'<{x}name val="{face}"/>'
            inks = "".join(
                f'<{x}font>{rest}<{x}color rgb="FF{ink}"/>{name}</{x}font>' for ink in INKS.values()
            )
            return f"<{x}font><{x}b/>{rest}{name}</{x}font>{inks}"
        case "fills":
            return "".join(
                f'<{x}fill><{x}patternFill patternType="solid"><{x}fgColor rgb="FF{fill}"/>'
                f'<{x}bgColor indexed="64"/></{x}patternFill></{x}fill>'
                for fill in FILLS.values()
            )
    fonts, fills = counting.counts.get("fonts"), counting.counts.get("fills")
    if fonts is None or fills is None or counting.counts["cellXfs"] > MOST_STYLES:
        return ""
    common = 'numFmtId="0" borderId="0" applyFont="1" quotePrefix="1"'
    heading = f'<{x}xf {common} fontId="{fonts}" fillId="0"/>'
    # Not wrapped: rows have the heights that they have, and a second line would be cut off by one
    # program and written over the next row by another. To its right nothing stands in the way.
    align = f'<{x}alignment vertical="top"/>'
    return heading + "".join(
        f'<{x}xf {common} fontId="{fonts + 1 + n}" fillId="{fills + n}" applyFill="1"'
        f' applyAlignment="1">{align}</{x}xf>'
        for n in range(len(FILLS))
    )
