"""What is kept of people and need not be: of deleted drafts, and of statements (decision 129)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from runtime.sql import statements
from runtime.transaction import Tx
from services.invoicer import parties
from services.invoicer.documents.model import Address, Buyer

sql = statements("services.invoicer", "sql/forgetting.sql")

KIND: Final = "forget"

NOBODY: Final = parties.buyer_json(Buyer(name="", address=Address(country="")))
"""The buyer of a deleted draft. As any buyer's, so that whoever reads rows can read it."""


async def erased(tx: Tx, customers: Mapping[int, Iterable[str]], ref: str) -> None:
    """Have customers forgotten by a job, given by environment. `ref` says by which record they
    were heard of: heard of again, another job looks whether anything is left."""
    for environment, ids in sorted(customers.items()):
        payload = {"environment": environment, "customers": sorted(ids)}
        await tx.add_job(KIND, f"{environment}/{ref}", payload)


async def drafts(tx: Tx, environment: int, invoice_ids: Sequence[str]) -> None:
    """Forget who these deleted drafts were made out to, and their files."""
    if invoice_ids:
        await tx.execute(sql.forget_buyers, environment, list(invoice_ids), NOBODY)
        await draft_files(tx, environment, invoice_ids)


async def draft_files(tx: Tx, environment: int, invoice_ids: Sequence[str]) -> None:
    """Forget what was made of these while they were drafts."""
    await tx.execute(sql.forget_draft_files, environment, list(invoice_ids))


async def named_drafts(tx: Tx, environment: int, most: int) -> list[str]:
    """Deleted drafts that keep a buyer still: an older worker deleted them."""
    rows = await tx.fetch(sql.named_drafts, environment, most)
    return [r["invoice_id"] for r in rows]


async def accounts(
    tx: Tx, environment: int, customers: Sequence[str], after: str, most: int, *, everything: bool
) -> list[str]:
    """The next accounts that these customers ever had to do with; or `everything`: all of which
    anything is kept."""
    rows = await tx.fetch(sql.accounts, environment, list(customers), after, most, everything)
    return [r["account"] for r in rows]


async def approved_drafts(tx: Tx, environment: int, accounts: Sequence[str]) -> list[str]:
    """Issued invoices of which the files that they had as drafts are kept too."""
    rows = await tx.fetch(sql.approved_drafts, environment, list(accounts))
    return [r["invoice_id"] for r in rows]


async def statements_of(tx: Tx, environment: int, accounts: Sequence[str]) -> bool:
    """Forget the statements of these accounts, whose locks are held; gives whether some are left.

    What is being made or mailed still is left: its mail needs it.
    """
    to_come = bool(await tx.fetchval(sql.statements_to_come, environment, list(accounts)))
    await tx.execute(sql.forget_statement_jobs, environment, list(accounts))
    found = await tx.fetch(sql.statements, environment, list(accounts))
    ended = [r["statement_id"] for r in found if not r["on_its_way"]]
    if ended:
        await tx.execute(sql.forget_statement_files, environment, ended)
        await tx.execute(sql.forget_holders, environment, ended)
        await tx.execute(sql.forget_recipients, environment, ended)
    return to_come or len(ended) < len(found)
