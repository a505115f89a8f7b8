"""What the authorizer told, held against its store: pos.decisions and registry.state.

A sale that was approved and never told is neither booked nor invoiced, and takes room; one that was
told and is not remembered may be charged a second time. Each topic is read once, a thousand records
at a time, and what they say is looked up by one statement a kind; a bit is kept for each row that
was met (runtime/verifying.py has the rest).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import asyncpg

from runtime.rowmarks import RowMarks
from runtime.sql import statements
from runtime.verifying import Held, Topics
from schemas.pos import SaleApproved, SaleReversed
from schemas.registry import AccountState, CustomerState, EnvironmentState

sql: Final = statements("services.authorizer", "sql/verify.sql")

DECISIONS: Final = "pos.decisions"
STATE: Final = "registry.state"
TOPICS: Final = (DECISIONS, STATE)
ROWS_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of what is told: how its messages are called, and its rows found."""

    called: str
    message: type[Any]
    id: Callable[[Any], str]
    found: str
    """Statement: for each of the ids that are asked for its row, if there is one."""
    in_place: str
    """Statement: all rows, where they stand."""


SALES: Final = (
    Kind(
        called="sale",
        message=SaleApproved,
        id=lambda message: str(message.sale_id),
        found=sql.sales_of,
        in_place=sql.sales_in_place,
    ),
    Kind(
        called="reversal",
        message=SaleReversed,
        id=lambda message: str(message.cancellation_id),
        found=sql.reversals_of,
        in_place=sql.reversals_in_place,
    ),
)
REGISTRY: Final = (
    Kind(
        called="environment",
        message=EnvironmentState,
        id=lambda message: str(message.environment),
        found=sql.environments_of,
        in_place=sql.environments_in_place,
    ),
    Kind(
        called="customer",
        message=CustomerState,
        id=lambda message: str(message.customer_id),
        found=sql.customers_of,
        in_place=sql.customers_in_place,
    ),
    Kind(
        called="account",
        message=AccountState,
        id=lambda message: str(message.account),
        found=sql.accounts_of,
        in_place=sql.accounts_in_place,
    ),
)
KINDS: Final = {DECISIONS: SALES, STATE: REGISTRY}


async def hold(connection: asyncpg.Connection, topics: Topics, settled: timedelta) -> Held:
    """Look at both topics, in the snapshot that `connection` has open. Raises LogAway."""
    for topic, kinds in KINDS.items():
        link = Link(topics=topics, topic=topic)
        async for said in topics.messages(topic):
            for kind in kinds:
                await link.look_up(connection, kind, said)
        for kind in kinds:
            rows = connection.cursor(
                kind.in_place, topics.environment, settled, prefetch=ROWS_AT_ONCE
            )
            async for row in rows:
                link.conclude(kind, row)
    return topics.held


@dataclass(slots=True, kw_only=True)
class Link:
    """What one topic says: decisions in the bytes that are kept, states of the version that is."""

    topics: Topics
    topic: str
    _met: dict[str, RowMarks] = field(default_factory=dict)

    async def look_up(
        self, connection: asyncpg.Connection, kind: Kind, said: Sequence[tuple[Any, Any]]
    ) -> None:
        """Look at some messages of the topic, with their records."""
        mine = [(m, record) for m, record in said if isinstance(m, kind.message)]
        if not mine:
            return
        self.topics.held.add(self.topic, len(mine))
        ids = [kind.id(message) for message, _ in mine]
        rows = await connection.fetch(kind.found, [m.environment for m, _ in mine], ids)
        wrong = self._decision if self.topic == DECISIONS else self._state
        for row in rows:
            message, record = mine[row["place"] - 1]
            if problem := wrong(kind, message, record, row):
                self.topics.held.name(message.environment, kind.id(message), problem)

    def _decision(self, kind: Kind, _: Any, record: Any, row: asyncpg.Record) -> str | None:
        if row["ctid"] is None:
            gone = self.topics.was_there(self.topic, record)
            return f"the {kind.called} was told and is not remembered" if gone else None
        self._meet(kind, row)
        if row["answer"] == record.value:
            return None
        return f"the {kind.called} was told in other words than are remembered"

    def _state(self, kind: Kind, message: Any, record: Any, row: asyncpg.Record) -> str | None:
        kept = row["version"]
        if kept is None or message.version > kept:
            if not self.topics.was_there(self.topic, record):
                if kept is not None:  # it moved on meanwhile; the older record may be gone
                    self._meet(kind, row)
                return None
            return (
                f"version {message.version} of the {kind.called} was told, {kept or 'none'} is kept"
            )
        if message.version == kept:
            self._meet(kind, row)
        return None

    def _meet(self, kind: Kind, row: asyncpg.Record) -> None:
        self._met.setdefault(kind.called, RowMarks()).add(row["ctid"])

    def conclude(self, kind: Kind, row: asyncpg.Record) -> None:
        """Look at a row when the whole topic was read."""
        met = self._met.get(kind.called)
        if met is not None and row["ctid"] in met:
            return
        if self.topic == DECISIONS and not self.topics.whole(self.topic):
            self.topics.held.older += 1
            return
        version = f"version {row['version']} of " if self.topic == STATE else ""
        problem = f"{version}the {kind.called} was never told on {self.topic}"
        self.topics.held.not_told(row, row["id"], problem)
