"""What the invoicer told, held against its register: invoices.events and invoices.state.

What is issued, credited, paid or paid back must have been told, just so, or the ledger and the
limits know nothing of it; what was told must be in the register, or somebody counts what is not
there. Each topic is read once, a thousand records at a time, and what they say is looked up by one
statement a kind; a bit is kept for each row that was met (runtime/verifying.py has the rest).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg

from runtime.rowmarks import RowMarks
from runtime.sql import statements
from runtime.verifying import Held, Topics
from schemas.billing import (
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceState,
    PaymentReceived,
    PaymentRefunded,
)
from services.invoicer.store.invoices import vat_from, vat_lines

sql = statements("services.invoicer", "sql/told.sql")

EVENTS, STATE = "invoices.events", "invoices.state"
TOPICS = (EVENTS, STATE)
ROWS_AT_ONCE = 5_000


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
    of_an_invoice: bool = False
    """Whether one invoice has several of them, so that its number does not tell which is meant."""

    def named(self, id: str) -> str:
        """How a problem that is noted under the document's number speaks of it."""
        return f"{self.called} {id}" if self.of_an_invoice else self.called


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
        of_an_invoice=True,
    ),
    Kind(
        called="refund",
        messages=(PaymentRefunded,),
        id=_payment_id,
        fields=(*_BOTH, "amount", "open"),
        found=sql.refunds_of,
        in_place=sql.refunds_in_place,
        of_an_invoice=True,
    ),
)
STATED = (
    "account", "period", "status", "number", "currency", "total", "paid", "credited", "due_on",
)  # fmt: skip


async def hold(connection: asyncpg.Connection, topics: Topics, settled: timedelta) -> Held:
    """Look at both topics, in the snapshot that `connection` has open. Raises LogAway."""
    money, states = Money(topics=topics), States(topics=topics)
    which = topics.environment, settled
    async for said in topics.messages(EVENTS):
        await money.look_up(connection, said)
    for kind in KINDS:
        async for row in connection.cursor(kind.in_place, *which, prefetch=ROWS_AT_ONCE):
            money.conclude(kind, row)
    async for said in topics.messages(STATE):
        await states.look_up(connection, said)
    async for row in connection.cursor(sql.states_in_place, *which, prefetch=ROWS_AT_ONCE):
        states.conclude(row)
    return topics.held


Said = Sequence[tuple[Any, Any]]
"""Messages with their records."""


@dataclass(slots=True, kw_only=True)
class Money:
    """Each document and payment stands on invoices.events as the register has it."""

    topics: Topics
    _met: dict[str, RowMarks] = field(
        default_factory=lambda: {kind.called: RowMarks() for kind in KINDS}
    )

    async def look_up(self, connection: asyncpg.Connection, said: Said) -> None:
        """Look at some messages of the topic."""
        for kind in KINDS:
            mine = [(m, record) for m, record in said if isinstance(m, kind.messages)]
            if not mine:
                continue
            self.topics.held.add(EVENTS, len(mine))
            ids = [kind.id(message) for message, _ in mine]
            rows = await connection.fetch(kind.found, [m.environment for m, _ in mine], ids)
            for row in rows:
                message, record = mine[row["place"] - 1]
                self._compare(kind, message, record, row)

    def _compare(self, kind: Kind, message: Any, record: Any, row: asyncpg.Record) -> None:
        held, environment, number = self.topics.held, message.environment, message.number
        if row["ctid"] is None:
            if self.topics.was_there(EVENTS, record):
                problem = (
                    f"the {kind.called} {kind.id(message)} was told and is not in the register"
                )
                held.name(environment, number, problem)
            return
        self._met[kind.called].add(row["ctid"])
        wrong = [name for name in kind.fields if getattr(message, name) != _kept(row, name)]
        if wrong:
            named = kind.named(kind.id(message))
            problem = f"its {named} was told with another {' and '.join(wrong)}"
            held.name(environment, number, problem)

    def conclude(self, kind: Kind, row: asyncpg.Record) -> None:
        """Look at a row when the whole topic was read."""
        if row["ctid"] in self._met[kind.called]:
            return
        if self.topics.whole(EVENTS):
            problem = f"its {kind.named(row['id'])} was never told on {EVENTS}"
            self.topics.held.not_told(row, row["number"], problem)
        else:
            self.topics.held.older += 1


def _kept(row: asyncpg.Record, name: str) -> object:
    return vat_lines(vat_from(row["vat"])) if name == "vat" else row[name]


@dataclass(slots=True, kw_only=True)
class States:
    """Each invoice stands on invoices.state as it is, and none of a later version does."""

    topics: Topics
    _current: RowMarks = field(default_factory=RowMarks)

    async def look_up(self, connection: asyncpg.Connection, said: Said) -> None:
        """Look at some messages of the topic."""
        mine = [(state, record) for state, record in said if isinstance(state, InvoiceState)]
        if not mine:
            return
        self.topics.held.add(STATE, len(mine))
        ids = [str(state.invoice_id) for state, _ in mine]
        rows = await connection.fetch(sql.states_of, [s.environment for s, _ in mine], ids)
        for row in rows:
            state, record = mine[row["place"] - 1]
            if problem := self._wrong(state, record, row):
                number = state.number or f"draft {state.invoice_id}"
                self.topics.held.name(state.environment, number, problem)

    def _wrong(self, state: InvoiceState, record: Any, row: asyncpg.Record) -> str | None:
        if row["ctid"] is None or state.version > row["version"]:
            if not self.topics.was_there(STATE, record):
                if row["ctid"] is not None:  # it moved on meanwhile; the older record may be gone
                    self._current.add(row["ctid"])
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
            problem = f"its version {row['version']} was never told on {STATE}"
            self.topics.held.not_told(row, row["number"], problem)
