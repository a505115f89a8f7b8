"""Locks, recalls and records batches of sales and cancellations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from asyncpg import Record

from runtime.answers import Answer
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.pos import Sale, SaleCancelled, SaleRecorded
from schemas.wire import encode
from services.authorizer import answers
from services.authorizer.domain.book import (
    Book,
    Key,
    KnownCancellation,
    KnownSale,
    RefusalKey,
    State,
)
from services.authorizer.domain.sales import House
from services.authorizer.domain.standing import Standing, Sums, barred, open_amount

Item = tuple[Key, KnownSale]

sql: Final = statements("services.authorizer", "sql/sales.sql")


async def open_book(tx: Tx, messages: Iterable[Sale | SaleCancelled], others: set[int]) -> Book:
    """Lock what these messages move, then recall what was answered before.

    In two statements, so that what is recalled is as it was left by whoever held the locks.
    `others` are environments of which only the settings are needed.
    """
    accounts: dict[Key, None] = {}
    sales: dict[Key, None] = {}
    cancellations: dict[Key, None] = {}
    for message in messages:
        environment = message.environment
        accounts[environment, message.account] = None
        sales[environment, message.sale_id] = None
        if isinstance(message, SaleCancelled):
            cancellations[environment, message.cancellation_id] = None
        elif isinstance(message, SaleRecorded) and message.moved_from is not None:
            sales[environment, message.moved_from] = None
    houses = await _houses(tx, {environment for environment, _ in accounts} | others)
    standings = await _standings(tx, accounts, houses)
    return Book(
        houses=houses,
        standings=standings,
        sales=await _sales(tx, sales),
        cancellations=await _cancellations(tx, cancellations) if cancellations else {},
    )


def _columns(keys: Iterable[Key]) -> tuple[list[int], list[str]]:
    pairs = list(keys)
    return [environment for environment, _ in pairs], [each for _, each in pairs]


async def _houses(tx: Tx, environments: set[int]) -> dict[int, House]:
    rows = await tx.fetch(sql.houses, sorted(environments))
    return {
        r["environment"]: House(
            gdpr_accepted=r["gdpr_accepted"],
            active=r["active"],
            currency=r["currency"],
            language=r["language"],
            release=r["limit_release"],
        )
        for r in rows
    }


async def _standings(
    tx: Tx, keys: Iterable[Key], houses: Mapping[int, House]
) -> dict[Key, Standing]:
    rows = await tx.fetch(sql.lock_accounts, *_columns(keys))
    return {
        (environment, account): Standing(
            limit=limit,
            open=open_amount(Sums(*sums), houses[environment].release),
            barred=barred(status, on_account),
        )
        for environment, account, limit, status, on_account, *sums in rows
        if environment in houses  # one that was begun just now is still unknown to this batch
    }


async def _sales(tx: Tx, keys: Iterable[Key]) -> dict[Key, KnownSale]:
    rows = await tx.fetch(sql.recall_sales, *_columns(keys))
    called_off = await _called_off(tx, rows)
    return {
        (r["environment"], r["sale_id"]): KnownSale(
            r["state"],
            r["account"],
            r["digest"],
            r["total"],
            r["recorded"],
            _answer_of(r),
            r["reversed_lines"],
            called_off[r["environment"], r["sale_id"]],
        )
        for r in rows
    }


async def _called_off(tx: Tx, rows: Iterable[Record]) -> dict[Key, set[str]]:
    """On which accounts these sales were cancelled before they came; commonly on none."""
    found: dict[Key, set[str]] = {(r["environment"], r["sale_id"]): set() for r in rows}
    early = [(r["environment"], r["sale_id"]) for r in rows if r["cancelled_first"]]
    if early:
        # A statement of its own, after the locks: it sees what was committed meanwhile.
        for r in await tx.fetch(sql.called_off, *_columns(early)):
            found[r["environment"], r["sale_id"]].add(r["account"])
    return found


def _answer_of(row: Record) -> Answer | None:
    environment, sale_id, state = row["environment"], row["sale_id"], row["state"]
    if state == "awaited":
        return None
    if state == "approved":
        kind, ce_id = answers.APPROVED, f"{answers.APPROVED}/{environment}/{sale_id}"
    else:
        kind = answers.DECLINED
        ce_id = answers.declined_id(environment, sale_id, recorded=row["recorded"])
    key = f"{environment}:{row['account']}"
    return Answer(answers.TOPIC, key, ce_id, kind, row["decided_at"], row["answer"])


async def _cancellations(tx: Tx, keys: Iterable[Key]) -> dict[Key, KnownCancellation]:
    rows = await tx.fetch(sql.recall_cancellations, *_columns(keys))
    return {
        (r["environment"], r["cancellation_id"]): KnownCancellation(
            sale_id="",
            account=r["account"],
            digest=r["digest"],
            amount=0,
            answer=Answer(
                answers.TOPIC,
                f"{r['environment']}:{r['account']}",
                answers.cancellation_ce_id(r["type"], r["environment"], r["cancellation_id"]),
                r["type"],
                r["decided_at"],
                r["answer"],
            ),
        )
        for r in rows
    }


async def record(tx: Tx, book: Book) -> None:
    """Write what was decided; a unique violation means that another worker was first.

    Raises asyncpg's errors.
    """
    await _record_sales(tx, book)
    moved = [(key, s) for key, s in book.standings.items() if s.approved_more or s.reversed_more]
    if moved:
        await tx.execute(
            sql.add_to_sums,
            *_columns(key for key, _ in moved),
            [s.approved_more for _, s in moved],
            [s.reversed_more for _, s in moved],
        )
    new = [(key, c) for key, c in book.cancellations.items() if c.new]
    if new:
        await tx.execute(
            sql.record_cancellations,
            *_columns(key for key, _ in new),
            [c.sale_id for _, c in new],
            [c.account for _, c in new],
            [c.digest for _, c in new],
            [c.amount for _, c in new],
            [c.answer.type for _, c in new],
            [c.answer.value for _, c in new],
            tx.now,
        )
    if book.unbooked or book.taken_off:
        await _record_unbooked(tx, book)


async def _record_sales(tx: Tx, book: Book) -> None:
    awaited: list[Item] = []
    reversed_: list[Item] = []
    # What is alike for nearly all of a batch is sent once, not with each row.
    new: dict[tuple[State, bool], list[Item]] = {}
    known: dict[tuple[State, bool], list[Item]] = {}
    for item in book.sales.items():
        sale = item[1]
        if sale.decided:
            some = new if sale.stored == "new" else known
            some.setdefault((sale.state, sale.recorded), []).append(item)
        if sale.stored == "awaited":
            awaited.append(item)
        if sale.taken_back:
            reversed_.append(item)
    if awaited:
        await tx.execute(
            sql.await_sales, *_columns(key for key, _ in awaited), [s.account for _, s in awaited]
        )
    for statement, groups in ((sql.record_sales, new), (sql.decide_known_sales, known)):
        for (state, recorded), items in groups.items():
            await tx.execute(statement, *_decided(items), state, recorded, tx.now)
    if reversed_:
        taken = [s.reversed_lines or () for _, s in reversed_]
        await tx.execute(
            sql.reverse_sales,
            *_columns(key for key, _ in reversed_),
            [sum(lines) for lines in taken],
            ["{" + ",".join(map(str, lines)) + "}" for lines in taken],
        )


def _decided(items: list[Item]) -> tuple[list[object], ...]:
    return (
        [key[0] for key, _ in items],
        [key[1] for key, _ in items],
        [s.account for _, s in items],
        [s.digest for _, s in items],
        [s.total for _, s in items],
        [s.answer.value for _, s in items if s.answer is not None],
    )


async def _record_unbooked(tx: Tx, book: Book) -> None:
    """What was there is taken off first: of what is noted only now, the book knows it."""
    noted, cleared = book.unbooked, book.taken_off
    if cleared:
        columns = _columns(key for key, _ in cleared)
        await tx.execute(sql.clear_unbooked, *columns, [by for _, by in cleared], tx.now)
    if noted:
        await tx.execute(
            sql.note_unbooked,
            [u.environment for u in noted],
            [u.sale_id for u in noted],
            [u.digest for u in noted],
            [u.account for u in noted],
            [u.reason.value for u in noted],
            [None if u.sale is None else encode(u.sale) for u in noted],
            [None if u.cleared_by is None else tx.now for u in noted],
            [u.cleared_by for u in noted],
            tx.now,
        )


async def remember_refusals(tx: Tx, made: Mapping[RefusalKey, Answer]) -> dict[RefusalKey, Answer]:
    """Each refusal as it was first given: what was just made is recorded where it is new."""
    keys = list(made)
    rows = await tx.fetch(
        sql.recall_refusals,
        [k.environment for k in keys],
        [k.kind for k in keys],
        [k.id for k in keys],
        [k.digest for k in keys],
    )
    found = dict(made)
    for r in rows:
        key = RefusalKey(r["environment"], r["kind"], r["id"], r["digest"])
        given = made[key]
        found[key] = Answer(
            given.topic, r["key"], given.id, r["type"], r["decided_at"], r["answer"]
        )
    new = [key for key in keys if found[key] is made[key]]
    if new:
        await tx.execute(
            sql.record_refusals,
            [k.environment for k in new],
            [k.kind for k in new],
            [k.id for k in new],
            [k.digest for k in new],
            [made[k].key for k in new],
            [made[k].type for k in new],
            [made[k].value for k in new],
            tx.now,
        )
    return found
