"""The importer's own copy of the registry, as registry.state tells it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runtime.particulars import HOME
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.registry import AccountState, CustomerFields, CustomerState, EnvironmentState
from services.importer.domain.book import series_of
from services.importer.domain.house import House
from services.importer.domain.messages import Tongue
from services.importer.domain.names import email_key, name_keys

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
         s.default_limit)
        for s in states
    ]  # fmt: skip
    await _hear(tx, sql.hear_environments, rows)


async def hear_customers(tx: Tx, states: Iterable[CustomerState]) -> Mapping[int, list[str]]:
    """Keep the newest states; gives, by environment, the customers that were erased by now."""
    rows = []
    for state in states:
        fields = {} if state.erased else _given(state, CUSTOMER_FIELDS)
        names = json.dumps(sorted(name_keys(fields)))
        mail = email_key(fields.get("email"), fields.get("email_fictitious"))
        rows.append(
            (state.environment, state.customer_id, state.version, state.erased,
             json.dumps(fields), mail, names)
        )  # fmt: skip
    erased: dict[int, list[str]] = defaultdict(list)
    for row in await _hear(tx, sql.hear_customers, rows):
        if row["erased"]:
            erased[row["environment"]].append(str(row["customer_id"]))
    return erased


async def hear_accounts(tx: Tx, states: Iterable[AccountState]) -> None:
    rows = [
        (s.environment, s.account, s.version, json.dumps(_given(s, ACCOUNT_FIELDS)), s.holder,
         series_of(s.environment, s.account), json.dumps(s.viewers))
        for s in states
    ]  # fmt: skip
    await _hear(tx, sql.hear_accounts, rows)


async def _hear(tx: Tx, statement: str, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
    if not rows:
        return ()
    changed = await tx.fetch(statement, *(list(column) for column in zip(*rows, strict=True)))
    counts = sorted(Counter(row["environment"] for row in changed).items())
    if counts:
        await tx.execute(sql.note_changes, [e for e, _ in counts], [n for _, n in counts])
    return changed


def _given(state: Any, fields: Iterable[str]) -> dict[str, Any]:
    found = {name: getattr(state, name) for name in fields}
    return {name: value for name, value in found.items() if value is not None}


async def environment(tx: Tx, number: int) -> Environment | None:
    """The environment as its state told it last; None where nothing was told."""
    row = await tx.fetchrow(sql.environment, number)
    if row is None:
        return None
    house = House(country=row["country"] or HOME, default_limit=row["default_limit"] or 0)
    known = {name: row[name] for name in ("gdpr_accepted", "import_enabled", "language", "changes")}
    return Environment(house=house, **known)


async def tongues(tx: Tx, environments: Iterable[int]) -> Mapping[int, Tongue]:
    """The language of each environment that is known."""
    rows = await tx.fetch(sql.languages, sorted(set(environments)))
    return {row["environment"]: row["language"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a command: `effect` is the most that it did.

    `told` is what a report says of it, where that is not the message as it came.
    """

    environment: int
    command_id: str
    outcome: str
    effect: str | None
    message: str | None
    reason: str | None = None
    told: str | None = None


async def note_outcomes(tx: Tx, outcomes: Iterable[Outcome]) -> None:
    """Note what became of commands of imports, and of those that take one back."""
    found = sorted(outcomes, key=lambda o: (o.environment, o.command_id))
    if not found:
        return
    environments = [o.environment for o in found]
    ids = [o.command_id for o in found]
    ends = [o.outcome for o in found]
    effects = [o.effect for o in found]
    messages = [o.message for o in found]
    reasons = [o.reason for o in found]
    told = [o.told or o.message for o in found]
    await tx.execute(sql.note_outcomes, environments, ids, ends, effects, told)
    await tx.execute(sql.note_undone, environments, ids, ends, effects, reasons, messages)
