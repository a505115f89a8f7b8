"""What the registry keeps: environments, customers and accounts as they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple

from schemas.commands import Caution, RefusedStep
from schemas.registry import Gdpr
from services.authorizer.domain.standing import Sums

Key = tuple[int, str]
"""An environment with an account number or a customer_id."""

DEFAULTS: Final[Mapping[str, Any]] = {
    "name": None, "legal_name": None, "street": None, "postcode": None, "city": None,
    "country": None, "vat_number": None, "chamber_number": None, "iban": None,
    "currency": "EUR", "time_zone": "Europe/Amsterdam", "language": "nl",
    "finance_email": None, "finance_copy": "report", "reply_to": None, "payment_days": 14,
    "limit_release": "issued", "number_format": "{year}-{seq:05}",
    # The same text as number_format, whatever that is: one series.
    "credit_note_format": None,
    "default_limit": None, "default_on_account": False, "default_in_overview": False,
    "schedule": None, "import_enabled": True, "viewer_statements": False,
    "logo": None, "colour": None,
}  # fmt: skip
"""The settings of an environment that was never configured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A venue. version 0: not recorded yet. `has_sales` is only known where it was asked for."""

    environment: int
    version: int = 0
    active: bool = False
    gdpr: Gdpr | None = None
    settings: Mapping[str, Any] = field(default_factory=lambda: dict(DEFAULTS))
    has_sales: bool = False

    kind = "environment"

    @property
    def id(self) -> str:
        return str(self.environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A person or a company: the fields that are known. Of an erased one nothing is."""

    environment: int
    customer_id: str
    version: int = 0
    erased: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)

    kind = "customer"

    @property
    def id(self) -> str:
        return self.customer_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account. limit None: none. Amounts are minor units.

    `to_credit`: what stands on its invoices and was taken back since. Only known where somebody
    asks what is to be invoiced.
    """

    environment: int
    account: str
    version: int = 0
    description: str = ""
    status: str = "active"
    limit: int | None = 0
    on_account: bool = False
    in_overview: bool = False
    holder: str | None = None
    viewers: frozenset[str] = frozenset()
    sums: Sums = field(default_factory=Sums)
    to_credit: int = 0

    kind = "account"

    @property
    def to_invoice(self) -> int:
        """What was sold on it and stands on no invoice yet. A credit that is due makes that no
        less: the next run makes an invoice of the one and a credit note of the other."""
        return self.sums.unbilled + self.to_credit

    @property
    def id(self) -> str:
        return self.account


Entity = Environment | Customer | Account


class Effect(NamedTuple):
    """What became of one thing, as schemas' Change has it. A tuple, for an import makes three a row
    of its workbook."""

    kind: str
    id: str
    change: Literal["created", "changed", "unchanged"]
    step: int | None = None


class Applied(NamedTuple):
    """A command that was carried out: what became of what, and what is to be kept.

    `refused`: of a command of several steps those that changed nothing.
    """

    changes: tuple[Effect, ...] = ()
    warnings: tuple[Caution, ...] = ()
    entities: tuple[Entity, ...] = ()
    refused: tuple[RefusedStep, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A command that changes nothing. `message` is a sentence for people."""

    reason: str
    message: str
    field: str | None = None


Outcome = Applied | Refusal


@dataclass(slots=True, kw_only=True)
class Registry:
    """What a batch of commands needs to know; moves on with each that is applied."""

    environments: dict[int, Environment] = field(default_factory=dict)
    customers: dict[Key, Customer] = field(default_factory=dict)
    accounts: dict[Key, Account] = field(default_factory=dict)
    # Of accounts that are not open yet: invoices and payments that came before.
    early_sums: dict[Key, Sums] = field(default_factory=dict)
    changed: dict[tuple[str, int, str], Entity] = field(default_factory=dict)

    def keep(self, entity: Entity) -> None:
        self.changed[entity.kind, entity.environment, entity.id] = entity
        if isinstance(entity, Environment):
            self.environments[entity.environment] = entity
        elif isinstance(entity, Customer):
            self.customers[entity.environment, entity.customer_id] = entity
        else:
            self.accounts[entity.environment, entity.account] = entity

    def accounts_of(self, environment: int, customer_id: str) -> list[Account]:
        """Those of the known accounts that this customer holds or may look into."""
        return [
            account
            for account in self.accounts.values()
            if account.environment == environment
            and (account.holder == customer_id or customer_id in account.viewers)
        ]


def made(after: Entity, warnings: tuple[Caution, ...] = ()) -> Applied:
    """The outcome that one thing came to be, of its first version: an import has two a row."""
    return Applied((Effect(after.kind, after.id, "created"),), warnings, (after,))


def change_of(before: Entity | None, after: Entity) -> tuple[Effect, Entity | None]:
    """What became of one thing, and how it is to be kept; None where nothing changed.

    `after` carries the version of `before`; a new one is of its first version.
    """
    how: Literal["created", "changed", "unchanged"]
    how = "created" if before is None else "unchanged" if before == after else "changed"
    kept: Entity | None = None
    if how == "created":
        kept = after if after.version else replace(after, version=1)
    elif how == "changed":
        kept = replace(after, version=after.version + 1)
    return Effect(after.kind, after.id, how), kept


def applied(*pairs: tuple[Entity | None, Entity], warnings: tuple[Caution, ...] = ()) -> Applied:
    """An outcome out of pairs of before and after."""
    changes: list[Effect] = []
    entities: list[Entity] = []
    for before, after in pairs:
        change, kept = change_of(before, after)
        changes.append(change)
        if kept is not None:
            entities.append(kept)
    return Applied(changes=tuple(changes), warnings=warnings, entities=tuple(entities))
