"""A file on disk that sorts a period's entries, so that memory stays small however many they are.

ledger.entries holds each entry at least once, in no order. Here each is kept once, and is read back
in the order of time. What lies before the period is only summed up: the balances it opens with.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

from cli.books.period import microseconds, moment_of
from cli.messages import Json
from runtime.scratch import Scratch

TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE entry (id BLOB PRIMARY KEY, at INTEGER, kind TEXT, source BLOB, value TEXT)
    WITHOUT ROWID;
CREATE TABLE document (id BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID;
CREATE TABLE opening (ledger_account TEXT, this_year INTEGER, amount INTEGER,
    PRIMARY KEY (ledger_account, this_year)) WITHOUT ROWID;
CREATE TABLE moved (ledger_account TEXT PRIMARY KEY, debit INTEGER, credit INTEGER) WITHOUT ROWID;
CREATE TABLE guest (account TEXT PRIMARY KEY, opening INTEGER, moved INTEGER) WITHOUT ROWID;
"""


class Entry(NamedTuple):
    """An entry, with the moment (microseconds since 1970) and the document that it belongs to."""

    at: int
    message: Json
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a ledger account holds: debit above zero. `this_year` is that part of `opening` which
    was booked since the year began."""

    opening: int = 0
    this_year: int = 0
    debit: int = 0
    credit: int = 0

    @property
    def closing(self) -> int:
        return self.opening + self.debit - self.credit


class Spool:
    """Use as `with Spool(begins=..., ends=..., year_begins=...) as spool`, in microseconds."""

    def __init__(self, *, begins: int, ends: int, year_begins: int) -> None:
        self._begins, self._ends, self._year_begins = begins, ends, year_begins
        self._folder = Scratch("onaccount-export-")
        self._file = sqlite3.connect(self._folder.path / "spool", isolation_level=None)
        self._file.executescript(TABLES)
        self._file.execute("BEGIN")
        self.lines = 0
        self.entries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._folder.close()

    def add(self, message: Json) -> None:
        """Keep an entry.posted, once."""
        at = microseconds(moment_of(message["at"]))
        if at >= self._ends:
            return
        earlier = at < self._begins
        value = None if earlier else json.dumps(message, ensure_ascii=False)
        added = self._file.execute(
            "INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?)",
            (
                UUID(message["entry_id"]).bytes,
                at,
                message["kind"],
                UUID(message["source_id"]).bytes,
                value,
            ),
        )
        if added.rowcount == 0:
            return
        owed = 0
        for leg in message["legs"]:
            name, debit, credit = leg["ledger_account"], leg["debit"], leg["credit"]
            if name.startswith("receivable:"):
                owed += debit - credit
            if earlier:
                self._file.execute(
                    "INSERT INTO opening VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
                    "SET amount = amount + excluded.amount",
                    (name, at >= self._year_begins, debit - credit),
                )
            else:
                self._file.execute(
                    "INSERT INTO moved VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
                    "SET debit = debit + excluded.debit, credit = credit + excluded.credit",
                    (name, debit, credit),
                )
        self._file.execute(
            "INSERT INTO guest VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
            "SET opening = opening + excluded.opening, moved = moved + excluded.moved",
            (message["account"], owed if earlier else 0, 0 if earlier else owed),
        )
        if not earlier:
            self.entries += 1
            self.lines += len(message["legs"])

    def name_document(self, source_id: str, text: str) -> None:
        """Remember an invoice's or a credit note's number by its id."""
        self._file.execute(
            "INSERT OR REPLACE INTO document VALUES (?, ?)", (UUID(source_id).bytes, text)
        )

    def read(self, *kinds: str) -> Iterator[Entry]:
        """The period's entries in the order of time; of these kinds, or all.

        Documents of one moment, which a run makes many of, stand in the order of their numbers: an
        auditor who looks for a gap reads down the list.
        """
        wanted = f"AND kind IN ({','.join('?' * len(kinds))})" if kinds else ""
        rows = self._file.execute(
            "SELECT at, value, text FROM entry LEFT JOIN document ON document.id = source "  # noqa: S608
            f"WHERE value IS NOT NULL {wanted} ORDER BY at, length(text), text, entry.id",
            kinds,
        )
        for at, value, text in rows:
            message = json.loads(value)
            yield Entry(at, message, str(message["source_id"] if text is None else text))

    def figures(self) -> Mapping[str, Figures]:
        """Each ledger account's figures, by name."""
        found: dict[str, dict[str, Any]] = {}
        for name, this_year, amount in self._file.execute("SELECT * FROM opening"):
            one = found.setdefault(name, {})
            one["opening"] = one.get("opening", 0) + amount
            one["this_year"] = one.get("this_year", 0) + (amount if this_year else 0)
        for name, debit, credit in self._file.execute("SELECT * FROM moved"):
            found.setdefault(name, {}).update(debit=debit, credit=credit)
        return {name: Figures(**found[name]) for name in sorted(found)}

    def guests(self) -> Iterator[tuple[str, int, int]]:
        """Each account with what it owed when the period began, and what came on top of it."""
        yield from self._file.execute("SELECT * FROM guest ORDER BY account")
