"""Answers: what a worker publishes, and how it stands on the wire."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from itertools import count
from typing import NamedTuple

from schemas import cloudevents as ce
from schemas.base import Message
from schemas.wire import encode

Headers = list[tuple[str, bytes | None]]

_SPEC_VERSION = (ce.CE_SPECVERSION, ce.SPEC_VERSION.encode())
_CONTENT_TYPE = (ce.CONTENT_TYPE, ce.JSON.encode())
# https://www.w3.org/TR/trace-context/#versioning-of-traceparent: of a version that is to come the
# fields of version 00 are read, whatever follows them.
_FIELDS = "-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_TRACEPARENT = re.compile(f"00{_FIELDS}|(?!00|ff)[0-9a-f]{{2}}{_FIELDS}(-.*)?")


class Answer(NamedTuple):
    """One message to be published, byte for byte as it is remembered.

    `id` and `time` are the CloudEvents `id` and `time`; they are made from what the message
    says (never random, never the moment of publishing), so that a repeated answer is the same.
    A tuple, for one is made for every message.
    """

    topic: str
    key: str
    id: str
    type: str
    time: datetime
    value: bytes
    trace: str | None = None


class Outgoing(NamedTuple):
    """A record as it is handed to the producer."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def answer(
    topic: str, key: str, message: Message, *, id: str, time: datetime, trace: str | None = None
) -> Answer:
    """The answer that carries `message`, encoded once."""
    return Answer(topic, key, id, message.type, time, encode(message), trace)


class Envelope:
    """Adds the headers of CloudEvents 1.0 (Kafka binding, binary mode) and traceparent."""

    __slots__ = ("_serial", "_source", "_trace")

    def __init__(self, service: str) -> None:
        self._source = ce.SOURCES[service].encode()
        # W3C trace context: random once, then counted; unique and cheap.
        self._trace = os.urandom(12).hex()
        self._serial = count(int.from_bytes(os.urandom(3), "big") + 1)

    def seal(self, answers: Iterable[Answer]) -> list[Outgoing]:
        source = (ce.CE_SOURCE, self._source)
        times: dict[datetime, tuple[str, bytes]] = {}
        sealed = []
        for a in answers:
            # New answers of a batch have one time: PostgreSQL's, of their transaction.
            time = times.get(a.time)
            if time is None:
                time = times[a.time] = (ce.CE_TIME, _rfc3339(a.time))
            headers: Headers = [
                _SPEC_VERSION,
                (ce.CE_ID, a.id.encode()),
                _type(a.type),
                source,
                time,
                _CONTENT_TYPE,
                (ce.TRACEPARENT, self._traceparent(a.trace)),
            ]
            sealed.append(Outgoing(a.topic, a.key.encode(), a.value, headers))
        return sealed

    def _traceparent(self, trace: str | None) -> bytes:
        serial = f"{next(self._serial) & 0xFFFFFFFF:08x}"
        if trace is not None and _TRACEPARENT.fullmatch(trace):
            # With its flags: who begins a trace has decided whether it is kept, and we record none.
            flags = trace[53:55] if trace.startswith("00") else f"0{int(trace[54], 16) & 1}"
            return f"00{trace[2:36]}{self._trace[:8]}{serial}-{flags}".encode()
        return f"00-{self._trace}{serial}-{self._trace[:8]}{serial}-01".encode()


@cache
def _type(name: str) -> tuple[str, bytes]:
    """The header of a message's type; there are few, and they come from the models."""
    return ce.CE_TYPE, name.encode()


def _rfc3339(moment: datetime) -> bytes:
    """In UTC with Z, microseconds only where there are any, as in the messages themselves."""
    text = moment.isoformat()
    return (text[:-6] + "Z" if text.endswith("+00:00") else text).encode()
