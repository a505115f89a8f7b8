"""The registry as commands find it, and what came of a command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["environment", "customer", "account"]
Change = Literal["created", "changed", "unchanged"]


@dataclass(slots=True, kw_only=True)
class Environment:
    """A venue. `settings` are those of environment.state, defaults filled in."""

    environment: int
    version: int
    active: bool
    gdpr: dict[str, Any] | None
    settings: dict[str, Any]
    has_sales: bool = False
    new: bool = False
    changed: bool = False


@dataclass(slots=True, kw_only=True)
class Customer:
    """A person or a company. `fields` are those of customer.register; empty once erased."""

    environment: int
    customer_id: str
    version: int
    fields: dict[str, Any]
    erased: bool = False
    new: bool = False
    changed: bool = False

    @property
    def name(self) -> str:
        """Full name, else the company."""
        parts = (self.fields.get(part) for part in ("first_name", "infix", "last_name"))
        return " ".join(p for p in parts if p) or self.fields.get("company") or ""


@dataclass(slots=True, kw_only=True)
class Account:
    """An account; amounts are minor units, `limit` None: no limit."""

    environment: int
    account: str
    version: int
    description: str
    status: str
    limit: int | None
    on_account: bool
    in_overview: bool
    holder: str | None = None
    viewers: list[str] = field(default_factory=list)
    approved: int = 0
    reversed: int = 0
    issued: int = 0
    credited: int = 0
    paid: int = 0
    new: bool = False
    changed: bool = False

    @property
    def unbilled(self) -> int:
        """Sold and not yet on an invoice."""
        return self.approved - self.reversed - (self.issued - self.credited)

    @property
    def unpaid(self) -> int:
        """On an invoice and not yet paid."""
        return self.issued - self.credited - self.paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The command changed nothing. `message` is a sentence for people."""

    reason: str
    message: str
    field: str | None = None


@dataclass(slots=True)
class Applied:
    """What a command changed, and what deserves a look: (kind, id, field, message)."""

    changes: list[tuple[Kind, str, Change]] = field(default_factory=list)
    warnings: list[tuple[Kind, str, str | None, str]] = field(default_factory=list)


Outcome = Applied | Refused


@dataclass(slots=True)
class Registry:
    """What a batch of commands works on, read under lock."""

    now: datetime
    environments: dict[int, Environment] = field(default_factory=dict)
    customers: dict[tuple[int, str], Customer] = field(default_factory=dict)
    accounts: dict[tuple[int, str], Account] = field(default_factory=dict)
    # All accounts of customers that are to be erased are among `accounts`.

    def accounts_of(self, environment: int, customer_id: str) -> Iterable[Account]:
        """The accounts that a customer holds or views, as far as they were read."""
        return [
            a
            for (e, _), a in self.accounts.items()
            if e == environment and (a.holder == customer_id or customer_id in a.viewers)
        ]


def missing(environment: int) -> Refused:
    """There is no such environment yet."""
    return Refused(
        reason="environment_unknown",
        field="environment",
        message=f"Environment {environment} is not configured yet; send environment.configure "
        "first.",
    )


def terms_missing(environment: int) -> Refused:
    """Nothing personal is taken before the terms are accepted."""
    return Refused(
        reason="gdpr_not_accepted",
        message=f"The GDPR terms of environment {environment} are not accepted yet; send "
        "environment.accept_gdpr first.",
    )


def moved(record: Environment | Customer | Account) -> Change:
    """Count a change of a record; a record that is new in this batch stays new."""
    record.version += 1
    record.changed = True
    return "changed"
