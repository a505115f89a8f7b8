"""What rows will do: planned rows, commands, and the book that they are planned with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import to_json

from runtime.sql import statements
from runtime.transaction import Tx
from services.importer.domain.book import Book, KnownAccount, KnownCustomer
from services.importer.domain.bundles import Bundle
from services.importer.domain.ids import bundle_id
from services.importer.domain.matching import names_of
from services.importer.domain.names import email_key, looked_up_by
from services.importer.domain.planning import RowPlan
from services.importer.domain.refusals import Problem
from services.importer.domain.rows import Entry
from services.importer.store.earlier import Earlier, Who
from services.importer.store.uploads import Upload

sql = statements("services.importer", "sql/plans.sql")


async def forget(tx: Tx, upload: Upload) -> None:
    """Before planning (again): nothing is planned. Never once a command was sent.

    What a preview said of the rows is kept, to tell of rows that come out otherwise.
    """
    job = (upload.environment, upload.job_id)
    await tx.execute(sql.forget_bundles, *job)
    if upload.status == "running" and upload.mode == "preview":
        await tx.execute(sql.keep_verdicts, *job)
    else:
        await tx.execute(sql.forget_rows, *job)
    await forget_book(tx, upload)


async def forget_book(tx: Tx, upload: Upload) -> None:
    """The job goes no further: its numbers are free again."""
    await tx.execute(sql.forget_customers, upload.environment, upload.job_id)
    await tx.execute(sql.forget_numbers, upload.environment, upload.job_id)


async def book_for(tx: Tx, environment: int, entries: Sequence[Entry], earlier: Earlier) -> Book:
    """All that is known of whom and what these rows name: the registry's state, and on top of it
    what `earlier` rows make of that. As many queries, however many they are."""
    numbers = sorted({e.account for e in entries if e.account})
    mails = {
        email_key(e.customer.get("email"), e.customer.get("email_fictitious")) for e in entries
    }
    names = sorted({looked_up_by(name) for e in entries for name in names_of(e)})
    addresses = sorted(m for m in mails if m)
    last = int(await tx.fetchval(sql.last_in_series, environment))
    book = Book(environment=environment, last_in_series=max(last, earlier.last_in_series))
    alike = await tx.fetch(sql.customers_alike, environment, addresses, names)
    accounts = _accounts(await tx.fetch(sql.accounts, environment, numbers))
    who: set[Who] = {str(row["customer_id"]) for row in alike}
    who |= {account.holder for account in accounts.values() if account.holder}
    who |= set(earlier.alike([*addresses, *names]))
    planned = earlier.accounts(numbers)
    who |= {holder for _, holder in planned if holder is not None}
    customers: dict[str, KnownCustomer] = {}
    gone = set[str]()
    if ids := [one for one in who if isinstance(one, str)]:
        for row in await tx.fetch(sql.customers, environment, ids):
            found = str(row["customer_id"])
            if row["erased"]:
                gone.add(found)
                continue
            customers[found] = KnownCustomer(customer_id=found, fields=json.loads(row["fields"]))
    for account in accounts.values():
        if account.holder in gone:  # erasing unties, and the account's own record is on its way
            account.holder = None
    for customer in {**customers, **earlier.customers(who)}.values():
        book.know_customer(customer)
    if earlier.counted and who:
        living = [one for one in ids if one not in gone]
        accounts |= _accounts(await tx.fetch(sql.held, environment, living))
        accounts |= {account.account: account for account in earlier.held(who)}
    accounts |= {account.account: account for account, _ in planned}
    for account in accounts.values():
        book.know_account(account)
    return book


def _accounts(rows: Iterable[Any]) -> dict[str, KnownAccount]:
    return {
        row["account"]: KnownAccount(
            account=row["account"],
            fields=json.loads(row["fields"]),
            holder=str(row["holder"]) if row["holder"] else None,
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """A chunk of planned rows. `linked`: whom they make the holder of accounts that there were, and
    whom of those that earlier rows did so they change."""

    plans: Sequence[RowPlan]
    bundles: Sequence[Bundle]
    linked: Sequence[KnownCustomer]


async def add(tx: Tx, upload: Upload, portion: Portion) -> None:
    """Store what rows will do."""
    plans, bundles, linked = portion.plans, portion.bundles, portion.linked
    job = (upload.environment, upload.job_id)
    await tx.execute(
        sql.add_rows,
        *job,
        [p.row for p in plans],
        [p.verdict for p in plans],
        [_told(p.problems) for p in plans],
        [_told(p.warnings) for p in plans],
    )
    if bundles:
        await tx.execute(
            sql.add_bundles,
            *job,
            [b.number for b in bundles],
            [bundle_id(upload.job_id, upload.environment, b.number) for b in bundles],
            [b.rows[0] for b in bundles],
            [b.rows[-1] for b in bundles],
            [f"{{{','.join(map(str, b.rows))}}}" for b in bundles],
            [f"[{','.join(b.steps)}]" for b in bundles],
            [_json(b.before) for b in bundles],
            [_json(b.needs) for b in bundles],
            [b.changing for b in bundles],
        )
    if linked:
        await tx.execute(
            sql.add_customers,
            *job,
            [c.customer_id for c in linked],
            [_json(c.fields) for c in linked],
        )


def _json(value: Any) -> str:
    return to_json(value).decode()


def _told(problems: Sequence[Problem]) -> str:
    return _json([asdict(p) for p in problems]) if problems else "[]"


async def verdicts(tx: Tx, upload: Upload) -> Mapping[str, int]:
    """How many rows each verdict has."""
    rows = await tx.fetch(sql.verdicts, upload.environment, upload.job_id)
    return {row["verdict"]: row["rows"] for row in rows}


async def any_refused(tx: Tx, upload: Upload) -> bool:
    """Whether there is a row with a problem."""
    return bool(await tx.fetchval(sql.any_refused, upload.environment, upload.job_id))


async def problems(tx: Tx, upload: Upload, most: int) -> tuple[int, list[Any], list[Any]]:
    """How many problems there are, the first of them, and the first warnings."""
    job = (upload.environment, upload.job_id)
    count = await tx.fetchval(sql.problem_count, *job)
    return (
        count,
        _loaded(await tx.fetch(sql.problems, *job, most)),
        _loaded(await tx.fetch(sql.warnings, *job, most)),
    )


def _loaded(rows: Iterable[Any]) -> list[Any]:
    return [json.loads(row[0]) for row in rows]
