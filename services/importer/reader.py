"""The child process that opens a stranger's workbook: `python -m services.importer.reader`.

It is asked on its standard input and answers on its standard output, line by line (see
workbook/lines.py), within the limits that its first line sets. It knows no database, no broker
and no secret. Whatever goes wrong in it ends as one line, or as a dead child.
"""

from __future__ import annotations

import sys
from typing import Any, BinaryIO, Final

from runtime.priority import NICER, give_way
from services.importer.workbook import lines
from services.importer.workbook.bounds import Bounds, Unfit, check
from services.importer.workbook.limits import NO_ROOM, confine
from services.importer.workbook.sheets import Sheets

ROWS_A_LINE = 100
BUSY: Final = {"busy": True}
CELLS_A_LINE = 1_500
"""Of at most MAX_CELL characters each: a line stays below MAX_LINE."""


def main() -> None:
    give_way(NICER)
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
        if (number := _no_room(error)) is not None:
            _say(answers, {"no_room": number})
            return
        # What a broken file may still make somebody stumble over.
        _say(answers, {"failed": "unreadable", "cause": type(error).__name__})


def _no_room(error: BaseException | None) -> int | None:
    """The number of the fault where a disk took no more, whatever a library made of it: that is
    not the workbook's doing, and it is tried again."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return error.errno
        error = error.__cause__ or error.__context__
    return None


def _serve(request: dict[str, Any], asked: BinaryIO, answers: BinaryIO) -> None:
    check(request["path"], Bounds(**request.get("bounds", {})))
    match request["ask"]:
        case "rows":
            _rows(request, asked, answers)
        case "report":
            from services.importer.workbook import report

            write = report.rewrite if request["rewrite"] else report.annotate
            write(request, lambda: _say(answers, BUSY))
            _say(answers, {"end": 0})


def _rows(request: dict[str, Any], asked: BinaryIO, answers: BinaryIO) -> None:
    currency = request.get("currency")
    sheets = Sheets(request["path"], lambda: _say(answers, BUSY), currency=currency)
    told = 0
    for outline in sheets.outlines(request.get("sheet")):
        _say(answers, {"sheet": outline})
        told += 1
    _say(answers, {"sheets": told, "macros": sheets.package.macros})
    chosen = lines.read(asked.readline(lines.MAX_LINE))
    batch: list[Any] = []
    size = count = 0
    wanted = sheets.rows(chosen["sheet"], after=chosen["header_row"], at_most=request["max_rows"])
    for row in wanted:
        count += 1
        batch.append(row)
        size += len(row[1])
        if len(batch) >= ROWS_A_LINE or size >= CELLS_A_LINE:
            _say(answers, {"rows": batch})
            batch, size = [], 0
    if batch:
        _say(answers, {"rows": batch})
    _say(answers, {"end": count, "noticed": sheets.noticed()})


def _say(answers: BinaryIO, value: dict[str, Any]) -> None:
    answers.write(lines.write(value))
    answers.flush()


if __name__ == "__main__":
    main()
