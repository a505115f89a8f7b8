"""The invoicer's own copy of the registry: environments, accounts, customers."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pydantic import TypeAdapter

from runtime.arrays import columns
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.registry import AccountState, CustomerState, EnvironmentState
from schemas.wire import encode

sql = statements("services.invoicer", "sql/registry.sql")
REFUSED_AGAIN_S = 3_600
"""A scheduled run that was refused is asked for again after this."""

_environment = lru_cache(64)(TypeAdapter(EnvironmentState).validate_json)
"""States are frozen, and one is asked for again with each document and mail of a run."""
_customer = TypeAdapter(CustomerState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An account and who holds it. `known`: the registry told of it."""

    account: str
    known: bool
    description: str
    holder: CustomerState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """An environment with a schedule, since when, and its runs that need not be asked for."""

    environment: EnvironmentState
    since: datetime
    runs: frozenset[str]


async def put_environments(tx: Tx, told: Iterable[tuple[EnvironmentState, datetime]]) -> None:
    """States, each with its record's time."""
    newest: dict[int, tuple[EnvironmentState, datetime]] = {}
    for state, at in sorted(told, key=lambda one: (one[0].version, one[1])):
        before = newest.get(state.environment)
        kept = before is not None and before[0].schedule == state.schedule
        newest[state.environment] = state, before[1] if before is not None and kept else at
    if newest:
        rows = newest.values()
        await tx.execute(
            sql.put_environments,
            list(newest),
            [state.version for state, _ in rows],
            [encode(state).decode() for state, _ in rows],
            [since for _, since in rows],
        )


async def put_customers(tx: Tx, states: Iterable[CustomerState]) -> None:
    newest = {(s.environment, s.customer_id): s for s in sorted(states, key=lambda s: s.version)}
    if newest:
        rows = newest.values()
        await tx.execute(
            sql.put_customers,
            [s.environment for s in rows],
            [s.customer_id for s in rows],
            [s.version for s in rows],
            [encode(s).decode() for s in rows],
        )


async def put_accounts(tx: Tx, states: Iterable[AccountState]) -> None:
    newest = {(s.environment, s.account): s for s in sorted(states, key=lambda s: s.version)}
    if newest:
        rows = newest.values()
        await tx.execute(
            sql.put_accounts,
            [s.environment for s in rows],
            [s.account for s in rows],
            [s.version for s in rows],
            [encode(s).decode() for s in rows],
        )


async def environments(tx: Tx, ids: Iterable[int]) -> dict[int, EnvironmentState]:
    rows = await tx.fetch(sql.environments, sorted(set(ids)))
    return {r["environment"]: _environment(r["state"]) for r in rows}


async def environment(tx: Tx, number: int) -> EnvironmentState | None:
    return (await environments(tx, [number])).get(number)


async def scheduled(tx: Tx) -> list[Scheduled]:
    return [
        Scheduled(
            environment=_environment(r["state"]),
            since=r["schedule_since"],
            runs=frozenset(r["runs"]),
        )
        for r in await tx.fetch(sql.scheduled, REFUSED_AGAIN_S)
    ]


async def holdings(tx: Tx, environment: int, accounts: Sequence[str]) -> dict[str, Holding]:
    """Of accounts that nobody told of there is no entry."""
    return {
        r["account"]: Holding(
            account=r["account"],
            known=r["version"] > 0,
            description=r["description"] or "",
            holder=None if r["holder"] is None else _customer.validate_json(r["holder"]),
        )
        for r in await tx.fetch(sql.accounts, environment, list(accounts))
    }


async def viewers(tx: Tx, environment: int, account: str) -> list[CustomerState]:
    rows = await tx.fetch(sql.viewers, environment, account)
    return [_customer.validate_json(r["state"]) for r in rows]


async def lock_accounts(tx: Tx, accounts: Iterable[tuple[int, str]], *, add: bool = False) -> None:
    """Lock these accounts' rows, in order. With `add` those that are missing are made first."""
    wanted = sorted(set(accounts))
    if not wanted:
        return
    if add:
        await tx.execute(sql.add_accounts, *columns(wanted))
    await tx.fetch(sql.lock_accounts, *columns(wanted))


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
