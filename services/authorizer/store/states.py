"""The registry's rows as state records (registry.state)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from json.encoder import encode_basestring as quoted
from typing import Any, Final

from asyncpg import Record

from runtime.answers import Answer
from runtime.arrays import columns
from runtime.database import Connection
from runtime.sql import statements
from runtime.state import Key, Rows, StateKind
from runtime.transaction import Marks, Tx
from schemas.base import Message
from schemas.registry import EnvironmentState
from schemas.values import state_key
from schemas.wire import encode
from services.authorizer.domain import checks
from services.authorizer.domain.customers import FIELDS
from services.authorizer.domain.entities import Account, Customer, Entity
from services.authorizer.store.registry import account_of, customer_of, environment_of
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
    rows = await connection.fetch(sql.customers, *columns(keys))
    return {
        (r["environment"], r["customer_id"]): (r["version"], partial(_customer, r)) for r in rows
    }


def _customer(r: Record) -> Answer:
    return _told_customer(customer_of(r), r["changed_at"])


def _told_customer(customer: Customer, at: datetime) -> Answer:
    environment, customer_id, version = customer.environment, customer.id, customer.version
    fields = dict(customer.fields)
    value = customer_state(environment, customer_id, version, fields, erased=customer.erased)
    return _worded("customer", environment, customer_id, version, value, at)


def customer_state(
    environment: int, customer_id: str, version: int, fields: dict[str, Any], *, erased: bool
) -> bytes:
    """customer.state, by hand as one is written for each: the bytes of `encode(CustomerState(..))`,
    which a test compares."""
    if checks.is_fictitious(fields.get("email") or ""):
        fields["email_fictitious"] = True
    told = "".join(
        [
            f'"{name}":{quoted(value) if type(value) is str else _json(value)},'
            for name in FIELDS
            if (value := fields.get(name)) is not None
        ]
    )
    return (
        f'{{"type":"customer.state",{told}"environment":{environment},'
        f'"customer_id":"{customer_id}","version":{version},"erased":{_json(erased)}}}'
    ).encode()


async def _accounts(connection: Connection, keys: Sequence[Key]) -> Rows:
    rows = await connection.fetch(sql.accounts, *columns(keys))
    return {(r["environment"], r["account"]): (r["version"], partial(_account, r)) for r in rows}


def _account(r: Record) -> Answer:
    return _told_account(account_of(r), r["changed_at"])


def _told_account(account: Account, at: datetime) -> Answer:
    value = account_state(account)
    return _worded("account", account.environment, account.account, account.version, value, at)


def account_state(account: Account) -> bytes:
    """account.state, by hand as one is written for each: the bytes of `encode(AccountState(..))`,
    which a test compares. Viewers stand in the order of their ids."""
    limit, holder = account.limit, account.holder
    held = f'"holder":"{holder}",' if holder else ""
    viewers = ",".join([f'"{viewer}"' for viewer in sorted(account.viewers)])
    return (
        f'{{"type":"account.state","environment":{account.environment},'
        f'"account":{quoted(account.account)},"version":{account.version},'
        f'"description":{quoted(account.description)},"status":"{account.status}",'
        f'"limit":{"null" if limit is None else limit},"on_account":{_json(account.on_account)},'
        f'"in_overview":{_json(account.in_overview)},{held}"viewers":[{viewers}]}}'
    ).encode()


def know(tx: Tx, written: Iterable[Entity], revisions: Mapping[int, int]) -> None:
    """What was just written is told as it was written: it need not be read again. `revisions`: of
    their environments, each of which moves on with every change to what is in it."""
    at = tx.now
    for environment, revision in revisions.items():
        tx.mark(environment, revision)
    for one in written:
        if isinstance(one, Account):
            word = partial(_told_account, one, at)
            tx.know(one.kind, (one.environment, one.account), (one.version, word))
        elif isinstance(one, Customer):
            word = partial(_told_customer, one, at)
            tx.know(one.kind, (one.environment, one.customer_id), (one.version, word))


def _json(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return quoted(value)


async def _newer(
    statement: str, connection: Connection, told: Mapping[Key, int], marks: Marks
) -> Sequence[Key]:
    """Those that moved on. None did where their environment stands at the revision at which they
    were written: mostly so, and then one row is read instead of two for each row of an import."""
    rows = await connection.fetch(sql.revisions, list(marks)) if marks else ()
    still = {r["environment"] for r in rows if r["revision"] == marks[r["environment"]]}
    asked = {key: version for key, version in told.items() if key[0] not in still}
    if not asked:
        return ()
    rows = await connection.fetch(statement, *columns(asked), list(asked.values()))
    return [(r["environment"], r["id"]) for r in rows]


STATES: Final = (
    StateKind(kind="environment", read=_environments),
    StateKind(kind="customer", read=_customers, newer=partial(_newer, sql.newer_customers)),
    StateKind(kind="account", read=_accounts, newer=partial(_newer, sql.newer_accounts)),
    UNBOOKED,
)


async def ids_after(tx: Tx, kind: str, environment: int, after: str | None, most: int) -> list[str]:
    """The next customers or accounts of an environment, in the order of their ids."""
    query = sql.customers_after if kind == "customer" else sql.accounts_after
    return [r[0] for r in await tx.fetch(query, environment, after, most)]
