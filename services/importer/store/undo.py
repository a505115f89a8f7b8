"""Imports on their way back: what they touched, and the steps that undo it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic_core import to_json

from runtime.sql import statements
from runtime.transaction import Tx
from services.importer.domain.ids import undo_id
from services.importer.domain.undoing import Kind, Standing, Step, Touched
from services.importer.store.imports import Sent
from services.importer.store.uploads import Upload

sql = statements("services.importer", "sql/undo.sql")

BUNDLES_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Something that stays: `kept` says why, or `reason` and `message` are the registry's."""

    kind: str
    id: str
    kept: str | None
    reason: str | None
    message: str | None
    refused: bool


async def ask(tx: Tx, upload: Upload, by: str, at: datetime) -> None:
    await tx.execute(sql.ask, upload.environment, upload.job_id, by, at)


async def give_up(tx: Tx, upload: Upload) -> None:
    """It is not under way any more; what it decided and asked for stands."""
    await tx.execute(sql.give_up, upload.environment, upload.job_id)


async def anything(tx: Tx, upload: Upload) -> bool:
    """Whether the job made or changed anything."""
    return bool(await tx.fetchval(sql.anything, upload.environment, upload.job_id))


async def gather(tx: Tx, upload: Upload, *, after: int) -> int | None:
    """Collect what the job touched by the next bundles behind the one of this number; gives how far
    that is, None where there were none. From the first one on it may be done anew."""
    last = await tx.fetchval(sql.last_bundle, upload.environment, upload.job_id)
    if last is None or after >= last:
        return None
    until = after + BUNDLES_AT_ONCE
    await tx.execute(sql.gather, upload.environment, upload.job_id, after, until)
    return until


async def undecided(tx: Tx, upload: Upload, kind: Kind, most: int) -> list[Touched]:
    rows = await tx.fetch(sql.undecided, upload.environment, upload.job_id, kind, most)
    return [
        Touched(
            kind=r["kind"],
            id=r["id"],
            made=r["made"],
            given=json.loads(r["given"]),
            before=json.loads(r["before"]),
            holder=str(r["holder"]) if r["holder"] else None,
        )
        for r in rows
    ]


async def standing(tx: Tx, upload: Upload, kind: Kind, ids: Sequence[str]) -> dict[str, Standing]:
    """These accounts or customers as the registry has told of them."""
    query = sql.customers_now if kind == "customer" else sql.accounts_now
    rows = await tx.fetch(query, upload.environment, list(ids))
    return {
        r["id"]: Standing(
            fields=json.loads(r["fields"]),
            holder=str(r["holder"]) if r["holder"] else None,
            erased=r["erased"],
        )
        for r in rows
    }


async def in_use(tx: Tx, upload: Upload, customers: Sequence[str]) -> Mapping[str, list[str]]:
    """The accounts of these customers, but those that this undo took from them."""
    rows = await tx.fetch(sql.in_use, upload.environment, upload.job_id, list(customers))
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row["customer_id"]].append(row["account"])
    return found


async def decide(tx: Tx, upload: Upload, decided: Sequence[tuple[Touched, Step]]) -> None:
    """Record steps; those with a command are to be sent."""
    if not decided:
        return
    await tx.execute(
        sql.decide,
        upload.environment,
        upload.job_id,
        [t.kind for t, _ in decided],
        [t.id for t, _ in decided],
        [s.act for _, s in decided],
        [
            undo_id(upload.job_id, upload.environment, t.kind, t.id, s.act) if s.type else None
            for t, s in decided
        ],
        [s.type for _, s in decided],
        [to_json(s.body).decode() if s.type else None for _, s in decided],
        [s.kept for _, s in decided],
    )


async def note_decided(tx: Tx, upload: Upload, kind: Kind, ids: Sequence[str]) -> None:
    await tx.execute(sql.decided, upload.environment, upload.job_id, kind, list(ids))


async def open_steps(tx: Tx, upload: Upload) -> tuple[int, int]:
    """Steps without an outcome, and how many of them were sent."""
    row = await tx.fetchrow(sql.open_steps, upload.environment, upload.job_id)
    assert row is not None
    return row["open"], row["sent"]


async def send(tx: Tx, upload: Upload, most: int, before: datetime, at: datetime) -> list[Sent]:
    """Mark steps as sent: new ones, and those without an outcome since `before`."""
    await tx.execute(sql.not_unlinked, upload.environment, upload.job_id)
    rows = await tx.fetch(sql.to_send, upload.environment, upload.job_id, before, most)
    if rows:
        await tx.execute(sql.sent, upload.environment, at, [r["command_id"] for r in rows])
    return [
        Sent(command_id=str(r["command_id"]), type=r["type"], body=json.loads(r["body"]))
        for r in rows
    ]


async def progress(tx: Tx, upload: Upload) -> tuple[int, int]:
    """How many things are through, of how many."""
    row = await tx.fetchrow(sql.progress, upload.environment, upload.job_id)
    assert row is not None
    return row["done"], row["things"]


async def counts(tx: Tx, upload: Upload) -> dict[str, Any]:
    """closed, erased and restored."""
    row = await tx.fetchrow(sql.counts, upload.environment, upload.job_id)
    assert row is not None
    return dict(row)


async def kept(tx: Tx, upload: Upload, most: int) -> tuple[int, list[Left]]:
    """How many things stay, and the first of them."""
    rows = await tx.fetch(sql.kept, upload.environment, upload.job_id, most)
    found = [
        Left(
            kind="account" if r["kind"] == "link" else r["kind"],
            id=r["id"],
            kept=r["kept"],
            reason=r["reason"],
            message=r["message"],
            refused=r["outcome"] == "refused",
        )
        for r in rows
    ]
    return (rows[0]["all"] if rows else 0), found
