"""Bytes to messages and back.

`decode` has one fast way, pydantic's Rust core over the bytes, and looks closer only at what that
refuses. What a JSON object says twice counts the last time, as in Rust's reader, Python's and
PostgreSQL's: one rule everywhere, since telling costs as much as reading. Fields that are not the
contract's are not looked at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import SchemaSerializer, SchemaValidator

from schemas.base import Message, Patch
from schemas.malformed import Malformed, Undecodable, examine
from schemas.pos import SaleRecorded
from schemas.topics import MESSAGES, TOPICS

_MOVED_FROM: Final = 1024
"""As much larger may a sale be that is moved: it says from where besides (docs/decisions/0138)."""


class _NoMessage(Message):
    """Lets a topic of one message have a union, so that its type is demanded as everywhere.

    No bytes are ever one: no number is both greater and smaller than 0.
    """

    type: Literal[""] = ""
    impossible: Annotated[int, Field(gt=0, lt=0)]


def _adapter(models: tuple[type[Message], ...]) -> TypeAdapter[Message]:
    union: Any = reduce(or_, (*models, _NoMessage))
    return TypeAdapter(Annotated[union, Field(discriminator="type")])


class _Reader:
    """How one topic is read."""

    __slots__ = ("max_bytes", "models", "validator")

    def __init__(self, models: tuple[type[Message], ...], max_bytes: int) -> None:
        self.validator: SchemaValidator = _adapter(models).validator  # type: ignore[assignment]
        self.models = {model.model_fields["type"].default: model for model in models}
        self.max_bytes = max_bytes

    def read_large(self, value: bytes) -> Message | Malformed:
        """What is larger than a message of the topic: too large, but for a sale that is moved."""
        if len(value) <= self.max_bytes + _MOVED_FROM:
            with contextlib.suppress(ValidationError):
                message = self.validator.validate_json(value)
                if isinstance(message, SaleRecorded) and message.moved_from is not None:
                    return message
        return examine(self.models, value, None)


TOPIC_MESSAGES: Final[dict[str, tuple[type[Message], ...]]] = {
    topic.name: topic.messages for topic in TOPICS if topic.messages
}
"""Which messages a topic carries. Dead letters and retries carry any, as on their origin."""

_MOST_BYTES: Final = {topic.name: topic.max_value_bytes for topic in TOPICS}

_writers: dict[type[Message], tuple[bytes, SchemaSerializer, bool]] = {}


def decode(topic: str, value: bytes | None) -> Message | Malformed:
    """The message in a record's value, or what can be read of one that is wrong.

    `topic` is the topic of origin: a retry's too. Raises Undecodable for a dead letter, KeyError
    for a topic that carries no messages of its own. A message of a type that the caller has no
    use for is returned like any other; to skip it is the caller's.
    """
    return reader(topic)(value)


@cache
def reader(topic: str) -> Callable[[bytes | None], Message | Malformed]:
    """`decode` for one topic, for those that read many records of it.

    What reads is made when it is first asked for, since a worker or a command reads a few topics
    of all (docs/performance.md). Workers ask before they serve.
    """
    known = _Reader(TOPIC_MESSAGES[topic], _MOST_BYTES[topic])
    validate, models, max_bytes = known.validator.validate_json, known.models, known.max_bytes

    def read(value: bytes | None) -> Message | Malformed:
        if not value:
            raise Undecodable("it is empty")
        if len(value) > max_bytes:
            return known.read_large(value)
        try:
            return validate(value)  # type: ignore[no-any-return]
        except ValidationError as fault:
            return examine(models, value, fault)

    return read


def encode(message: Message) -> bytes:
    """A message's bytes, the same for the same message: `type` first, then the contract's order.

    A field that may be absent is left out where it holds its default; one that may not is there,
    as null too (the limit of sale.approved). Of a Patch exactly those fields are written that
    were given. Times are UTC.
    """
    opening, serializer, is_patch = _writers.get(type(message)) or _writer(type(message))
    if is_patch:
        body = serializer.to_json(message, exclude_unset=True, exclude={"type"}, by_alias=True)
    else:
        body = serializer.to_json(message, exclude_defaults=True, by_alias=True)
    return opening + body[1:]


def _writer(model: type[Message]) -> tuple[bytes, SchemaSerializer, bool]:
    """How a model's bytes begin, what writes the rest, and whether null differs from absent.

    Raises KeyError for a model that is no message of the contract.
    """
    kind = model.model_fields["type"].default
    if MESSAGES[kind] is not model:
        raise KeyError(model)
    model.model_rebuild()
    made = f'{{"type":"{kind}",'.encode(), model.__pydantic_serializer__, issubclass(model, Patch)
    return _writers.setdefault(model, made)
