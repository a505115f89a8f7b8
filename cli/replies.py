"""What comes back from Kafka: records, read, and answers that are waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from aiokafka import ConsumerRecord

from cli.messages import Json, repetition
from cli.trouble import Trouble
from cli.where import Unreachable


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

    def header(self, name: str) -> str | None:
        """The last header of this name, as text."""
        found = [value for key, value in self.headers if key == name]
        return found[-1].decode(errors="replace") if found else None


@dataclass(slots=True)
class Expectation:
    """The answers to one message, in the order in which they come."""

    what: str
    then: str = "try again."
    arrived: asyncio.Queue[Reply | Trouble] = field(default_factory=asyncio.Queue)

    @classmethod
    def of(cls, message: Json) -> Self:
        """Of the answers to a message of ours."""
        return cls(message["type"], repetition(message))

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


def encode(message: Json) -> bytes:
    """A message as it goes on the wire: compact JSON in UTF-8."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def reply_of(record: ConsumerRecord) -> Reply:
    """A record as it was read; what is no JSON object says nothing ({})."""
    value = bytes(record.value or b"")
    try:
        message = json.loads(value) if value else {}
    except (ValueError, RecursionError):  # a dead letter may be nested without end
        message = {}
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


def newest(replies: Iterable[Reply]) -> dict[str, Json]:
    """Per key the state with the highest version; a record without a value takes it away."""
    found: dict[str, Json] = {}
    versions: dict[str, int] = {}
    for reply in replies:
        key = (reply.key or b"").decode(errors="replace")
        version = reply.message.get("version", 0)
        if not reply.value:
            found.pop(key, None)
            versions.pop(key, None)
        elif isinstance(version, int) and version >= versions.get(key, 0):
            found[key], versions[key] = reply.message, version
    return found
