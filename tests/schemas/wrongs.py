"""Every field of every message wrong in every way, made from the JSON Schemas of the contract.

`whole(kind)` is a right message with every field that it may have; `spoiled(kind)` gives it with
one thing wrong at a time: each field at any depth, each list, each object, and the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from schemas.jsonschema import message_schema
from schemas.malformed import Malformed
from schemas.topics import MESSAGES
from schemas.values import (
    BASE64_PATTERN,
    COLOUR_PATTERN,
    COUNTRY_PATTERN,
    CURRENCY_PATTERN,
    EMAIL_PATTERN,
    EXCHANGE_RATE_PATTERN,
    LINE_PATTERN,
    NAME_PATTERN,
    NUMBER_FORMAT_PATTERN,
    PARAGRAPH_PATTERN,
    PEPPOL_PATTERN,
    PERIOD_PATTERN,
    QUANTITY_PATTERN,
    RATE_PATTERN,
    SHA256_PATTERN,
    UUID_PATTERN,
    WORD_PATTERN,
    ZONE_PATTERN,
)
from schemas.wire import decode
from tests.schemas.message_strategies import of_topic

Json = dict[str, Any]
Path = tuple[str | int, ...]

RIGHT = {
    UUID_PATTERN: "0191b0c4-7e3a-7cc1-9a51-1234567890ab", RATE_PATTERN: "21",
    EXCHANGE_RATE_PATTERN: "0.9215",
    QUANTITY_PATTERN: "1", LINE_PATTERN: "Bier", PARAGRAPH_PATTERN: "een regel",
    NAME_PATTERN: "28900001", PERIOD_PATTERN: "2026-07", CURRENCY_PATTERN: "EUR",
    COUNTRY_PATTERN: "NL", WORD_PATTERN: "word", BASE64_PATTERN: "", SHA256_PATTERN: "0" * 64,
    EMAIL_PATTERN: "a@bar.nl", PEPPOL_PATTERN: "0106:12345678", ZONE_PATTERN: "Europe/Amsterdam",
    COLOUR_PATTERN: "#a1b2c3", NUMBER_FORMAT_PATTERN: "{year}-{seq:05}",
}  # fmt: skip


class Missing:
    """Stands for a field that is not there."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()
BAD: tuple[Any, ...] = (
    MISSING, None, True, False, "", " ", "x", "x" * 5_000, "é" * 300, "\u0000", "a\nb", "\u2028",
    "\ud800", "%s{}';--", "null", -1, 0, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**400, 1.5,
    -0.0, 1e300, float("nan"), float("inf"), [], [[]], [None], {}, {"a": 1}, {"$ref": "#"},
    {"type": "sale.requested"}, "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "1e3",
    "9999-12-31T23:59:59-23:59", "2026-07-01T12:00:00", "1783000000", "2026-13", "USD", "EURO",
    "21.0", "-0", "１２", "0191b0c4", "NL91ABNA0417164300", "a@b@c", "../../etc/passwd",
    [1] * 1_500,
)  # fmt: skip


class Wrong(NamedTuple):
    """The bytes of a message with one thing wrong. `path`: where; empty for the bytes as such."""

    path: Path
    bad: object
    value: bytes


@cache
def whole(kind: str) -> Json:
    """A right message of this type with all its fields, by its schema."""
    schema = message_schema(MESSAGES[kind])
    made: Json = _whole(schema, schema)
    return made | _TOGETHER.get(kind, {})


# What one schema alone can't tie together.
_TOGETHER: dict[str, Json] = {
    "sale.cancelled": {"amount": 1},
    "entry.posted": {
        "legs": [
            {"ledger_account": "receivable:unbilled", "debit": 121, "credit": 0},
            {"ledger_account": "revenue:unbilled:21", "debit": 0, "credit": 121},
        ]
    },
    "statement.request": {"from": "2026-01-01", "until": "2026-02-01"},
    "registry.apply": {
        "steps": [
            {
                "step": 0,
                "type": "customer.register",
                "last_name": "Jansen",
                "email": "a@b.nl",
                "customer_id": "0191b0c4-7e3a-7cc1-9a51-1234567890ab",
            },
            {
                "step": 1,
                "after": 0,
                "type": "account.open",
                "account": "1",
                "limit": 1,
                "holder": "0191b0c4-7e3a-7cc1-9a51-1234567890ab",
            },
        ]
    },
}


@cache
def right(kind: str) -> Json:
    """`whole`, without optional fields that may not stand with another."""
    made = dict(whole(kind))
    while isinstance(found := decode(of_topic(kind), json.dumps(made).encode()), Malformed):
        field = MESSAGES[kind].model_fields.get(found.field)
        assert field is not None, found
        assert not field.is_required(), found
        del made[found.field]
    return made


def _whole(schema: Json, root: Json) -> Any:
    if "$ref" in schema:
        return _whole(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "oneOf" in schema:
        return _whole(schema["oneOf"][0], root)
    if "anyOf" in schema:
        return _whole(next(s for s in schema["anyOf"] if s.get("type") != "null"), root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: _whole(each, root) for name, each in schema["properties"].items()}
        case "object":
            ((_, entry),) = schema["patternProperties"].items()
            return {"Naam": _whole(entry, root)}
        case "array":
            return [_whole(schema["items"], root)] * max(schema.get("minItems", 1), 1)
        case "boolean":
            return False
        case "integer":
            return max(schema.get("minimum", 0), min(1, schema.get("maximum", 1)))
        case _:
            return _text(schema)


def _text(schema: Json) -> str:
    match schema.get("format"):
        case "date-time":
            return "2026-07-01T10:00:00Z"
        case "date":
            return "2026-07-01"
    return RIGHT.get(schema.get("pattern", ""), "tekst")


def places(content: Any, path: Path = ()) -> Iterator[Path]:
    """Where something stands in a message, at any depth."""
    inner = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for step, value in inner:
        yield (*path, step)
        yield from places(value, (*path, step))


def with_(content: Any, path: Path, bad: object) -> Any:
    """A copy with another value, or none, at one place."""
    step, *rest = path
    copied = dict(content) if isinstance(content, dict) else list(content)
    if rest:
        copied[step] = with_(copied[step], tuple(rest), bad)
    elif bad is MISSING:
        del copied[step]
    else:
        copied[step] = bad
    return copied


def tried(
    kind: str, bad: tuple[Any, ...] = BAD, *, turns: int = 1
) -> Iterator[tuple[Path, object]]:
    """Each place with each bad value; or the places take turns, each with one value of `turns`."""
    for number, path in enumerate(places(right(kind))):
        for value in bad[number % turns :: turns]:
            yield path, value


def spoiled(kind: str, bad: tuple[Any, ...] = BAD, *, turns: int = 1) -> Iterator[Wrong]:
    """The message with one thing wrong at a time."""
    content = right(kind)
    for path, value in tried(kind, bad, turns=turns):
        yield Wrong(path, value, json.dumps(with_(content, path, value)).encode())
    for path in list(places(content))[:3]:  # beyond every bound, and every topic's
        value = json.dumps(with_(content, path, "A" * 2_200_000)).encode()
        yield Wrong(path, "2 MB", value)
    yield from torn(json.dumps(content, ensure_ascii=False).encode())


def torn(value: bytes) -> Iterator[Wrong]:
    """Right bytes that are damaged as such."""
    text = value.decode()
    first, rest = text.split(",", 1)
    for name, damaged in {
        "cut": value[: len(value) // 2],
        "cut at the end": value[:-1],
        "two of them": value + value,
        "more behind": value + b"\x00",
        "a mark before": b"\xef\xbb\xbf" + value,
        "UTF-16": text.encode("utf-16"),
        "not UTF-8": value[:-2] + b"\xff" + value[-2:],
        "in a list": b"[" + value + b"]",
        "as a text": json.dumps(text).encode(),
        "compressed": b"\x1f\x8b" + value,
        "single quotes": text.replace('"', "'").encode(),
        "a comment": b"/* */" + value,
        "a comma too many": value[:-1] + b",}",
        "type twice": f'{{"type":"nonsense",{first[1:]},{rest}'.encode(),
        "type twice, the wrong one last": f'{text[:-1]},"type":"nonsense"}}'.encode(),
        "deep": text[:-1].encode() + b',"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "deep objects": text[:-1].encode() + b',"x":' + b'{"x":' * 9_000 + b"1" + b"}" * 9_001,
        "very wide": text[:-1].encode() + b',"x":[' + b"1," * 200_000 + b"1]}",
        "1 MB of blanks": value + b" " * 2**20,
        "2 MB of an unknown field": text[:-1].encode() + b',"x":"' + b"y" * 2**21 + b'"}',
        "an endless number": text[:-1].encode() + b',"x":' + b"9" * 100_000 + b"}",
    }.items():
        yield Wrong((), name, damaged)
