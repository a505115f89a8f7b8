"""A batch of records, decoded record by record and sorted to its routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from runtime.answers import Outgoing
from runtime.deadletters import dead_letter, header, origin, retries
from runtime.edge.guard import Place
from runtime.faults import describe
from runtime.incoming import Incoming, Route
from runtime.metrics import DEAD_LETTERS
from schemas.cloudevents import TRACEPARENT
from schemas.malformed import Malformed, Undecodable
from schemas.wire import decode


@dataclass(slots=True)
class Item:
    """One record that is for this group, with what is needed to make a dead letter of it."""

    route: Route
    incoming: Incoming
    record: Any


@dataclass(slots=True)
class Batch:
    """Items in the log's order, dead letters of what can't be read, and the next offsets."""

    items: list[Item] = field(default_factory=list)
    dead: list[Outgoing] = field(default_factory=list)
    marks: dict[Place, int] = field(default_factory=dict)
    # topic and cause of what failed to decode by a fault of our own code
    broken: list[tuple[str, str]] = field(default_factory=list)

    def groups(self) -> list[tuple[Route, list[Incoming]]]:
        """The items by route, routes in the order of their first item."""
        found: dict[str, tuple[Route, list[Incoming]]] = {}
        for item in self.items:
            topic = item.route.topic
            if topic not in found:
                found[topic] = (item.route, [])
            found[topic][1].append(item.incoming)
        return list(found.values())


class Opener:
    """Decodes records for one group's routes."""

    def __init__(self, group: str, routes: Sequence[Route]) -> None:
        self._group = group
        self._retries = retries(group)
        self._routes: Mapping[str, Route] = {r.topic: r for r in routes}
        self._takes = {r.topic: frozenset(r.takes) for r in routes}
        self._names = {
            r.topic: frozenset(m.model_fields["type"].default for m in r.takes) for r in routes
        }

    def open(self, records: Sequence[Any]) -> Batch:
        """Decode each record by itself: one that can't be read touches no other."""
        batch = Batch()
        marks = batch.marks
        place = Place("", -1)
        for record in records:
            topic, partition = record.topic, record.partition
            if place.topic != topic or place.partition != partition:
                place = Place(topic, partition)
            marks[place] = record.offset + 1
            try:
                self._open(record, batch)
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
        return batch

    def _open(self, record: Any, batch: Batch) -> None:
        topic = record.topic
        if topic == self._retries:
            topic, time = origin(record, self._group)
        else:
            time = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        route = self._routes.get(topic)
        if route is None:
            raise Undecodable("this group takes nothing from the topic it came from")
        if record.value is None:
            if topic.endswith(".state"):  # a tombstone: nothing to learn from
                return
            raise Undecodable("the record has no value")
        message = decode(topic, record.value)
        kind = type(message)
        if isinstance(message, Malformed) and message.type in self._names[topic]:
            if message.answered_by is None:
                raise Undecodable(f"{message.type}: {message.field} {message.message}")
        elif kind not in self._takes[topic]:
            return
        trace = header(record, TRACEPARENT) if record.headers else None
        batch.items.append(
            Item(
                route,
                Incoming(message, topic, record.partition, record.offset, time, trace),
                record,
            )
        )
