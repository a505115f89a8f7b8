"""The books as a CSV file and as a workbook, written row by row."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from cli.amounts import decimal
from cli.books.chart import ledger_account
from cli.books.period import Period, day_of
from cli.books.spool import Entry, Spool
from cli.books.venue import Venue

COLUMNS = (
    "date",
    "entry_id",
    "kind",
    "account",
    "name",
    "document",
    "source_id",
    "ledger_account",
    "debit",
    "credit",
    "currency",
)
MONEY = frozenset({"debit", "credit", "opening", "closing", "moved"})
WIDTHS = {"entry_id": 38, "source_id": 38, "name": 30, "ledger_account": 24, "description": 44}
ROWS_A_SHEET = 1_048_575  # Excel's, but for the head
FORMULA: Final = re.compile(r"(?:^|(?<=;))(?=[=+\-@\t])")

Count = Callable[[int], None]
"""Hears how many lines are written."""


class Books(NamedTuple):
    """All that an export is made of."""

    spool: Spool
    venue: Venue
    period: Period
    zone: ZoneInfo


def lines(books: Books) -> Iterator[tuple[Any, ...]]:
    """A row for each leg, in the order of COLUMNS; money in minor units."""
    for entry in books.spool.read():
        yield from _legs(entry, books)


def _legs(entry: Entry, books: Books) -> Iterator[tuple[Any, ...]]:
    message = entry.message
    for leg in message["legs"]:
        yield (
            day_of(entry.at, books.zone),
            message["entry_id"],
            message["kind"],
            message["account"],
            books.venue.name(message["account"]),
            entry.document,
            message["source_id"],
            leg["ledger_account"],
            leg["debit"],
            leg["credit"],
            message["currency"],
        )


def write_csv(books: Books, file: Path, count: Count) -> None:
    """UTF-8, commas, a point before the cents (RFC 4180); the first line names the columns."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for number, row in enumerate(lines(books), 1):
            writer.writerow(
                decimal(cell) if name in MONEY else harmless(str(cell))
                for name, cell in zip(COLUMNS, row, strict=True)
            )
            count(number)


def harmless(text: str) -> str:
    """Text that a spreadsheet does not take for a formula: names come from others. Nor what stands
    behind a semicolon, at which a Dutch Excel divides a line, whatever stands in quotes."""
    return FORMULA.sub("'", text)


def write_xlsx(books: Books, file: Path, count: Count) -> None:
    """Sheets: the ledger accounts, the guests' accounts, and the journal, which goes on on further
    sheets where it is longer than Excel's."""
    import xlsxwriter

    with xlsxwriter.Workbook(
        str(file), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as workbook:
        sheet = _Sheet(workbook, "Ledger accounts", ("ledger_account", "description", *_SUMS))
        for name, one in books.spool.figures().items():
            sheet.add(
                (
                    name,
                    ledger_account(name).description,
                    one.opening,
                    one.debit,
                    one.credit,
                    one.closing,
                )
            )
        sheet = _Sheet(workbook, "Accounts", ("account", "name", "opening", "moved", "closing"))
        for account, opening, moved in books.spool.guests():
            row = (account, books.venue.name(account), opening, moved, opening + moved)
            sheet.add(row)
        journal = _Sheet(workbook, "Journal", COLUMNS)
        for number, line in enumerate(lines(books), 1):
            if journal.rows == ROWS_A_SHEET:
                journal = _Sheet(workbook, f"Journal {number // ROWS_A_SHEET + 1}", COLUMNS)
            journal.add(line)
            count(number)


_SUMS = ("opening", "debit", "credit", "closing")


class _Sheet:
    """A sheet with a head that stays in sight, filled from above."""

    def __init__(self, workbook: Any, name: str, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self._sheet = workbook.add_worksheet(name)
        self._money = workbook.add_format({"num_format": "#,##0.00"})
        self._day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self.rows = 0
        head = workbook.add_format({"bold": True, "bottom": 1})
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, WIDTHS.get(column, 14))
            self._sheet.write_string(0, place, column.replace("_", " "), head)
        self._sheet.freeze_panes(1, 0)

    def add(self, row: tuple[Any, ...]) -> None:
        self.rows += 1
        for place, (column, cell) in enumerate(zip(self._columns, row, strict=True)):
            if column in MONEY:
                self._sheet.write_number(self.rows, place, cell / 100, self._money)
            elif column == "date":
                self._sheet.write_datetime(self.rows, place, cell, self._day)
            else:
                self._sheet.write_string(self.rows, place, str(cell))
