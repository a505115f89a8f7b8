"""The child process that opens a stranger's workbook: `python -m services.importer.reader`.

It is asked on its standard input and answers on its standard output, line by line (see
workbook/lines.py), within the limits that its first line sets. It knows no database, no broker
and no secret. Whatever goes wrong in it ends as one line, or as a dead child.
"""

from __future__ import annotations

import sys
from typing import Any, BinaryIO

from services.importer.workbook import lines
from services.importer.workbook.bounds import Bounds, Unfit, check
from services.importer.workbook.limits import confine

ROWS_A_LINE = 100
LINE_CHARACTERS = 200_000


def main() -> None:
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    request = lines.read(asked.readline(lines.MAX_LINE))
    confine(request["limits"])
    try:
        _serve(request, asked, answers)
    except Unfit as unfit:
        _say(answers, {"failed": unfit.reason, "kind": unfit.kind})
    except (MemoryError, RecursionError):
        _say(answers, {"failed": "too_demanding"})
    except BrokenPipeError:
        pass
    except Exception as error:
        # openpyxl and the XML reader raise whatever a broken file makes them stumble over.
        _say(answers, {"failed": "unreadable", "cause": type(error).__name__})


def _serve(request: dict[str, Any], asked: BinaryIO, answers: BinaryIO) -> None:
    check(request["path"], Bounds(**request.get("bounds", {})))
    match request["ask"]:
        case "rows":
            _rows(request, asked, answers)
        case "report":
            from services.importer.workbook import report

            (report.rewrite if request["rewrite"] else report.annotate)(request)
            _say(answers, {"end": 0})


def _rows(request: dict[str, Any], asked: BinaryIO, answers: BinaryIO) -> None:
    from services.importer.workbook.sheets import Sheets

    sheets = Sheets(request["path"])
    outlines = sheets.outlines()
    for outline in outlines:
        outline["rows"] = [_row(number, cells) for number, cells in outline["rows"]]
        _say(answers, {"sheet": outline})
    _say(answers, {"sheets": len(outlines)})
    chosen = lines.read(asked.readline(lines.MAX_LINE))
    batch: list[Any] = []
    size = count = 0
    for number, cells in sheets.rows(chosen["sheet"], after=chosen["header_row"]):
        count += 1
        if count > request["max_rows"]:
            raise Unfit("too_many_rows")
        batch.append(_row(number, cells))
        size += sum(len(c) for c in cells if isinstance(c, str)) + 20 * len(cells)
        if len(batch) >= ROWS_A_LINE or size >= LINE_CHARACTERS:
            _say(answers, {"rows": batch})
            batch, size = [], 0
    if batch:
        _say(answers, {"rows": batch})
    _say(answers, {"end": count})


def _row(number: int, cells: list[Any]) -> list[Any]:
    return [number, [lines.cell_to_json(cell) for cell in cells]]


def _say(answers: BinaryIO, value: dict[str, Any]) -> None:
    answers.write(lines.write(value))
    answers.flush()


if __name__ == "__main__":
    main()
