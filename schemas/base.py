"""What every message has in common: frozen, unknown fields ignored, nothing coerced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Part(BaseModel):
    """A piece of a message, such as a line of a sale.

    Instances are checked when they are made and not again when they are put into a message.
    """

    # `defer_build`: what checks and writes a model is made when it is first used, since a worker or
    # a command uses a few of them all (docs/performance.md).
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        strict=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        revalidate_instances="never",
        hide_input_in_errors=True,
        allow_inf_nan=False,
        defer_build=True,
    )


class Message(Part):
    """One JSON object on a topic. Each subclass fixes `type` to the contract's name.

    `answer_ids` are the fields without which nobody could be told that a message of this type is
    wrong: when one of them can't be read, the message is a dead letter. `answered_by` is the type
    that tells it; None where the contract has no such answer. `read_as` are those of these fields
    that can be answered where they are no id of ours: by name, the type of what can be repeated.

    When written, a field that has a default and holds it is left out; a field without a default
    is always there, as null if it is None.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ()
    answered_by: ClassVar[str | None] = None
    read_as: ClassVar[Mapping[str, Any]] = {}

    type: str


class Patch(Message):
    """A message in which an absent field differs from null: absent stays, null clears.

    Which fields were given is in `model_fields_set`; only those are written. Give a field to the
    constructor only if it is meant.
    """


def wrong(field: str, says: str) -> PydanticCustomError:
    """What a check over several fields raises: `field` is the one to name in the answer.

    `says` follows the field's name in a sentence, and never holds a value of the message.
    """
    return PydanticCustomError("wrong_together", "{says}", {"field": field, "says": says})
