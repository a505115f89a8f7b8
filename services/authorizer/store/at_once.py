"""Looks at what a few new sales need, without a lock, and records them where it still stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from runtime.glance import Glance
from runtime.sql import statements
from schemas.pos import Sale
from services.authorizer.domain.book import Book, Key
from services.authorizer.domain.sales import House
from services.authorizer.domain.standing import Standing, Sums, barred, open_amount
from services.authorizer.store.sales import columns, decided

sql: Final = statements("services.authorizer", "sql/at_once.sql")


class Seen(NamedTuple):
    """A book without locks, and how the rows stood that it was read from: environments by their
    version, accounts by the transaction that wrote them. `now` is PostgreSQL's time."""

    now: datetime
    book: Book
    versions: dict[int, int]
    rows: dict[Key, int]


async def look(glance: Glance, sales: Iterable[Sale]) -> Seen | None:
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
    seen = Seen(glance.now, Book(houses={}, standings={}, sales={}, cancellations={}), {}, {})
    for row in rows:
        environment, account = row["environment"], row["account"]
        if environment is None:
            continue
        if account is None:
            seen.versions[environment] = row["version"]
            seen.book.houses[environment] = House(
                gdpr_accepted=row["gdpr_accepted"],
                active=row["active"],
                currency=row["currency"],
                language=row["language"],
                release=row["limit_release"],
            )
        else:
            release = seen.book.houses[environment].release
            sums = Sums(
                row["approved"],
                row["reversed"],
                row["issued"],
                row["credited"],
                row["paid"],
                row["refunded"],
            )
            seen.rows[environment, account] = row["row"]
            seen.book.standings[environment, account] = Standing(
                limit=row["credit_limit"],
                open=open_amount(sums, release),
                barred=barred(row["status"], row["on_account"]),
            )
    return seen


async def record(glance: Glance, seen: Seen, *, remembered: bool = False) -> int | None:
    """Write what was decided; gives the transaction that charged accounts, None where none is.

    A refusal rests on what was read by a look, which is right at its moment; where that is
    `remembered`, it must still stand so.

    Raises asyncpg's errors: SerializationError where a row has changed since it was read,
    UniqueViolationError where the same sale was recorded before.
    """
    standings = seen.book.standings
    moved = sorted((key, s) for key, s in standings.items() if s.approved_more)
    unmoved = [key for key, s in standings.items() if remembered and not s.approved_more]
    rows = await glance.record(
        sql.record_at_once,
        list(seen.versions),
        list(seen.versions.values()),
        *decided(list(seen.book.sales.items())),
        *columns(key for key, _ in moved),
        [seen.rows[key] for key, _ in moved],
        [s.approved_more for _, s in moved],
        seen.now,
        glance.known,
        *columns(unmoved),
        [seen.rows[key] for key in unmoved],
    )
    return rows[0]["row"] if rows else None
