"""JSON Schemas of the messages, made from the models (draft 2020-12)."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import models_json_schema

from schemas.base import Message
from schemas.topics import MESSAGES

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def message_schema(model: type[Message]) -> Schema:
    """The schema of one message, whole: its parts are under `$defs`."""
    schema = model.model_json_schema()
    kind = model.model_fields["type"].default
    _tidy(schema)
    return {"$schema": DIALECT, "$id": f"urn:onaccount:message:{kind}"} | schema


def message_schemas() -> dict[str, Schema]:
    """The schema of every message, by its `type`."""
    return {kind: message_schema(MESSAGES[kind]) for kind in sorted(MESSAGES)}


def shared_schemas(template: str) -> dict[str, Schema]:
    """The schemas of all messages and parts by model name, referring to one another.

    `template` is where they will stand, such as "#/components/schemas/{model}".
    """
    models = [(MESSAGES[kind], "validation") for kind in sorted(MESSAGES)]
    _, combined = models_json_schema(models, ref_template=template)  # type: ignore[arg-type]
    schemas: dict[str, Schema] = combined["$defs"]
    for schema in schemas.values():
        _tidy(schema)
    return dict(sorted(schemas.items()))


def _tidy(schema: Schema) -> None:
    """Make of pydantic's schema what a reader of the contract needs.

    `type` has a default for whoever writes Python, but is required on the wire. An optional field
    has no default on the wire: it is absent. Titles that only repeat a field's name go.
    """
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, field in part.get("properties", {}).items():
            field.pop("title", None)
            if field.get("default", ...) is None:
                del field["default"]
            if name == "type" and "const" in field and field.pop("default", None):
                part["required"] = ["type", *part.get("required", ())]
