"""Locks, recalls and records environments, customers, accounts and commands, a batch at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime.sql import statements
from runtime.transaction import Tx
from services.authorizer.domain.registry import Account, Customer, Environment, Registry

sql = statements("services.authorizer", "sql/registry.sql")

Id = tuple[int, str]


@dataclass(slots=True, kw_only=True)
class CommandRow:
    """A remembered command, with the state records that are told again with its answer."""

    environment: int
    command_id: str
    digest: bytes
    decided_at: datetime
    applied: bool
    touched: list[list[Any]]
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the commands of a batch are about."""

    environments: frozenset[int]
    customers: frozenset[Id]
    erased: frozenset[Id]
    accounts: frozenset[Id]


async def lock(tx: Tx, wanted: Wanted) -> Registry:
    """Read all that is concerned under lock: environments, customers, accounts, in that order."""
    registry = Registry(now=tx.now)
    for row in await tx.fetch(sql.lock_environments, sorted(wanted.environments)):
        gdpr = row["gdpr"]
        registry.environments[row["environment"]] = Environment(
            environment=row["environment"],
            version=row["version"],
            active=row["active"],
            gdpr=None if gdpr is None else json.loads(gdpr),
            settings=json.loads(row["settings"]),
            has_sales=row["has_sales"],
        )
    if wanted.customers:
        for row in await tx.fetch(sql.lock_customers, *_pairs(wanted.customers)):
            customer_id = str(row["customer_id"])
            registry.customers[row["environment"], customer_id] = Customer(
                environment=row["environment"],
                customer_id=customer_id,
                version=row["version"],
                fields=json.loads(row["fields"]),
                erased=row["erased"],
            )
    accounts = set(wanted.accounts)
    if wanted.erased:
        rows = await tx.fetch(sql.accounts_of, *_pairs(wanted.erased))
        accounts |= {(row["environment"], row["account"]) for row in rows}
    if accounts:
        for row in await tx.fetch(sql.lock_accounts, *_pairs(accounts)):
            registry.accounts[row["environment"], row["account"]] = _account(row)
    return registry


def _account(row: Any) -> Account:
    return Account(
        environment=row["environment"],
        account=row["account"],
        version=row["version"],
        description=row["description"],
        status=row["status"],
        limit=row["credit_limit"],
        on_account=row["on_account"],
        in_overview=row["in_overview"],
        holder=None if row["holder"] is None else str(row["holder"]),
        viewers=[str(viewer) for viewer in row["viewers"]],
        approved=row["approved"],
        reversed=row["reversed"],
        issued=row["issued"],
        credited=row["credited"],
        paid=row["paid"],
    )


async def recall(tx: Tx, ids: Iterable[Id]) -> dict[Id, CommandRow]:
    """Find the commands that were answered before."""
    found: dict[Id, CommandRow] = {}
    for row in await tx.fetch(sql.recall_commands, *_pairs(ids)):
        key = row["environment"], str(row["command_id"])
        found[key] = CommandRow(
            environment=key[0],
            command_id=key[1],
            digest=row["digest"],
            decided_at=row["decided_at"],
            applied=row["applied"],
            touched=json.loads(row["touched"]),
            answer=row["answer"],
        )
    return found


async def recall_reused(
    tx: Tx, wanted: Sequence[tuple[int, str, bytes]]
) -> dict[tuple[int, str, bytes], tuple[datetime, bytes]]:
    """Find the answers to command ids that had come again with other content."""
    if not wanted:
        return {}
    columns = [list(column) for column in zip(*wanted, strict=True)]
    return {
        (row["environment"], str(row["id"]), bytes(row["digest"])): (
            row["decided_at"],
            row["answer"],
        )
        for row in await tx.fetch(sql.recall_reused, *columns)
    }


async def record_reused(tx: Tx, made: dict[tuple[int, str, bytes], tuple[datetime, bytes]]) -> None:
    if made:
        await tx.execute(
            sql.insert_reused_commands,
            [k[0] for k in made], [k[1] for k in made], [k[2] for k in made],
            [at for at, _ in made.values()], [answer for _, answer in made.values()],
        )  # fmt: skip


async def record(tx: Tx, registry: Registry, commands: Sequence[CommandRow]) -> None:
    """Write everything back, a statement a table."""
    changed = [e for e in registry.environments.values() if e.new or e.changed]
    if changed:
        await tx.execute(
            sql.put_environments,
            [e.environment for e in changed], [e.version for e in changed],
            [e.active for e in changed],
            [None if e.gdpr is None else json.dumps(e.gdpr) for e in changed],
            [json.dumps(e.settings) for e in changed],
            [e.settings["currency"] for e in changed], [e.settings["language"] for e in changed],
            [e.settings["limit_release"] for e in changed], tx.now,
        )  # fmt: skip
    new = [c for c in registry.customers.values() if c.new]
    old = [c for c in registry.customers.values() if c.changed and not c.new]
    for statement, customers in ((sql.insert_customers, new), (sql.update_customers, old)):
        if customers:
            await tx.execute(
                statement,
                [c.environment for c in customers], [c.customer_id for c in customers],
                [c.version for c in customers], [json.dumps(c.fields) for c in customers],
                [c.erased for c in customers], tx.now,
            )  # fmt: skip
    fresh = [a for a in registry.accounts.values() if a.new]
    moved = [a for a in registry.accounts.values() if a.changed and not a.new]
    for statement, accounts in ((sql.insert_accounts, fresh), (sql.update_accounts, moved)):
        if accounts:
            await tx.execute(statement, *_account_columns(accounts), tx.now)
    if commands:
        await tx.execute(
            sql.insert_commands,
            [c.environment for c in commands], [c.command_id for c in commands],
            [c.digest for c in commands], [c.decided_at for c in commands],
            [c.applied for c in commands], [json.dumps(c.touched) for c in commands],
            [c.answer for c in commands],
        )  # fmt: skip


def _account_columns(accounts: Sequence[Account]) -> tuple[list[Any], ...]:
    return (
        [a.environment for a in accounts], [a.account for a in accounts],
        [a.version for a in accounts], [a.description for a in accounts],
        [a.status for a in accounts], [a.limit for a in accounts],
        [a.on_account for a in accounts], [a.in_overview for a in accounts],
        [a.holder for a in accounts], [json.dumps(a.viewers) for a in accounts],
    )  # fmt: skip


async def keys_of(tx: Tx, environment: int) -> list[tuple[str, str]]:
    """(kind, id) of everything of an environment that has a state record."""
    rows = await tx.fetch(sql.keys_of_environment, environment)
    return [(row["kind"], row["id"]) for row in rows]


def _pairs(ids: Iterable[Id]) -> tuple[list[int], list[str]]:
    wanted = sorted(ids)
    return [e for e, _ in wanted], [i for _, i in wanted]
