"""Looks at what a few new sales need, without a lock, and records them where it still stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from runtime.arrays import columns
from runtime.glance import Glance
from runtime.sql import statements
from schemas.pos import Sale
from services.authorizer.domain.book import Book, Key
from services.authorizer.domain.sales import House
from services.authorizer.domain.standing import Standing, Sums, barred, open_amount
from services.authorizer.store.sales import decided

sql: Final = statements("services.authorizer", "sql/at_once.sql")


async def look(glance: Glance, sales: Iterable[Sale]) -> Book | None:
    """What a decision on these needs; None where one of them is known."""
    accounts: dict[Key, None] = {}
    ids: dict[Key, None] = {}
    for sale in sales:
        accounts[sale.environment, sale.account] = None
        ids[sale.environment, sale.sale_id] = None
    rows = await glance.look(
        sql.look,
        list({environment for environment, _ in accounts}),
        *columns(accounts),
        *columns(ids),
    )
    if rows[0]["known"]:
        return None
    book = Book()
    for row in rows:
        environment, account = row["environment"], row["account"]
        if environment is None:
            continue
        if account is None:
            book.versions[environment] = row["version"]
            book.houses[environment] = House(
                gdpr_accepted=row["gdpr_accepted"],
                active=row["active"],
                currency=row["currency"],
                language=row["language"],
                release=row["limit_release"],
            )
        else:
            release = book.houses[environment].release
            sums = Sums(
                row["approved"],
                row["reversed"],
                row["issued"],
                row["credited"],
                row["paid"],
                row["refunded"],
            )
            book.rows[environment, account] = row["row"]
            book.standings[environment, account] = Standing(
                limit=row["credit_limit"],
                open=open_amount(sums, release),
                barred=barred(row["status"], row["on_account"]),
            )
    return book


async def record(glance: Glance, book: Book, now: datetime, *, remembered: bool = False) -> None:
    """Write what was decided at `now`, and note the book's writer.

    A refusal rests on what was read by a look, which is right at its moment; where that is
    `remembered`, it must still stand so.

    Raises asyncpg's errors: SerializationError where a row has changed since it was read,
    UniqueViolationError where the same sale was recorded before.
    """
    standings = book.standings
    moved = sorted((key, s) for key, s in standings.items() if s.approved_more)
    unmoved = [key for key, s in standings.items() if remembered and not s.approved_more]
    rows = await glance.record(
        sql.record_at_once,
        list(book.versions),
        list(book.versions.values()),
        *decided(list(book.sales.items())),
        *columns(key for key, _ in moved),
        [book.rows[key] for key, _ in moved],
        [s.approved_more for _, s in moved],
        now,
        glance.known,
        *columns(unmoved),
        [book.rows[key] for key in unmoved],
    )
    if rows:
        book.writer = rows[0]["row"]
