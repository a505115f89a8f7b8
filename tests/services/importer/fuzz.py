"""Good workbooks, damaged at random: each is read, or refused with a reason that is known.

    python -m tests.services.importer.fuzz [--count 2000] [--seed 1]

All of them are read by one process that is confined as a reading child is. What it reads it also
annotates, and reads the report: the same cells, and the results beside them. An exception that is
not a refusal fails the run, although a real child would make a refusal of it; so does a file that
takes longer than it may.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from services.importer.domain.cells import is_empty
from services.importer.settings import Settings
from services.importer.workbook.bounds import Bounds, Unfit, check
from services.importer.workbook.limits import confine
from services.importer.workbook.report import annotate
from services.importer.workbook.rows import Row
from services.importer.workbook.sheets import Sheets
from tests.services.importer.corpus.archives import entries_of
from tests.services.importer.corpus.markup import string_table, with_strings
from tests.services.importer.corpus.odd import in_utf_16, with_prefix
from tests.services.importer.files import good, zipped
from tests.services.importer.workbooks import BY_PROGRAM
from tests.support.article_workbook import article_workbook

SLOW_S = 5
REASONS = {"unreadable", "too_demanding", "not_a_workbook", "too_many_rows"}

TOKENS = (
    b"<", b">", b"&", b"&lt;", b"&#0;", b"&#x41;", b"]]>", b"<![CDATA[", b"<!--", b"<?x?>",
    b"<c>", b"</c>", b"<row>", b"</row>", b"<v>", b"</v>", b"<is>", b"<t>", b"</t>", b"<f>",
    b"<sheetData>", b"</sheetData>", b"<!DOCTYPE a>", b' r="A1"', b' t="s"', b' s="9"', b"-1",
    b"99999999999", b"1E400", b"\xff", b"\0", b"_x0000_", b"=1+1", b"../", b'"', b"xmlns",
)  # fmt: skip


def bases() -> dict[str, bytes]:
    return {
        "openpyxl": good(),
        "xlsxwriter": article_workbook(),
        "prefixes": with_prefix(),
        "UTF-16": in_utf_16(),
        "phonetic": with_strings(string_table(b"<si><rPh><t>x</t></rPh><r><t>A</t></r></si>")),
        **{name: make() for name, make in BY_PROGRAM.items()},
    }


def damage(content: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, taken out, doubled or put in."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(made) + 1)
        length = min(chance.choice((1, 1, 2, 8, 60, 700)), len(made) - at)
        match chance.randrange(6):
            case 0:
                made[at : at + length] = chance.randbytes(length)
            case 1:
                del made[at : at + length]
            case 2:
                made[at:at] = made[at : at + length]
            case 3:
                made[at:at] = chance.choice(TOKENS)
            case 4:
                made[at : at + length] = bytes(length)
            case 5 if made:
                del made[chance.randrange(len(made)) :]
                made += b"\0" * chance.choice((0, 0, 30))
    return bytes(made)


VALUES = (
    b"", b"0", b"1", b"-1", b"2", b"99999999", b"1048577", b"1E5", b"NaN", b"A1", b"XFD1", b"B2:A1",
    b"A1:XFD1048576", b"s", b"b", b"e", b"d", b"str", b"inlineStr", b"true", b" 1 ", b"x" * 3000,
    b"_xD83D_", b"rId1", b"rId9", b"/xl/workbook.xml", b"..", b"yyyy", b"[h]:mm", b"0000",
)  # fmt: skip
_VALUE = re.compile(rb'(?<==")[^"<]*(?=")|(?<=>)[^<]+(?=<)')
_ELEMENT = re.compile(rb"<[^<>/?!][^<>]*/>|<(c|v|row|si|t|xf)[^<>]*>[^<>]*</\1>")


def rewritten(content: bytes, chance: random.Random) -> bytes:
    """XML that is still XML: other values, and elements taken out, doubled or elsewhere."""
    for _ in range(chance.choice((1, 2, 4))):
        found = list((_VALUE if chance.random() < 0.6 else _ELEMENT).finditer(content))
        if not found:
            break
        one, other = chance.choice(found), chance.choice(found)
        new = chance.choice((b"", chance.choice(VALUES), one[0] + one[0], other[0]))
        if one[0].startswith(b"<"):
            new = chance.choice((b"", one[0] + one[0], other[0]))
        content = content[: one.start()] + new + content[one.end() :]
    return content


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The file itself damaged; or, more often, a part of it within a sound archive."""
    if chance.random() < 0.2:
        return damage(content, chance)
    parts = entries_of(content)
    name = chance.choice(sorted(parts))
    change = rewritten if chance.random() < 0.7 else damage
    return zipped({**parts, name: change(parts[name], chance)})


def read_rows(path: Path) -> tuple[str, list[Row]]:
    sheets = Sheets(str(path))
    list(sheets.outlines())
    name = sheets.package.sheets[0].name
    return name, list(sheets.rows(name, after=0, at_most=1000))


def try_one(path: Path) -> str:
    """How reading it ends: `read`, or why not. Raises for everything that should not happen."""
    try:
        check(str(path), Bounds())
        name, rows = read_rows(path)
    except Unfit as unfit:
        if unfit.reason not in REASONS:
            raise ValueError(unfit.reason) from unfit
        return unfit.reason
    if rows:
        try:
            _annotated(path, name, rows)
        except Unfit as unfit:
            return f"read, not annotated ({unfit.reason})"
    return "read"


def _annotated(path: Path, name: str, rows: list[Row]) -> None:
    """The report has the cells that the workbook had, and a result at the end of each row; beside
    its title is what concerns the sheet."""
    told, to = path.with_name("told.jsonl"), path.with_name("report.xlsx")
    header_row = rows[0][0]
    lines = [json.dumps([n, "created", f"result {n}"]) for n, _ in rows[1:]]
    told.write_text("\n".join(lines))
    annotate(
        {"path": str(path), "to": str(to), "sheet": name, "header_row": header_row,
         "results": str(told), "title": "Result", "note": "Note: x"}
    )  # fmt: skip
    _, again = read_rows(to)
    assert [n for n, _ in again] == [n for n, _ in rows]
    width = len(again[0][1]) - 2
    for (number, cells), (_, more) in zip(rows, again, strict=True):
        whole = cells + [None] * (width - len(cells))
        added = ["Result", "Note: x"] if number == header_row else [f"result {number}"]
        assert more[width:] == added
        assert all(
            a == b or (is_empty(a) and is_empty(b)) for a, b in zip(whole, more, strict=False)
        )


def run(count: int, seed: int) -> Iterator[tuple[int, str, str]]:
    """(seed, base, how it ended) of each file."""
    made = bases()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.xlsx"
        for number in range(seed, seed + count):
            chance = random.Random(number)
            name = chance.choice(sorted(made))
            path.write_bytes(damaged(made[name], chance))
            begin = time.process_time()
            try:
                ended = try_one(path)
            except Exception as error:
                kept = Path(tempfile.gettempdir()) / f"fuzz-{number}.xlsx"
                kept.write_bytes(path.read_bytes())
                raise AssertionError(f"{kept}, a damaged {name}, is not refused") from error
            assert time.process_time() - begin < SLOW_S, f"file {number} is slow"
            yield number, name, ended


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    limits = Settings(postgres="postgresql://unused").child_limits()
    confine({"memory_bytes": limits.memory_bytes, "cpu_s": 600, "file_bytes": limits.file_bytes})
    counts = Counter(ended for _, _, ended in run(given.count, given.seed))
    for ended, count in counts.most_common():
        sys.stdout.write(f"{count:6} {ended}\n")


if __name__ == "__main__":
    main()
