"""Forgetting erased customers: a job, step by step.

First deleted drafts that keep a buyer still, then the accounts that the customers ever held or
might look at: drafts of which nobody is the holder any more go, others are made out to who is now;
files of drafts go, statements, and the addresses that statements went to. What is being made or on
its way in the mail is waited for, and that alone is looked at again: what came later is of others.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from runtime.jobs import JobKind, StepTx, Work
from services.invoicer import drafting, parties
from services.invoicer.store import forgetting, invoices, registry

DRAFTS_A_STEP: Final = 200
ACCOUNTS_A_STEP: Final = 20

STATEMENTS_A_STEP: Final = 500
TURNS: Final = 20
"""Steps over what is left until it is waited for again: by then most of it may have gone."""

AGAIN_S: Final = 60.0
"""After so long what was still on its way is looked at again."""

MOST_LEFT: Final = 1_000
"""Accounts, and statements, that one job waits for: its row is written anew with each step."""


async def forget(work: Work) -> None:
    """One step: some deleted drafts, or some accounts."""
    payload = work.job.payload
    environment = int(payload["environment"])
    async with work.step() as tx:
        if "after" not in payload:
            drafts = await forgetting.named_drafts(tx, environment, DRAFTS_A_STEP)
            await forgetting.drafts(tx, environment, drafts)
            done = len(drafts) < DRAFTS_A_STEP
            # The last is kept, for a step that saves nothing new counts as none.
            tx.save({**payload, **({"after": ""} if done else {"drafts": drafts[-1]})})
            return
        if payload.get("again"):
            await _again(tx, environment, payload)
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
            left = _with(payload, *await _of_accounts(tx, environment, accounts))
            if max(map(len, left.values())) >= MOST_LEFT:
                await _hand_on(tx, environment, f"{work.job.ref}/{accounts[-1]}", left)
                left = {name: [] for name in left}
            tx.save({**payload, "after": accounts[-1], **left})
        else:
            _wait(tx, payload)


async def _hand_on(tx: StepTx, environment: int, ref: str, left: dict[str, list[str]]) -> None:
    """Let jobs of their own wait for what is left, so much each; `ref` says how far this one is."""
    for start in range(0, max(map(len, left.values())), MOST_LEFT):
        some = {name: ids[start : start + MOST_LEFT] for name, ids in left.items()}
        payload = {"environment": environment, "customers": [], "after": "", "again": 1, **some}
        after = tx.now + timedelta(seconds=AGAIN_S)
        await tx.add_job(forgetting.KIND, f"{ref}/{start}", payload, after=after)


async def _again(tx: StepTx, environment: int, payload: dict[str, Any]) -> None:
    """Some of what was left; what is left of it still goes to the end."""
    accounts, named = payload["accounts"], payload["statements"]
    some, others = accounts[:ACCOUNTS_A_STEP], accounts[ACCOUNTS_A_STEP:]
    few, more = named[:STATEMENTS_A_STEP], named[STATEMENTS_A_STEP:]
    await registry.lock_accounts(tx, [(environment, account) for account in some])
    to_come, on_their_way = await _files(tx, environment, some, few)
    waits = {"accounts": others + to_come, "statements": [*more, *on_their_way]}
    if others or more:
        tx.save({**payload, **waits, "turn": payload.get("turn", 0) + 1})
        tx.later(AGAIN_S if payload.get("turn", 0) % TURNS == TURNS - 1 else 0)
    else:
        _wait(tx, {**payload, **waits})


def _wait(tx: StepTx, payload: dict[str, Any]) -> None:
    """Look again in a while, where anything is left; else all is done."""
    if payload.get("accounts") or payload.get("statements"):
        tx.save({**payload, "again": payload.get("again", 0) + 1})
        tx.later(AGAIN_S)
    else:
        tx.done()


def _with(
    payload: dict[str, Any], accounts: Sequence[str], statements: Sequence[str]
) -> dict[str, list[str]]:
    """What is left so far, and this."""
    return {
        "accounts": [*payload.get("accounts", ()), *accounts],
        "statements": [*payload.get("statements", ()), *statements],
    }


async def _of_accounts(
    tx: StepTx, environment: int, accounts: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Under the accounts' locks, so that whoever began before the erasure was known has ended.
    Gives what is left for later: accounts and statements."""
    await registry.lock_accounts(tx, [(environment, account) for account in accounts])
    holdings = await registry.holdings(tx, environment, accounts)
    drafts = await invoices.drafts(tx, environment, accounts, invoices.LAST_PERIOD)
    of_nobody, renamed = [], dict[str, str]()
    for draft in drafts:
        holding = holdings.get(draft.account)
        holder = None if holding is None else holding.holder
        if holder is None or holder.erased:
            of_nobody.append(draft)
        elif parties.buyer_from(draft.buyer) != (now := parties.buyer(holder)):
            renamed[draft.invoice_id] = parties.buyer_json(now)
    tx.answer(*await drafting.vanish(tx, of_nobody))
    await forgetting.name_drafts(tx, environment, renamed)
    return await _files(tx, environment, accounts)


async def _files(
    tx: StepTx, environment: int, accounts: Sequence[str], named: Sequence[str] = ()
) -> tuple[list[str], list[str]]:
    """Files of what was a draft, and statements, these and those named. Gives what is left."""
    to_be_made = await forgetting.drafts_of_before(tx, environment, accounts)
    to_come, on_their_way = await forgetting.statements_of(tx, environment, accounts, named)
    return sorted({*to_be_made, *to_come}), on_their_way


FORGET: Final = JobKind(kind=forgetting.KIND, run=forget, cleared=True)
