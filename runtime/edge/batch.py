"""A batch of records, decoded record by record and sorted to its routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from runtime.answers import Outgoing
from runtime.deadletters import dead_letter, header, origin, retries
from runtime.edge.guard import Place
from runtime.edge.unpacking import Unreadable
from runtime.faults import describe
from runtime.incoming import Incoming, Route
from runtime.metrics import DEAD_LETTERS
from schemas.cloudevents import TRACEPARENT
from schemas.malformed import Malformed, NotOfTopic, Undecodable
from schemas.topics import MESSAGES
from schemas.wire import reader


class Item(NamedTuple):
    """One record that is for this group, with what is needed to make a dead letter of it."""

    route: Route
    incoming: Incoming
    record: Any


@dataclass(slots=True)
class Batch:
    """What is for this group, dead letters of what is unreadable, where it begins, what is next,
    and when the record before that was appended (`times`: ms since 1970, by the log)."""

    by_topic: dict[str, tuple[Route, list[Incoming]]] = field(default_factory=dict)
    incoming: list[Incoming] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    dead: list[Outgoing] = field(default_factory=list)
    begins: dict[Place, int] = field(default_factory=dict)
    marks: dict[Place, int] = field(default_factory=dict)
    times: dict[Place, int] = field(default_factory=dict)
    # topic and cause of what failed to decode by a fault of our own code
    broken: list[tuple[str, str]] = field(default_factory=list)

    def groups(self) -> list[tuple[Route, list[Incoming]]]:
        """The records by route, routes in the order of their first record."""
        return list(self.by_topic.values())

    @property
    def items(self) -> list[Item]:
        """The records in the log's order, each by itself."""
        return [
            Item(self.by_topic[incoming.topic][0], incoming, record)
            for incoming, record in zip(self.incoming, self.records, strict=True)
        ]


class _Known(NamedTuple):
    """A route, with what is asked of it for every record."""

    route: Route
    takes: frozenset[type[Any]]
    names: frozenset[str]
    read: Callable[[bytes | None], Any]


class Opener:
    """Decodes records for one group's routes, all of them."""

    def __init__(self, group: str, routes: Sequence[Route]) -> None:
        self._group = group
        self._retries = retries(group)
        self._known = {
            r.topic: _Known(
                r,
                frozenset(r.takes),
                frozenset(m.model_fields["type"].default for m in r.takes),
                reader(r.topic),
            )
            for r in routes
        }
        # By type, where this group reads it.
        self._homes = {name: topic for topic, known in self._known.items() for name in known.names}
        self._last = (-1, datetime.fromtimestamp(0, UTC))

    def open(self, records: Sequence[Any]) -> Batch:
        """Decode each record by itself: one that can't be read touches no other."""
        batch = Batch()
        last = None
        for record in records:
            topic = record.topic
            if last is None or record.partition != last.partition or topic != last.topic:
                _mark(batch, last)
                batch.begins.setdefault(Place(topic, record.partition), record.offset)
            last = record
            try:
                self._open(record, topic, batch)
            except Undecodable as error:
                batch.dead.append(dead_letter(record, self._group, f"undecodable: {error}"))
                DEAD_LETTERS.labels(record.topic, "undecodable").inc()
            except MemoryError:
                raise
            except Exception as error:
                # Ours to mend, and no reason to stand still: it does not decode.
                cause = describe(error)
                batch.dead.append(dead_letter(record, self._group, f"undecodable: {cause}"))
                batch.broken.append((record.topic, cause))
                DEAD_LETTERS.labels(record.topic, "undecodable").inc()
        _mark(batch, last)
        return batch

    def _open(self, record: Any, topic: str, batch: Batch) -> None:
        if type(record) is Unreadable:
            raise Undecodable(f"it can't be taken apart ({record.cause}); see its origin")
        if topic == self._retries:
            topic, time = origin(record, self._group)
        else:
            # Many records of a batch were appended in the same millisecond.
            stamp = record.timestamp
            if stamp != self._last[0]:
                self._last = stamp, datetime.fromtimestamp(stamp / 1000, UTC)
            time = self._last[1]
        known = self._known.get(topic)
        if known is None:
            raise Undecodable("this group takes nothing from the topic it came from")
        if not known.takes:
            return
        value = record.value
        if value is None:
            if topic.endswith(".state"):  # a tombstone: nothing to learn from
                return
            raise Undecodable("the record has no value")
        try:
            message = known.read(value)
        except NotOfTopic as wrong:
            if self._is_for_others(wrong.type, topic):
                return
            raise
        if type(message) not in known.takes:
            if not isinstance(message, Malformed) or message.type not in known.names:
                return
            if message.answered_by is None:
                raise Undecodable(f"{message.type}: {message.field} {message.message}")
        headers = record.headers
        trace = header(record, TRACEPARENT) if headers else None
        incoming = Incoming(message, topic, record.partition, record.offset, time, trace)
        group = batch.by_topic.get(topic)
        if group is None:
            group = batch.by_topic[topic] = (known.route, [])
        group[1].append(incoming)
        batch.incoming.append(incoming)
        batch.records.append(record)

    def _is_for_others(self, kind: str, topic: str) -> bool:
        """Whether a type that its topic does not carry is known, and none that this group takes.

        One that it takes, but from another topic, may be a sale that nobody would ever answer:
        an operator must see it. Raises Undecodable for that.
        """
        if (home := self._homes.get(kind)) is not None:
            raise Undecodable(f"{kind} came on {topic}, and is read from {home} alone")
        return kind in MESSAGES


def _mark(batch: Batch, last: Any) -> None:
    """Note the next offset after a partition's last record so far, and that record's time."""
    if last is not None:
        place = Place(last.topic, last.partition)
        batch.marks[place] = last.offset + 1
        if type(last) is not Unreadable:
            batch.times[place] = last.timestamp
