"""One command against the registry as it stands: what it does, or why it does nothing."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from schemas.commands import Command
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
from schemas.steps import (
    ChangeAccountsStep,
    ChangeStep,
    LinkStep,
    OpenStep,
    RegisterStep,
    Step,
)
from services.authorizer.domain import accounts, customers, environments
from services.authorizer.domain.entities import Applied, Environment, Outcome, Refusal, Registry

NO_GDPR: Final = Refusal(
    reason="gdpr_not_accepted",
    message="The GDPR terms are not accepted; send environment.accept_gdpr first.",
)

_PERSONAL: Final[dict[type[Command], Any]] = {
    CustomerRegister: customers.register,
    CustomerChange: customers.change,
    CustomerErase: customers.erase,
    AccountOpen: accounts.open_account,
    AccountChange: accounts.change,
    AccountLink: accounts.link,
    AccountUnlink: accounts.unlink,
}
"""What is taken only once the GDPR terms are accepted."""

_STEPS: Final[dict[type[Step], Any]] = {
    RegisterStep: customers.register,
    ChangeStep: customers.change,
    OpenStep: accounts.open_account,
    ChangeAccountsStep: accounts.change,
    LinkStep: accounts.link,
}


def carry_out(command: Command, registry: Registry) -> Outcome:
    """Decide one command; keeps nothing itself. All of it is done, or none."""
    environment = registry.environments.get(command.environment)
    match command:
        case EnvironmentConfigure():
            return environments.configure(command, environment)
        case EnvironmentAcceptGdpr():
            return environments.accept_gdpr(command, environment)
        case EnvironmentActivate() | EnvironmentDeactivate():
            return environments.switch(command, environment)
    if environment is None:
        return environments.UNKNOWN
    if isinstance(command, RegistryRepublish):
        return Applied()  # the handler has it done, by a job
    return _personal(command, registry, environment)


def changing_accounts(command: AccountChange, registry: Registry) -> Generator[None, None, Outcome]:
    """As `carry_out`, for accounts by the thousand: gives way before each of them."""
    if (refusal := refuses_all(command, registry)) is not None:
        return refusal
    house = registry.environments[command.environment]
    return (yield from accounts.changing(command, registry, house))


def carry_out_step(step: Step, registry: Registry, house: Environment) -> Outcome:
    """As `carry_out`, for a step of a command that `refuses_all` does not refuse."""
    outcome: Outcome = _STEPS[type(step)](step, registry, house)
    return outcome


def refuses_all(command: Command, registry: Registry) -> Refusal | None:
    """Why no step of a command is carried out; None where each is looked at."""
    environment = registry.environments.get(command.environment)
    if environment is None:
        return environments.UNKNOWN
    return NO_GDPR if environment.gdpr is None else None


def _personal(command: Command, registry: Registry, house: Environment) -> Outcome:
    if house.gdpr is None:
        return NO_GDPR
    outcome: Outcome = _PERSONAL[type(command)](command, registry, house)
    return outcome
