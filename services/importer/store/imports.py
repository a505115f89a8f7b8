"""Commands on their way, and what became of the rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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

    command_id: str
    type: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A bundle of commands that is to be sent.

    `rows` is of each step, `steps` a JSON array as registry.apply has it. `needs` says of a step
    which other bundle's step it builds on. `results` are of steps that are not sent.
    """

    number: int
    command_id: str
    rows: Sequence[int]
    steps: str
    needs: Sequence[tuple[int, int, int]]
    results: dict[str, list[str | None]]

    @property
    def wired(self) -> str:
        """The steps that are sent: all but those that have a result."""
        if not self.results:
            return self.steps
        kept = [s for s in json.loads(self.steps) if str(s["step"]) not in self.results]
        return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A bundle that others build on, and what became of its steps."""

    rows: Sequence[int]
    ended: bool
    results: Mapping[str, Sequence[str | None]]

    def refused(self, place: int) -> bool:
        return self.results.get(str(place), ("",))[0] == "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a row. `partly`: refused, though a part of it was carried out. `unheard`: of
    something that was asked for it there is no outcome, and it counts as refused.

    `previewed` is what a preview had said, where the row was planned anew after it.
    """

    row: int
    result: str
    problems: list[Any]
    warnings: list[Any]
    message: str | None
    accounts: list[str]
    partly: bool
    unheard: bool
    previewed: str | None


async def under_way(tx: Tx, upload: Upload, *, late: datetime, most: int) -> tuple[int, list[int]]:
    """How many steps of the job were sent and have no outcome yet, and the first bundles that were
    sent before `late`."""
    row = await tx.fetchrow(sql.under_way, upload.environment, upload.job_id, late, most)
    assert row is not None
    return int(row["steps"]), list(row["late"])


async def waiting(tx: Tx, upload: Upload, *, most: int) -> list[Waiting]:
    """The next bundles that were not sent, in the order of rows."""
    rows = await tx.fetch(sql.waiting, upload.environment, upload.job_id, most)
    return [_waiting(r) for r in rows]


def _waiting(row: Any) -> Waiting:
    return Waiting(
        number=row["number"],
        command_id=str(row["command_id"]),
        rows=row["rows"],
        steps=row["steps"],
        needs=[tuple(need) for need in json.loads(row["needs"])],
        results=json.loads(row["results"]),
    )


async def needed(tx: Tx, upload: Upload, bundles: Sequence[Waiting]) -> dict[int, Needed]:
    """What these build on, by its number."""
    numbers = {number for b in bundles for _, number, _ in b.needs}
    if not numbers:
        return {}
    rows = await tx.fetch(sql.needed, upload.environment, upload.job_id, sorted(numbers))
    return {
        r["number"]: Needed(rows=r["rows"], ended=r["ended"], results=json.loads(r["results"]))
        for r in rows
    }


async def drop_unsent(tx: Tx, upload: Upload, message: str) -> None:
    await tx.execute(sql.drop_unsent, upload.environment, upload.job_id, message)


async def send(tx: Tx, upload: Upload, ready: Sequence[Waiting], at: datetime) -> None:
    """Mark bundles as sent; they are published with the commit."""
    if ready:
        await tx.execute(
            sql.depart,
            upload.environment,
            upload.job_id,
            [b.number for b in ready],
            [json.dumps(b.results) for b in ready],
            [len(b.results) == len(b.rows) for b in ready],
            at,
        )


async def send_again(tx: Tx, upload: Upload, late: Sequence[int], at: datetime) -> list[Waiting]:
    """Bundles that have no outcome yet, to be asked once more."""
    if not late:
        return []
    rows = await tx.fetch(sql.ask_again, upload.environment, upload.job_id, late, at)
    return [_waiting(r) for r in sorted(rows, key=lambda r: r["number"])]


async def done(tx: Tx, upload: Upload, *, since: int) -> tuple[int, int]:
    """Before which row everything has its outcome, and how many there are from `since` to there."""
    row = await tx.fetchrow(sql.done, upload.environment, upload.job_id, since)
    assert row is not None
    return int(row["until"]), int(row["rows"])


async def hear(tx: Tx, upload: Upload) -> None:
    """Note of which bundles the copy of the registry has all that they made."""
    await tx.execute(sql.hear, upload.environment, upload.job_id)


async def unheard(tx: Tx, upload: Upload) -> bool:
    """Whether anything that the job made is missing in the copy of the registry."""
    await hear(tx, upload)
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
            unheard=r["unheard"],
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
