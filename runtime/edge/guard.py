"""Notices a store that went back, before anything is answered or numbered twice.

Per partition the service's positions stand in PostgreSQL, written in the transaction that
decides; the group's committed offsets stand in Kafka and follow. So positions behind the
committed offsets, or behind what this very process wrote, mean that PostgreSQL was restored;
positions beyond a log's end mean that Kafka was, as does another record before a position than the
one that was read there: a power cut takes a log's end, and others' records stand there since; and
positions before a log's beginning mean that records were deleted (retention, kafka-delete-records)
which nobody had decided.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from runtime.database import Connection, Database
from runtime.faults import RecordsGone, StoreWentBack
from runtime.glance import Glance
from runtime.haste import Haste, seconds
from runtime.transaction import NO_ENDS, Ends, Tx, sql
from schemas.topics import FOREVER, TOPIC


class Place(NamedTuple):
    topic: str
    partition: int


MOVED: Final = ", or somebody moved the group's offsets ahead"

# Whoever had no answer to what stands here asks again.
ASKED_ANEW: Final = frozenset({"pos.terminals"})

NOWHERE: Final[Mapping[Place, int]] = MappingProxyType({})


class Logs(NamedTuple):
    """Where logs begin and end, by TopicPartition."""

    begins: Mapping[Any, int]
    ends: Mapping[Any, int]


AskKafka = Callable[[], Awaitable[tuple[Mapping[Any, int], Logs]]]
"""Gives the group's committed offsets, by TopicPartition, and the logs."""


class Read(NamedTuple):
    """The record before a position: its offset, and when it was appended (ms since 1970)."""

    offset: int
    at: int


FindCut = Callable[[Mapping[Place, Read]], Awaitable[Collection[Place]]]
"""Gives those whose log has another record there."""


def must_be_read(topic: str) -> bool:
    """Whether deleting this topic's records before they were decided is a loss: not where the
    topics table itself lets records go; compaction takes none of which there is no newer one."""
    known = TOPIC.get(topic)
    return (
        known is not None
        and known.cleanup == "delete"
        and known.retention_ms == FOREVER
        and topic not in ASKED_ANEW
    )


class Guard:
    """Compares positions with what is known to have been decided.

    What is known is noted before a statement is sent, so that a position which another task
    commits meanwhile is never held against what that statement saw.
    """

    def __init__(
        self,
        service: str,
        clock: Callable[[], float] = seconds,
        *,
        passed_over: Collection[str] = (),
    ) -> None:
        self._service = service
        self._passed_over = frozenset(passed_over)
        self._haste = Haste(clock)
        self._seen: dict[tuple[str, int], int] = {}
        self._read_at: dict[Place, int] = {}
        self._read: tuple[str | None, Mapping[Place, int]] = (None, NOWHERE)

    def read(self, times: Mapping[Place, int]) -> None:
        """The records that are next to be decided end with these, appended at these times (ms since
        1970, by the log): it is noted with their positions."""
        self._read_at |= times

    async def open(
        self,
        connection: Connection,
        marks: Mapping[Place, int] = NOWHERE,
        ends: Ends = NO_ENDS,
        *,
        alone: bool = False,
    ) -> Tx:
        """Begin a batch whose next offsets are `marks`: read the clock, compare these partitions'
        positions, and move them on. One statement, for each costs a small batch as much as the
        next; the transaction's first, so that all lock positions before anything else.

        Raises StoreWentBack.
        """
        asked = self._haste.asks()
        if not marks:
            now = await connection.fetchval(sql.clock)
            self._haste.told(now, asked)
            return Tx(connection, now, ends, alone=alone)
        known = [self._seen.get(place) for place in marks]
        rows = await connection.fetch(
            sql.opening,
            [p.topic for p in marks],
            [p.partition for p in marks],
            list(marks.values()),
            [self._read_at.get(place) for place in marks],
        )
        found = {Place(r["topic"], r["partition"]): r["next_offset"] for r in rows}
        for place, offset in zip(marks, known, strict=True):
            self._compare(place, found.get(place), offset)
        self._haste.told(rows[0]["now"], asked)
        return Tx(connection, rows[0]["now"], ends, alone=alone)

    def glance(
        self, connection: Connection, marks: Mapping[Place, int], *, few: bool = True
    ) -> Glance:
        """Begin a batch that is decided at once; its statements do what `open` does."""
        known = [self._seen.get(place) for place in marks]
        read_at = [self._read_at.get(place) for place in marks]

        def compare(positions: Sequence[int | None]) -> None:
            for place, position, offset in zip(marks, positions, known, strict=True):
                self._compare(place, position, offset)

        return Glance(connection, marks, known, read_at, compare, self._haste, few=few)

    def must_read(self, topic: str) -> bool:
        """Whether records of it that are gone before they were decided are a loss to this service:
        not where it reads them for their positions alone (`passed_over`)."""
        return topic not in self._passed_over and must_be_read(topic)

    async def look(self, connection: Connection) -> None:
        """Compare all positions with what this process saw or wrote. Raises StoreWentBack."""
        await self._look(connection)

    async def _look(self, connection: Connection) -> tuple[dict[Place, int], dict[Place, Read]]:
        known = self.known()
        rows = await connection.fetch(sql.positions)
        found = {Place(r["topic"], r["partition"]): int(r["next_offset"]) for r in rows}
        self._compare_all(found, known)
        read = {
            Place(r["topic"], r["partition"]): Read(r["next_offset"] - 1, r["read_at"])
            for r in rows
            if r["read_at"] is not None
        }
        return found, read

    def known(self) -> dict[tuple[str, int], int]:
        """What is known now: to be noted before a statement that reads positions is sent."""
        return dict(self._seen)

    def compare(self, positions: str | None, known: Mapping[tuple[str, int], int]) -> None:
        """As `look`, with all positions as the statement `hold` gives them; mostly they are those
        of the step before. Raises StoreWentBack."""
        if positions != self._read[0]:
            rows = (each.split(" ") for each in (positions or "").split(",") if each)
            self._read = (positions, {Place(t, int(p)): int(offset) for t, p, offset in rows})
        self._compare_all(self._read[1], known)

    def _compare_all(
        self, found: Mapping[Place, int], known: Mapping[tuple[str, int], int]
    ) -> None:
        for (topic, partition), seen in known.items():
            place = Place(topic, partition)
            self._compare(place, found.get(place), seen)
        # What another worker wrote must not be taken back either.
        self.wrote(found)

    def wrote(self, marks: Mapping[Place, int]) -> None:
        """These positions are committed."""
        for place, offset in marks.items():
            if offset > self._seen.get(place, 0):
                self._seen[place] = offset

    def positions(self) -> Mapping[tuple[str, int], int]:
        """How far the group has decided, as far as this process knows, by topic and partition."""
        return self._seen

    async def compare_with_kafka(
        self, database: Database, ask: AskKafka, find_cut: FindCut
    ) -> None:
        """Compare positions with committed offsets and the logs. Raises StoreWentBack, RecordsGone.

        Others go on deciding meanwhile: positions read before Kafka is asked lie within its
        logs, and positions read after it are not behind what was committed or deleted.
        """
        async with database.connection() as connection:
            before, read = await self._look(connection)
        committed, logs = await ask()
        async with database.connection() as connection:
            after, _ = await self._look(connection)
        for tp, offset in committed.items():
            place = Place(tp.topic, tp.partition)
            self._compare(place, after.get(place), offset, or_else=MOVED)
        self.compare_with_ends(before, logs.ends)
        self.compare_with_begins(after, logs.begins)
        # What the topics table lets go may be gone, and another record be the first of its time.
        kept = {
            Place(tp.topic, tp.partition): begin
            for tp, begin in logs.begins.items()
            if must_be_read(tp.topic)
        }
        asked = {at: r for at, r in read.items() if r.offset >= kept.get(at, r.offset + 1)}
        for place in await find_cut(asked) if asked else ():
            raise StoreWentBack(
                f"Kafka's topic {place.topic} partition {place.partition} has another record at "
                f"offset {asked[place].offset} than {self._service} has decided there: Kafka was "
                "put back to an earlier state, or lost the end of its log with its power; see "
                "docs/runbook.md before starting again"
            )

    def compare_with_ends(self, positions: Mapping[Any, int], ends: Mapping[Any, int]) -> None:
        """Positions that were read before the log's ends lie within it. Raises StoreWentBack."""
        for tp, end in ends.items():
            position = positions.get((tp.topic, tp.partition))
            if position is not None and position > end:
                raise StoreWentBack(
                    f"Kafka's topic {tp.topic} partition {tp.partition} ends at offset {end}, but "
                    f"{self._service} has decided it up to {position}: Kafka was put back to an "
                    "earlier state; restore it or see docs/runbook.md before starting again"
                )

    def compare_with_begins(self, positions: Mapping[Any, int], begins: Mapping[Any, int]) -> None:
        """Positions that were read after the log's beginnings lie within it. Raises RecordsGone."""
        for tp, begin in begins.items():
            position = positions.get((tp.topic, tp.partition), 0)
            if position < begin and self.must_read(tp.topic):
                raise RecordsGone(
                    f"Kafka's topic {tp.topic} partition {tp.partition} begins at offset {begin}, "
                    f"but {self._service} has decided it only up to {position}: what lay between "
                    "was deleted before it was read; see docs/runbook.md before starting again"
                )

    def _compare(
        self, place: Place, position: int | None, known: int | None, *, or_else: str = ""
    ) -> None:
        if known is not None and known > 0 and (position or 0) < known:
            raise StoreWentBack(
                f"PostgreSQL knows topic {place.topic} partition {place.partition} up to offset "
                f"{position or 0}, but {self._service} has answered it up to {known}: PostgreSQL "
                f"was put back to an earlier state{or_else}; restore it or see docs/runbook.md "
                "before starting again"
            )
