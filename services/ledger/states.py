"""balance.state: what an account owes, as its row stands (ledger.balances, compacted)."""

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.answers import Answer, answer
from runtime.database import Connection
from runtime.state import StateKind
from schemas.ledger import BalanceState
from schemas.values import account_key
from services.ledger import store
from services.ledger.domain import AccountKey

BALANCES_TOPIC = "ledger.balances"


async def read(
    connection: Connection, keys: Sequence[tuple[Any, ...]]
) -> Mapping[tuple[Any, ...], tuple[int, Answer]]:
    """The balances of (environment, account) keys, each with its version."""
    rows = await store.balances(connection, [AccountKey(*key) for key in keys])
    return {key: (row.version, _state(key, row)) for key, row in rows.items()}


def _state(key: AccountKey, row: store.Balance) -> Answer:
    environment, account = key
    message = BalanceState(
        environment=environment,
        account=account,
        version=row.version,
        currency=row.currency,
        unbilled=row.unbilled,
        billed=row.billed,
        at=row.at,
    )
    name = account_key(environment, account)
    return answer(
        BALANCES_TOPIC, name, message, id=f"balance.state/{name}/{row.version}", time=row.at
    )


BALANCE = StateKind(kind="balance", read=read)
