"""Locks, recalls and records batches of commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from asyncpg import Record

from runtime.answers import Answer
from runtime.arrays import columns
from runtime.breath import Breath
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.commands import Command
from schemas.registry import (
    AccountChange,
    AccountUnlink,
    CustomerErase,
    EnvironmentAcceptGdpr,
    EnvironmentActivate,
    EnvironmentConfigure,
    EnvironmentDeactivate,
    Gdpr,
)
from schemas.steps import (
    ChangeAccountsStep,
    RegistryApply,
)
from services.authorizer.domain.entities import (
    DEFAULTS,
    Account,
    Customer,
    Environment,
    Key,
    Registry,
)
from services.authorizer.domain.standing import Sums
from services.authorizer.store.spoken import Spoken

sql: Final = statements("services.authorizer", "sql/registry.sql")
TOPIC: Final = "registry.outcomes"
A_BREATH: Final = 500
"""Accounts that are made ready and written in one go."""


async def open_registry(tx: Tx, commands: Sequence[Command]) -> Registry:
    """Lock and read all that these commands speak of."""
    spoken = Spoken()
    customers, accounts = spoken.customers, spoken.accounts
    erased: list[Key] = []
    for command in commands:
        environment = command.environment
        for one in command.steps if isinstance(command, RegistryApply) else (command,):
            spoken.note(environment, one)
        if isinstance(command, CustomerErase):
            erased.append((environment, command.customer_id))
    registry = Registry(environments=await _environments(tx, commands))
    if customers:
        registry.customers = await _customers(tx, customers)
    if erased:
        rows = await tx.fetch(sql.accounts_of_customers, *columns(erased))
        accounts.update({(r["environment"], r["account"]): None for r in rows})
    if accounts:
        exactly = any(map(_weighs_sums, commands))
        registry.accounts = await _accounts(tx, accounts, exactly=exactly)
    if any(map(_asks_what_is_open, commands)):
        await _add_credits_due(tx, registry.accounts)
    if new := [key for key in spoken.opened if key not in registry.accounts]:
        registry.early_sums = await _early_sums(tx, new)
    return registry


_RULES: Final = frozenset({"currency", "limit_release"})


def _changes_rules(command: Command) -> bool:
    """Whether it may change by which rules of an environment sales are decided."""
    if isinstance(command, EnvironmentConfigure):
        return not _RULES.isdisjoint(command.model_fields_set)
    return isinstance(command, EnvironmentAcceptGdpr | EnvironmentActivate | EnvironmentDeactivate)


async def _environments(tx: Tx, commands: Sequence[Command]) -> dict[int, Environment]:
    ids = sorted({command.environment for command in commands})
    in_question = {
        c.environment
        for c in commands
        if isinstance(c, EnvironmentConfigure) and "currency" in c.model_fields_set
    }
    rules_change = any(_changes_rules(command) for command in commands)
    lock = sql.lock_environments_against_sales if rules_change else sql.lock_environments
    rows = await tx.fetch(lock, ids)
    selling: set[int] = set()
    if in_question:
        found = await tx.fetch(sql.environments_with_sales, sorted(in_question))
        selling = {r["environment"] for r in found}
    return {
        r["environment"]: environment_of(r, has_sales=r["environment"] in selling) for r in rows
    }


def environment_of(row: Record, *, has_sales: bool = False) -> Environment:
    """An environment out of its row."""
    gdpr = None
    if row["gdpr_at"] is not None:
        gdpr = Gdpr(accepted_by=row["gdpr_by"], document=row["gdpr_document"], at=row["gdpr_at"])
    return Environment(
        environment=row["environment"],
        version=row["version"],
        active=row["active"],
        gdpr=gdpr,
        settings={**DEFAULTS, **json.loads(row["settings"])},
        has_sales=has_sales,
    )


async def _customers(tx: Tx, keys: Iterable[Key]) -> dict[Key, Customer]:
    rows = await tx.fetch(sql.customers, *columns(keys))
    return {(r["environment"], r["customer_id"]): customer_of(r) for r in rows}


def customer_of(row: Record) -> Customer:
    """A customer out of its row."""
    return Customer(
        environment=row["environment"],
        customer_id=row["customer_id"],
        version=row["version"],
        erased=row["erased"],
        fields=json.loads(row["fields"]),
    )


def _weighs_sums(command: Command) -> bool:
    """Whether what was sold decides: then it may not move until this is done.

    Otherwise accounts are locked only to be written: a change of ten thousand limits would hold
    up their sales while it is thought over.
    """
    unused = isinstance(command, AccountChange) and bool(command.only_if_unused)
    return unused or _asks_what_is_open(command)


def _asks_what_is_open(command: Command) -> bool:
    """Whether it matters what is to be invoiced still; an import's steps may close accounts too."""
    if isinstance(command, RegistryApply):
        return any(type(s) is ChangeAccountsStep and s.status == "closed" for s in command.steps)
    if isinstance(command, AccountChange):
        return command.status == "closed"
    return isinstance(command, AccountUnlink | CustomerErase)


async def _accounts(tx: Tx, keys: Iterable[Key], *, exactly: bool) -> dict[Key, Account]:
    query = sql.lock_whole_accounts if exactly else sql.whole_accounts
    rows = await tx.fetch(query, *columns(keys))
    found: dict[Key, Account] = {}
    breath = Breath()
    for r in rows:
        sums = Sums(
            r["approved"], r["reversed"], r["issued"], r["credited"], r["paid"], r["refunded"]
        )
        found[r["environment"], r["account"]] = account_of(r, sums)
        await breath.take()
    return found


def account_of(row: Record, sums: Sums | None = None) -> Account:
    """An account out of its row; its sums, where they are asked for."""
    return Account(
        environment=row["environment"],
        account=row["account"],
        version=row["version"],
        description=row["description"],
        status=row["status"],
        limit=row["credit_limit"],
        on_account=row["on_account"],
        in_overview=row["in_overview"],
        holder=row["holder"],
        viewers=frozenset(row["viewers"]),
        sums=sums or Sums(),
    )


async def _add_credits_due(tx: Tx, accounts: dict[Key, Account]) -> None:
    """What is to be credited: of few accounts, for little is taken back after it was invoiced."""
    asked = [
        key
        for key, account in accounts.items()
        if account.sums.reversed and account.sums.issued > account.sums.credited
    ]
    for start in range(0, len(asked), A_BREATH):
        rows = await tx.fetch(sql.to_credit, *columns(asked[start : start + A_BREATH]))
        for r in rows:
            key = (r["environment"], r["account"])
            accounts[key] = replace(accounts[key], to_credit=r["to_credit"])


async def _early_sums(tx: Tx, keys: Iterable[Key]) -> dict[Key, Sums]:
    rows = await tx.fetch(sql.early_sums, *columns(keys))
    return {
        (r["environment"], r["account"]): Sums(
            issued=r["issued"] or 0,
            credited=r["credited"] or 0,
            paid=r["paid"] or 0,
            refunded=r["refunded"] or 0,
        )
        for r in rows
    }


async def recall(tx: Tx, keys: Iterable[Key]) -> dict[Key, tuple[bytes, Answer]]:
    """Which of these command ids were answered: (digest, answer)."""
    rows = await tx.fetch(sql.recall_commands, *columns(keys))
    return {
        (r["environment"], r["command_id"]): (
            r["digest"],
            Answer(
                TOPIC,
                str(r["environment"]),
                f"{r['type']}/{r['environment']}/{r['command_id']}",
                r["type"],
                r["decided_at"],
                r["answer"],
            ),
        )
        for r in rows
    }


async def record_commands(tx: Tx, answered: dict[Key, tuple[bytes, Answer]]) -> None:
    """Remember what was answered."""
    if answered:
        said: list[Any] = [answer for _, answer in answered.values()]
        await tx.execute(
            sql.record_commands,
            *columns(answered),
            [digest for digest, _ in answered.values()],
            [a.type for a in said],
            [a.value for a in said],
            tx.now,
        )
