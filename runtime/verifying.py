"""What a service's own check of its store needs: `python -m services.SERVICE verify`.

A check looks at one snapshot of the database, and holds it against what the service told on its
topics, read in no consumer group. What was told before the snapshot was opened must be in it, so
the topics' ends are noted before; what is younger than `settled` may be on its way to its topic.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, Self

import asyncpg
from pydantic import ValidationError

from runtime.reading import (
    Gauge,
    Log,
    LogAway,
    Spans,
    is_whole,
    message_in,
    unheard,
    was_there,
)
from runtime.settings import WorkerSettings, wrong_in

SETTLED = timedelta(minutes=10)
"""Longer than what is committed takes to its topic; after a standstill it can be too short."""

MOST_NAMED = 1_000

NO_SUCH_ENVIRONMENT = "there is no such environment"
"""The problem of an environment that the store does not have, as both sql/verify.sql say it."""
NOT_LOOKED_AT, NOT_THERE = 2, 3
"""Exit statuses of a check that looked at nothing: see `command`."""

Report = dict[str, Any]
"""What a check found; "ok" says whether all is as it must be."""


@dataclass(slots=True, kw_only=True)
class Held:
    """How much of the topics was held against the store, and what differs.

    `told` are records that say something of it, repetitions too, by topic; `unreadable` ones can't
    be read. `older` rows may have been told before a topic's beginning; `on_their_way` ones are too
    young to be missed. Of what differs the first thousand are named, each once, for messages come
    at least once.
    """

    told: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    older: int = 0
    on_their_way: int = 0
    problems: dict[tuple[int, str, str], None] = field(default_factory=dict)

    def add(self, topic: str, records: int) -> None:
        """Count some records of a topic."""
        self.told[topic] = self.told.get(topic, 0) + records

    def name(self, environment: int, what: str, problem: str) -> None:
        """Note a problem with an account, a document, a sale."""
        if len(self.problems) < MOST_NAMED:
            self.problems[environment, what, problem] = None

    def not_told(self, row: asyncpg.Record, what: str, problem: str) -> None:
        """Of a row that was not met: wrong when it is `late`, else on its way."""
        if row["late"]:
            self.name(row["environment"], what, problem)
        else:
            self.on_their_way += 1

    def counts(self) -> dict[str, Any]:
        """All but the problems."""
        return {
            "records": dict(self.told),
            "unreadable": self.unreadable,
            "older": self.older,
            "on_their_way": self.on_their_way,
        }


def in_words(held: Mapping[str, Any] | None) -> list[str]:
    """What `Held.counts` gives, for people, a line each; none where no topic was looked at."""
    if held is None:
        return []
    records = ", ".join(f"{count:,} of {topic}" for topic, count in held["records"].items())
    lines = [f"held against what was told: {records or 'nothing'}"]
    for name, what in (
        ("unreadable", "records can't be read"),
        ("older", "may have been told before what the topic still holds"),
        ("on_their_way", "are still to be told"),
    ):
        if held[name]:
            lines.append(f"{held[name]:,} {what}")
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """Topics to be held against a snapshot, and what they held before it was opened."""

    log: Log
    gauge: Gauge
    held: Held
    environment: int | None
    before: Mapping[str, Spans]
    now: dict[str, Spans] = field(default_factory=dict)

    @classmethod
    async def noted(
        cls, log: Log, names: Collection[str], environment: int | None, gauge: Gauge
    ) -> Self:
        """Note how far they go. To be called before the snapshot is opened; `log` must have been
        opened for them. Raises LogAway."""
        before = {name: await log.spans(name) for name in names}
        return cls(log=log, gauge=gauge, held=Held(), environment=environment, before=before)

    async def messages(self, topic: str) -> AsyncIterator[Sequence[tuple[Any, Any]]]:
        """The messages of the environment that is looked at, with their records, some at a time.
        Raises LogAway."""
        spans = self.now[topic] = await self.log.spans(topic)
        async for records in self.log.read(topic, spans, self.gauge):
            yield [(m, r) for r in records if (m := self._read(topic, r)) is not None]

    def _read(self, topic: str, record: Any) -> object | None:
        message = message_in(topic, record)
        if message is None:
            self.held.unreadable += 1
            return None
        concerns = self.environment in (None, getattr(message, "environment", None))
        return message if concerns else None

    def whole(self, topic: str) -> bool:
        """Whether a topic that was read holds everything from its first record on."""
        return is_whole(self.now[topic])

    def was_there(self, topic: str, record: Any) -> bool:
        """Whether a record was there before the snapshot, which then must know of it."""
        return was_there(self.before[topic], record)


class Audit(Protocol):
    """A check, of one environment or of all. Raises LogAway and what asyncpg raises."""

    def __call__(
        self,
        connection: asyncpg.Connection,
        environment: int | None = None,
        *,
        log: Log | None = None,
        gauge: Gauge = unheard,
    ) -> Awaitable[Report]: ...


def command(
    service: str,
    arguments: list[str],
    settings: type[WorkerSettings],
    audit: Audit,
    topics: Collection[str],
    told: Callable[[Report], str],
) -> int:
    """Run a check and print its report; exit status 0 where all is as it must be, 1 where not, 2
    where it could not be looked at, 3 where neither store nor topics know the environment."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service} verify")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--environment", type=int, help="this one alone")
    parser.add_argument(
        "--store-only", action="store_true", help="look at the database, not at the topics"
    )
    parser.add_argument("--progress", action="store_true", help="say on standard error how far")
    chosen = parser.parse_args(arguments)
    try:
        mine: Any = settings()
    except ValidationError as error:
        return cannot(wrong_in(error, settings))

    async def look() -> Report:
        async with AsyncExitStack() as opened:
            log = None
            if not chosen.store_only:
                log = await opened.enter_async_context(Log(mine, topics))
            dsn = mine.postgres.get_secret_value()
            connection = await asyncpg.connect(dsn, timeout=10)
            opened.push_async_callback(connection.close)
            gauge = say_how_far if chosen.progress else unheard
            return await audit(connection, chosen.environment, log=log, gauge=gauge)

    try:
        found = asyncio.run(look())
    except LogAway as fault:
        return cannot(f"{fault}; --store-only looks at the database alone")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        return cannot(f"the {service}'s database can't be read: {type(fault).__name__}")
    if [one["problem"] for one in found["problems"]] == [NO_SUCH_ENVIRONMENT]:
        cannot(f"There is no environment {chosen.environment}.")
        return NOT_THERE
    sys.stdout.write((json.dumps(found) if chosen.json else told(found)) + "\n")
    return 0 if found["ok"] else 1


def say_how_far(what: str, done: int, total: int) -> None:
    """A gauge that the onaccount command reads."""
    sys.stderr.write(f"progress {done} {total} {what}\n")
    sys.stderr.flush()


def cannot(why: str) -> int:
    """Say why nothing was looked at; gives the exit status."""
    sys.stderr.write(why + "\n")
    return NOT_LOOKED_AT
