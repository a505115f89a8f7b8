"""Commands and their outcomes, as the registry and the invoicer share them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from schemas.base import Message, Part, Patch
from schemas.values import (
    Environment,
    FieldPath,
    GivenRunId,
    LongText,
    RequiredText,
    Time,
    Uuid,
    Word,
    entries,
)

MAX_CHANGES = 20_000

MOST_AHEAD: Final = timedelta(days=366)
"""How far after the record's time something may be said to have happened: less than by a year that
was typed wrong, and more than clocks differ or banks book late."""

TOO_EARLY: Final = "lies more than a year ahead: say when it happened"

INVALID = "invalid"
"""The reason of command.refused for a command that can't be read; its `field` says where."""


class Command(Message):
    """What somebody wants done. `by` is who asks: a person's or a program's name."""

    answer_ids: ClassVar[tuple[str, ...]] = ("command_id", "environment")
    answered_by: ClassVar[str | None] = "command.refused"

    command_id: Uuid
    environment: Environment
    at: Time
    by: RequiredText


def too_early(at: datetime, now: datetime) -> bool:
    """Whether what is said to have happened `at` can't have, as the record came `now`."""
    return at > now + MOST_AHEAD


class PatchCommand(Patch, Command):
    """A command in which an absent field stays as it is and null clears it."""


StepNumber = Annotated[int, Field(strict=True, ge=0, le=999_999)]
"""Names a step of a registry.apply; its sender chooses it."""


class Change(Part):
    """What became of one thing: `id` is an account number, a customer_id, an invoice_id, ...

    `step` is the step that it is about, of a command that has steps.
    """

    kind: Word
    id: RequiredText
    change: Literal["created", "changed", "unchanged"]
    step: StepNumber | None = None


class Caution(Part):
    """What was done nevertheless, but deserves a look."""

    kind: Word
    id: RequiredText
    field: FieldPath | None = None
    message: LongText
    step: StepNumber | None = None


class RefusedStep(Part):
    """A step that changed nothing, and why: as in command.refused."""

    step: StepNumber
    reason: Word
    field: FieldPath | None = None
    message: LongText


class CommandApplied(Message):
    """The command was carried out. Says what changed, also where nothing had to.

    Of a registry.apply each step is carried out or stands in `refused`.
    """

    type: Literal["command.applied"] = "command.applied"
    command_id: Uuid
    environment: Environment
    changes: Annotated[tuple[Change, ...], entries(MAX_CHANGES)]
    warnings: Annotated[tuple[Caution, ...], entries(MAX_CHANGES)] | None = None
    refused: Annotated[tuple[RefusedStep, ...], entries(MAX_CHANGES)] | None = None


class CommandRefused(Message):
    """The command changed nothing, and why. `message` is a sentence for people.

    `command_id` is the request's own id; of an invoices.run its run_id, which is any text, also
    one that is refused for being too long.
    """

    type: Literal["command.refused"] = "command.refused"
    command_id: GivenRunId
    environment: Environment
    reason: Word
    field: FieldPath | None = None
    message: LongText
