"""Many things that are asked of the registry at once: registry.apply and its steps."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Part, wrong
from schemas.commands import Command, PatchCommand, StepNumber
from schemas.entities import (
    MAX_ACCOUNTS,
    ChangeFields,
    CustomerFields,
    LinkFields,
    OpeningFields,
    has_a_name,
)
from schemas.registry import (
    AccountChange,
    AccountLink,
    AccountOpen,
    AccountUnlink,
    CustomerChange,
    CustomerErase,
    CustomerRegister,
    EnvironmentAcceptGdpr,
    EnvironmentActivate,
    EnvironmentConfigure,
    EnvironmentDeactivate,
    RegistryRepublish,
)
from schemas.values import Uuid, entries

MAX_STEPS = 2_000


class _Step(Part):
    """One of the things that a registry.apply does: fields as in the command of its type.

    `step` names it in the answer. It is done only if the step `after`, which stands before it,
    was not refused.
    """

    step: StepNumber
    after: StepNumber | None = None


class RegisterStep(CustomerFields, _Step):
    """As customer.register."""

    type: Literal["customer.register"]
    customer_id: Uuid

    _has_a_name = model_validator(mode="after")(has_a_name)


class ChangeStep(CustomerFields, _Step):
    """As customer.change."""

    type: Literal["customer.change"]
    customer_id: Uuid


class OpenStep(OpeningFields, _Step):
    """As account.open."""

    type: Literal["account.open"]


class ChangeAccountsStep(ChangeFields, _Step):
    """As account.change: all of its accounts, or none."""

    type: Literal["account.change"]


class LinkStep(LinkFields, _Step):
    """As account.link."""

    type: Literal["account.link"]


Step = Annotated[
    RegisterStep | ChangeStep | OpenStep | ChangeAccountsStep | LinkStep,
    Field(discriminator="type"),
]


class RegistryApply(PatchCommand):
    """Many things at once, as an import has them: in their order, each for itself.

    A step that is refused leaves the others as they are, but for those that come `after` it. The
    answer tells what became of each. Environments without accepted terms, and what can't be read,
    refuse the whole.
    """

    type: Literal["registry.apply"] = "registry.apply"
    steps: Annotated[tuple[Step, ...], entries(MAX_STEPS, least=1)]

    @model_validator(mode="after")
    def _steps_in_order(self) -> Self:
        seen: set[int] = set()
        accounts = 0
        for place, one in enumerate(self.steps):
            if one.step in seen:
                raise wrong("steps", f"has one number twice, the second time in entry {place}")
            if one.after is not None and one.after not in seen:
                raise wrong("steps", f"must have what entry {place} comes after before it")
            seen.add(one.step)
            accounts += len(one.accounts) if isinstance(one, ChangeAccountsStep) else 1
        if accounts > MAX_ACCOUNTS:
            raise wrong("steps", f"must name at most {MAX_ACCOUNTS} accounts together")
        return self


REGISTRY_COMMANDS: Final[tuple[type[Command], ...]] = (
    EnvironmentConfigure,
    EnvironmentAcceptGdpr,
    EnvironmentActivate,
    EnvironmentDeactivate,
    CustomerRegister,
    CustomerChange,
    CustomerErase,
    AccountOpen,
    AccountChange,
    AccountLink,
    AccountUnlink,
    RegistryRepublish,
    RegistryApply,
)
"""All that may be asked of the registry."""
