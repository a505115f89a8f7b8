"""What a handler gets: one decoded record of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from runtime.answers import Answer

if TYPE_CHECKING:
    from runtime.transaction import Tx


class Incoming(NamedTuple):
    """One decoded record. `time` is the broker's LogAppendTime, aware, in UTC."""

    message: Any
    topic: str
    partition: int
    offset: int
    time: datetime
    trace: str | None = None


Handler = Callable[[Sequence[Incoming], "Tx"], Awaitable[Iterable[Answer]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which messages of one topic go to which handler.

    `on_poison` is called with the one record that the handler failed on three times alone, in a
    transaction of its own; it records and returns the remembered refusal. `barrier` names topics
    whose end offsets the handler finds in `tx.ends`.
    """

    topic: str
    takes: tuple[type[Any], ...]
    handler: Handler
    on_poison: Handler | None = None
    barrier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Topics that one subscriber consumes, batch by batch, at most `max_records` at once."""

    name: str
    routes: tuple[Route, ...]
    max_records: int = 500
