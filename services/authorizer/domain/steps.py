"""registry.apply, step by step: each is decided as the command of its type would be."""

from __future__ import annotations

from typing import Final

from schemas.commands import Caution, RefusedStep
from schemas.steps import Step
from services.authorizer.domain.commands import carry_out_step
from services.authorizer.domain.entities import Applied, Effect, Environment, Refusal, Registry

MOST_WARNINGS: Final = 500
"""Told one by one of all steps together: with ten thousand the outcome would be larger than its
topic takes."""


class Steps:
    """What becomes of the steps so far, in an environment whose terms are accepted. The registry
    moves on with each that is applied."""

    def __init__(self, registry: Registry, house: Environment) -> None:
        self._registry = registry
        self._house = house
        self._changes: list[Effect] = []
        self._warnings: list[Caution] = []
        self._untold: list[Caution] = []
        self._refused: dict[int, RefusedStep] = {}

    def take(self, step: Step) -> Applied | Refusal:
        """Decide one more."""
        outcome: Applied | Refusal
        if step.after in self._refused:
            outcome = Refusal(
                reason="depends", field="after", message=f"Step {step.after} was refused."
            )
        else:
            outcome = carry_out_step(step, self._registry, self._house)
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
        number = step.step
        for kind, id_, change, _ in outcome.changes:
            self._changes.append(Effect(kind, id_, change, number))
        for w in outcome.warnings:
            caution = Caution(kind=w.kind, id=w.id, field=w.field, message=w.message, step=number)
            told = len(self._warnings) < MOST_WARNINGS
            (self._warnings if told else self._untold).append(caution)
        return outcome

    def outcome(self) -> Applied:
        """All of them together. What they changed is kept already."""
        return Applied(
            changes=tuple(self._changes),
            warnings=(*self._warnings, *self._rest()),
            refused=tuple(self._refused.values()),
        )

    def _rest(self) -> tuple[Caution, ...]:
        """Says that there is more, where the first of it is."""
        count = len(self._untold)
        if count <= 1:
            return tuple(self._untold)
        says = f"{count} more warnings are not told, from this one on: {self._untold[0].message}"
        return (self._untold[0].model_copy(update={"message": says}),)
