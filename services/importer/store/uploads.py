"""Uploads: their parts, their status, and what was said about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from asyncpg import Record

from runtime.answers import Answer, answer
from runtime.database import Connection
from runtime.sql import statements
from runtime.state import Key, Rows
from runtime.transaction import Tx
from schemas.imports import ImportState, ImportUploaded
from services.importer.domain.messages import Tongue

sql = statements("services.importer", "sql/uploads.sql")

EVENTS = "imports.events"
STATES = "imports.state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One job as it stands; see the migration for what each column is."""

    environment: int
    job_id: str
    version: int
    status: str
    head: bytes
    file_name: str
    sha256: str
    parts: int
    mode: str
    sheet: str | None
    mapping: Mapping[str, str] | None
    defaults: Mapping[str, Any]
    uploaded_by: str
    uploaded_at: datetime
    language: Tongue
    confirmed_by: str | None
    confirmed_at: datetime | None
    stop_asked: bool
    kept_bytes: int
    layout: Mapping[str, Any] | None
    planned_at_change: int | None
    rows: int
    created: int
    changed: int
    unchanged: int
    refused: int
    undo_by: str | None
    undo_at: datetime | None
    forgotten: bool

    @property
    def ref(self) -> str:
        """The job's name among rows of the job table."""
        return f"{self.environment}/{self.job_id}"

    @property
    def never_ran(self) -> bool:
        """Whether it expired or was cancelled before anything of it was imported: once it is under
        way it is asked to stop."""
        return self.status == "expired" or (self.status == "cancelled" and not self.stop_asked)

    @property
    def ended(self) -> bool:
        return self.status not in ("received", "previewed", "running")


async def begin(tx: Tx, message: ImportUploaded, head: bytes, at: datetime, tongue: Tongue) -> bool:
    """Record a job by whichever of its parts comes first. False where it was known."""
    defaults = message.defaults.model_dump(exclude_unset=True) if message.defaults else {}
    row = await tx.fetchval(
        sql.begin,
        message.environment,
        message.job_id,
        head,
        message.file_name,
        message.sha256,
        message.parts,
        message.mode,
        message.sheet,
        None if message.mapping is None else json.dumps(message.mapping),
        json.dumps(defaults),
        message.by,
        at,
        tongue,
    )
    return row is not None


async def lock(tx: Tx, environment: int, job_id: str) -> Upload | None:
    """The job, its row locked until the transaction ends; None where it is not known."""
    row = await tx.fetchrow(sql.lock, environment, job_id)
    if row is None:
        return None
    values = dict(row)
    values["job_id"] = str(values["job_id"])
    for name in ("mapping", "defaults", "layout"):
        if values[name] is not None:
            values[name] = json.loads(values[name])
    return Upload(**values)


async def part_digest(tx: Tx, upload: Upload, part: int) -> bytes | None:
    found: bytes | None = await tx.fetchval(sql.part, upload.environment, upload.job_id, part)
    return found


async def add_part(tx: Tx, upload: Upload, part: int, digest: bytes, content: bytes | None) -> None:
    """Keep a part; without its content where the job has no more use for it."""
    await tx.execute(sql.add_part, upload.environment, upload.job_id, part, digest, content)
    if content:
        await tx.execute(sql.keep, upload.environment, upload.job_id, len(content))


async def arrived(tx: Tx, upload: Upload) -> int:
    return int(await tx.fetchval(sql.arrived, upload.environment, upload.job_id))


async def read_up_to(tx: Tx) -> dict[int, int]:
    """How far imports.uploads is read: next offsets by partition."""
    return {row["partition"]: row["next_offset"] for row in await tx.fetch(sql.read_up_to)}


async def behind(tx: Tx, ends: Sequence[tuple[str, int, int]]) -> bool:
    """Whether any of these topics' partitions is not read up to its offset."""
    return bool(await tx.fetchval(sql.behind, json.dumps(ends)))


async def kept(tx: Tx, environment: int) -> tuple[int, int]:
    """Bytes of all jobs that have not ended, and of this environment's; those of environments that
    are not known count together."""
    row = await tx.fetchrow(sql.kept, environment)
    assert row is not None
    return row["of_all"], row["of_one"]


async def content(tx: Tx, upload: Upload, part: int) -> bytes | None:
    found: bytes | None = await tx.fetchval(sql.content, upload.environment, upload.job_id, part)
    return found


async def confirm(tx: Tx, upload: Upload, by: str, at: datetime) -> None:
    await tx.execute(sql.confirm, upload.environment, upload.job_id, by, at)


async def ask_to_stop(tx: Tx, upload: Upload) -> None:
    await tx.execute(sql.ask_to_stop, upload.environment, upload.job_id)


async def become(tx: Tx, upload: Upload, status: str) -> None:
    """Change the status, and have import.state tell it."""
    await tx.execute(sql.become, upload.environment, upload.job_id, status)
    tell(tx, upload)


def tell(tx: Tx, upload: Upload) -> None:
    """Have import.state tell it; also where a message comes again, for whoever followed it first
    may have died before that was told."""
    tx.touch("import", upload.environment, upload.job_id)


async def note_plan(
    tx: Tx,
    upload: Upload,
    *,
    tongue: Tongue,
    layout: Mapping[str, Any],
    change: int,
    rows: int,
    last_in_series: int,
) -> None:
    """Where the list was found, of how many rows it is, and which numbers it takes."""
    await tx.execute(
        sql.previewed,
        upload.environment,
        upload.job_id,
        tongue,
        json.dumps(layout),
        change,
        rows,
        last_in_series,
    )


async def note_counts(
    tx: Tx, upload: Upload, *, created: int, changed: int, unchanged: int, refused: int
) -> None:
    await tx.execute(
        sql.counted, upload.environment, upload.job_id, created, changed, unchanged, refused
    )


async def say(tx: Tx, upload: Upload, said: Answer, *, at_part: int) -> Answer:
    """Remember an answer about the job; the repetition of part `at_part` is answered with it."""
    await tx.execute(
        sql.say,
        upload.environment,
        upload.job_id,
        said.id,
        said.type,
        said.time,
        said.value,
        at_part,
    )
    return said


async def said(
    tx: Tx, upload: Upload, *, at_part: int | None = None, kind: str = ""
) -> list[Answer]:
    """What was answered about the job (at one part's repetition; of one type), byte for byte."""
    rows = await tx.fetch(sql.said, upload.environment, upload.job_id)
    return [
        Answer(EVENTS, upload.job_id, r["ce_id"], r["ce_type"], r["ce_time"], r["value"])
        for r in rows
        if (at_part is None or r["at_part"] == at_part) and (not kind or r["ce_type"] == kind)
    ]


async def forget_bytes(tx: Tx, upload: Upload) -> None:
    """The job has ended: its file is not kept."""
    await tx.execute(sql.forget_bytes, upload.environment, upload.job_id)
    await tx.execute(sql.keep_nothing, upload.environment, upload.job_id)


async def states(connection: Connection, keys: Sequence[Key]) -> Rows:
    """import.state of these jobs, as they stand."""
    rows = await connection.fetch(sql.states, [int(e) for e, _ in keys], [str(j) for _, j in keys])
    return {
        (row["environment"], str(row["job_id"])): (row["version"], partial(_state, row))
        for row in rows
    }


def _state(row: Record) -> Answer:
    environment, job_id = row["environment"], str(row["job_id"])
    message = ImportState(
        job_id=job_id,
        environment=environment,
        version=row["version"],
        file_name=row["file_name"],
        status=row["status"],
        rows=row["rows"],
        created=row["created"],
        changed=row["changed"],
        unchanged=row["unchanged"],
        refused=row["refused"],
        by=row["uploaded_by"],
        at=row["uploaded_at"],
    )
    key = f"{environment}:{job_id}"
    ce_id = f"import.state/{key}/{row['version']}"
    return answer(STATES, key, message, id=ce_id, time=row["uploaded_at"])
