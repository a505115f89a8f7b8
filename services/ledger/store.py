"""Rows to domain values and back: the SQL of the journal and the balances."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from runtime.arrays import array, columns
from runtime.database import Connection
from runtime.sql import statements
from runtime.state import Key
from runtime.transaction import Tx
from services.ledger.domain import AccountKey, Change, Journal, Kind, Source

sql = statements(__package__ or "services.ledger", "sql/journal.sql")


class NewEntry(NamedTuple):
    """A journal that is to be recorded, and the bytes by which it is published."""

    journal: Journal
    entry_id: str
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """An entry that was posted before: its bytes are published again, just so."""

    key: AccountKey
    currency: str
    legs: Mapping[str, int]
    posted_at: datetime
    answer: bytes

    def says(self, journal: Journal) -> bool:
        """Whether a journal that is made again moves the same money as the one that stands."""
        return (self.key, self.currency, self.legs) == (
            journal.key,
            journal.event.currency,
            journal.legs,
        )


class Balance(NamedTuple):
    """One account's balance as it stands. Minor units; positive is owed by the guest.

    A tuple, for one is made of every account of every batch.
    """

    currency: str
    unbilled: int
    billed: int
    version: int
    at: datetime

    def moved(self, change: Change, at: datetime) -> Self:
        """As the row stands after `record`, in a transaction of the time `at`."""
        currency, unbilled, billed, version, _ = self
        return type(self)(
            currency,
            unbilled + change.unbilled,
            billed + change.billed,
            version + change.entries,
            at,
        )


async def lock(tx: Tx, currencies: Mapping[AccountKey, str]) -> dict[AccountKey, Balance]:
    """Lock these accounts' balances; gives each as it stands, but `at` is this transaction's.

    An account that is new here gets the currency that is given for it.
    """
    found: dict[AccountKey, Balance] = {}
    wanted = sorted(currencies)
    while wanted:
        rows = await tx.fetch(sql.lock_balances, *columns(wanted))
        wanted = []
        for environment, account, currency, unbilled, billed, version in rows:
            key = AccountKey(environment, account)
            if currency is None:
                wanted.append(key)
            else:
                found[key] = Balance(currency, unbilled, billed, version, tx.now)
        # An account's first entry makes its balance: what is not there can't be locked.
        if wanted:
            wanted.sort()
            await tx.execute(
                sql.open_balances, *columns(wanted), [currencies[key] for key in wanted]
            )
    return found


async def recall(tx: Tx, sources: Iterable[Source]) -> dict[Source, Recalled]:
    """Which of these were posted before, and how."""
    asked = list(sources)
    rows = await tx.fetch(
        sql.recall_entries,
        [s.environment for s in asked],
        [s.kind for s in asked],
        [s.source_id for s in asked],
    )
    return {
        Source(row["environment"], Kind(row["kind"]), row["source_id"]): Recalled(
            key=AccountKey(row["environment"], row["account"]),
            currency=row["currency"],
            legs=dict(zip(row["ledger_accounts"], row["amounts"], strict=True)),
            posted_at=row["posted_at"],
            answer=row["answer"],
        )
        for row in rows
    }


async def record(tx: Tx, entries: Sequence[NewEntry], changes: Mapping[AccountKey, Change]) -> None:
    """Append the entries and carry them into the balances, which are locked.

    Raises UniqueViolationError where another transaction posted one of them meanwhile.
    """
    moved = changes.values()
    await tx.execute(
        sql.record_entries,
        *entry_columns(entries),
        *columns(changes),
        [change.unbilled for change in moved],
        [change.billed for change in moved],
        [change.entries for change in moved],
        [change.fingerprint for change in moved],
    )


def entry_columns(entries: Sequence[NewEntry]) -> tuple[list[object], ...]:
    """New entries as columns, in the order of the statements that append them."""
    events = [entry.journal.event for entry in entries]
    return (
        [event.environment for event in events],
        [entry.journal.kind for entry in entries],
        [event.source_id for event in events],
        [entry.entry_id for entry in entries],
        [event.account for event in events],
        [event.refers_to for event in events],
        [event.currency for event in events],
        [event.at for event in events],
        [array(entry.journal.legs) for entry in entries],
        [array(map(str, entry.journal.legs.values())) for entry in entries],
        [entry.answer for entry in entries],
    )


async def balances(connection: Connection, keys: Sequence[AccountKey]) -> dict[AccountKey, Balance]:
    """These accounts' balances as they stand; an account without entries has none."""
    rows = await connection.fetch(sql.read_balances, *columns(keys))
    return {
        AccountKey(environment, account): Balance(*balance)
        for environment, account, *balance in rows
    }


async def versions(connection: Connection, keys: Sequence[AccountKey]) -> dict[Key, int]:
    """The versions of these accounts' balances."""
    rows = await connection.fetch(sql.read_versions, *columns(keys))
    return {(environment, account): version for environment, account, version in rows}
