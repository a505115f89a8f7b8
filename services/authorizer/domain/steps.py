"""registry.apply, step by step: each is decided as the command of its type would be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from schemas.commands import Caution, Change, Command, RefusedStep
from schemas.registry import (
    AccountChange,
    AccountLink,
    AccountOpen,
    CustomerChange,
    CustomerRegister,
)
from schemas.steps import (
    ChangeAccountsStep,
    ChangeStep,
    LinkStep,
    OpenStep,
    RegisterStep,
    RegistryApply,
    Step,
)
from services.authorizer.domain.commands import carry_out
from services.authorizer.domain.entities import Applied, Refusal, Registry

_COMMANDS: Final[dict[type[Step], type[Command]]] = {
    RegisterStep: CustomerRegister,
    ChangeStep: CustomerChange,
    OpenStep: AccountOpen,
    ChangeAccountsStep: AccountChange,
    LinkStep: AccountLink,
}
_ASKED: Final = frozenset({"command_id", "environment", "at", "by"})


def commands_of(asked: RegistryApply) -> Iterator[Command]:
    """Its steps as commands, in their order. They were checked when the message was read."""
    common: dict[str, Any] = {
        "command_id": asked.command_id,
        "environment": asked.environment,
        "at": asked.at,
        "by": asked.by,
    }
    for step in asked.steps:
        yield _COMMANDS[type(step)].model_construct(
            step.model_fields_set | _ASKED, **common, **step.__dict__
        )


class Steps:
    """What becomes of the steps so far. The registry moves on with each that is applied."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._changes: list[Change] = []
        self._warnings: list[Caution] = []
        self._refused: dict[int, RefusedStep] = {}

    def take(self, step: Step, command: Command) -> Applied | Refusal:
        """Decide one more; `command` is what it comes to."""
        outcome: Applied | Refusal
        if step.after in self._refused:
            outcome = Refusal(
                reason="depends", field="after", message=f"Step {step.after} was refused."
            )
        else:
            outcome = carry_out(command, self._registry)
        if isinstance(outcome, Refusal):
            self._refused[step.step] = RefusedStep(
                step=step.step,
                reason=outcome.reason,
                field=outcome.field,
                message=outcome.message,
            )
            return outcome
        for entity in outcome.entities:
            self._registry.keep(entity)
        self._changes += [
            Change(kind=c.kind, id=c.id, change=c.change, step=step.step) for c in outcome.changes
        ]
        self._warnings += [
            Caution(kind=w.kind, id=w.id, field=w.field, message=w.message, step=step.step)
            for w in outcome.warnings
        ]
        return outcome

    def outcome(self) -> Applied:
        """All of them together. What they changed is kept already."""
        return Applied(
            changes=tuple(self._changes),
            warnings=tuple(self._warnings),
            refused=tuple(self._refused.values()),
        )
