"""What could be read of a message that is wrong, so that its sender can be told.

This is the slow path: it runs only after the fast one has refused. It repeats no value of the
message but those that the answer needs.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from schemas.base import Message
from schemas.values import EXPECTED

Scalar = str | int | dt.datetime

_ECHOED: Final = ("at", "currency", "total")
_NAMED: Final = ("moved_from", "moved_content")
_PLACES: Final = ("environment", "account", "terminal", "number")
_UNCOUNTED: Final = frozenset({"at", "by", "terminal", "operator", "note", "valid_s"})
_MAX_DIGITS: Final = 30
_MAX_DEPTH: Final = 20
_HALF: Final = re.compile("[\ud800-\udfff]")


class Undecodable(Exception):
    """Nobody can be answered: no JSON object, or no readable type or ids. A dead letter.

    `reason` is a sentence that holds nothing of the message but, where it is a known one, its
    type.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotOfTopic(Undecodable):
    """Its `type` is none of its topic's: an unknown one, or one of another topic."""

    def __init__(self, kind: str) -> None:
        super().__init__("its type is not one of this topic's")
        self.type = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A message whose type and ids can be read, but which is wrong otherwise.

    `ids` holds those of its ids that could be read (each *_id, environment, account, terminal,
    number), UUIDs in lower case; the type's `answer_ids` are always among them. `fields` holds at
    (a datetime), currency and total, as far as readable. `field` is the first wrong field as a
    dotted path ("lines.3.total"); `message` says what is wrong there, without the value. `digest`
    (32 bytes) is the same for two messages that say the same, whether or not it can be read, but
    for when, where and by whom, for the case of their ids and for fields that are none of ours
    (schemas/content.py has those rules for what is right).
    `answered_by` is the type of the answer, None where the contract has none: then it is a dead
    letter too.
    """

    type: str
    ids: Mapping[str, str | int]
    fields: Mapping[str, Scalar]
    field: str
    message: str
    answered_by: str | None
    digest: bytes


def examine(
    models: Mapping[str, type[Message]], value: bytes, fault: ValidationError | None
) -> Malformed:
    """Read what can be read of `value`, which `fault` refused (None: it was too large).

    `models` are the topic's messages by type. Raises Undecodable.
    """
    content = _parse(value)
    kind = content.get("type")
    if not isinstance(kind, str):
        raise Undecodable("it has no type")
    model = models.get(kind)
    if model is None:
        raise NotOfTopic(kind)
    ids = _readable(model, content, _ids_of(model))
    for name in model.answer_ids:
        if name not in ids:
            raise Undecodable(f"{name} of {kind} can't be read")
    if fault is None:
        field, message = (
            "lines" if "lines" in content else "type",
            "is in a message that is too large",
        )
    else:
        field, message = _first_fault(fault, content)
    return Malformed(
        type=kind,
        ids=ids,  # type: ignore[arg-type]
        fields=_readable(model, content, _ECHOED),
        field=field,
        message=message,
        answered_by=model.answered_by,
        digest=_digest(value, content, model, {**ids, **_readable(model, content, _NAMED)}),
    )


def _digest(
    value: bytes, content: dict[str, Any], model: type[Message], ids: Mapping[str, Scalar]
) -> bytes:
    # A till that counts its attempts in a field of its own says the same thing each time.
    counted = {info.alias or name for name, info in model.model_fields.items()} - _UNCOUNTED
    said = {name: ids.get(name, each) for name, each in content.items() if name in counted}
    try:
        text = json.dumps(said, sort_keys=True, default=lambda _: "a number too large")
    except RecursionError:  # as deep as Python's reader just went, so it is the bytes that count
        return sha256(value).digest()
    return sha256(text.encode()).digest()


def _parse(value: bytes) -> dict[str, Any]:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise Undecodable("it is not UTF-8") from None
    try:
        content = json.loads(text, parse_int=_bounded_int)
    except RecursionError:
        raise Undecodable("it is nested too deeply") from None
    except ValueError:
        raise Undecodable("it is not JSON") from None
    if not isinstance(content, dict):
        raise Undecodable("it is not a JSON object")
    return content


class _Huge:
    """Stands for an integer that is longer than any of ours: Python refuses to read the longest."""


_HUGE: Final = _Huge()


def _bounded_int(digits: str) -> int | _Huge:
    return int(digits) if len(digits) <= _MAX_DIGITS else _HUGE


def _ids_of(model: type[Message]) -> tuple[str, ...]:
    return tuple(name for name in model.model_fields if name.endswith("_id") or name in _PLACES)


@cache
def _reader(model: type[Message], name: str) -> TypeAdapter[Scalar | None]:
    if name in model.read_as:
        return TypeAdapter(model.read_as[name], config=ConfigDict(strict=True))
    info = model.model_fields[name]
    hint: Any = info.annotation
    for extra in info.metadata:
        hint = Annotated[hint, extra]
    return TypeAdapter(hint, config=ConfigDict(strict=True))


def _readable(
    model: type[Message], content: dict[str, Any], names: tuple[str, ...]
) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for name in names:
        if name not in model.model_fields or not isinstance(content.get(name), str | int):
            continue
        try:
            read = _reader(model, name).validate_json(json.dumps(content[name]))
        except ValidationError:
            continue
        if read is not None:
            found[name] = read
    return found


# --- what is wrong, and where -----------------------------------------------------------------

_SAYS: Final[dict[str, str]] = {
    "missing": "is required",
    "string_type": "must be text",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "int_type": "must be an integer",
    "int_parsing_size": "must be an integer that is not so large",
    "bool_type": "must be true or false",
    "greater_than_equal": "must not be less than {ge}",
    "less_than_equal": "must not be greater than {le}",
    "too_long": "has more than {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "timezone_aware": "must be a time with its offset (RFC 3339)",
    "datetime_parsing": "must be a time with its offset (RFC 3339)",
    "datetime_from_date_parsing": "must be a time with its offset (RFC 3339)",
    "date_parsing": "must be a date (YYYY-MM-DD)",
    "date_from_datetime_parsing": "must be a date (YYYY-MM-DD)",
    "wrong_together": "{says}",
}
_STEP = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")


def _first_fault(fault: ValidationError, content: dict[str, Any]) -> tuple[str, str]:
    first, *others = fault.errors(include_url=False, include_input=False)
    if first["type"] == "json_invalid":
        return _not_plain(content)
    context = first.get("ctx", {})
    if first["type"] == "wrong_together":
        within = _path(first["loc"][1:]) + "." if first["loc"][1:] else ""
        return within + str(context["field"]), str(context["says"])
    place = _path(first["loc"][1:])
    alike = (each for each in others if _path(each["loc"][1:]) == place)
    return place, ", or ".join(dict.fromkeys(map(says, (first, *alike))))


def says(error: ErrorDetails) -> str:
    """What one field, or one of the kinds that it may be of, should have been."""
    context = error.get("ctx", {})
    if context.get("min_length") == 1:
        return "must not be empty"
    if error["type"] == "string_pattern_mismatch":
        return EXPECTED.get(context["pattern"], "is not in the right form")
    return _SAYS.get(error["type"], "is not valid").format(**context)


def _path(steps: tuple[str | int, ...]) -> str:
    """A dotted path, up to the first step that is not a field of ours (a mapping's own key)."""
    names: list[str] = []
    for before, step in zip((None, *steps), steps, strict=False):
        if isinstance(step, str) and not _STEP.match(step):
            if isinstance(before, int):
                continue  # not a key, but of which type the entry is
            break
        names.append(str(step))
    return ".".join(names) or "type"


def _not_plain(content: dict[str, Any]) -> tuple[str, str]:
    """What Python's JSON reader takes and Rust's does not, and where.

    Without recursion: Python's reader may have gone deeper than a function of ours could.
    """
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), content)]
    while waiting:
        place, value = waiting.pop()
        if value is _HUGE:
            return _path(place), "must be an integer that is not so large"
        if _is_half(value) or (place and _is_half(place[-1])):
            return _path(place), "must be text without half characters (lone surrogates)"
        if len(place) > _MAX_DEPTH:
            return _path(place[:1]), "is nested too deeply"
        if isinstance(value, dict):
            waiting.extend(((*place, name), inner) for name, inner in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend(((*place, index), value[index]) for index in reversed(range(len(value))))
    return "type", "the message must be plain JSON"


def _is_half(value: object) -> bool:
    return isinstance(value, str) and _HALF.search(value) is not None
