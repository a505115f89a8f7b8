"""Sales that could not be booked: their state records (pos.unbooked), and taking them off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from runtime.answers import Answer
from runtime.database import Connection
from runtime.sql import statements
from runtime.state import StateKind
from runtime.transaction import Tx
from schemas.pos import SaleRecorded
from schemas.unbooked import MadeSale, UnbookedDismiss, UnbookedState
from schemas.wire import encode
from services.authorizer.domain.entities import Outcome
from services.authorizer.domain.unbooked import Waiting
from services.authorizer.domain.unbooked import dismiss as decide

sql: Final = statements("services.authorizer", "sql/unbooked.sql")
TOPIC: Final = "pos.unbooked"
KIND: Final = "unbooked"


async def dismiss(tx: Tx, command: UnbookedDismiss) -> Outcome:
    """Lock what waits under this id, decide, and record what is taken off."""
    key = (command.environment, command.sale_id)
    rows = await tx.fetch(sql.lock_unbooked, *key)
    outcome, off = decide(command, [Waiting(r["digest"], r["cleared"]) for r in rows])
    if off:
        await tx.execute(sql.dismiss, *key, off, tx.now, command.command_id)
    return outcome


async def _read(
    connection: Connection, keys: Sequence[tuple[Any, ...]]
) -> Mapping[tuple[Any, ...], tuple[int, Answer]]:
    """All that waits or waited under these sale ids: one id may stand for several contents."""
    wanted = dict.fromkeys((key[0], key[1]) for key in keys)
    rows = await connection.fetch(
        sql.unbooked, [environment for environment, _ in wanted], [id_ for _, id_ in wanted]
    )
    found: dict[tuple[Any, ...], tuple[int, Answer]] = {}
    for r in rows:
        cleared = r["cleared_at"] is not None
        content = r["digest"].hex()
        version = 2 if cleared else 1
        message = UnbookedState(
            environment=r["environment"],
            sale_id=r["sale_id"],
            content=content,
            version=version,
            status="cleared" if cleared else "open",
            reason=r["reason"],
            account=r["account"],
            noted_at=r["noted_at"],
            sale=None if r["sale"] is None else _made(r["sale"]),
            cleared_at=r["cleared_at"],
            cleared_by=r["cleared_by"],
        )
        key = (r["environment"], r["sale_id"], content)
        place = ":".join(map(str, key))
        ce_id = f"{message.type}/{place.replace(':', '/')}/{version}"
        time = r["cleared_at"] or r["noted_at"]
        found[key] = (version, Answer(TOPIC, place, ce_id, message.type, time, encode(message)))
    return found


def _made(value: bytes) -> MadeSale:
    sale = SaleRecorded.model_validate_json(value)
    return MadeSale(**{name: getattr(sale, name) for name in MadeSale.model_fields})


STATE: Final = StateKind(kind=KIND, read=_read)


async def ids_after(tx: Tx, environment: int, after: str | None, most: int) -> list[str]:
    """The next sales that wait or waited, in the order of their ids."""
    return [r[0] for r in await tx.fetch(sql.unbooked_after, environment, after, most)]
