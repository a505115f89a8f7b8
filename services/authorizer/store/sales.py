"""Locks, recalls and records batches of sales and cancellations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from asyncpg import Record

from runtime.answers import Answer
from runtime.arrays import array, columns
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
)
from services.authorizer.domain.sales import House
from services.authorizer.domain.standing import Standing, Sums, barred, open_amount
from services.authorizer.store import unbooked

Item = tuple[Key, KnownSale]

sql: Final = statements("services.authorizer", "sql/sales.sql")


async def open_book(
    tx: Tx, messages: Iterable[Sale | SaleCancelled], others: set[int], made: Iterable[Key] = ()
) -> Book:
    """Lock what these messages move, and recall what was answered before.

    `others` are environments of which only the settings are needed, `made` sales of which only what
    became of them is.
    """
    environments = others.copy()
    accounts: dict[Key, None] = {}
    sales: dict[Key, None] = {}
    recorded: dict[Key, None] = {}
    origins: dict[Key, None] = {}
    cancellations: dict[Key, None] = {}
    taken_back: dict[Key, None] = {}
    for message in messages:
        environment = message.environment
        environments.add(environment)
        accounts[environment, message.account] = None
        sales[environment, message.sale_id] = None
        if type(message) is SaleCancelled:
            cancellations[environment, message.cancellation_id] = None
            taken_back[environment, message.sale_id] = None
        elif type(message) is SaleRecorded:
            recorded[environment, message.sale_id] = None
            if message.moved_from is not None:
                origins[environment, message.moved_from] = None
    unreadable = dict.fromkeys(made)
    if unreadable:
        await tx.execute(sql.keep_sales_out, list(environments))
    book = await _lock(tx, environments, accounts)
    book.sales = await _sales(tx, sales | origins | unreadable)
    # The list is locked before a sale is written, by whoever takes off it: also by cancellations of
    # what is not booked, which nearly none is.
    unmade = dict.fromkeys(key for key in taken_back if not book.stands(key))
    listed = recorded | origins | unmade
    if listed:
        book.unbooked = await unbooked.recall(tx, listed)
        book.clear_unread()
    if cancellations:
        book.cancellations = await _cancellations(tx, cancellations)
    return book


async def _lock(tx: Tx, environments: Iterable[int], accounts: Iterable[Key]) -> Book:
    book = Book()
    houses = book.houses
    # Environments come first.
    for environment, account, row, *rest in await tx.fetch(
        sql.lock_accounts, list(environments), *columns(accounts)
    ):
        if account is None:
            version, gdpr_accepted, active, currency, language, release, *_ = rest
            book.writer = row
            book.versions[environment] = version
            houses[environment] = House(
                gdpr_accepted=gdpr_accepted,
                active=active,
                currency=currency,
                language=language,
                release=release,
            )
        elif environment in houses:
            _, _, _, _, _, _, limit, status, on_account, *sums = rest
            key = environment, account
            book.rows[key] = row
            book.standings[key] = Standing(
                limit=limit,
                open=open_amount(Sums(*sums), houses[environment].release),
                barred=barred(status, on_account),
            )
    return book


async def _sales(tx: Tx, keys: Iterable[Key]) -> dict[Key, KnownSale]:
    rows = await tx.fetch(sql.recall_sales, *columns(keys))
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
    """On which accounts these sales are not to be made any more; commonly on none."""
    found: dict[Key, set[str]] = {
        (r["environment"], r["sale_id"]): {r["account"]} if r["called_off"] else set() for r in rows
    }
    early = [(r["environment"], r["sale_id"]) for r in rows if r["cancelled_first"]]
    if early:
        # A statement of its own, after the locks: it sees what was committed meanwhile.
        for r in await tx.fetch(sql.called_off, *columns(early)):
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
    rows = await tx.fetch(sql.recall_cancellations, *columns(keys))
    return {
        (environment, cancellation_id): KnownCancellation(
            sale_id="",
            account=account,
            digest=digest,
            amount=0,
            answer=Answer(
                answers.TOPIC,
                f"{environment}:{account}",
                answers.cancellation_ce_id(kind, environment, cancellation_id),
                kind,
                decided_at,
                value,
            ),
        )
        for environment, cancellation_id, account, digest, decided_at, kind, value in rows
    }


async def record(tx: Tx, book: Book) -> None:
    """Write what was decided; a unique violation means that another worker was first.

    Raises asyncpg's errors.
    """
    await _record_sales(tx, book)
    new = [(key, c) for key, c in book.cancellations.items() if c.new]
    if new:
        await tx.execute(
            sql.record_cancellations,
            *columns(key for key, _ in new),
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
    new: list[Item] = []
    known: list[Item] = []
    awaited: list[Item] = []
    reversed_: list[Item] = []
    called_off: list[Item] = []
    for item in book.sales.items():
        sale = item[1]
        if sale.decided:
            (new if sale.stored == "new" else known).append(item)
        if sale.stored == "awaited":
            awaited.append(item)
        if sale.taken_back:
            reversed_.append(item)
        if sale.called_off_now:
            called_off.append(item)
    if awaited:
        await tx.execute(
            sql.await_sales, *columns(key for key, _ in awaited), [s.account for _, s in awaited]
        )
    moved = [(key, s) for key, s in book.standings.items() if s.approved_more or s.reversed_more]
    if new or moved:
        await tx.execute(
            sql.record_sales,
            *decided(new),
            *columns(key for key, _ in moved),
            [s.approved_more for _, s in moved],
            [s.reversed_more for _, s in moved],
            tx.now,
        )
    if known:
        await tx.execute(sql.decide_known_sales, *decided(known), tx.now)
    if reversed_:
        taken = [s.reversed_lines or () for _, s in reversed_]
        await tx.execute(
            sql.reverse_sales,
            *columns(key for key, _ in reversed_),
            [sum(lines) for lines in taken],
            [array(map(str, lines)) for lines in taken],
        )
    if called_off:
        await tx.execute(sql.call_off_sales, *columns(key for key, _ in called_off))


def decided(items: list[Item]) -> tuple[list[object], ...]:
    return (
        [key[0] for key, _ in items],
        [key[1] for key, _ in items],
        [s.account for _, s in items],
        [s.digest for _, s in items],
        [s.total for _, s in items],
        [s.answer.value for _, s in items if s.answer is not None],
        [s.state for _, s in items],
        [s.recorded for _, s in items],
    )


async def _record_unbooked(tx: Tx, book: Book) -> None:
    """What was there is taken off first: of what is noted only now, the book knows it."""
    noted = [u for found in book.unbooked.values() for u in found.values() if not u.listed]
    cleared = book.taken_off
    if cleared:
        await tx.execute(
            sql.clear_unbooked,
            *columns(key for key, *_ in cleared),
            [by for _, by, _, _ in cleared],
            tx.now,
            [content for _, _, content, _ in cleared],
            [alone for *_, alone in cleared],
        )
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
