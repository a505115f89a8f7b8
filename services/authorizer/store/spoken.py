"""What commands speak of: the customers and accounts that are to be locked and read for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from schemas.base import Part
from schemas.commands import Command
from schemas.registry import (
    AccountChange,
    AccountLink,
    AccountOpen,
    AccountUnlink,
    CustomerChange,
    CustomerErase,
    CustomerRegister,
)
from schemas.steps import ChangeAccountsStep, ChangeStep, LinkStep, OpenStep, RegisterStep, Step
from services.authorizer.domain.entities import Key


def accounts_named(command: Command) -> Sequence[str]:
    """The accounts that a command speaks of."""
    if isinstance(command, AccountChange):
        return command.accounts
    return (command.account,) if isinstance(command, AccountOpen | AccountLink) else ()


_NAMES: Final[Mapping[type[Part], tuple[str | None, str | None]]] = {
    CustomerRegister: ("customer_id", None),
    CustomerChange: ("customer_id", None),
    CustomerErase: ("customer_id", None),
    AccountOpen: ("holder", "account"),
    AccountLink: ("customer_id", "account"),
    AccountUnlink: ("customer_id", "account"),
    RegisterStep: ("customer_id", None),
    ChangeStep: ("customer_id", None),
    OpenStep: ("holder", "account"),
    LinkStep: ("customer_id", "account"),
}
"""By type the fields that name a customer and an account; who names several stands elsewhere."""

_OPENING: Final = frozenset({AccountOpen, OpenStep})


@dataclass(frozen=True, slots=True)
class Spoken:
    """What commands speak of, each once; `opened` are the accounts that they open."""

    customers: dict[Key, None] = field(default_factory=dict)
    accounts: dict[Key, None] = field(default_factory=dict)
    opened: list[Key] = field(default_factory=list)

    def note(self, environment: int, one: Command | Step) -> None:
        # By its very type: of a model isinstance takes ten times as long.
        kind = type(one)
        names = _NAMES.get(kind)
        if names is None:
            if isinstance(one, AccountChange | ChangeAccountsStep):
                for number in one.accounts:
                    self.accounts[environment, number] = None
            return
        customer, account = names
        if customer is not None and (customer_id := getattr(one, customer)) is not None:
            self.customers[environment, customer_id] = None
        if account is not None:
            key = (environment, getattr(one, account))
            self.accounts[key] = None
            if kind in _OPENING:
                self.opened.append(key)
