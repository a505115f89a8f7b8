"""The committed contract: true to the models, and true to what was released."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from schemas import asyncapi, compatibility, generate
from schemas.topics import MESSAGES

Json = dict[str, Any]


def test_the_committed_files_are_what_the_models_say_and_nothing_released_is_broken() -> None:
    assert generate.main(["--check"]) == 0


# --- the checker itself -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def contract() -> Json:
    return compatibility.contract()


def changed(contract: Json, change: Callable[[Json], object]) -> list[str]:
    present = copy.deepcopy(contract)
    change(present)
    return compatibility.breaks(contract, present)


def fields(contract: Json, kind: str) -> Json:
    found: Json = contract["messages"][kind]["properties"]
    return found


def part(contract: Json, kind: str, name: str) -> Json:
    found: Json = contract["messages"][kind]["$defs"][name]
    return found


ADDITIONS: dict[str, Callable[[Json], object]] = {
    "nothing": lambda c: None,
    "an optional field": lambda c: fields(c, "sale.requested").update(table={"type": "string"}),
    "a required field of ours": lambda c: fields(c, "sale.approved").update(x={"type": "string"}),
    "a message": lambda c: c["messages"].update({"sale.moved": {"type": "object"}}),
    "a topic": lambda c: c["topics"].update({"pos.tables": {}}),
    "a message on a topic": lambda c: c["topics"]["pos.sales"]["messages"].append("sale.moved"),
    "more partitions": lambda c: c["topics"]["pos.sales"].update(partitions=16),
    "a decline reason": lambda c: part(c, "sale.declined", "DeclineReason")["enum"].append("new"),
    "a longer text": lambda c: part(c, "sale.requested", "GivenLine")["properties"][
        "description"
    ].update(maxLength=300),
    "more lines": lambda c: fields(c, "sale.requested")["lines"].update(maxItems=1000),
    "a bound less": lambda c: fields(c, "sale.requested")["total"].pop("maximum"),
    "what was demanded of askers is not": lambda c: c["messages"]["sale.requested"][
        "required"
    ].remove("terminal"),
    "null where askers could not say it": lambda c: fields(c, "account.change").update(
        on_account={"anyOf": [{"type": "boolean"}, {"type": "null"}]}
    ),
    "another title and description": lambda c: c["messages"]["sale.requested"].update(
        title="x", description="y"
    ),
}

BREAKS: dict[str, tuple[Callable[[Json], object], str]] = {
    "a message is gone": (lambda c: c["messages"].pop("sale.reversed"), "sale.reversed: is gone"),
    "a field is gone": (
        lambda c: fields(c, "sale.requested").pop("note"),
        "sale.requested.note: is gone",
    ),
    "a field of a part is gone": (
        lambda c: part(c, "sale.approved", "SaleLine")["properties"].pop("product"),
        "sale.approved.lines[].product: is gone",
    ),
    "a field has another name": (
        lambda c: fields(c, "sale.requested").update(
            remark=fields(c, "sale.requested").pop("note")
        ),
        "sale.requested.note: is gone",
    ),
    "a new field is demanded": (
        lambda c: c["messages"]["sale.requested"]["required"].append("note"),
        "sale.requested.note: is required now",
    ),
    "what readers rely on is optional": (
        lambda c: c["messages"]["sale.approved"]["required"].remove("used"),
        "sale.approved.used: is optional now, and readers rely on it",
    ),
    "what readers rely on may be null": (
        lambda c: fields(c, "sale.approved").update(
            used={"anyOf": [fields(c, "sale.approved")["used"], {"type": "null"}]}
        ),
        "sale.approved.used: may now be null",
    ),
    "null is no longer taken": (
        lambda c: fields(c, "account.change").update(limit={"type": "integer"}),
        "account.change.limit: no longer takes null",
    ),
    "another type": (
        lambda c: fields(c, "sale.requested").update(total={"type": "string"}),
        "sale.requested.total: is string and was integer",
    ),
    "another type name": (
        lambda c: fields(c, "sale.requested")["type"].update(const="sale.asked"),
        "sale.requested.type: no longer takes sale.requested",
    ),
    "an allowed value less": (
        lambda c: fields(c, "sale.cancelled")["reason"]["enum"].remove("settled"),
        "sale.cancelled.reason: no longer takes settled",
    ),
    "some values only": (
        lambda c: fields(c, "sale.requested")["currency"].update(enum=["EUR"]),
        "sale.requested.currency: takes only some values now",
    ),
    "a shorter text": (
        lambda c: fields(c, "sale.requested")["account"].update(maxLength=20),
        "sale.requested.account: maxLength is 20 and was 64",
    ),
    "fewer lines": (
        lambda c: fields(c, "sale.requested")["lines"].update(maxItems=100),
        "sale.requested.lines: maxItems is 100 and was 500",
    ),
    "a lower amount": (
        lambda c: fields(c, "sale.requested")["total"].update(maximum=10),
        "sale.requested.total: maximum is 10 and was 10000000000000",
    ),
    "a new lower bound": (
        lambda c: fields(c, "import.confirmed")["by"].update(minLength=2),
        "import.confirmed.by: minLength is 2 and was 1",
    ),
    "another pattern": (
        lambda c: fields(c, "sale.requested")["currency"].update(pattern="^EUR$"),
        "sale.requested.currency: has another pattern",
    ),
    "fewer fields in a mapping": (
        lambda c: next(
            iter(fields(c, "import.uploaded")["mapping"]["anyOf"][0]["patternProperties"].values())
        )["enum"].remove("email"),
        "import.uploaded.mapping[]: no longer takes email",
    ),
    "a topic is gone": (lambda c: c["topics"].pop("pos.sales"), "topic pos.sales: is gone"),
    "another key": (
        lambda c: c["topics"]["pos.sales"].update(key="terminal"),
        "topic pos.sales: has another key",
    ),
    "another topic": (
        lambda c: c["topics"]["pos.sales"]["messages"].remove("sale.recorded"),
        "topic pos.sales: no longer carries sale.recorded",
    ),
    "fewer partitions": (
        lambda c: c["topics"]["pos.sales"].update(partitions=4),
        "topic pos.sales: has fewer partitions",
    ),
    "more partitions for commands": (
        lambda c: c["topics"]["registry.commands"].update(partitions=8),
        "topic registry.commands: has another number of partitions, which is for good",
    ),
    "smaller messages": (
        lambda c: c["topics"]["pos.sales"].update(max_value_bytes=1000),
        "topic pos.sales: takes smaller messages only",
    ),
}


@pytest.mark.parametrize("name", sorted(ADDITIONS))
def test_an_addition_is_compatible(contract: Json, name: str) -> None:
    assert changed(contract, ADDITIONS[name]) == []


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_a_change_that_is_no_addition_is_told(contract: Json, name: str) -> None:
    change, sentence = BREAKS[name]

    assert changed(contract, change) == [sentence]


# --- the AsyncAPI document --------------------------------------------------------------------


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def target(document: Json, reference: str) -> object:
    node: Any = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


@pytest.fixture(scope="module")
def document() -> Json:
    return asyncapi.document()


def test_every_reference_of_the_document_leads_somewhere(document: Json) -> None:
    json.dumps(document)  # it is plain data

    found = set(references(document))

    assert len(found) > 100
    for reference in found:
        assert reference.startswith("#/")
        assert target(document, reference)


def test_every_message_stands_in_the_document_once_with_its_channel(document: Json) -> None:
    named = {message["name"] for message in document["components"]["messages"].values()}
    carried = {name for channel in document["channels"].values() for name in channel["messages"]}

    assert named == set(MESSAGES)
    assert carried == set(document["components"]["messages"])


def test_every_operation_is_of_a_channel_and_its_messages(document: Json) -> None:
    assert document["asyncapi"] == "3.0.0"
    for operation in document["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["action"] in ("send", "receive")
        assert target(document, channel)
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


def test_the_schemas_of_the_document_are_json_schemas(document: Json) -> None:
    """Every message's is among them, and every part's."""
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
