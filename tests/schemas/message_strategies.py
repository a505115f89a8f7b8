"""Any message of the contract, made from its generated JSON Schema, and one plain example of each
kind of sale."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from typing import Any

from hypothesis import strategies as st

from schemas.base import Message
from schemas.jsonschema import message_schema
from schemas.topics import MESSAGES
from schemas.wire import TOPIC_MESSAGES

Json = dict[str, Any]

SALE_ID = "0191b0c4-7e3a-7cc1-9a51-1234567890ab"
OTHER_ID = "0191b0c4-7e3a-7cc1-9a51-1234567890ac"


def sale(**changes: Any) -> Json:
    """A sale.requested of two lines as a till would send it."""
    return {
        "type": "sale.requested",
        "sale_id": SALE_ID,
        "environment": 2890,
        "terminal": "bar-1",
        "account": "0028900001",
        "at": "2026-07-01T12:00:00+02:00",
        "currency": "EUR",
        "total": 1150,
        "lines": [
            line(),
            line(description="Bitterballen", product=None, quantity="1", unit_price=450, total=450),
        ],
    } | changes


def line(**changes: Any) -> Json:
    return {
        "description": "Bier",
        "product": "p1",
        "quantity": "2",
        "unit_price": 350,
        "vat_rate": "21",
        "total": 700,
    } | changes


def cancellation(**changes: Any) -> Json:
    return {
        "type": "sale.cancelled",
        "cancellation_id": OTHER_ID,
        "sale_id": SALE_ID,
        "environment": 2890,
        "terminal": "bar-1",
        "account": "0028900001",
        "at": "2026-07-01T12:05:00+02:00",
        "reason": "cancelled",
    } | changes


def command(kind: str, **fields: Any) -> Json:
    """A command to the registry, or to the invoicer."""
    return {
        "type": kind,
        "command_id": SALE_ID,
        "environment": 2890,
        "at": "2026-07-01T10:00:00Z",
        "by": "anna",
    } | fields


def as_bytes(message: Json) -> bytes:
    return json.dumps(message).encode()


@cache
def written(kind: str) -> st.SearchStrategy[bytes]:
    """The bytes of any valid message of one type."""
    schema = message_schema(MESSAGES[kind])
    return _of(schema, schema).map(_together).map(as_bytes)


def _together(message: Json) -> Json:
    """Bring the fields in line that one schema alone can't tie together."""
    match message["type"]:
        case "sale.cancelled" if message.get("lines"):
            message["amount"] = sum(each["total"] for each in message["lines"])
            if message["amount"] > 10**13:
                message["lines"] = None
                message["amount"] = None
        case "payment.record" | "payment.refund":
            message.pop("number", None)
            message["invoice_id"] = SALE_ID
        case "document.request":
            message.pop("credit_note_id", None)
            message["invoice_id"] = SALE_ID
        case "pending.request":
            message.pop("account", None)
            if message.get("mails"):
                message.pop("sale_id", None)
        case "statement.request":
            message["from"], message["until"] = "2026-01-01", "2026-02-01"
        case "import.uploaded":
            message["part"], message["parts"] = sorted((message["part"], message["parts"]))
        case "account.change":
            message.pop("raise_limit_by", None)
        case "customer.register":
            message["company"] = "Café De Kroon"
        case "command.refused":  # no pattern says so (schemas/values.py, GivenRunId)
            message["command_id"] = message["command_id"].replace("\0", "")
        case "registry.apply":
            for place, step in enumerate(message["steps"]):
                step["step"] = place
                step["after"] = place - 1 if place else None
                if step["type"] == "customer.register":
                    step["company"] = "Café De Kroon"
    return message


def _of(schema: Json, root: Json) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _of(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([_of(each, root) for each in schema[several]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _KINDS[schema.get("type", "string")](schema, root)


def _object(schema: Json, root: Json) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        ((pattern, entry),) = schema["patternProperties"].items()
        names = _of({"pattern": pattern, **schema.get("propertyNames", {})}, root)
        return st.dictionaries(names, _of(entry, root), max_size=3)
    fields = {name: _of(field, root) for name, field in schema["properties"].items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: each for name, each in fields.items() if name in required},
        optional={name: each for name, each in fields.items() if name not in required},
    )


def _array(schema: Json, root: Json) -> st.SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    return st.lists(_of(schema["items"], root), min_size=least, max_size=least + 2)


def _string(schema: Json, _: Json) -> st.SearchStrategy[str]:
    most = min(schema.get("maxLength", 64), 64)
    if schema.get("format") == "date-time":
        offsets = st.sampled_from(["Z", "+02:00", "-11:30"])
        whole = st.datetimes(min_value=_day(1901), max_value=_day(9998)).map(
            lambda moment: moment.isoformat()
        )
        return st.builds(str.__add__, whole, offsets)
    if schema.get("format") == "date":
        return st.dates(min_value=_day(1901).date(), max_value=_day(9998).date()).map(str)
    if schema.get("format") == "uuid":
        return st.uuids().map(lambda each: str(each).upper())
    if "pattern" in schema:
        least = schema.get("minLength", 0)
        return st.from_regex(schema["pattern"], fullmatch=True).filter(
            lambda text: least <= len(text.rstrip("\n")) == len(text) <= most
        )
    return st.text(max_size=most)


def _day(year: int) -> dt.datetime:
    return dt.datetime(year, 1, 2)  # noqa: DTZ001  (the offset is put behind it)


_KINDS = {
    "object": _object,
    "array": _array,
    "string": _string,
    "boolean": lambda *_: st.booleans(),
    "null": lambda *_: st.none(),
    "integer": lambda schema, _: st.integers(
        schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
    ),
}


def of_topic(kind: str) -> str:
    """A topic that carries messages of this type."""
    model: type[Message] = MESSAGES[kind]
    return next(name for name, models in TOPIC_MESSAGES.items() if model in models)
