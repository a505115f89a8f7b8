"""From what is posted to what was published: ledger.entries, ledger.balances."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from runtime.database import Connection
from runtime.reading import Spans, was_there
from runtime.rowmarks import RowMarks
from runtime.sql import statements
from schemas.ledger import BalanceState, EntryPosted
from services.ledger.audit import Finding, Flaw
from services.ledger.notes import Notes

sql = statements("services.ledger", "sql/chain.sql")

ENTRIES = "ledger.entries"
BALANCES = "ledger.balances"


@dataclass(slots=True, kw_only=True)
class Entries:
    """Each entry stands on ledger.entries with the bytes that are kept, and nothing else does.

    `before` is what the topic held before the snapshot was opened, which must know all of it.
    """

    notes: Notes
    before: Spans
    whole: bool
    _sent: RowMarks = field(default_factory=RowMarks)

    async def look_up(self, connection: Connection, records: Sequence[Any]) -> None:
        """Look at some records of the topic."""
        said: list[tuple[EntryPosted, Any]] = []
        for record in records:
            message = self.notes.read(ENTRIES, record)
            if isinstance(message, EntryPosted):
                said.append((message, record))
        self.notes.traced.published += len(said)
        rows = await connection.fetch(
            sql.answers_of_sources,
            [one.environment for one, _ in said],
            [one.kind for one, _ in said],
            [one.source_id for one, _ in said],
        )
        for row in rows:
            one, record = said[row["number"] - 1]
            self._compare(one, record, row)

    def _compare(self, said: EntryPosted, record: Any, row: asyncpg.Record) -> None:
        if row["ctid"] is None:
            if not was_there(self.before, record):
                return
            flaw, says = Flaw.ENTRY_MISSING, f"the {said.kind} was published and is gone"
        elif row["answer"] != record.value:
            flaw, says = Flaw.PUBLISHED_DIFFERS, "what was published is not what is kept"
        else:
            self._sent.add(row["ctid"])
            return
        finding = Finding(
            flaw=flaw,
            says=says,
            environment=said.environment,
            account=said.account,
            entry_id=said.entry_id,
        )
        self.notes.name(finding, said.entry_id)

    def conclude(self, row: asyncpg.Record) -> None:
        """Look at an entry when the whole topic was read."""
        if self.whole and row["ctid"] not in self._sent:
            not_yet(self.notes, row, "it was posted and never published")


@dataclass(slots=True, kw_only=True)
class Balances:
    """Each balance stands on ledger.balances as it is kept, and none of a later version does."""

    notes: Notes
    before: Spans
    _current: RowMarks = field(default_factory=RowMarks)

    async def look_up(self, connection: Connection, records: Sequence[Any]) -> None:
        """Look at some records of the topic."""
        said: list[tuple[BalanceState, Any]] = []
        for record in records:
            message = self.notes.read(BALANCES, record)
            if isinstance(message, BalanceState):
                said.append((message, record))
        self.notes.traced.states += len(said)
        rows = await connection.fetch(
            sql.balances_of_accounts,
            [one.environment for one, _ in said],
            [one.account for one, _ in said],
        )
        for row in rows:
            state, record = said[row["number"] - 1]
            if says := self._wrong(state, record, row):
                finding = Finding(
                    flaw=Flaw.STATE_DIFFERS,
                    says=says,
                    environment=state.environment,
                    account=state.account,
                )
                self.notes.name(finding, state.environment, state.account)

    def _wrong(self, state: BalanceState, record: Any, row: asyncpg.Record) -> str | None:
        if row["ctid"] is None or state.version > row["version"]:
            if not was_there(self.before, record):
                if row["ctid"] is not None:  # it moved on meanwhile; the older record may be gone
                    self._current.add(row["ctid"])
                return None
            return f"version {state.version} was published, {row['version'] or 'none'} is kept"
        if state.version < row["version"]:
            return None
        self._current.add(row["ctid"])
        names = ("currency", "unbilled", "billed")
        wrong = [name for name in names if getattr(state, name) != row[name]]
        if not wrong:
            return None
        return f"version {state.version} was published with another {' and '.join(wrong)}"

    def conclude(self, row: asyncpg.Record) -> None:
        """Look at a balance when the whole topic was read."""
        if row["ctid"] not in self._current:
            not_yet(self.notes, row, f"its version {row['version']} was never published")


def not_yet(notes: Notes, row: asyncpg.Record, says: str) -> None:
    """What is not published: wrong when it is `late`, else on its way."""
    if row["late"]:
        notes.name(at(row, Flaw.UNPUBLISHED, says), row["ctid"])
    else:
        notes.traced.unpublished += 1


def at(row: asyncpg.Record, flaw: Flaw, says: str) -> Finding:
    """A finding about a row."""
    return Finding(
        flaw=flaw,
        says=says,
        environment=row["environment"],
        account=row["account"],
        entry_id=row.get("entry_id"),
    )
