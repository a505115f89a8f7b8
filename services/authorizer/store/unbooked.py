"""Sales that could not be booked: their state records (pos.unbooked), and taking them off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from asyncpg import Record

from runtime.answers import Answer
from runtime.arrays import columns
from runtime.database import Connection
from runtime.sql import statements
from runtime.state import Key, Rows, StateKind
from runtime.transaction import Tx
from schemas.pos import DeclineReason, SaleRecorded
from schemas.unbooked import MadeSale, UnbookedDismiss, UnbookedState
from schemas.wire import encode
from services.authorizer.domain.book import Unbooked
from services.authorizer.domain.entities import Outcome
from services.authorizer.domain.unbooked import Waiting
from services.authorizer.domain.unbooked import dismiss as decide

sql: Final = statements("services.authorizer", "sql/unbooked.sql")
TOPIC: Final = "pos.unbooked"
KIND: Final = "unbooked"


async def recall(tx: Tx, keys: Iterable[Key]) -> dict[Key, dict[bytes, Unbooked]]:
    """What is listed under these ids, locked; by their contents.

    After the sales: what somebody else books under one id is on the list as he left it.
    """
    found: dict[Key, dict[bytes, Unbooked]] = {}
    for r in await tx.fetch(sql.recall_unbooked, *columns(keys)):
        one = Unbooked(
            environment=r["environment"],
            sale_id=r["sale_id"],
            digest=r["digest"],
            account=r["account"],
            reason=DeclineReason(r["reason"]),
            sale=None,
            cleared_by=r["cleared_by"],
            taken_back=r["taken_back"],
            listed=True,
        )
        found.setdefault((one.environment, one.sale_id), {})[one.digest] = one
    return found


async def dismiss(tx: Tx, command: UnbookedDismiss) -> Outcome:
    """Lock what waits under this id, decide, and record what is taken off."""
    key = (command.environment, command.sale_id)
    rows = await tx.fetch(sql.lock_unbooked, *key)
    outcome, off = decide(command, [Waiting(r["digest"], r["cleared"]) for r in rows])
    if off:
        await tx.execute(sql.dismiss, *key, off, tx.now, command.command_id)
    return outcome


async def _read(connection: Connection, keys: Sequence[Key]) -> Rows:
    """All that waits or waited under these sale ids: one id may stand for several contents."""
    wanted = dict.fromkeys((key[0], key[1]) for key in keys)
    rows = await connection.fetch(sql.unbooked, *columns(wanted))
    return {
        (r["environment"], r["sale_id"], r["digest"].hex()): (_version(r), partial(_state, r))
        for r in rows
    }


def _version(r: Record) -> int:
    return 1 if r["cleared_at"] is None else 2


def _state(r: Record) -> Answer:
    key = (r["environment"], r["sale_id"], r["digest"].hex())
    version = _version(r)
    message = UnbookedState(
        environment=r["environment"],
        sale_id=r["sale_id"],
        content=key[2],
        version=version,
        status="open" if r["cleared_at"] is None else "cleared",
        reason=r["reason"],
        account=r["account"],
        noted_at=r["noted_at"],
        sale=None if r["sale"] is None else _made(r["sale"]),
        cleared_at=r["cleared_at"],
        cleared_by=r["cleared_by"],
    )
    place = ":".join(map(str, key))
    ce_id = f"{message.type}/{place.replace(':', '/')}/{version}"
    time = r["cleared_at"] or r["noted_at"]
    return Answer(TOPIC, place, ce_id, message.type, time, encode(message))


def _made(value: bytes) -> MadeSale:
    sale = SaleRecorded.model_validate_json(value)
    return MadeSale(**{name: getattr(sale, name) for name in MadeSale.model_fields})


STATE: Final = StateKind(kind=KIND, read=_read)


async def ids_after(tx: Tx, environment: int, after: str | None, most: int) -> list[str]:
    """The next sales that wait or waited, in the order of their ids."""
    return [r[0] for r in await tx.fetch(sql.unbooked_after, environment, after, most)]
