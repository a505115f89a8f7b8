"""State records: compacted topics on which the last record per key becomes the newest.

They are not remembered answers. A worker publishes the row as it stands; after the acks, and
before it commits its offsets, it reads the versions again and publishes once more each row that
moved on meanwhile. Two workers that race on a row can put the older record last only if the one
that published it saw the newer version too and published again: so the newest record is last.
Where a mark shows that none of many rows can have moved on, they are not read again (`Tx.mark`).
A row that a worker wrote itself it need not read first (`Tx.know`): should it have moved on since,
that is seen in the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runtime.answers import Answer
from runtime.breath import Breath
from runtime.database import Connection, Database
from runtime.transaction import Known, Marks, Named

Key = tuple[Any, ...]
Touched = Mapping[Named, Known | None]
"""None: how the row stands is to be read."""

Rows = Mapping[Key, Known]
"""Version, and what words the row as it stands: most rows are read twice and worded once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateKind:
    """How rows of one kind are read; `newer` gives those of some that moved on beyond a version,
    where that is less. It may look first at the marks of the transaction that wrote them."""

    kind: str
    read: Callable[[Connection, Sequence[Key]], Awaitable[Rows]]
    newer: Callable[[Connection, Mapping[Key, int], Marks], Awaitable[Sequence[Key]]] | None = None


NO_MARKS: Marks = {}


class Publishes(Protocol):
    async def publish(self, answers: Sequence[Answer]) -> None: ...


# An upper bound on rows of one kind per publication: a bulk change of thousands stays bounded.
CHUNK = 1_000


class States:
    """Publishes touched rows of all kinds of one service."""

    def __init__(self, kinds: Iterable[StateKind], database: Database) -> None:
        self._kinds = {k.kind: k for k in kinds}
        self._database = database

    async def publish(
        self, touched: Touched, publisher: Publishes, marks: Marks = NO_MARKS
    ) -> None:
        """Publish the rows and return when the last record of each is the newest. Rows of several
        kinds go out together: what reads them has them in one fetch. `marks`: as the transaction
        left them that touched the rows.

        Raises KeyError for a kind that the service did not declare.
        """
        by_kind: dict[str, list[Key]] = {}
        for kind, key in touched:
            by_kind.setdefault(kind, []).append(key)
        most = max(map(len, by_kind.values()), default=0)
        for start in range(0, most, CHUNK):
            some = []
            for kind, keys in by_kind.items():
                rows = {key: touched[kind, key] for key in keys[start : start + CHUNK]}
                some.append(Telling(self._kinds[kind], self._database, rows, marks))
            await _tell(some, publisher)


class Telling:
    """Rows of one kind that are told until none of them has moved on."""

    def __init__(
        self,
        kind: StateKind,
        database: Database,
        touched: Mapping[Key, Known | None],
        marks: Marks,
    ) -> None:
        self._kind = kind
        self._database = database
        self._marks = marks
        self._published: dict[Key, int] = {}
        self._known = {key: row for key, row in touched.items() if row is not None}
        self._asked: Sequence[Key] = [key for key in touched if key not in self._known]

    @property
    def asks(self) -> bool:
        """Whether any is to be looked at again."""
        return bool(self._asked)

    async def moved(self) -> Rows:
        """Those that stand otherwise than they were told."""
        rows: Rows = self._known
        if self._asked:
            async with self._database.connection() as connection:
                rows = {**rows, **await self._kind.read(connection, self._asked)}
        self._known, self._asked = {}, ()
        told = self._published
        return {key: row for key, row in rows.items() if row[0] > told.get(key, -1)}

    async def told(self, moved: Rows) -> None:
        """These are published: which of them is to be looked at again?"""
        versions = {key: version for key, (version, _) in moved.items()}
        self._published |= versions
        self._asked = list(moved)
        if moved and self._kind.newer is not None:
            async with self._database.connection() as connection:
                self._asked = await self._kind.newer(connection, versions, self._marks)


async def _tell(some: Sequence[Telling], publisher: Publishes) -> None:
    while some:
        found = [(one, await one.moved()) for one in some]
        answers, breath = [], Breath()
        for _, moved in found:
            for _, worded in moved.values():
                answers.append(worded())
                await breath.take()
        if answers:
            await publisher.publish(answers)
        for one, moved in found:
            await one.told(moved)
        some = [one for one, moved in found if moved and one.asks]
