"""What is kept of people and need not be: of deleted drafts, and of statements (decision 129)."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
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
    """Have customers forgotten by a job, given by environment. `ref` says by which record the first
    was heard of: heard of again, another job looks whether anything is left. A batch that comes
    again may be a longer one, so who they are is part of a job's name."""
    for environment, ids in sorted(customers.items()):
        these = sorted(ids)
        who = sha256(" ".join(these).encode()).hexdigest()[:16]
        payload = {"environment": environment, "customers": these}
        await tx.add_job(KIND, f"{environment}/{ref}/{who}", payload)


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


async def name_drafts(tx: Tx, environment: int, buyers: Mapping[str, str]) -> None:
    """Make drafts out to others: buyers' JSON by id. What was made of them is of before."""
    if buyers:
        await tx.execute(sql.name_drafts, environment, list(buyers), list(buyers.values()))
        await draft_files(tx, environment, list(buyers))


async def drafts_of_before(tx: Tx, environment: int, accounts: Sequence[str]) -> list[str]:
    """Forget what was made of what is no draft any more; gives the accounts where some is left,
    for its own files are being made still."""
    rows = await tx.fetch(sql.drafts_of_before, environment, list(accounts))
    await draft_files(tx, environment, [r["invoice_id"] for r in rows if not r["to_come"]])
    return sorted({r["account"] for r in rows if r["to_come"]})


async def statements_of(
    tx: Tx, environment: int, accounts: Sequence[str], named: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Forget the statements of these accounts, whose locks are held, and those that are named.

    What is being made or mailed still is left, for its mail needs it: gives the accounts of which
    some are being made, and the statements that are on their way.
    """
    rows = await tx.fetch(sql.statements_to_come, environment, list(accounts))
    await tx.execute(sql.forget_statement_jobs, environment, list(accounts))
    found = await tx.fetch(sql.statements, environment, list(accounts), list(named))
    ended = [r["statement_id"] for r in found if not r["on_its_way"]]
    if ended:
        await tx.execute(sql.forget_statement_files, environment, ended)
        await tx.execute(sql.forget_holders, environment, ended)
        await tx.execute(sql.forget_recipients, environment, ended)
    return [r["account"] for r in rows], [r["statement_id"] for r in found if r["on_its_way"]]
