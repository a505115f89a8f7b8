"""What is not yet invoiced or mailed, and how a sale stands."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from asyncpg import Record

from runtime.sql import statements
from runtime.transaction import Tx
from schemas.pending import MOST_LISTED, FailedMails, PendingAmount, PendingMail, PendingSale
from schemas.registry import EnvironmentState
from services.invoicer import parties
from services.invoicer.domain import (
    Skip,
    Standing,
    following,
    month_begin,
    month_of,
    months_of,
    standing_of,
)
from services.invoicer.store import registry

sql = statements("services.invoicer", "sql/pending.sql")


async def overview(tx: Tx, environment: EnvironmentState) -> list[PendingAmount]:
    """Per account and month, with why a run would leave it."""
    number, zone = environment.environment, ZoneInfo(environment.time_zone)
    span = await tx.fetchrow(sql.due_between, number)
    if span is None or span["first"] is None:
        return []
    months = months_of(span["first"], span["last"], zone)
    begins = [month_begin(month, zone) for month in (*months, following(months[-1]))]
    rows = await tx.fetch(sql.overview, number, begins, MOST_LISTED)
    unfit = await _unfit(tx, number, dict.fromkeys(r["account"] for r in rows))
    return [
        PendingAmount(
            account=r["account"],
            period=months[r["month"] - 1],
            sales=r["sales"],
            amount=r["amount"],
            why=_why(r, unfit[r["account"]]),
        )
        for r in rows
    ]


def _why(row: Record, unfit: Skip | None) -> str | None:
    match row["kind"]:
        case "held":
            return "held"
        case "credit":
            return "credit_due"
        case _ if row["amount"] == 0:
            return Skip.NOTHING
        case _ if row["amount"] < 0:
            return Skip.NEGATIVE_TOTAL
        case _:
            return unfit


async def _unfit(tx: Tx, environment: int, accounts: Iterable[str]) -> dict[str, Skip | None]:
    found: dict[str, Skip | None] = {}
    for some in _batches(list(accounts), 1_000):
        holdings = await registry.holdings(tx, environment, some)
        for account in some:
            holder = holdings[account].holder if account in holdings else None
            found[account] = parties.unfit(holder)
    return found


def _batches(items: list[str], size: int) -> Iterable[list[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))


async def sums(tx: Tx, environment: int, account: str | None) -> tuple[int, int]:
    """How many sales are open, and what they come to."""
    row = await tx.fetchrow(sql.sums, environment, account)
    assert row is not None  # an aggregate always gives a row
    return row["count"], row["amount"]


async def of_account(tx: Tx, environment: int, account: str, zone: ZoneInfo) -> list[PendingSale]:
    """The account's sales of which something is due, in order of booking."""
    due = [
        r["sale_id"] for r in await tx.fetch(sql.due_of_account, environment, account, MOST_LISTED)
    ]
    return [_told(r, zone) for r in await tx.fetch(sql.facts, environment, due)]


async def mails(tx: Tx, environment: int) -> tuple[int, list[PendingMail]]:
    """How many mails to guests wait, and the longest waiting of them."""
    rows = await tx.fetch(sql.mails_waiting, environment, MOST_LISTED)
    return (rows[0]["all"] if rows else 0), [
        PendingMail(
            invoice_id=r["invoice_id"],
            credit_note_id=r["credit_note_id"],
            number=r["number"],
            account=r["account"],
            to=r["recipient"],
            since=r["created_at"],
            tries=r["attempts"],
            code=r["code"],
            reason=r["said"],
        )
        for r in rows
    ]


async def finance_mails(tx: Tx, environment: EnvironmentState) -> FailedMails | None:
    """Finance's copies and reports that failed at its present address since a mail last arrived
    there."""
    row = await tx.fetchrow(
        sql.finance_mails_failed, environment.environment, environment.finance_email
    )
    if row is None:
        return None
    return FailedMails(
        to=row["recipient"],
        count=row["all"],
        kind=row["kind"],
        at=row["ended_at"],
        code=row["code"],
        reason=row["said"],
    )


async def sale(tx: Tx, environment: int, sale_id: str, zone: ZoneInfo) -> PendingSale:
    """How one sale stands, also where it is not known or was declined."""
    row = await tx.fetchrow(sql.facts, environment, [sale_id])
    if row is not None:
        told = _told(row, zone)
        why = await _left(tx, environment, told, zone) if told.state == "pending" else None
        return told.model_copy(update={"reason": why})
    declined = await tx.fetchrow(sql.declined, environment, sale_id)
    if declined is None:
        return PendingSale(sale_id=sale_id, amount=0, state="unknown")
    return PendingSale(
        sale_id=sale_id,
        account=declined["account"],
        amount=0,
        state="declined",
        reason=declined["reason"],
    )


async def _left(tx: Tx, environment: int, told: PendingSale, zone: ZoneInfo) -> Skip | None:
    """Why a run would leave the sale: what holds for all that its account has open of its month."""
    assert told.account is not None  # a sale that was booked has one
    open_ = await of_account(tx, environment, told.account, zone)
    amount = sum(s.amount for s in open_ if s.state == "pending" and s.period == told.period)
    if amount <= 0:
        return Skip.NEGATIVE_TOTAL if amount else Skip.NOTHING
    return (await _unfit(tx, environment, [told.account]))[told.account]


def _told(row: Record, zone: ZoneInfo) -> PendingSale:
    state = standing_of(
        Standing(
            total=row["total"],
            reversed=row["reversed"],
            outstanding=row["billed"] - row["credited"],
            due=row["due"],
            held=row["held"],
            taken_back_as=row["reason"],
        )
    )
    return PendingSale(
        sale_id=row["sale_id"],
        account=row["account"],
        booked_at=row["booked_at"],
        period=month_of(row["booked_at"], zone),
        total=row["total"],
        amount=row["due"],
        state=state,
        numbers=tuple(row["numbers"]) or None,
        moved_to=row["moved_to"] if state in ("cancelled", "held") else None,
    )
