"""Forgetting erased customers: a job, step by step.

First deleted drafts that keep a buyer still, then the accounts that the customers ever held or
might look at: drafts that nobody can approve any more go, and so do files of drafts, statements and
the addresses that statements went to. What is on its way in the mail is waited for.
"""

from collections.abc import Sequence
from typing import Final

from runtime.jobs import JobKind, StepTx, Work
from services.invoicer import drafting, parties
from services.invoicer.store import forgetting, invoices, registry
from services.invoicer.store.invoices import Invoice
from services.invoicer.store.registry import Holding

DRAFTS_A_STEP: Final = 200
ACCOUNTS_A_STEP: Final = 20

AGAIN_S: Final = 60.0
"""After so long what was still on its way is looked at again."""


async def forget(work: Work) -> None:
    """One step: some deleted drafts, or some accounts."""
    payload = work.job.payload
    environment = int(payload["environment"])
    async with work.step() as tx:
        if "after" not in payload:
            drafts = await forgetting.named_drafts(tx, environment, DRAFTS_A_STEP)
            await forgetting.drafts(tx, environment, drafts)
            done = len(drafts) < DRAFTS_A_STEP
            tx.save({**payload, **({"after": ""} if done else {"drafts": drafts[-1]})})
            return
        accounts = await forgetting.accounts(
            tx,
            environment,
            payload["customers"],
            payload["after"],
            ACCOUNTS_A_STEP,
            everything=payload.get("everything", False),
        )
        if accounts:
            left = await _of_accounts(tx, environment, accounts) or payload.get("left", False)
            tx.save({**payload, "after": accounts[-1], "left": left})
        elif payload.get("left"):
            tx.save({**payload, "after": "", "left": False})
            tx.later(AGAIN_S)
        else:
            tx.done()


async def _of_accounts(tx: StepTx, environment: int, accounts: Sequence[str]) -> bool:
    """Under the accounts' locks, so that whoever began before the erasure was known has ended.
    Gives whether anything is left for later."""
    await registry.lock_accounts(tx, [(environment, account) for account in accounts])
    holdings = await registry.holdings(tx, environment, accounts)
    drafts = await invoices.drafts(tx, environment, accounts, invoices.LAST_PERIOD)
    stale = [draft for draft in drafts if not _is_the_holders(draft, holdings.get(draft.account))]
    tx.answer(*await drafting.vanish(tx, stale))
    approved = await forgetting.approved_drafts(tx, environment, accounts)
    await forgetting.draft_files(tx, environment, approved)
    return await forgetting.statements_of(tx, environment, accounts)


def _is_the_holders(draft: Invoice, holding: Holding | None) -> bool:
    """Whether a draft is made out to whoever would be invoiced now; who is erased has no name."""
    holder = None if holding is None else holding.holder
    return holder is not None and parties.buyer_from(draft.buyer) == parties.buyer(holder)


FORGET: Final = JobKind(kind=forgetting.KIND, run=forget, cleared=True)
