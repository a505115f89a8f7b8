"""The AsyncAPI 3.0 document: topics, messages and who sends and receives them."""

from __future__ import annotations

from typing import Any, Final

from schemas import cloudevents
from schemas.base import Message
from schemas.jsonschema import shared_schemas
from schemas.topics import GROUPS, TOPICS, Topic

Json = dict[str, Any]

VERSION: Final = "1.0.0"
"""The contract's version: the first number rises with a breaking change, which is a new type."""

_KAFKA_BINDING: Final = "0.5.0"


def document() -> Json:
    """The whole document, as plain data in a fixed order."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "onaccount",
            "version": VERSION,
            "description": (
                "Guests buy on account: tills publish sales, the authorizer answers, the ledger "
                "posts, the invoicer invoices. One JSON object a record, with a `type`; unknown "
                "fields are ignored. Times are RFC 3339 with offset, money is integer minor "
                "units, quantities and rates are decimal text."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": cloudevents.JSON,
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {
            "messages": {
                model.__name__: _message(model)
                for model in sorted(_all_models(), key=lambda model: model.__name__)
            },
            "messageTraits": {"cloudEvent": {"headers": _headers()}},
            "schemas": shared_schemas("#/components/schemas/{model}"),
        },
    }


def _all_models() -> set[type[Message]]:
    return {model for topic in TOPICS for model in topic.messages}


def _channel(topic: Topic) -> Json:
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. {_who('Written by', topic.writers)} "
        f"{_who('Read by', topic.readers)}",
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in topic.messages
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [topic.cleanup],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": _KAFKA_BINDING,
            }
        },
    }


def _who(verb: str, names: tuple[str, ...]) -> str:
    return f"{verb} {', '.join(names)}."


def _operations() -> Json:
    """What our services send and receive; what others do is said in the channels."""
    operations: Json = {}
    for group in GROUPS:
        for topic in TOPICS:
            if group in topic.readers:
                receive = _operation("receive", topic)
                receive["bindings"] = {
                    "kafka": {
                        "groupId": {"type": "string", "const": group},
                        "bindingVersion": _KAFKA_BINDING,
                    }
                }
                operations[f"{group}.receives.{topic.name}"] = receive
            if group in topic.writers:
                operations[f"{group}.sends.{topic.name}"] = _operation("send", topic)
    return operations


def _operation(action: str, topic: Topic) -> Json:
    channel = f"#/channels/{topic.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{model.__name__}"} for model in topic.messages],
    }


def _message(model: type[Message]) -> Json:
    summary = (model.__doc__ or "").strip().splitlines()[0]
    message: Json = {
        "name": model.model_fields["type"].default,
        "title": model.__name__,
        "summary": summary,
        "contentType": cloudevents.JSON,
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
    }
    if model.answered_by:
        message["x-answered-by-when-invalid"] = model.answered_by
    return message


def _headers() -> Json:
    """On what we send; what we receive need not have them."""
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            cloudevents.CE_SPECVERSION: {"type": "string", "const": cloudevents.SPEC_VERSION},
            cloudevents.CE_ID: text,
            cloudevents.CE_TYPE: text,
            cloudevents.CE_SOURCE: {
                "type": "string",
                "enum": sorted(cloudevents.SOURCES.values()),
            },
            cloudevents.CE_TIME: {"type": "string", "format": "date-time"},
            cloudevents.CONTENT_TYPE: {"type": "string", "const": cloudevents.JSON},
            cloudevents.TRACEPARENT: text,
        },
    }
