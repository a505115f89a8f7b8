"""State records: compacted topics on which the last record per key becomes the newest.

They are not remembered answers. A worker publishes the row as it stands; after the acks, and
before it commits its offsets, it reads the versions again and publishes once more each row that
moved on meanwhile. Two workers that race on a row can put the older record last only if the one
that published it saw the newer version too and published again: so the newest record is last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from runtime.answers import Answer
from runtime.breath import Breath
from runtime.database import Connection, Database

Key = tuple[Any, ...]
Touched = Iterable[tuple[str, Key]]
Rows = Mapping[Key, tuple[int, Callable[[], Answer]]]
"""Version, and what words the row as it stands: most rows are read twice and worded once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateKind:
    """How rows of one kind are read; `versions` gives the versions alone, where that is less."""

    kind: str
    read: Callable[[Connection, Sequence[Key]], Awaitable[Rows]]
    versions: Callable[[Connection, Sequence[Key]], Awaitable[Mapping[Key, int]]] | None = None


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
        by_kind: dict[str, list[Key]] = {}
        for kind, key in touched:
            by_kind.setdefault(kind, []).append(key)
        for kind, keys in by_kind.items():
            for start in range(0, len(keys), CHUNK):
                await self._publish(self._kinds[kind], keys[start : start + CHUNK], publisher)

    async def _publish(self, kind: StateKind, keys: Sequence[Key], publisher: Publishes) -> None:
        published: dict[Key, int] = {}
        while True:
            async with self._database.connection() as connection:
                rows = await kind.read(connection, keys)
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
            if kind.versions is not None:
                async with self._database.connection() as connection:
                    now = await kind.versions(connection, keys)
                keys = [key for key, version in now.items() if version > published.get(key, -1)]
                if not keys:
                    return
