"""The registry's rows as state records (registry.state)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from asyncpg import Record

from runtime.answers import Answer
from runtime.database import Connection
from runtime.sql import statements
from runtime.state import Key, Rows, StateKind
from runtime.transaction import Tx
from schemas.base import Message
from schemas.registry import AccountState, CustomerState, EnvironmentState
from schemas.values import state_key
from schemas.wire import encode
from services.authorizer.domain import checks
from services.authorizer.store.registry import environment_of
from services.authorizer.store.unbooked import STATE as UNBOOKED

sql: Final = statements("services.authorizer", "sql/states.sql")
TOPIC: Final = "registry.state"


def _state(kind: str, environment: int, id: str | int, message: Message, at: datetime) -> Answer:
    version = message.version  # type: ignore[attr-defined]
    ce_id = f"{message.type}/{environment}/{id}/{version}"
    return Answer(TOPIC, state_key(kind, environment, id), ce_id, message.type, at, encode(message))


async def _environments(connection: Connection, keys: Sequence[Key]) -> Rows:
    rows = await connection.fetch(sql.environments, [key[0] for key in keys])
    return {(r["environment"],): (r["version"], partial(_environment, r)) for r in rows}


def _environment(r: Record) -> Answer:
    e = environment_of(r)
    settings = {
        **e.settings,
        "credit_note_format": e.settings["credit_note_format"] or e.settings["number_format"],
    }
    message = EnvironmentState.model_validate(
        {
            **settings,
            "environment": e.environment,
            "version": e.version,
            "active": e.active,
            "gdpr": e.gdpr,
        }
    )
    return _state("environment", e.environment, e.environment, message, r["changed_at"])


async def _customers(connection: Connection, keys: Sequence[Key]) -> Rows:
    rows = await connection.fetch(sql.customers, *_columns(keys))
    return {
        (r["environment"], r["customer_id"]): (r["version"], partial(_customer, r)) for r in rows
    }


def _customer(r: Record) -> Answer:
    fields = json.loads(r["fields"])
    if checks.is_fictitious(fields.get("email") or ""):
        fields["email_fictitious"] = True
    message = CustomerState.model_validate(
        {
            **fields,
            "environment": r["environment"],
            "customer_id": r["customer_id"],
            "version": r["version"],
            "erased": r["erased"],
        }
    )
    return _state("customer", r["environment"], r["customer_id"], message, r["changed_at"])


async def _accounts(connection: Connection, keys: Sequence[Key]) -> Rows:
    rows = await connection.fetch(sql.accounts, *_columns(keys))
    return {(r["environment"], r["account"]): (r["version"], partial(_account, r)) for r in rows}


def _account(r: Record) -> Answer:
    message = AccountState(
        environment=r["environment"],
        account=r["account"],
        version=r["version"],
        description=r["description"],
        status=r["status"],
        limit=r["credit_limit"],
        on_account=r["on_account"],
        in_overview=r["in_overview"],
        holder=r["holder"],
        viewers=tuple(r["viewers"]),
    )
    return _state("account", r["environment"], r["account"], message, r["changed_at"])


def _columns(keys: Sequence[Key]) -> tuple[list[int], list[str]]:
    return [key[0] for key in keys], [key[1] for key in keys]


STATES: Final = (
    StateKind(kind="environment", read=_environments),
    StateKind(kind="customer", read=_customers),
    StateKind(kind="account", read=_accounts),
    UNBOOKED,
)


async def ids_after(tx: Tx, kind: str, environment: int, after: str | None, most: int) -> list[str]:
    """The next customers or accounts of an environment, in the order of their ids."""
    query = sql.customers_after if kind == "customer" else sql.accounts_after
    return [r[0] for r in await tx.fetch(query, environment, after, most)]
