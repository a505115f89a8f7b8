"""balance.state: what an account owes, as its row stands (ledger.balances, compacted)."""

from collections.abc import Mapping, Sequence
from functools import partial

from runtime.answers import Answer
from runtime.database import Connection
from runtime.state import Key, Rows, StateKind
from runtime.transaction import Known, Marks
from schemas.values import account_key
from services.ledger import store
from services.ledger.answers import moment, text
from services.ledger.domain import AccountKey

BALANCES_TOPIC = "ledger.balances"
TYPE = "balance.state"


async def read(connection: Connection, keys: Sequence[Key]) -> Rows:
    """The balances of (environment, account) keys, each with its version."""
    rows = await store.balances(connection, [AccountKey(*key) for key in keys])
    return {key: known(key, row) for key, row in rows.items()}


def known(key: Key, row: store.Balance) -> Known:
    """The balance of a (environment, account) as it is to be told."""
    return row.version, partial(_state, key, row)


def _state(key: Key, row: store.Balance) -> Answer:
    environment, account = key
    name = account_key(environment, account)
    ce_id = f"{TYPE}/{name}/{row.version}"
    return Answer(BALANCES_TOPIC, name, ce_id, TYPE, row.at, state_bytes(environment, account, row))


def state_bytes(environment: int, account: str, row: store.Balance) -> bytes:
    """Byte for byte `schemas.wire.encode(BalanceState(...))`, which a test compares it with."""
    return (
        f'{{"type":"{TYPE}","environment":{environment},"account":{text(account)},'
        f'"version":{row.version},"currency":"{row.currency}","unbilled":{row.unbilled},'
        f'"billed":{row.billed},"at":"{moment(row.at)}"}}'
    ).encode()


async def newer(connection: Connection, told: Mapping[Key, int], _: Marks) -> Sequence[Key]:
    """Those that moved on beyond the version that was told; only versions are read."""
    now = await store.versions(connection, [AccountKey(*key) for key in told])
    return [key for key, version in now.items() if version > told[key]]


BALANCE = StateKind(kind="balance", read=read, newer=newer)
