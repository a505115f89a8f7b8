"""Records new entries without locking their balances first: what they add is added to
whatever stands there."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from runtime.arrays import columns
from runtime.glance import Glance
from runtime.sql import statements
from services.ledger.domain import AccountKey, Change, Source
from services.ledger.store import Balance, NewEntry, entry_columns

sql: Final = statements(__package__ or "services.ledger", "sql/at_once.sql")


async def look(glance: Glance, sources: Iterable[Source]) -> bool:
    """Whether none of these was posted before."""
    asked = list(sources)
    (row,) = await glance.look(
        sql.look,
        [s.environment for s in asked],
        [s.kind for s in asked],
        [s.source_id for s in asked],
    )
    return not row["known"]


async def record(
    glance: Glance,
    entries: Sequence[NewEntry],
    changes: Mapping[AccountKey, Change],
    currencies: Mapping[AccountKey, str],
    now: datetime,
) -> dict[AccountKey, Balance]:
    """Append the entries and carry them into the balances; gives these as they stand then.

    Raises UniqueViolationError where one of them was posted before, and SerializationError where
    an account has another currency, or positions are behind what is known.
    """
    keys = sorted(changes)
    moved = [changes[key] for key in keys]
    rows = await glance.record(
        sql.record_at_once,
        *entry_columns(entries),
        *columns(keys),
        [currencies[key] for key in keys],
        [change.unbilled for change in moved],
        [change.billed for change in moved],
        [change.entries for change in moved],
        [change.fingerprint for change in moved],
        now,
        glance.known,
    )
    return {
        AccountKey(environment, account): Balance(*balance)
        for environment, account, *balance in rows
    }
