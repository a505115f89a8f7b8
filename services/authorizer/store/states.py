"""The registry's rows as state records (registry.state)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from json.encoder import encode_basestring as quoted
from typing import Any, Final

from asyncpg import Record

from runtime.answers import Answer
from runtime.database import Connection
from runtime.sql import statements
from runtime.state import Key, Rows, StateKind
from runtime.transaction import Tx
from schemas.base import Message
from schemas.registry import EnvironmentState
from schemas.values import state_key
from schemas.wire import encode
from services.authorizer.domain import checks
from services.authorizer.domain.customers import FIELDS
from services.authorizer.store.registry import environment_of
from services.authorizer.store.unbooked import STATE as UNBOOKED

sql: Final = statements("services.authorizer", "sql/states.sql")
TOPIC: Final = "registry.state"


def _state(kind: str, environment: int, id: str | int, message: Message, at: datetime) -> Answer:
    version = message.version  # type: ignore[attr-defined]
    return _worded(kind, environment, id, version, encode(message), at)


def _worded(
    kind: str, environment: int, id: str | int, version: int, value: bytes, at: datetime
) -> Answer:
    type_ = f"{kind}.state"
    ce_id = f"{type_}/{environment}/{id}/{version}"
    return Answer(TOPIC, state_key(kind, environment, id), ce_id, type_, at, value)


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
    environment, customer_id, version = r["environment"], r["customer_id"], r["version"]
    fields = json.loads(r["fields"])
    value = customer_state(environment, customer_id, version, fields, erased=r["erased"])
    return _worded("customer", environment, customer_id, version, value, r["changed_at"])


def customer_state(
    environment: int, customer_id: str, version: int, fields: dict[str, Any], *, erased: bool
) -> bytes:
    """customer.state, by hand as one is written for each: the bytes of `encode(CustomerState(..))`,
    which a test compares."""
    if checks.is_fictitious(fields.get("email") or ""):
        fields["email_fictitious"] = True
    told = "".join(
        [f'"{name}":{_json(fields[name])},' for name in FIELDS if fields.get(name) is not None]
    )
    return (
        f'{{"type":"customer.state",{told}"environment":{environment},'
        f'"customer_id":"{customer_id}","version":{version},"erased":{_json(erased)}}}'
    ).encode()


async def _accounts(connection: Connection, keys: Sequence[Key]) -> Rows:
    rows = await connection.fetch(sql.accounts, *_columns(keys))
    return {(r["environment"], r["account"]): (r["version"], partial(_account, r)) for r in rows}


def _account(r: Record) -> Answer:
    environment, account, version = r["environment"], r["account"], r["version"]
    return _worded("account", environment, account, version, account_state(r), r["changed_at"])


def account_state(row: Any) -> bytes:
    """account.state, by hand as one is written for each: the bytes of `encode(AccountState(..))`,
    which a test compares."""
    limit, holder = row["credit_limit"], row["holder"]
    held = f'"holder":"{holder}",' if holder else ""
    viewers = ",".join([f'"{viewer}"' for viewer in row["viewers"]])
    return (
        f'{{"type":"account.state","environment":{row["environment"]},'
        f'"account":{quoted(row["account"])},"version":{row["version"]},'
        f'"description":{quoted(row["description"])},"status":"{row["status"]}",'
        f'"limit":{"null" if limit is None else limit},"on_account":{_json(row["on_account"])},'
        f'"in_overview":{_json(row["in_overview"])},{held}"viewers":[{viewers}]}}'
    ).encode()


def _json(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return quoted(value)


async def _versions_of_customers(connection: Connection, keys: Sequence[Key]) -> Mapping[Key, int]:
    rows = await connection.fetch(sql.customer_versions, *_columns(keys))
    return {(r["environment"], r["id"]): r["version"] for r in rows}


async def _versions_of_accounts(connection: Connection, keys: Sequence[Key]) -> Mapping[Key, int]:
    rows = await connection.fetch(sql.account_versions, *_columns(keys))
    return {(r["environment"], r["id"]): r["version"] for r in rows}


def _columns(keys: Sequence[Key]) -> tuple[list[int], list[str]]:
    return [key[0] for key in keys], [key[1] for key in keys]


STATES: Final = (
    StateKind(kind="environment", read=_environments),
    StateKind(kind="customer", read=_customers, versions=_versions_of_customers),
    StateKind(kind="account", read=_accounts, versions=_versions_of_accounts),
    UNBOOKED,
)


async def ids_after(tx: Tx, kind: str, environment: int, after: str | None, most: int) -> list[str]:
    """The next customers or accounts of an environment, in the order of their ids."""
    query = sql.customers_after if kind == "customer" else sql.accounts_after
    return [r[0] for r in await tx.fetch(query, environment, after, most)]
