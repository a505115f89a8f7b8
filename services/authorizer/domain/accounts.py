"""Decides what an administrator asks of accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from schemas.registry import AccountChange, AccountLink, AccountOpen, AccountUnlink
from services.authorizer.domain.customers import unknown
from services.authorizer.domain.explanations import money
from services.authorizer.domain.registry import (
    Account,
    Applied,
    Environment,
    Outcome,
    Refused,
    Registry,
    moved,
)

SETTABLE = ("description", "status", "limit", "on_account", "in_overview")
MOST_NAMED = 5
MAX_VIEWERS = 1_000


def open_account(command: AccountOpen, registry: Registry) -> Outcome:
    """Open an account under its own number, with the environment's defaults."""
    key = command.environment, command.account
    if key in registry.accounts:
        return Refused(
            reason="account_exists",
            field="account",
            message=f"Account {command.account} exists already; use account.change.",
        )
    if command.holder is not None and not _is_customer(registry, key[0], command.holder):
        return replace(unknown(command.holder), field="holder")
    settings = registry.environments[command.environment].settings
    limit = command.limit
    if "limit" not in command.model_fields_set:
        limit = settings["default_limit"] or 0
    on_account, in_overview = command.on_account, command.in_overview
    registry.accounts[key] = Account(
        environment=command.environment,
        account=command.account,
        version=1,
        description=command.description or "",
        status=command.status,
        limit=limit,
        on_account=settings["default_on_account"] if on_account is None else on_account,
        in_overview=settings["default_in_overview"] if in_overview is None else in_overview,
        holder=command.holder,
        new=True,
    )
    applied = Applied([("account", command.account, "created")])
    if not command.account.startswith(str(command.environment)):
        applied.warnings.append(
            ("account", command.account, "account", "The number does not begin with the "
             f"environment's own, {command.environment}.")
        )  # fmt: skip
    return applied


def change(command: AccountChange, registry: Registry) -> Outcome:
    """Change one account or thousands, all or none."""
    wanted = list(dict.fromkeys(command.accounts))
    found = [registry.accounts.get((command.environment, number)) for number in wanted]
    if absent := [n for n, account in zip(wanted, found, strict=True) if account is None]:
        return _unknown(absent)
    accounts = [account for account in found if account is not None]
    given = {name: getattr(command, name) for name in command.model_fields_set & set(SETTABLE)}
    if "description" in given:
        given["description"] = given["description"] or ""
    if refused := _refused(command, accounts):
        return refused
    applied = Applied()
    environment = registry.environments[command.environment]
    for account in accounts:
        after = dict(given)
        if command.raise_limit_by is not None:
            after["limit"] = (account.limit or 0) + command.raise_limit_by
        if all(getattr(account, name) == value for name, value in after.items()):
            applied.changes.append(("account", account.account, "unchanged"))
            continue
        for name, value in after.items():
            setattr(account, name, value)
        applied.changes.append(("account", account.account, moved(account)))
        applied.warnings += _cautions(account, after, environment)
    return applied


def _refused(command: AccountChange, accounts: list[Account]) -> Refused | None:
    by = command.raise_limit_by
    if by is not None:
        for account in accounts:
            if account.limit is None:
                return Refused(
                    reason="no_limit",
                    field="raise_limit_by",
                    message=f"Account {account.account} has no limit that could be raised.",
                )
            if account.limit + by < 0:
                return Refused(
                    reason="invalid",
                    field="raise_limit_by",
                    message=f"The limit of account {account.account} would be below zero.",
                )
    if command.only_if_unused:
        used = [a.account for a in accounts if a.approved or a.issued or a.paid]
        if used:
            return Refused(
                reason="account_used",
                field="only_if_unused",
                message=f"Used already: {_named(used)}.",
            )
    return None


def _cautions(account: Account, after: dict[str, Any], environment: Environment) -> Any:
    """What an administrator would want to know of this change."""
    if after.get("status") != "closed":
        return []
    currency, language = environment.settings["currency"], "en"
    found = []
    if account.unbilled > 0:
        found.append(
            ("account", account.account, "status", "Closed with "
             f"{money(account.unbilled, currency, language)} not invoiced yet: the next run "
             "invoices it.")
        )  # fmt: skip
    if account.unpaid > 0:
        found.append(
            ("account", account.account, "status", "Closed with "
             f"{money(account.unpaid, currency, language)} invoiced and not paid yet.")
        )  # fmt: skip
    return found


def link(command: AccountLink, registry: Registry) -> Outcome:
    """Tie a customer to an account, as its one holder or as a viewer; or untie him."""
    key = command.environment, command.account
    account = registry.accounts.get(key)
    if account is None:
        return _unknown([command.account])
    if isinstance(command, AccountUnlink):
        return _unlink(command, account)
    if not _is_customer(registry, command.environment, command.customer_id):
        return unknown(command.customer_id)
    tied = account.holder == command.customer_id
    if command.role == "viewer":
        tied = command.customer_id in account.viewers
    if tied:
        return Applied([("account", account.account, "unchanged")])
    if command.role == "holder":
        if account.holder is not None:
            return Refused(
                reason="holder_exists",
                field="customer_id",
                message=f"Account {account.account} has a holder already; unlink that one first.",
            )
        account.holder = command.customer_id
    elif len(account.viewers) >= MAX_VIEWERS:
        return Refused(
            reason="too_many_viewers",
            message=f"Account {account.account} has {MAX_VIEWERS} viewers already.",
        )
    else:
        account.viewers = [*account.viewers, command.customer_id]
    return Applied([("account", account.account, moved(account))])


def _unlink(command: AccountUnlink, account: Account) -> Outcome:
    applied = Applied()
    if command.role == "holder" and account.holder == command.customer_id:
        account.holder = None
        if account.unbilled > 0:
            applied.warnings.append(
                ("account", account.account, "holder", "Without a holder the account's sales "
                 "can't be invoiced; link another one.")
            )  # fmt: skip
    elif command.role == "viewer" and command.customer_id in account.viewers:
        account.viewers = [v for v in account.viewers if v != command.customer_id]
    else:
        return Applied([("account", account.account, "unchanged")])
    applied.changes.append(("account", account.account, moved(account)))
    return applied


def _is_customer(registry: Registry, environment: int, customer_id: str) -> bool:
    customer = registry.customers.get((environment, customer_id))
    return customer is not None and not customer.erased


def _unknown(numbers: list[str]) -> Refused:
    return Refused(
        reason="account_unknown",
        field="account" if len(numbers) == 1 else "accounts",
        message=f"There is no account {_named(numbers)} in this environment.",
    )


def _named(numbers: list[str]) -> str:
    shown = ", ".join(numbers[:MOST_NAMED])
    more = len(numbers) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
