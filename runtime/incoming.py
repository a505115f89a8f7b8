"""What a handler gets: one decoded record of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from runtime.answers import Answer

if TYPE_CHECKING:
    from runtime.glance import AtOnce
    from runtime.transaction import Tx


class Incoming(NamedTuple):
    """One decoded record. `time` is the broker's LogAppendTime, aware, in UTC."""

    message: Any
    topic: str
    partition: int
    offset: int
    time: datetime
    trace: str | None = None


def traced(answer: Answer, record: Incoming) -> Answer:
    """The answer in the trace of who asked, also where it was remembered; few records have one."""
    return answer if record.trace is None else answer._replace(trace=record.trace)


Handler = Callable[[Sequence[Incoming], "Tx"], Awaitable[Iterable[Answer]]]


async def nothing(messages: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """For a route that takes nothing."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which messages of one topic go to which handler.

    `on_poison` is called with the one record that the handler failed on three times alone, in a
    transaction of its own; it records and returns the remembered refusal. `barrier` names topics
    whose end offsets the handler finds in `tx.ends`. `at_once` is tried first with few records: it
    gives the same answers with less back and forth, or leaves them to the handler.

    A route that takes nothing reads a topic for its positions alone, and decodes none of it. It is
    for what the service itself tells outside of batches: jobs move no position, so that a store
    put back to before their steps would not be noticed, and they would tell it all a second time.
    """

    topic: str
    takes: tuple[type[Any], ...]
    handler: Handler = nothing
    on_poison: Handler | None = None
    barrier: tuple[str, ...] = ()
    at_once: AtOnce | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Topics that are consumed batch by batch, at most `max_records` a transaction.

    `in_hand`: so many times as many records are taken up together, and decided in as many
    transactions, one after another: while PostgreSQL is at work on one the next is decoded, and
    what follows its commit goes on beside the next (decision 120). `by_key`: the handlers'
    statements find all rows by keys, so that their plans can be kept; the lane has connections of
    its own. `fetch_wait_ms`: how long Kafka may keep a fetch that finds nothing. All partitions are
    asked for at once, as a batch is nearly done; should one have been left out, it is also how long
    a record there can be kept waiting.
    `times`: as many times ONACCOUNT_BATCH_RECORDS may be decided at once, where records are only
    noted: nobody waits for an answer, and each transaction costs as much as the next.
    `fetch_bytes`: the most that is fetched of one partition at once (a record at least), where the
    records are so large that what is held of them in memory counts.
    `max_bytes`: what was fetched is decided in transactions of no more than so many bytes of
    records (one record at least), one after another, for a lane whose single records may be long
    work: other lanes wait for what is done in one go, and for the rows that a transaction holds.
    `quiet_bytes`: the same while no other lane of the worker has anything to do: nobody waits, and
    each transaction costs as much as the next.
    `rests`: so many times as long as a transaction took nothing is done after it while other lanes
    have something to do: what they need of processors, PostgreSQL and Kafka is theirs then.
    """

    name: str
    routes: tuple[Route, ...]
    max_records: int = 500
    times: int = 1
    in_hand: int = 1
    by_key: bool = False
    fetch_wait_ms: int = 100
    fetch_bytes: int | None = None
    max_bytes: int | None = None
    quiet_bytes: int | None = None
    rests: float = 0.0

    def most_records(self, batch_records: int) -> int:
        """Of one transaction, where ONACCOUNT_BATCH_RECORDS is that."""
        return min(self.max_records, batch_records) * self.times
