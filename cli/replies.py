"""What comes back from Kafka: records, read, and answers that are waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from aiokafka import ConsumerRecord
from pydantic_core import from_json

from cli.amounts import Misuse
from cli.messages import Json, repetition
from cli.trouble import Trouble
from cli.where import Unreachable
from schemas.pos import RECORDED_DECLINES


class NoAnswer(Unreachable):
    """Nobody answered a message in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One record as it was read: its bytes, and what they say."""

    topic: str
    partition: int
    offset: int
    time: datetime
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    message: Json

    @property
    def type(self) -> str:
        """The message's type; empty where there is none."""
        return str(self.message.get("type", ""))

    @property
    def environment(self) -> int | None:
        """Whose it is. Parts of files say so in their ce_id alone: KIND/ENVIRONMENT/..."""
        whose = self.message.get("environment")
        if whose is None:
            _, _, after = (self.header("ce_id") or "").partition("/")
            number = after.partition("/")[0]
            whose = int(number) if number.isascii() and number.isdigit() else None
        return whose if isinstance(whose, int) else None

    def header(self, name: str) -> str | None:
        """The last header of this name, as text."""
        found = [value for key, value in self.headers if key == name]
        return found[-1].decode(errors="replace") if found else None


@dataclass(slots=True)
class Expectation:
    """The answers to one message, in the order in which they come."""

    what: str
    then: str = "try again."
    environment: int | None = None
    arrived: asyncio.Queue[Reply | Trouble] = field(default_factory=asyncio.Queue)

    @classmethod
    def of(cls, message: Json, again: str | None = None) -> Self:
        """Of the answers to a message of ours; `again` says how it is repeated, where its command
        does not take its id."""
        return cls(message["type"], again or repetition(message), message.get("environment"))

    def hear(self, reply: Reply) -> None:
        """Take an answer under our id, unless it is to somebody else's question: each environment
        has ids of its own, and another may use the same."""
        if None in (self.environment, reply.environment) or self.environment == reply.environment:
            self.arrived.put_nowait(reply)

    async def next(self, timeout_s: float) -> Reply:
        """The next answer; raises NoAnswer when none comes within `timeout_s` seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                found = await self.arrived.get()
        except TimeoutError:
            raise NoAnswer(
                f"No answer to {self.what} within {timeout_s:g} seconds; see whether the worker "
                f"that answers it runs (`onaccount stack up`, or its /ready), then {self.then}"
            ) from None
        except asyncio.CancelledError as stopped:  # Ctrl-C: it was sent all the same
            stopped.add_note(f"{self.what} was sent, and may be done: {self.then}")
            raise
        if isinstance(found, Trouble):
            raise found
        return found


def of_its_question(message: Json, answer: Json) -> bool:
    """Whether a sale that is told as made hears only now why it was declined when it was asked for,
    under the same id: its own answer is still to come."""
    asked = message["type"] == "sale.recorded" and answer.get("type") == "sale.declined"
    return asked and answer["reason"] not in RECORDED_DECLINES


def of_one(replies: Iterable[Reply], environment: int | None) -> list[Reply]:
    """Those of this environment, and what names none, as what can't be read; unless it is given of
    the only one whose tills used the id that they hold. Raises Misuse where several did: each has
    ids of its own."""
    found = list(replies)
    if environment is None:
        whose = {r.environment for r in found if r.topic.startswith("pos.")} - {None}
        if len(whose) > 1:
            numbers = ", ".join(str(one) for one in sorted(map(int, filter(None, whose))))
            raise Misuse(f"Environments {numbers} use this id: say which with --environment.")
        environment = next(iter(whose), None)
    return [r for r in found if environment is None or r.environment in (None, environment)]


def reply_of(record: ConsumerRecord) -> Reply:
    """A record as it was read; what is no JSON object says nothing ({})."""
    value = bytes(record.value or b"")
    message = _read(value) if value else {}
    return Reply(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        time=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        key=record.key,
        value=value,
        headers=tuple((name, bytes(v or b"")) for name, v in record.headers),
        message=message if isinstance(message, dict) else {},
    )


def _read(value: bytes) -> object:
    try:
        # Of equal names and short texts one is kept: lists of many messages take half the memory.
        return from_json(value)
    except ValueError:
        pass  # json takes some that this one does not
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # a dead letter may be nested without end
        return {}


Wanted = Callable[[ConsumerRecord], bool]
"""Whether a record is to be decoded."""


def states_of(environment: int | None, wanted: Wanted | None) -> Wanted:
    """The states of an environment (None: of any) that are wanted besides, and what takes one away.

    By their keys: kind:environment:id, or environment:id; an account number may hold anything.
    """
    mark, start = f":{environment}:".encode(), f"{environment}:".encode()

    def ours(record: ConsumerRecord) -> bool:
        key = record.key or b""
        its = environment is None or mark in key or key.startswith(start)
        return its and (wanted is None or not record.value or wanted(record))

    return ours


def holding(*texts: str) -> Wanted:
    """Whether one of these stands in a record, in whatever case.

    It is asked before the record is decoded, so that reading a long topic costs and keeps little of
    what nobody asked for; what the record says of them is still to be seen. A text that JSON may
    write in another way, or that has other cases than ASCII's, can be in any record.
    """
    if any(not text.isascii() or json.dumps(text) != f'"{text}"' for text in texts):
        return lambda record: True
    needles = [text.lower().encode() for text in texts]

    def wanted(record: ConsumerRecord) -> bool:
        value = (record.value or b"").lower()
        return any(needle in value for needle in needles)

    return wanted


class Newest:
    """Per key the state with the highest version; a record without a value takes it away.

    Gathered one by one, so that of a topic only what stands is kept, and no record of it.
    """

    def __init__(self) -> None:
        self.states: dict[str, Json] = {}
        self._versions: dict[str, int] = {}

    def take(self, reply: Reply) -> None:
        """Hear the next record of a topic."""
        key = (reply.key or b"").decode(errors="replace")
        version = reply.message.get("version", 0)
        if not reply.value:
            self.states.pop(key, None)
            self._versions.pop(key, None)
        elif isinstance(version, int) and version >= self._versions.get(key, 0):
            self.states[key], self._versions[key] = reply.message, version


def newest(replies: Iterable[Reply]) -> dict[str, Json]:
    """As `Newest` finds them."""
    found = Newest()
    for reply in replies:
        found.take(reply)
    return found.states
