"""Locks, recalls and records sales and cancellations, a batch at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from runtime.sql import statements
from runtime.transaction import Tx
from schemas.pos import SaleApproved
from services.authorizer.domain.cancellations import SoldSale
from services.authorizer.domain.standing import Standing, Venue

sql = statements("services.authorizer", "sql/sales.sql")

Id = tuple[int, str]  # environment and account, sale_id or cancellation_id
Kind = Literal["sale", "cancellation", "command"]


@dataclass(slots=True, kw_only=True)
class SaleRow:
    """A remembered sale. Without digest: only its cancellation has come."""

    environment: int
    sale_id: str
    digest: bytes
    account: str | None
    approved: bool
    recorded: bool
    total: int
    taken: list[int] | None
    booked_at: datetime | None
    decided_at: datetime
    reason: str | None
    answer: bytes
    new: bool = True
    changed: bool = False
    _sold: SoldSale | None = None

    @property
    def forbidden(self) -> bool:
        """A cancellation came before the sale."""
        return not self.digest

    def sold(self) -> SoldSale:
        """The sale as a cancellation sees it; its lines are read from its answer."""
        if self._sold is None:
            lines = SaleApproved.model_validate_json(self.answer).lines if self.approved else ()
            self._sold = SoldSale(
                account=self.account or "",
                approved=self.approved,
                total=self.total,
                lines=lines,
                taken=self.taken or [0] * len(lines),
            )
        return self._sold


@dataclass(slots=True, kw_only=True)
class CancellationRow:
    """A remembered cancellation."""

    environment: int
    cancellation_id: str
    digest: bytes
    sale_id: str
    account: str | None
    amount: int
    decided_at: datetime
    reason: str | None
    answer: bytes


@dataclass(slots=True, kw_only=True)
class Reused:
    """The answer to an id that came again with other content."""

    decided_at: datetime
    answer: bytes


@dataclass(slots=True)
class Book:
    """What a batch works on: read under lock, changed by decisions, written back at once."""

    venues: dict[int, Venue] = field(default_factory=dict)
    standings: dict[Id, Standing] = field(default_factory=dict)
    sales: dict[Id, SaleRow] = field(default_factory=dict)
    cancellations: dict[Id, CancellationRow] = field(default_factory=dict)
    reused: dict[tuple[Kind, int, str, bytes], Reused] = field(default_factory=dict)
    booked: dict[Id, datetime] = field(default_factory=dict)
    new_cancellations: list[CancellationRow] = field(default_factory=list)
    new_reused: list[tuple[Kind, int, str, bytes]] = field(default_factory=list)


async def lock(tx: Tx, accounts: Iterable[Id]) -> Book:
    """Read the environments and lock the accounts, in one order."""
    wanted = sorted(set(accounts))
    book = Book()
    environments = sorted({environment for environment, _ in wanted})
    for row in await tx.fetch(sql.venues, environments):
        book.venues[row["environment"]] = Venue(**dict(row))
    rows = await tx.fetch(sql.lock_accounts, [e for e, _ in wanted], [a for _, a in wanted])
    for row in rows:
        environment, account, status, on_account, limit, *sums = row
        approved, reversed_, issued, credited, paid = sums
        book.standings[environment, account] = Standing(
            venue=book.venues[environment],
            account=account,
            status=status,
            on_account=on_account,
            limit=limit,
            approved=approved,
            reversed=reversed_,
            issued=issued,
            credited=credited,
            paid=paid,
        )
    return book


async def recall_sales(tx: Tx, book: Book, ids: Iterable[Id]) -> None:
    """Find what was answered before."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    for row in await tx.fetch(sql.recall_sales, [e for e, _ in wanted], [i for _, i in wanted]):
        sale_id = str(row["sale_id"])
        taken = row["lines_reversed"]
        book.sales[row["environment"], sale_id] = SaleRow(
            environment=row["environment"],
            sale_id=sale_id,
            digest=row["digest"],
            account=row["account"],
            approved=row["approved"],
            recorded=row["recorded"],
            total=row["total"],
            taken=None if taken is None else json.loads(taken),
            booked_at=row["booked_at"],
            decided_at=row["decided_at"],
            reason=row["reason"],
            answer=row["answer"],
            new=False,
        )


async def recall_cancellations(tx: Tx, book: Book, ids: Iterable[Id]) -> None:
    """Find which cancellations were answered before."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    rows = await tx.fetch(sql.recall_cancellations, [e for e, _ in wanted], [i for _, i in wanted])
    for row in rows:
        key = row["environment"], str(row["cancellation_id"])
        book.cancellations[key] = CancellationRow(
            environment=key[0],
            cancellation_id=key[1],
            digest=row["digest"],
            sale_id="",
            account=None,
            amount=0,
            decided_at=row["decided_at"],
            reason=row["reason"],
            answer=row["answer"],
        )


async def recall_reused(tx: Tx, book: Book, ids: Sequence[tuple[Kind, int, str]]) -> None:
    """Find the answers to ids that had come again with other content."""
    if not ids:
        return
    columns = zip(*ids, strict=True)
    for row in await tx.fetch(sql.recall_reused, *(list(column) for column in columns)):
        key = (row["kind"], row["environment"], str(row["id"]), bytes(row["digest"]))
        book.reused[key] = Reused(decided_at=row["decided_at"], answer=row["answer"])


async def recall_booked(tx: Tx, book: Book, ids: Iterable[Id]) -> None:
    """Find when the sales were booked that others are moved from."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    for row in await tx.fetch(sql.booked_of, [e for e, _ in wanted], [i for _, i in wanted]):
        book.booked[row["environment"], str(row["sale_id"])] = row["booked_at"]


async def record(tx: Tx, book: Book) -> None:
    """Write everything back, a statement a table."""
    rows = [row for row in book.sales.values() if row.new]
    if rows:
        await tx.execute(sql.insert_sales, *_columns(rows))
    rows = [row for row in book.sales.values() if row.changed and not row.new]
    if rows:
        await tx.execute(sql.update_sales, *_columns(rows))
    if book.new_cancellations:
        c = book.new_cancellations
        await tx.execute(
            sql.insert_cancellations,
            [x.environment for x in c], [x.cancellation_id for x in c], [x.digest for x in c],
            [x.sale_id for x in c], [x.account for x in c], [x.amount for x in c],
            [x.decided_at for x in c], [x.reason for x in c], [x.answer for x in c],
        )  # fmt: skip
    if book.new_reused:
        r = [(key, book.reused[key]) for key in book.new_reused]
        await tx.execute(
            sql.insert_reused,
            [k[0] for k, _ in r], [k[1] for k, _ in r], [k[2] for k, _ in r], [k[3] for k, _ in r],
            [x.decided_at for _, x in r], [x.answer for _, x in r],
        )  # fmt: skip
    changed = [(key, s) for key, s in book.standings.items() if s.changed]
    if changed:
        await tx.execute(
            sql.update_sums,
            [key[0] for key, _ in changed],
            [key[1] for key, _ in changed],
            [s.approved for _, s in changed],
            [s.reversed for _, s in changed],
        )


def _columns(rows: Sequence[SaleRow]) -> tuple[list[Any], ...]:
    return (
        [r.environment for r in rows], [r.sale_id for r in rows], [r.digest for r in rows],
        [r.account for r in rows], [r.approved for r in rows], [r.recorded for r in rows],
        [r.total for r in rows], [sum(r.taken) if r.taken else 0 for r in rows],
        [json.dumps(r.taken) if r.taken else None for r in rows],
        [r.booked_at for r in rows], [r.decided_at for r in rows], [r.reason for r in rows],
        [r.answer for r in rows],
    )  # fmt: skip
