"""Reads rows as the state records of registry.state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from runtime.answers import Answer, answer
from runtime.database import Connection
from runtime.state import Key, StateKind
from schemas.base import Message
from schemas.registry import AccountState, CustomerState, EnvironmentState, Gdpr, Schedule
from schemas.values import state_key
from services.authorizer.store.registry import sql

TOPIC = "registry.state"


def _state(kind: str, environment: int, id_: str, message: Message, at: datetime) -> Answer:
    version: int = message.version  # type: ignore[attr-defined]
    return answer(
        TOPIC,
        state_key(kind, environment, id_),
        message,
        id=f"{kind}.state/{environment}/{id_}/{version}",
        time=at,
    )


def environment_state(row: Any) -> EnvironmentState:
    """The message of an environment's row."""
    settings = json.loads(row["settings"])
    schedule = settings.pop("schedule")
    gdpr = None if row["gdpr"] is None else json.loads(row["gdpr"])
    if gdpr is not None:
        gdpr = Gdpr(**(gdpr | {"at": datetime.fromisoformat(gdpr["at"])}))
    return EnvironmentState(
        environment=row["environment"],
        version=row["version"],
        active=row["active"],
        gdpr=gdpr,
        schedule=None if schedule is None else Schedule(**schedule),
        **settings,
    )


async def _environments(
    connection: Connection, keys: Sequence[Key]
) -> Mapping[Key, tuple[int, Answer]]:
    rows = await connection.fetch(sql.environment_states, [int(k[0]) for k in keys])
    return {
        (r["environment"],): (
            r["version"],
            _state(
                "environment", r["environment"], str(r["environment"]),
                environment_state(r), r["changed_at"],
            ),
        )
        for r in rows
    }  # fmt: skip


async def _customers(
    connection: Connection, keys: Sequence[Key]
) -> Mapping[Key, tuple[int, Answer]]:
    rows = await connection.fetch(
        sql.customer_states, [int(k[0]) for k in keys], [str(k[1]) for k in keys]
    )
    found: dict[Key, tuple[int, Answer]] = {}
    for r in rows:
        environment, customer_id = r["environment"], str(r["customer_id"])
        message = CustomerState(
            environment=environment,
            customer_id=customer_id,
            version=r["version"],
            erased=r["erased"],
            **json.loads(r["fields"]),
        )
        state = _state("customer", environment, customer_id, message, r["changed_at"])
        found[environment, customer_id] = r["version"], state
    return found


async def _accounts(
    connection: Connection, keys: Sequence[Key]
) -> Mapping[Key, tuple[int, Answer]]:
    rows = await connection.fetch(
        sql.account_states, [int(k[0]) for k in keys], [str(k[1]) for k in keys]
    )
    found: dict[Key, tuple[int, Answer]] = {}
    for r in rows:
        environment, account = r["environment"], r["account"]
        message = AccountState(
            environment=environment,
            account=account,
            version=r["version"],
            description=r["description"],
            status=r["status"],
            limit=r["credit_limit"],
            on_account=r["on_account"],
            in_overview=r["in_overview"],
            holder=None if r["holder"] is None else str(r["holder"]),
            viewers=tuple(str(viewer) for viewer in r["viewers"]),
        )
        state = _state("account", environment, account, message, r["changed_at"])
        found[environment, account] = r["version"], state
    return found


STATES = (
    StateKind(kind="environment", read=_environments),
    StateKind(kind="customer", read=_customers),
    StateKind(kind="account", read=_accounts),
)
