"""What rows will do: planned rows, commands, and the book that they are planned with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic_core import to_json

from runtime.sql import statements
from runtime.transaction import Tx
from services.importer.domain.book import Book, KnownAccount, KnownCustomer, series_of
from services.importer.domain.bundles import Bundle
from services.importer.domain.ids import bundle_id
from services.importer.domain.matching import names_of
from services.importer.domain.names import email_key, name_keys
from services.importer.domain.planning import RowPlan
from services.importer.domain.refusals import Problem
from services.importer.domain.rows import Entry
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
    await tx.execute(sql.forget_keys, upload.environment, upload.job_id)
    await tx.execute(sql.forget_accounts, upload.environment, upload.job_id)


async def book_for(tx: Tx, upload: Upload, entries: Sequence[Entry]) -> Book:
    """All that is known of whom and what these rows name: four queries, however many they are."""
    job = (upload.environment, upload.job_id)
    numbers = sorted({e.account for e in entries if e.account})
    mails = {
        email_key(e.customer.get("email"), e.customer.get("email_fictitious")) for e in entries
    }
    names = sorted({name for e in entries for name in names_of(e)})
    last = int(await tx.fetchval(sql.last_in_series, upload.environment))
    book = Book(environment=upload.environment, last_in_series=last)
    alike = await tx.fetch(sql.customers_alike, *job, sorted(m for m in mails if m), names)
    held = await tx.fetch(sql.accounts, *job, numbers, [])
    ids = {row["customer_id"] for row in alike} | {r["holder"] for r in held if r["holder"]}
    found: dict[str, KnownCustomer] = {}
    for row in await tx.fetch(sql.customers, *job, list(ids)):
        found[str(row["customer_id"])] = KnownCustomer(
            customer_id=str(row["customer_id"]),
            fields=json.loads(row["fields"]),
            made_by=row["made_by"],
            said_by=_said_by(row),
        )
    for customer in found.values():
        book.know_customer(customer)
    accounts: dict[str, KnownAccount] = {}
    for row in await tx.fetch(sql.accounts, *job, numbers, list(ids)):
        accounts[row["account"]] = KnownAccount(
            account=row["account"],
            fields=json.loads(row["fields"]),
            holder=str(row["holder"]) if row["holder"] else None,
            row=row["row"],
        )
    for account in accounts.values():
        book.know_account(account)
    return book


async def add(
    tx: Tx, upload: Upload, plans: Sequence[RowPlan], bundles: Sequence[Bundle], book: Book
) -> None:
    """Store a chunk of planned rows and what the book will be after them."""
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
    await _add_book(tx, job, book)


def _json(value: Any) -> str:
    return to_json(value).decode()


def _told(problems: Sequence[Problem]) -> str:
    return _json([asdict(p) for p in problems]) if problems else "[]"


def _said(customer: KnownCustomer) -> str | None:
    """What `said_by` is stored as: nothing where the row that makes the customer said it all."""
    made_by, said_by = customer.made_by, customer.said_by
    if made_by is not None and said_by == dict.fromkeys(customer.fields, made_by):
        return None
    return _json(said_by)


def _said_by(row: Any) -> dict[str, int]:
    if row["said_by"] is None:
        return dict.fromkeys(json.loads(row["fields"]), row["made_by"])
    found: dict[str, int] = json.loads(row["said_by"])
    return found


def _keys(fields: Mapping[str, Any]) -> frozenset[str]:
    mail = email_key(fields.get("email"), fields.get("email_fictitious"))
    return name_keys(fields) | ({mail} if mail else frozenset())


async def _add_book(tx: Tx, job: tuple[int, str], book: Book) -> None:
    customers = [book.customers[i] for i in book.changed_customers]
    if customers:
        await tx.execute(
            sql.add_customers,
            *job,
            [c.customer_id for c in customers],
            [c.made_by for c in customers],
            [_json(c.fields) for c in customers],
            [_said(c) for c in customers],
        )
        keys = [(key, c.customer_id) for c in customers for key in sorted(_keys(c.fields))]
        await tx.execute(sql.add_keys, *job, [k for k, _ in keys], [c for _, c in keys])
    accounts = [book.accounts[a] for a in book.changed_accounts]
    if accounts:
        await tx.execute(
            sql.add_accounts,
            *job,
            [a.account for a in accounts],
            [a.row for a in accounts],
            [_json(a.fields) for a in accounts],
            [a.holder for a in accounts],
            [series_of(job[0], a.account) for a in accounts],
        )


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
