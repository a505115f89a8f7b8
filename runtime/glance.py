"""What a handler sees that decides a batch at once: nothing is held between its two statements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from runtime.answers import Answer
from runtime.database import Connection
from runtime.faults import Fault, fault_of
from runtime.haste import Haste
from runtime.incoming import Incoming
from runtime.transaction import Known, Named

if TYPE_CHECKING:
    from runtime.edge.guard import Place

Compare = Callable[[Sequence[int | None]], None]
"""Holds positions, as a statement found them, against what is known. Raises StoreWentBack."""


class Glance:
    """Two statements, each a transaction of its own: the first looks, the second records.

    A small batch costs a transaction's six round trips more than all that is done in them, and at
    each of them it waits for its turn on a core. So where nothing needs a lock before it is
    decided, the first statement reads what a decision needs and how those rows stand, and the
    second records, moves the positions on, and fails as a whole (serialization_failure) where a
    row stands otherwise by then: the batch is decided again, in a transaction.

    `now` is PostgreSQL's time of the first, which the answers carry; `touched` as a Tx has it.
    `known` is how far each partition was decided for all that this process knows: a handler that
    records without a look must see to it that no position is behind. `few`: it costs little if
    the batch must be decided again.
    """

    __slots__ = (
        "_compare", "_connection", "_haste", "_offsets", "_partitions", "_read_at", "_topics",
        "few", "known", "now", "touched",
    )  # fmt: skip

    now: datetime

    def __init__(
        self,
        connection: Connection,
        marks: Mapping[Place, int],
        known: Sequence[int | None],
        read_at: Sequence[int | None],
        compare: Compare,
        haste: Haste,
        *,
        few: bool = True,
    ) -> None:
        self._connection = connection
        self._topics = [place.topic for place in marks]
        self._partitions = [place.partition for place in marks]
        self._offsets = list(marks.values())
        self._read_at = read_at
        self.known = [offset or 0 for offset in known]
        self.few = few
        self._haste = haste
        self._compare = compare
        self.touched: dict[Named, Known | None] = {}

    async def look(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """The rows of a statement whose first parameters are topics and partitions, and whose
        first row has `now` and their `positions`. Raises StoreWentBack."""
        asked = self._haste.asks()
        rows = await self._connection.fetch(query, self._topics, self._partitions, *args)
        self._compare(rows[0]["positions"] or ())
        self.now = rows[0]["now"]
        self._haste.told(self.now, asked)
        return list(rows)

    def without_a_look(self) -> datetime | None:
        """PostgreSQL's time, if the batch may be recorded without a look; None: better not."""
        return self._haste.now(few=self.few)

    def in_vain(self, error: Exception) -> None:
        """A record without a look failed. Raises that error, unless a look may mend it."""
        self._haste.failed()
        if fault_of(error) is not Fault.AGAIN:
            raise error

    async def record(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """The rows of a statement whose first parameters are topics, partitions and their next
        offsets, and whose last is when the records before these were read (`Guard.read`)."""
        marks = (self._topics, self._partitions, self._offsets)
        return list(await self._connection.fetch(query, *marks, *args, self._read_at))

    def know(self, kind: str, key: tuple[Any, ...], known: Known) -> None:
        """This entity's state record is published as the row stands that was just recorded."""
        self.touched[kind, key] = known


AtOnce = Callable[[Sequence[Incoming], Glance], Awaitable[list[Answer] | None]]
"""Decides a batch at once and records it; None, with nothing recorded: it needs a transaction."""
