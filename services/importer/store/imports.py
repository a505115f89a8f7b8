"""Commands on their way, and what became of the rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime.sql import statements
from runtime.transaction import Tx
from services.importer.store.uploads import Upload

sql = statements("services.importer", "sql/imports.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A command that is to be published now."""

    row: int
    step: int
    command_id: str
    type: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Commands without an outcome, how many of them were sent, and of how many rows they are."""

    open: int
    in_flight: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a row. `partly`: refused, though a part of it was carried out."""

    row: int
    result: str
    problems: list[Any]
    warnings: list[Any]
    message: str | None
    accounts: list[str]
    partly: bool


async def cascade(tx: Tx, upload: Upload, message: str) -> None:
    """Refuse what builds on a refused command, however long the chain."""
    while await tx.fetch(sql.cascade, upload.environment, upload.job_id, message):
        pass


async def drop_unsent(tx: Tx, upload: Upload, message: str) -> None:
    await tx.execute(sql.drop_unsent, upload.environment, upload.job_id, message)


async def open_commands(tx: Tx, upload: Upload) -> Open:
    row = await tx.fetchrow(sql.open, upload.environment, upload.job_id)
    assert row is not None
    return Open(**row)


async def send(tx: Tx, upload: Upload, most: int, at: datetime) -> list[Sent]:
    """Mark the next commands as sent; what waits for another's outcome is not among them."""
    rows = await tx.fetch(sql.due, upload.environment, upload.job_id, most)
    return await _mark(tx, upload, rows, at)


async def send_again(
    tx: Tx, upload: Upload, most: int, before: datetime, at: datetime
) -> list[Sent]:
    """Commands that were sent before `before` and have no outcome yet."""
    rows = await tx.fetch(sql.overdue, upload.environment, upload.job_id, most, before)
    return await _mark(tx, upload, rows, at)


async def _mark(tx: Tx, upload: Upload, rows: Sequence[Any], at: datetime) -> list[Sent]:
    if rows:
        ids = sorted(row["command_id"] for row in rows)
        await tx.execute(sql.mark_sent, upload.environment, ids, at)
    return [
        Sent(
            row=r["row"],
            step=r["step"],
            command_id=str(r["command_id"]),
            type=r["type"],
            body=json.loads(r["body"]),
        )
        for r in rows
    ]


async def unheard(tx: Tx, upload: Upload) -> int:
    """How many things that the job made are missing in the copy of the registry."""
    return int(await tx.fetchval(sql.unheard, upload.environment, upload.job_id))


async def results(tx: Tx, upload: Upload, after: int, until: int) -> list[Result]:
    """What became of the rows with numbers in (after, until], in their order."""
    rows = await tx.fetch(sql.results, upload.environment, upload.job_id, after, until)
    return [
        Result(
            row=r["row"],
            result=r["result"],
            problems=json.loads(r["problems"]),
            warnings=json.loads(r["warnings"]),
            message=r["message"],
            accounts=json.loads(r["accounts"] or "[]"),
            partly=r["partly"],
        )
        for r in rows
    ]


async def totals(tx: Tx, upload: Upload) -> dict[str, int]:
    """created, changed, unchanged and refused rows; they add up to the rows."""
    row = await tx.fetchrow(sql.totals, upload.environment, upload.job_id)
    assert row is not None
    counts = {name: int(row[name]) for name in ("created", "changed", "refused")}
    return {**counts, "unchanged": int(row["rows"]) - sum(counts.values())}


async def last_row(tx: Tx, upload: Upload) -> int:
    return int(await tx.fetchval(sql.last_row, upload.environment, upload.job_id))
