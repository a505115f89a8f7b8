"""What the invoicer told, held against its register: invoices.events and invoices.state.

What is issued, credited, paid or paid back must have been told, just so, or the ledger and the
limits know nothing of it; what was told must be in the register, or somebody counts what is not
there. Each topic is read once, a thousand records at a time, and what they say is looked up by one
statement a kind; a bit is kept for each row that was met.

What was told before the snapshot was opened must be in it, so the ends of both topics are noted
before (`prepare`). What is younger than `settled` may be on its way to its topic still.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg

from runtime.reading import Log, Spans
from runtime.rowmarks import RowMarks
from runtime.sql import statements
from schemas.billing import (
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceState,
    PaymentReceived,
    PaymentRefunded,
)
from schemas.malformed import Malformed, Undecodable
from schemas.wire import decode
from services.invoicer.store.invoices import vat_from, vat_lines

sql = statements("services.invoicer", "sql/told.sql")

EVENTS, STATE = "invoices.events", "invoices.state"
TOPICS = (EVENTS, STATE)
ROWS_AT_ONCE = 5_000
MOST_NAMED = 1_000

Gauge = Callable[[str, int, int], None]
"""Hears which topic is read, how many of its records are through, and of how many."""


COUNTS = ("events", "states", "unreadable", "older", "on_their_way")


@dataclass(slots=True, kw_only=True)
class Told:
    """How much was held against the register.

    `events` are messages that move money, repetitions too, `states` records of invoices.state.
    `unreadable` records can't be read. `older` documents and payments may have been told before
    the topic's beginning; `on_their_way` ones, and states, are too young to be missed. Of
    `problems` the first thousand are named.
    """

    events: int = 0
    states: int = 0
    unreadable: int = 0
    older: int = 0
    on_their_way: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    _named: set[tuple[object, ...]] = field(default_factory=set)

    def name(self, environment: int, number: str, problem: str) -> None:
        """Add a problem once: messages come at least once."""
        key = (environment, number, problem)
        if key not in self._named and len(self._named) < MOST_NAMED:
            self._named.add(key)
            self.problems.append({"environment": environment, "number": number, "problem": problem})

    def counts(self) -> dict[str, int]:
        """All but the problems."""
        return {name: getattr(self, name) for name in COUNTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of what moves money: how its messages are called, and its rows found."""

    called: str
    messages: tuple[type[Any], ...]
    id: Callable[[Any], str]
    fields: tuple[str, ...]
    found: str
    """Statement: for each of the ids that are asked for its row, if there is one."""
    in_place: str
    """Statement: all rows, where they stand."""


def _payment_id(message: PaymentReceived | PaymentRefunded) -> str:
    return message.payment_id if isinstance(message, PaymentReceived) else message.refund_id


_BOTH = ("invoice_id", "account", "number", "currency")
KINDS = (
    Kind(
        called="invoice",
        messages=(InvoiceIssued,),
        id=lambda message: str(message.invoice_id),
        fields=(*_BOTH, "period", "due_on", "total", "vat"),
        found=sql.invoices_of,
        in_place=sql.invoices_in_place,
    ),
    Kind(
        called="credit note",
        messages=(CreditNoteIssued,),
        id=lambda message: str(message.credit_note_id),
        fields=(*_BOTH, "frees", "total", "vat"),
        found=sql.credit_notes_of,
        in_place=sql.credit_notes_in_place,
    ),
    Kind(
        called="payment",
        messages=(PaymentReceived,),
        id=_payment_id,
        fields=(*_BOTH, "amount", "open"),
        found=sql.payments_of,
        in_place=sql.payments_in_place,
    ),
    Kind(
        called="refund",
        messages=(PaymentRefunded,),
        id=_payment_id,
        fields=(*_BOTH, "amount", "open"),
        found=sql.refunds_of,
        in_place=sql.refunds_in_place,
    ),
)
STATED = (
    "account", "period", "status", "number", "currency", "total", "paid", "credited", "due_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Holds both topics against one snapshot of the database. `before` is what they held then."""

    log: Log
    gauge: Gauge
    before: Mapping[str, Spans]

    async def hold(
        self, connection: asyncpg.Connection, environment: int | None, settled: timedelta
    ) -> Told:
        """Look at both topics, for one environment or for all. Raises LogAway."""
        told = Told()
        now = {topic: await self.log.spans(topic) for topic in TOPICS}
        whole = not any(span.begin for span in now[EVENTS].values())
        money = Money(told=told, before=self.before[EVENTS], environment=environment)
        async for records in self._records(EVENTS, now[EVENTS]):
            await money.look_up(connection, records)
        for kind in KINDS:
            rows = connection.cursor(kind.in_place, environment, settled, prefetch=ROWS_AT_ONCE)
            async for row in rows:
                money.conclude(kind, row, whole=whole)
        states = States(told=told, before=self.before[STATE], environment=environment)
        async for records in self._records(STATE, now[STATE]):
            await states.look_up(connection, records)
        rows = connection.cursor(sql.states_in_place, environment, settled, prefetch=ROWS_AT_ONCE)
        async for row in rows:
            states.conclude(row)
        return told

    async def _records(self, topic: str, spans: Spans) -> Any:
        done, total = 0, sum(span.end - span.begin for span in spans.values())
        async for records in self.log.read(topic, spans):
            yield records
            done += len(records)
            self.gauge(topic, done, total)


async def prepare(log: Log, gauge: Gauge) -> Telling:
    """Note how far the topics go. To be called before the snapshot is opened.

    `log` must have been opened for TOPICS.
    """
    before = {topic: await log.spans(topic) for topic in TOPICS}
    return Telling(log=log, gauge=gauge, before=before)


@dataclass(slots=True, kw_only=True)
class _Link:
    told: Told
    before: Spans
    environment: int | None

    def read(self, topic: str, record: Any) -> Any:
        """The message in a record of an environment that is looked at; None where there is none."""
        try:
            message = decode(topic, record.value)
        except Undecodable:
            message = None
        if message is None or isinstance(message, Malformed):
            self.told.unreadable += 1
            return None
        concerns = self.environment in (None, getattr(message, "environment", None))
        return message if concerns else None

    def was_there(self, record: Any) -> bool:
        """Whether a record was there before the snapshot was opened, which must know of it."""
        span = self.before.get(record.partition)
        return span is not None and record.offset < span.end

    def not_yet(self, row: asyncpg.Record, problem: str) -> None:
        """What is not told: wrong when it is `late`, else on its way."""
        if row["late"]:
            self.told.name(row["environment"], row["number"], problem)
        else:
            self.told.on_their_way += 1


@dataclass(slots=True, kw_only=True)
class Money(_Link):
    """Each document and payment stands on invoices.events as the register has it."""

    _met: dict[str, RowMarks] = field(
        default_factory=lambda: {kind.called: RowMarks() for kind in KINDS}
    )

    async def look_up(self, connection: asyncpg.Connection, records: Sequence[Any]) -> None:
        """Look at some records of the topic."""
        said = [(self.read(EVENTS, record), record) for record in records]
        for kind in KINDS:
            of_kind = [(m, record) for m, record in said if isinstance(m, kind.messages)]
            if not of_kind:
                continue
            self.told.events += len(of_kind)
            rows = await connection.fetch(
                kind.found,
                [message.environment for message, _ in of_kind],
                [kind.id(message) for message, _ in of_kind],
            )
            for row in rows:
                message, record = of_kind[row["place"] - 1]
                self._compare(kind, message, record, row)

    def _compare(self, kind: Kind, message: Any, record: Any, row: asyncpg.Record) -> None:
        environment, number = message.environment, message.number
        if row["ctid"] is None:
            if self.was_there(record):
                problem = (
                    f"the {kind.called} {kind.id(message)} was told and is not in the register"
                )
                self.told.name(environment, number, problem)
            return
        self._met[kind.called].add(row["ctid"])
        wrong = [name for name in kind.fields if getattr(message, name) != _kept(row, name)]
        if wrong:
            problem = f"its {kind.called} was told with another {' and '.join(wrong)}"
            self.told.name(environment, number, problem)

    def conclude(self, kind: Kind, row: asyncpg.Record, *, whole: bool) -> None:
        """Look at a row when the whole topic was read."""
        if row["ctid"] in self._met[kind.called]:
            return
        if whole:
            self.not_yet(row, f"its {kind.called} was never told on {EVENTS}")
        else:
            self.told.older += 1


def _kept(row: asyncpg.Record, name: str) -> object:
    return vat_lines(vat_from(row["vat"])) if name == "vat" else row[name]


@dataclass(slots=True, kw_only=True)
class States(_Link):
    """Each invoice stands on invoices.state as it is, and none of a later version does."""

    _current: RowMarks = field(default_factory=RowMarks)

    async def look_up(self, connection: asyncpg.Connection, records: Sequence[Any]) -> None:
        """Look at some records of the topic."""
        said = [(self.read(STATE, record), record) for record in records]
        said = [(state, record) for state, record in said if isinstance(state, InvoiceState)]
        self.told.states += len(said)
        rows = await connection.fetch(
            sql.states_of,
            [state.environment for state, _ in said],
            [str(state.invoice_id) for state, _ in said],
        )
        for row in rows:
            state, record = said[row["place"] - 1]
            if problem := self._wrong(state, record, row):
                number = state.number or f"draft {state.invoice_id}"
                self.told.name(state.environment, number, problem)

    def _wrong(self, state: InvoiceState, record: Any, row: asyncpg.Record) -> str | None:
        if row["ctid"] is None or state.version > row["version"]:
            if not self.was_there(record):
                return None
            return f"its version {state.version} was told, {row['version'] or 'none'} is kept"
        if state.version < row["version"]:
            return None
        self._current.add(row["ctid"])
        wrong = [name for name in STATED if getattr(state, name) != row[name]]
        if not wrong:
            return None
        return f"its version {state.version} was told with another {' and '.join(wrong)}"

    def conclude(self, row: asyncpg.Record) -> None:
        """Look at an invoice when the whole topic was read."""
        if row["ctid"] not in self._current:
            self.not_yet(row, f"its version {row['version']} was never told on {STATE}")
