"""Commands on their way, and what became of the rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime.sql import statements
from runtime.transaction import Tx
from services.importer.domain.ids import command_id
from services.importer.store.uploads import Upload

sql = statements("services.importer", "sql/imports.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A command that is to be published now."""

    command_id: str
    type: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A command that was neither sent nor refused.

    `builds_on`: the row of the command that must be applied before, and `outcome` what became of
    that so far.
    """

    row: int
    step: int
    type: str
    body: str
    builds_on: int | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a row. `partly`: refused, though a part of it was carried out.

    `previewed` is what a preview had said, where the row was planned anew after it.
    """

    row: int
    result: str
    problems: list[Any]
    warnings: list[Any]
    message: str | None
    accounts: list[str]
    partly: bool
    previewed: str | None


async def in_flight(tx: Tx, upload: Upload) -> int:
    """How many commands of the job were sent and have no outcome yet."""
    return int(await tx.fetchval(sql.in_flight, upload.environment, upload.job_id))


async def waiting(tx: Tx, upload: Upload, *, from_row: int, most: int) -> list[Waiting]:
    """The next commands that are neither sent nor refused, in the order of rows."""
    rows = await tx.fetch(sql.waiting, upload.environment, upload.job_id, from_row, most)
    return [
        Waiting(
            row=r["row"],
            step=r["step"],
            type=r["type"],
            body=r["body"],
            builds_on=r["after_row"],
            outcome=r["after_outcome"],
        )
        for r in rows
    ]


async def refuse(tx: Tx, upload: Upload, doomed: Sequence[tuple[Waiting, str | None]]) -> None:
    """Refuse commands, each with its message if it needs one, without sending them."""
    if doomed:
        await tx.execute(
            sql.refuse,
            upload.environment,
            upload.job_id,
            [w.row for w, _ in doomed],
            [w.step for w, _ in doomed],
            [message for _, message in doomed],
        )


async def drop_unsent(tx: Tx, upload: Upload, message: str) -> None:
    await tx.execute(sql.drop_unsent, upload.environment, upload.job_id, message)


async def send(tx: Tx, upload: Upload, ready: Sequence[Waiting], at: datetime) -> list[Sent]:
    """Mark commands as sent; they are published with the commit."""
    if not ready:
        return []
    ids = [command_id(upload.job_id, upload.environment, w.row, w.step) for w in ready]
    await tx.execute(
        sql.depart,
        upload.environment,
        upload.job_id,
        [w.row for w in ready],
        [w.step for w in ready],
        ids,
        at,
    )
    return [
        Sent(command_id=i, type=w.type, body=json.loads(w.body))
        for i, w in zip(ids, ready, strict=True)
    ]


async def send_again(
    tx: Tx, upload: Upload, most: int, before: datetime, at: datetime
) -> list[Sent]:
    """Commands that were sent before `before` and have no outcome yet."""
    rows = await tx.fetch(sql.overdue, upload.environment, upload.job_id, before, at, most)
    return [
        Sent(
            command_id=command_id(upload.job_id, upload.environment, r["row"], r["step"]),
            type=r["type"],
            body=json.loads(r["body"]),
        )
        for r in rows
    ]


async def done(tx: Tx, upload: Upload, open_from: int) -> int:
    """Rows of which everything has its outcome: those before the first open command.

    `open_from` is the first row with a command that was not sent.
    """
    return int(await tx.fetchval(sql.done, upload.environment, upload.job_id, open_from))


async def unheard(tx: Tx, upload: Upload) -> bool:
    """Whether anything that the job made is missing in the copy of the registry."""
    return bool(await tx.fetchval(sql.unheard, upload.environment, upload.job_id))


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
            previewed=r["previewed"],
        )
        for r in rows
    ]


async def totals(tx: Tx, upload: Upload) -> dict[str, int]:
    """created, changed, unchanged and refused rows, which add up to the rows; and `differs`:
    those of them that came out otherwise than a preview had said."""
    row = await tx.fetchrow(sql.totals, upload.environment, upload.job_id)
    assert row is not None
    counts = {name: int(row[name]) for name in ("created", "changed", "refused")}
    unchanged = int(row["rows"]) - sum(counts.values())
    return {**counts, "unchanged": unchanged, "differs": int(row["differs"])}


async def last_row(tx: Tx, upload: Upload) -> int:
    return int(await tx.fetchval(sql.last_row, upload.environment, upload.job_id))
