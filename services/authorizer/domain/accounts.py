"""What becomes of accounts: opened, changed by the thousand, tied to customers."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any, Final

from schemas.commands import Caution
from schemas.currencies import money
from schemas.registry import AccountChange, AccountLink, AccountOpen, AccountUnlink
from schemas.steps import ChangeAccountsStep, LinkStep, OpenStep
from schemas.values import MONEY_BOUND
from services.authorizer.domain import customers
from services.authorizer.domain.entities import (
    Account,
    Applied,
    Effect,
    Environment,
    Outcome,
    Refusal,
    Registry,
    applied,
    made,
)
from services.authorizer.domain.standing import Sums

MAX_VIEWERS: Final = 1_000
MOST_WARNINGS: Final = 100
"""Told one by one: ten thousand would make an outcome larger than a topic takes."""

NO_SUMS: Final = Sums()

_SETTINGS: Final = ("description", "status", "limit", "on_account", "in_overview")


def open_account(
    command: AccountOpen | OpenStep, registry: Registry, house: Environment
) -> Outcome:
    """Open an account; the same again is unchanged, another under its number refused."""
    key = (house.environment, command.account)
    if command.holder is not None and (
        refusal := _no_customer(registry, house.environment, command.holder, "holder")
    ):
        return refusal
    warnings = _unlike_its_environment(command.account, house)
    before = registry.accounts.get(key)
    given = _given(command)
    if before is not None:
        asked = replace(before, **given, holder=command.holder or before.holder)
        if asked == before:
            return applied((before, before), warnings=warnings)
        return Refusal(
            reason="account_exists",
            field="account",
            message="This account is open already, with other settings; use account.change.",
        )
    defaults = house.settings
    settings: dict[str, Any] = {
        "limit": defaults["default_limit"] or 0,
        "on_account": defaults["default_on_account"],
        "in_overview": defaults["default_in_overview"],
        **given,
    }
    after = Account(
        environment=house.environment,
        account=command.account,
        version=1,
        holder=command.holder,
        # Invoices and payments may have come before their account.
        sums=registry.early_sums.get(key, NO_SUMS),
        **settings,
    )
    return made(after, warnings)


def _given(command: AccountOpen | AccountChange | OpenStep | ChangeAccountsStep) -> dict[str, Any]:
    """The settings that a command gives. Only a limit may be null; a description is emptied."""
    values, is_given = command.__dict__, command.model_fields_set
    given: dict[str, Any] = {name: values[name] for name in _SETTINGS if name in is_given}
    if "description" in given:
        given["description"] = given["description"] or ""
    return given


def _unlike_its_environment(account: str, house: Environment) -> tuple[Caution, ...]:
    if account.startswith(house.id):
        return ()
    return (
        Caution(
            kind="account",
            id=account,
            field="account",
            message=f"This number does not begin with that of its environment, {house.id}.",
        ),
    )


def change(
    command: AccountChange | ChangeAccountsStep, registry: Registry, house: Environment
) -> Outcome:
    """Change accounts, all or none of them."""
    return finished(changing(command, registry, house))


def changing(
    command: AccountChange | ChangeAccountsStep, registry: Registry, house: Environment
) -> Generator[None, None, Outcome]:
    """As `change`, account by account: there may be ten thousand, and whoever has this decided
    may have something else to do in between."""
    given = _given(command)
    # An import's steps neither raise a limit nor ask whether anything was sold.
    unused = isinstance(command, AccountChange) and command.only_if_unused
    raised_by = command.raise_limit_by if isinstance(command, AccountChange) else None
    changes: list[Effect] = []
    kept: list[Account] = []
    closed: list[Account] = []
    for number in dict.fromkeys(command.accounts):
        yield
        before = registry.accounts.get((house.environment, number))
        if before is None:
            return Refusal(
                reason="account_unknown",
                field=f"accounts.{command.accounts.index(number)}",
                message=f"Account {number} is not known; nothing was changed.",
            )
        if unused and (before.sums.approved or before.sums.issued):
            return Refusal(
                reason="account_used",
                field=f"accounts.{command.accounts.index(number)}",
                message=f"Account {number} was bought on; nothing was changed.",
            )
        if raised_by is not None:
            raised = _raised(before, raised_by)
            if isinstance(raised, Refusal):
                return raised
            given["limit"] = raised
        # There may be ten thousand: what stays as it is is not made again.
        if all(getattr(before, name) == value for name, value in given.items()):
            changes.append(Effect("account", number, "unchanged"))
            continue
        changes.append(Effect("account", number, "changed"))
        kept.append(replace(before, **given, version=before.version + 1))
        if given.get("status") == "closed" and before.status != "closed":
            closed.append(before)
    return Applied(
        changes=tuple(changes), entities=tuple(kept), warnings=_closed_while_open(closed, house)
    )


def finished(deciding: Generator[None, None, Outcome]) -> Outcome:
    """What comes out in the end."""
    while True:
        try:
            next(deciding)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def _closed_while_open(accounts: Sequence[Account], house: Environment) -> tuple[Caution, ...]:
    """Says of accounts that are closed what is not invoiced yet; of very many only how much."""
    owing = [account for account in accounts if account.to_invoice > 0]
    told = [
        caution
        for account in owing[:MOST_WARNINGS]
        for caution in _still_open(account, house, "status", "the next run will still invoice it")
    ]
    if rest := owing[MOST_WARNINGS:]:
        owed = money(sum(a.to_invoice for a in rest), house.settings["currency"], "en")
        says = f"{owed} on {len(rest)} more accounts is not invoiced yet either."
        told.append(Caution(kind="account", id=rest[0].account, field="status", message=says))
    return tuple(told)


def _raised(account: Account, by: int) -> int | Refusal:
    if account.limit is None:
        return Refusal(
            reason="no_limit",
            field="raise_limit_by",
            message=f"Account {account.account} has no limit that could be raised; "
            "nothing was changed.",
        )
    limit = account.limit + by
    if not 0 <= limit <= MONEY_BOUND:
        return Refusal(
            reason="invalid",
            field="raise_limit_by",
            message=f"The limit of account {account.account} would be "
            f"{'negative' if limit < 0 else 'too large'}; nothing was changed.",
        )
    return limit


def _still_open(account: Account, house: Environment, field: str, what: str) -> list[Caution]:
    """Says that something was sold on the account which is on no invoice."""
    if account.to_invoice <= 0:
        return []
    owed = money(account.to_invoice, house.settings["currency"], "en")
    message = f"{owed} is not invoiced yet; {what}."
    return [Caution(kind="account", id=account.account, field=field, message=message)]


def link(command: AccountLink | LinkStep, registry: Registry, house: Environment) -> Outcome:
    """Tie a customer to an account. An account has one holder."""
    before = registry.accounts.get((house.environment, command.account))
    if before is None:
        return _no_account(command.account)
    if refusal := _no_customer(registry, house.environment, command.customer_id, "customer_id"):
        return refusal
    if command.role == "viewer":
        after = replace(before, viewers=before.viewers | {command.customer_id})
        if len(after.viewers) > MAX_VIEWERS:
            return Refusal(
                reason="too_many_viewers",
                field="customer_id",
                message=f"An account has at most {MAX_VIEWERS} viewers.",
            )
        return applied((before, after))
    if before.holder not in (None, command.customer_id):
        return Refusal(
            reason="holder_exists",
            field="customer_id",
            message="This account has a holder already; unlink that one first.",
        )
    return applied((before, replace(before, holder=command.customer_id)))


def unlink(command: AccountUnlink, registry: Registry, house: Environment) -> Outcome:
    """Untie a customer; one that is not tied is unchanged."""
    before = registry.accounts.get((command.environment, command.account))
    if before is None:
        return _no_account(command.account)
    if (command.environment, command.customer_id) not in registry.customers:
        return customers.UNKNOWN
    if command.role == "viewer":
        return applied((before, replace(before, viewers=before.viewers - {command.customer_id})))
    if before.holder != command.customer_id:
        return applied((before, before))
    warnings = _still_open(before, house, "holder", "without a holder it can't be")
    return applied((before, replace(before, holder=None)), warnings=tuple(warnings))


def _no_account(number: str) -> Refusal:
    return Refusal(
        reason="account_unknown", field="account", message=f"Account {number} is not known."
    )


def _no_customer(
    registry: Registry, environment: int, customer_id: str, field: str
) -> Refusal | None:
    known = registry.customers.get((environment, customer_id))
    if known is not None and not known.erased:
        return None
    refusal = customers.UNKNOWN if known is None else customers.ERASED
    return replace(refusal, field=field)
