"""Runs: what was asked, which accounts are still to be done, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from asyncpg import Record

from runtime.sql import statements
from runtime.transaction import Tx
from schemas.base import Part
from schemas.billing import OpenAccount, SkippedAccount, VatLine
from schemas.invoices import InvoicesRun
from services.invoicer.domain import Skip

sql = statements("services.invoicer", "sql/runs.sql")
Entry = TypeVar("Entry", bound=Part)

MOST_LINES = 3_000
"""Open lines of one step: about 0.3 s of work, for which others wait."""

MOST_LISTED, LISTED_BYTES = 10_000, 900_000
"""Accounts in each list of one run.completed, and its bytes: both must fit a record (2 MiB), which
is never taken where it is too large."""


MOST_REPORTED = 20_000
"""Documents in finance's report of a run: each is read, and stands in its workbook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A row of `run`. `until` is the period's end in the environment's time zone, once it began."""

    run_id: str
    digest: bytes
    attempt: int
    period: str
    until: datetime | None
    mode: str
    send: bool
    accounts: list[str] | None
    state: str
    asked_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to: the figures of run.completed."""

    drafted: int
    issued: int
    sent: int
    total: int
    credit_notes: int
    credited: int | None
    vat: tuple[VatLine, ...]
    skipped: tuple[SkippedAccount, ...]
    open: tuple[OpenAccount, ...]


async def find(tx: Tx, environment: int, run_id: str) -> Run | None:
    row = await tx.fetchrow(sql.find, environment, run_id)
    return None if row is None else Run(**dict(row))


async def ask(tx: Tx, asked: InvoicesRun, digest: bytes, asked_at: datetime) -> int | None:
    """Record a run; gives which attempt it is, None where it was asked for already."""
    attempt: int | None = await tx.fetchval(
        sql.ask,
        asked.environment,
        asked.run_id,
        digest,
        asked.period,
        asked.mode,
        asked.send,
        None if asked.accounts is None else list(asked.accounts),
        asked.by,
        asked_at,
    )
    return attempt


async def begin(tx: Tx, environment: int, run_id: str, until: datetime) -> None:
    """It can be carried out: from here on it bills, what was booked before `until`."""
    await tx.execute(sql.begin, environment, run_id, until)


async def end(tx: Tx, environment: int, run_id: str, state: str) -> None:
    """It is completed or refused."""
    await tx.execute(sql.end, environment, run_id, state)


async def plan(tx: Tx, environment: int, run: Run, until: datetime) -> None:
    """Note every account that the run is about."""
    await tx.execute(sql.plan, environment, run.run_id, until, run.accounts, run.period)
    if run.accounts is not None:
        await tx.execute(sql.plan_chosen, environment, run.run_id, run.accounts)


async def next_accounts(tx: Tx, environment: int, run_id: str, most: int) -> list[str]:
    """Accounts still to be done: so many, or fewer where they have many lines open."""
    rows = await tx.fetch(sql.next_accounts, environment, run_id, most, MOST_LINES)
    return [r["account"] for r in rows]


async def accounts_done(
    tx: Tx, environment: int, run_id: str, reasons: Mapping[str, str | None]
) -> None:
    """These accounts are done; a reason says why one was skipped."""
    await tx.execute(sql.accounts_done, environment, run_id, list(reasons), list(reasons.values()))


async def progress(tx: Tx, environment: int, run_id: str) -> tuple[int, int]:
    """How many accounts are done, of how many."""
    row = await tx.fetchrow(sql.progress, environment, run_id)
    assert row is not None  # an aggregate always gives a row
    return row["done"], row["total"]


async def outcome(tx: Tx, environment: int, run: Run) -> Outcome:
    invoiced = await tx.fetchrow(sql.invoiced, environment, run.run_id)
    assert invoiced is not None  # an aggregate always gives a row
    credited = await tx.fetchrow(sql.credited, environment, run.run_id)
    assert credited is not None
    skipped = await tx.fetch(sql.skipped, environment, run.run_id, MOST_LISTED)
    left = await tx.fetch(sql.open, environment, run.run_id, run.until, MOST_LISTED)
    return Outcome(
        drafted=invoiced["drafted"],
        issued=invoiced["issued"],
        sent=await tx.fetchval(sql.handed_over, environment, run.run_id),
        total=invoiced["total"],
        credit_notes=credited["notes"],
        credited=credited["total"],
        vat=tuple(VatLine(**dict(r)) for r in await tx.fetch(sql.vat, environment, run.run_id)),
        skipped=fitting(SkippedAccount(account=r["account"], reason=r["reason"]) for r in skipped),
        open=fitting(
            OpenAccount(account=r["account"], amount=r["amount"], why=_why(r, run)) for r in left
        ),
    )


def fitting(listed: Iterable[Entry]) -> tuple[Entry, ...]:
    """The first of these, as many as a record has room for."""
    room, found = LISTED_BYTES, list[Entry]()
    for entry in listed:
        room -= len(entry.model_dump_json().encode()) + 1  # and a comma
        if room < 0:
            break
        found.append(entry)
    return tuple(found)


def _why(row: Record, run: Run) -> str:
    """Why something stays uninvoiced."""
    if row["held"]:
        return "held"
    if row["credit"] and row["in_run"]:
        return str(Skip.CREDIT_DUE)
    if row["reason"] is not None:
        return str(row["reason"])
    if not row["in_run"] and run.accounts is not None:
        return "not_selected"
    return "draft" if run.mode == "draft" and row["in_run"] else "arrived_later"


async def made(tx: Tx, environment: int, run_id: str) -> Sequence[Record]:
    """The run's documents for finance's report: the first of them."""
    return await tx.fetch(sql.made, environment, run_id, MOST_REPORTED)


async def counted(tx: Tx, environment: int, run_id: str) -> tuple[int, int]:
    """How many accounts a run left out, and how many of its credit notes were mailed."""
    row = await tx.fetchrow(sql.counted, environment, run_id)
    assert row is not None  # it selects from nothing
    return row["skipped"], row["notes_sent"]
