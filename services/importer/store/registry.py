"""The importer's own copy of the registry, as registry.state tells it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from runtime.arrays import columns
from runtime.particulars import HOME
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.entities import CustomerFields
from schemas.registry import AccountState, CustomerState, EnvironmentState
from services.importer.domain.book import series_of
from services.importer.domain.house import House
from services.importer.domain.messages import Tongue
from services.importer.domain.names import email_key, looked_up_by, name_keys

sql = statements("services.importer", "sql/registry.sql")

ACCOUNT_FIELDS: Final = ("description", "status", "limit", "on_account", "in_overview")
CUSTOMER_FIELDS: Final = tuple(CustomerFields.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What an import has to know of its environment; `changes` counts the changes to its copy."""

    house: House

    gdpr_accepted: bool
    import_enabled: bool
    language: Tongue
    changes: int


async def hear_environments(tx: Tx, states: Iterable[EnvironmentState]) -> None:
    rows = [
        (s.environment, s.version, s.gdpr is not None, s.import_enabled, s.language, s.country,
         s.default_limit, s.default_on_account, s.currency)
        for s in states
    ]  # fmt: skip
    if rows:
        await tx.execute(sql.hear_environments, *_columns(rows))


async def hear_customers(tx: Tx, states: Iterable[CustomerState]) -> None:
    rows = []
    for state in states:
        fields = {} if state.erased else _given(state, CUSTOMER_FIELDS)
        name, other = (*sorted(set(map(looked_up_by, name_keys(fields)))), None, None)[:2]
        mail = email_key(fields.get("email"), fields.get("email_fictitious"))
        rows.append(
            (state.environment, state.customer_id, state.version, state.erased,
             to_json(fields).decode(), mail, name, other)
        )  # fmt: skip
    if rows:
        await tx.execute(sql.hear_customers, *_columns(rows))


async def hear_accounts(tx: Tx, states: Iterable[AccountState]) -> None:
    rows = [
        (s.environment, s.account, s.version, to_json(_given(s, ACCOUNT_FIELDS)).decode(), s.holder,
         f"{{{','.join(s.viewers)}}}")
        for s in states
    ]  # fmt: skip
    last: dict[int, int] = defaultdict(int)
    for environment, account, *_ in rows:
        last[environment] = max(last[environment], series_of(environment, account))
    if rows:
        await tx.execute(sql.hear_accounts, *_columns(rows), list(last), list(last.values()))


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _given(state: CustomerState | AccountState, fields: Iterable[str]) -> dict[str, Any]:
    values = state.__dict__
    return {name: value for name in fields if (value := values[name]) is not None}


async def environment(tx: Tx, number: int) -> Environment | None:
    """The environment as its state told it last; None where nothing was told."""
    row = await tx.fetchrow(sql.environment, number)
    if row is None:
        return None
    house = House(
        country=row["country"] or HOME,
        currency=row["currency"],
        default_limit=row["default_limit"] or 0,
        default_on_account=row["default_on_account"],
    )
    known = {name: row[name] for name in ("gdpr_accepted", "import_enabled", "language", "changes")}
    return Environment(house=house, **known)


async def tongues(tx: Tx, environments: Iterable[int]) -> Mapping[int, Tongue]:
    """The language of each environment that is known."""
    rows = await tx.fetch(sql.languages, sorted(set(environments)))
    return {row["environment"]: row["language"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a command that takes something back: `effect` is the most that it did."""

    environment: int
    command_id: str
    outcome: str
    effect: str | None
    message: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A bundle that was sent and has no outcome yet; `rows` is of each of its steps."""

    environment: int
    job_id: str
    number: int
    rows: Sequence[int]


async def asked(tx: Tx, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Asked]:
    """Which of these commands are bundles of ours that have no outcome yet."""
    rows = await tx.fetch(sql.asked, *columns(sorted(keys)))
    return {
        (r["environment"], str(r["command_id"])): Asked(
            environment=r["environment"],
            job_id=str(r["job_id"]),
            number=r["number"],
            rows=r["rows"],
        )
        for r in rows
    }


async def builds_on(tx: Tx, bundle: Asked) -> dict[int, int]:
    """Which step of the bundle each builds on, of those that do."""
    text = await tx.fetchval(sql.steps, bundle.environment, bundle.job_id, bundle.number)
    return {s["step"]: s["after"] for s in json.loads(text) if "after" in s}


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What became of each step of a bundle that was sent, and what came to be by it."""

    results: Mapping[str, Any]
    customers: Sequence[str] = ()
    accounts: Sequence[str] = ()


async def note_results(tx: Tx, found: Sequence[tuple[Asked, Became]]) -> None:
    """Bundles have their outcome."""
    if found:
        await tx.execute(
            sql.note_results,
            [b.environment for b, _ in found],
            [b.job_id for b, _ in found],
            [b.number for b, _ in found],
            [to_json(became.results).decode() for _, became in found],
            [f"{{{','.join(became.customers)}}}" for _, became in found],
            [json.dumps(became.accounts) for _, became in found],
        )


async def note_undone(tx: Tx, outcomes: Iterable[Outcome]) -> None:
    """Note what became of commands that take an import back; others change nothing."""
    found = sorted(outcomes, key=lambda o: (o.environment, o.command_id))
    if found:
        await tx.execute(
            sql.note_undone,
            [o.environment for o in found],
            [o.command_id for o in found],
            [o.outcome for o in found],
            [o.effect for o in found],
            [o.reason for o in found],
            [o.message for o in found],
        )
