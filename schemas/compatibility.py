"""Whether a contract still keeps what a released one promised: only additions are allowed.

Both are compared as JSON Schemas, field by field. In either direction it breaks somebody to drop
a message, a field or an allowed value, to demand a new field (old records are read again, for
years), or to narrow a type, a bound or a pattern. What we send must moreover not become optional
or of another type where readers relied on it; what we are sent may.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from schemas.jsonschema import message_schemas
from schemas.topics import GROUPS, MESSAGES, TOPICS

Schema = dict[str, Any]

_ENTRIES: Final = ("items", "additionalProperties", "propertyNames")
_AT_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_AT_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def contract() -> Schema:
    """The present contract: what `schemas/released/contract.json` holds of a released one."""
    return {
        "messages": message_schemas(),
        "sent": sorted(_sent()),
        "topics": {
            topic.name: {
                "key": topic.key,
                "messages": [model.model_fields["type"].default for model in topic.messages],
                "partitions": topic.partitions,
                "partitions_fixed": topic.partitions_fixed,
                "cleanup": topic.cleanup,
                "max_value_bytes": topic.max_value_bytes,
            }
            for topic in TOPICS
        },
    }


def _sent() -> set[str]:
    """The types that only our services write."""
    ours = [topic for topic in TOPICS if set(topic.writers) <= set(GROUPS)]
    kinds = {model: kind for kind, model in MESSAGES.items()}
    return {kinds[model] for topic in ours for model in topic.messages}


def breaks(released: Schema, present: Schema) -> list[str]:
    """What the present contract breaks of a released one, a sentence each; none is compatible."""
    found: list[str] = []
    for kind, old in released["messages"].items():
        new = present["messages"].get(kind)
        if new is None:
            found.append(f"{kind}: is gone")
            continue
        comparison = _Comparison(old=old, new=new, sent=kind in released["sent"])
        found.extend(comparison.differences(old, new, kind))
    for name, old in released["topics"].items():
        found.extend(_topic_breaks(name, old, present["topics"].get(name)))
    return found


def _topic_breaks(name: str, old: Schema, new: Schema | None) -> Iterator[str]:
    if new is None:
        yield f"topic {name}: is gone"
        return
    for kind in old["messages"]:
        if kind not in new["messages"]:
            yield f"topic {name}: no longer carries {kind}"
    for trait in ("key", "cleanup"):
        if new[trait] != old[trait]:
            yield f"topic {name}: has another {trait}"
    if new["partitions"] < old["partitions"]:
        yield f"topic {name}: has fewer partitions"
    if old["partitions_fixed"] and new["partitions"] != old["partitions"]:
        yield f"topic {name}: has another number of partitions, which is for good"
    if new["max_value_bytes"] < old["max_value_bytes"]:
        yield f"topic {name}: takes smaller messages only"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """Two schemas of one message; references are looked up in each one's own `$defs`."""

    old: Schema
    new: Schema
    sent: bool

    def differences(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        old, new = _resolved(old, self.old), _resolved(new, self.new)
        if "anyOf" in old or "anyOf" in new:
            yield from self._alternatives(old, new, at)
            return
        if old.get("type") != new.get("type"):
            yield f"{at}: is {new.get('type')} and was {old.get('type')}"
            return
        yield from _values(old, new, at)
        yield from _bounds(old, new, at)
        yield from self._fields(old, new, at)
        yield from self._entries(old, new, at)

    def _alternatives(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """Each old alternative must still be taken; of what we send, none may be new."""
        before, after = old.get("anyOf", [old]), new.get("anyOf", [new])
        for one in before:
            kind = self._kind(one, self.old)
            rivals = [each for each in after if self._kind(each, self.new) == kind]
            if not rivals:
                yield f"{at}: no longer takes {kind}"
            elif not any(not list(self.differences(one, each, at)) for each in rivals):
                yield from self.differences(one, rivals[0], at)
        if self.sent:
            kinds = {self._kind(each, self.old) for each in before}
            for each in after:
                if self._kind(each, self.new) not in kinds:
                    yield f"{at}: may now be {self._kind(each, self.new)}"

    def _entries(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """What a list or a mapping of free names demands of its entries."""
        before, after = _entry_schemas(old), _entry_schemas(new)
        for name, entry in after.items():
            if name in before:
                yield from self.differences(before[name], entry, f"{at}[]")
            else:
                yield f"{at}: demands something new of its entries"

    def _kind(self, schema: Schema, within: Schema) -> str:
        return str(_resolved(schema, within).get("type"))

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        demanded_before, demanded = set(old.get("required", ())), set(new.get("required", ()))
        for name, field in before.items():
            if name in after:
                yield from self.differences(field, after[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}: is gone"
        for name in sorted(demanded - demanded_before):
            yield f"{at}.{name}: is required now"
        if self.sent:
            for name in sorted((demanded_before - demanded) & set(after)):
                yield f"{at}.{name}: is optional now, and readers rely on it"


def _resolved(schema: Schema, within: Schema) -> Schema:
    """A schema with its reference followed."""
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = within["$defs"][name]
    return schema


def _entry_schemas(schema: Schema) -> dict[str, Schema]:
    named = {name: schema[name] for name in _ENTRIES if isinstance(schema.get(name), dict)}
    by_pattern: dict[str, Schema] = schema.get("patternProperties", {})
    return named | by_pattern


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if after is None:
        return
    if before is None:
        yield f"{at}: takes only some values now"
    else:
        for value in sorted(before - after):
            yield f"{at}: no longer takes {value}"


def _allowed(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for name in _AT_LEAST:
        if name in new and (name not in old or new[name] > old[name]):
            yield f"{at}: {name} is {new[name]} and was {old.get(name, 'none')}"
    for name in _AT_MOST:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{at}: {name} is {new[name]} and was {old.get(name, 'none')}"
    for name in ("pattern", "format"):
        if name in new and new[name] != old.get(name):
            yield f"{at}: has another {name}"
