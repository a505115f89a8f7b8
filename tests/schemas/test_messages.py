"""What holds for every message of the contract, whatever its fields."""

from __future__ import annotations

import json
from functools import cache

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.base import Message, Patch
from schemas.content import CONTENT_V1, digest
from schemas.jsonschema import message_schema
from schemas.topics import MESSAGES
from schemas.wire import decode, encode
from tests.schemas.message_strategies import of_topic, written

few = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@cache
def schema_of(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(message_schema(MESSAGES[kind]))


def read(kind: str, value: bytes) -> Message:
    message = decode(of_topic(kind), value)
    assert isinstance(message, Message), message
    return message


@pytest.mark.parametrize("kind", sorted(MESSAGES))
@few
@given(data=st.data())
def test_what_its_schema_allows_is_read_and_written_back_the_same(
    kind: str, data: st.DataObject
) -> None:
    message = read(kind, data.draw(written(kind)))

    value = encode(message)
    again = read(kind, value)

    assert type(message) is MESSAGES[kind]
    assert encode(again) == value
    assert value.startswith(f'{{"type":"{kind}",'.encode())
    schema_of(kind).validate(json.loads(value))
    if not isinstance(message, Patch):
        assert again == message


@pytest.mark.parametrize("kind", sorted({*CONTENT_V1, "sale.requested", "sale.recorded"}))
@few
@given(data=st.data())
def test_the_content_is_the_same_in_any_order_of_fields_and_with_unknown_ones(
    kind: str, data: st.DataObject
) -> None:
    value = data.draw(written(kind))
    fields = json.loads(value)
    turned = json.dumps(dict(reversed(fields.items())) | {"x_unknown": [1.5, {"a": None}]})

    message = read(kind, value)

    assert digest(read(kind, turned.encode())) == digest(message)
    assert digest(read(kind, encode(message))) == digest(message)


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_a_message_can_not_be_changed_and_has_a_sentence_about_itself(kind: str) -> None:
    model = MESSAGES[kind]

    assert model.model_config["frozen"]
    assert model.model_config["extra"] == "ignore"
    assert model.model_config["strict"]
    assert model.__doc__
    assert model.__name__ == "".join(
        word.capitalize() for word in kind.replace(".", "_").split("_")
    )


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_a_message_without_its_type_is_not_taken_for_one(kind: str) -> None:
    assert "type" in message_schema(MESSAGES[kind])["required"]
