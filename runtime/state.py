"""State records: compacted topics on which the last record per key becomes the newest.

They are not remembered answers. A worker publishes the row as it stands; after the acks, and
before it commits its offsets, it reads the versions again and publishes once more each row that
moved on meanwhile. Two workers that race on a row can put the older record last only if the one
that published it saw the newer version too and published again: so the newest record is last.
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
from runtime.transaction import Known, Named

Key = tuple[Any, ...]
Touched = Mapping[Named, Known | None]
"""None: how the row stands is to be read."""

Rows = Mapping[Key, Known]
"""Version, and what words the row as it stands: most rows are read twice and worded once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateKind:
    """How rows of one kind are read; `newer` gives those of some that moved on beyond a version,
    where that is less."""

    kind: str
    read: Callable[[Connection, Sequence[Key]], Awaitable[Rows]]
    newer: Callable[[Connection, Mapping[Key, int]], Awaitable[Sequence[Key]]] | None = None


class Publishes(Protocol):
    async def publish(self, answers: Sequence[Answer]) -> None: ...


# An upper bound on rows per publication, so that a bulk change of thousands stays bounded.
CHUNK = 1_000


class States:
    """Publishes touched rows of all kinds of one service."""

    def __init__(self, kinds: Iterable[StateKind], database: Database) -> None:
        self._kinds = {k.kind: k for k in kinds}
        self._database = database

    async def publish(self, touched: Touched, publisher: Publishes) -> None:
        """Publish the rows and return when the last record of each is the newest.

        Raises KeyError for a kind that the service did not declare.
        """
        by_kind: dict[str, dict[Key, Known | None]] = {}
        for (kind, key), known in touched.items():
            by_kind.setdefault(kind, {})[key] = known
        for kind, rows in by_kind.items():
            keys = list(rows)
            for start in range(0, len(keys), CHUNK):
                some = {key: rows[key] for key in keys[start : start + CHUNK]}
                await self._publish(self._kinds[kind], some, publisher)

    async def _publish(
        self, kind: StateKind, touched: Mapping[Key, Known | None], publisher: Publishes
    ) -> None:
        published: dict[Key, int] = {}
        known = {key: row for key, row in touched.items() if row is not None}
        keys: Sequence[Key] = [key for key in touched if key not in known]
        while True:
            rows: Rows = known
            if keys:
                async with self._database.connection() as connection:
                    rows = {**known, **await kind.read(connection, keys)}
            known = {}
            moved = {key: row for key, row in rows.items() if row[0] > published.get(key, -1)}
            if not moved:
                return
            answers, breath = [], Breath()
            for _, worded in moved.values():
                answers.append(worded())
                await breath.take()
            await publisher.publish(answers)
            published |= {key: version for key, (version, _) in moved.items()}
            keys = list(moved)
            if kind.newer is not None:
                told = {key: published[key] for key in keys}
                async with self._database.connection() as connection:
                    keys = await kind.newer(connection, told)
                if not keys:
                    return
