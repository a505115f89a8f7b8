"""Link by link from what was decided to what is posted, and on to what was published.

    pos.decisions, invoices.events  ->  entry    ->  ledger.entries
                                        balance  ->  ledger.balances

Each topic is read once, a thousand records at a time, and each thousand is looked up in the
database by one statement: memory is bounded but for a few bits an entry. Whoever changed the
database in such a way that it agrees with itself still meets what was said at the time.

What was published before the snapshot was opened must be in it, so the ends of our own topics are
noted before (`prepare`). What is in the snapshot was decided below the positions in it, so the
origins are read up to those.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

import asyncpg

from runtime.database import Connection
from runtime.reading import Gauge, Log, Span, Spans, is_whole
from runtime.rowmarks import Row, RowMarks
from runtime.sql import statements
from services.ledger.audit import Finding, Flaw
from services.ledger.domain import Journal, Unbalanced
from services.ledger.handlers import decisions, invoices
from services.ledger.notes import MOST_REMEMBERED, Notes
from services.ledger.published import BALANCES, ENTRIES, Balances, Entries, at
from services.ledger.report import Report, Traced

sql = statements("services.ledger", "sql/chain.sql")

ORIGINS: Mapping[str, tuple[tuple[type[Any], ...], Callable[[Any], Journal]]] = {
    "pos.decisions": (decisions.TAKES, decisions.journal_of),
    "invoices.events": (invoices.TAKES, invoices.journal_of),
}
TOPICS = (*ORIGINS, ENTRIES, BALANCES)
ROWS_AT_ONCE = 5_000


class Said(NamedTuple):
    """A journal as a topic says it, and the record that says it."""

    journal: Journal
    place: str


@dataclass(slots=True, kw_only=True)
class Decided:
    """Each decision that moves money is posted as it says, and nothing else is."""

    notes: Notes
    whole: bool
    _met: RowMarks = field(default_factory=RowMarks)
    _agreed: RowMarks = field(default_factory=RowMarks)
    _doubts: dict[Row, Finding] = field(default_factory=dict)

    async def look_up(self, connection: Connection, topic: str, records: Sequence[Any]) -> None:
        """Look at some records of a topic."""
        said = list(self._journals(topic, records))
        self.notes.traced.decisions += len(said)
        rows = await connection.fetch(
            sql.entries_of_sources,
            [one.journal.event.environment for one in said],
            [one.journal.kind for one in said],
            [one.journal.event.source_id for one in said],
        )
        for row in rows:
            self._compare(said[row["number"] - 1], row)

    def _journals(self, topic: str, records: Sequence[Any]) -> Iterator[Said]:
        takes, journal_of = ORIGINS[topic]
        for record in records:
            place = f"{topic} {record.partition}@{record.offset}"
            message = self.notes.read(topic, record)
            if not isinstance(message, takes):
                continue
            try:
                journal = journal_of(message)
            except Unbalanced as fault:
                finding = Finding(
                    flaw=Flaw.NOT_POSTED,
                    says=f"{fault} and was not posted ({place})",
                    environment=message.environment,
                    account=message.account,
                )
                self.notes.name(finding, str(fault))
                continue
            if journal.legs:
                yield Said(journal, place)

    def _compare(self, said: Said, row: asyncpg.Record) -> None:
        """Of what was said twice the first is posted. That the times of two differ is no fault of
        the books: an authorizer whose database was put back says both. That amounts do is one."""
        kind, event, legs = said.journal
        place = row["ctid"]
        if place is None:
            says = f"{kind} {event.source_id} was decided ({said.place}) and is not in the books"
            self.notes.name(_of(said.journal, Flaw.NOT_POSTED, says), said.journal.source)
            return
        self._met.add(place)
        wrong = [
            name
            for name in ("account", "currency", "refers_to", "at")
            if row[name] != getattr(event, name)
        ]
        if dict(zip(row["ledger_accounts"], row["amounts"], strict=False)) != legs:
            wrong.append("legs")
        if not wrong:
            self._agreed.add(place)
            return
        says = f"{', '.join(wrong)}: something else was decided ({said.place})"
        finding = _of(said.journal, Flaw.DECISION_DIFFERS, says, row["entry_id"])
        if {"account", "currency", "legs"}.intersection(wrong):
            self.notes.name(finding, place)
            self._agreed.add(place)
        elif len(self._doubts) < MOST_REMEMBERED:
            self._doubts[place] = finding

    def conclude(self, row: asyncpg.Record) -> None:
        """Look at an entry when all origins were read."""
        place = row["ctid"]
        if place in self._agreed:
            return
        if place in self._met:
            if doubt := self._doubts.get(place):
                self.notes.name(doubt, place)
        elif self.whole:
            says = "nothing that was decided makes it"
            self.notes.name(at(row, Flaw.NEVER_DECIDED, says), place)
        else:
            self.notes.traced.older += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Holds the topics against one snapshot of the database."""

    log: Log
    notes: Notes
    gauge: Gauge
    before: Mapping[str, Spans]  # what the topics held before the snapshot

    async def trace(self, connection: Connection, settled: timedelta) -> None:
        """Look at every link and add what differs to the report. Raises LogAway.

        What is younger than `settled` may be on its way to its topic still.
        """
        positions = await connection.fetch(sql.decided_up_to)
        held = {t: await self.log.spans(t) for t in TOPICS}
        decided = Decided(notes=self.notes, whole=all(is_whole(held[t]) for t in ORIGINS))
        entries = Entries(
            notes=self.notes, before=self.before[ENTRIES], whole=is_whole(held[ENTRIES])
        )
        balances = Balances(notes=self.notes, before=self.before[BALANCES])
        for topic in ORIGINS:
            self._look_for_gaps(topic, held[topic], positions)
            async for records in self._records(topic, _up_to(held[topic], topic, positions)):
                await decided.look_up(connection, topic, records)
        async for records in self._records(ENTRIES, held[ENTRIES]):
            await entries.look_up(connection, records)
        async for row in connection.cursor(sql.entries_in_place, settled, prefetch=ROWS_AT_ONCE):
            decided.conclude(row)
            entries.conclude(row)
        async for records in self._records(BALANCES, held[BALANCES]):
            await balances.look_up(connection, records)
        async for row in connection.cursor(sql.balances_in_place, settled, prefetch=ROWS_AT_ONCE):
            balances.conclude(row)

    def _look_for_gaps(self, topic: str, held: Spans, positions: Sequence[asyncpg.Record]) -> None:
        """What went from a topic before it was posted can't be named one by one, but it is missing.
        The beginnings were noted before the snapshot: no sound position in it is behind them."""
        decided = _decided(topic, positions)
        for number, span in held.items():
            at = decided.get(number, 0)
            self.notes.traced.unread += max(0, span.end - max(at, span.begin))
            begin = self.before[topic][number].begin if number in self.before[topic] else 0
            if at < begin:
                says = (
                    f"{topic} {number}@{at} to {number}@{begin - 1}, {begin - at:,} records, were "
                    "deleted before they were read: what they say is not in the books"
                )
                self.notes.name(Finding(flaw=Flaw.DELETED_UNREAD, says=says), topic, number)

    def _records(self, topic: str, spans: Spans) -> AsyncIterator[Sequence[Any]]:
        return self.log.read(topic, spans, self.gauge)


async def prepare(log: Log, report: Report, gauge: Gauge) -> Chain:
    """Note how far the topics go. To be called before the snapshot is opened.

    `log` must have been opened for TOPICS.
    """
    report.traced = Traced()
    return Chain(
        log=log,
        notes=Notes(report=report, traced=report.traced),
        gauge=gauge,
        before={topic: await log.spans(topic) for topic in TOPICS},
    )


def _decided(topic: str, positions: Sequence[asyncpg.Record]) -> dict[int, int]:
    """How far the ledger has read, by partition."""
    return {row["partition"]: row["next_offset"] for row in positions if row["topic"] == topic}


def _up_to(
    spans: Mapping[int, Span], topic: str, positions: Sequence[asyncpg.Record]
) -> dict[int, Span]:
    """What of a topic was decided: nothing of a partition that has no position."""
    found = _decided(topic, positions)
    return {
        number: Span(span.begin, max(span.begin, min(span.end, found.get(number, 0))))
        for number, span in spans.items()
    }


def _of(journal: Journal, flaw: Flaw, says: str, entry_id: str | None = None) -> Finding:
    environment, account = journal.key
    return Finding(
        flaw=flaw, says=says, environment=environment, account=account, entry_id=entry_id
    )
