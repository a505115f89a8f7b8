"""A run, step by step: plan, bill a few accounts at a time, complete.

Each step is one transaction that goes on where the last committed one ended, so a run that is
killed anywhere is taken up again, and nothing is made twice. Ids of what a run makes are made
from the run's, the account's and the month's. A run with more to bill goes to the end of the queue
after each step: runs take turns, and a small one waits for a step of a great one, not for all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from runtime.answers import Answer
from runtime.jobs import JobKind, StepTx, Work
from runtime.told import first_told
from schemas.billing import RunCompleted, RunProgressed
from schemas.registry import EnvironmentState
from services.invoicer import drafting, issuing, mailing, parties
from services.invoicer.admission import UNKNOWN, refuses, unready, unready_by_now
from services.invoicer.domain import (
    Bill,
    OpenLine,
    Skip,
    bills,
    credits_due,
    month_end,
)
from services.invoicer.making import NewCredit, NewInvoice
from services.invoicer.names import made
from services.invoicer.replies import Refusal, in_words, told
from services.invoicer.store import invoices, registry, requests, runs
from services.invoicer.store import issuing as rows
from services.invoicer.store.registry import Holding
from services.invoicer.store.runs import Run
from services.invoicer.viewing import send_statements

ACCOUNTS_PER_STEP = 20


@dataclass(slots=True, kw_only=True)
class _Plan:
    """What one step makes of its accounts."""

    invoices: list[NewInvoice] = field(default_factory=list)
    credits: list[NewCredit] = field(default_factory=list)
    reasons: dict[str, str | None] = field(default_factory=dict)


async def run(work: Work) -> None:
    """One step of a run."""
    payload = work.job.payload
    number, run_id = payload["environment"], payload["run_id"]
    async with work.step() as tx:
        asked = await runs.find(tx, number, run_id)
        environment = await registry.environment(tx, number)
        if asked is None:
            raise LookupError("a run's job without its run")
        if asked.ended_at is not None:  # by another job of it: it has its answer
            tx.done()
            return
        if asked.state == "waiting" or environment is None:
            await _begin(tx, environment, number, asked)
            if environment is not None:
                tx.save({**payload, "ready": environment.version})
            return
        # After a failure of our own the next go one by one, so that only the bad one is left out.
        alone = payload.get("alone") or (ACCOUNTS_PER_STEP if work.job.attempts else 0)
        most = 1 if alone else ACCOUNTS_PER_STEP
        accounts = await runs.next_accounts(tx, number, run_id, most)
        if not accounts:
            await _complete(tx, environment, asked)
            return
        lost = await unready_by_now(tx, environment, asked, payload.get("ready"))
        if lost is None:
            left = {"alone": alone - 1} if alone else {}
            tx.save({**payload, **left, "ready": environment.version})
            more = await _bill(tx, environment, asked, accounts)
        else:
            await runs.accounts_done(tx, number, run_id, dict.fromkeys(accounts, lost))
            more = await _progress(tx, number, asked)
        if more:
            tx.later(0)


async def _begin(tx: StepTx, environment: EnvironmentState | None, number: int, asked: Run) -> None:
    """Note what is to be done; or refuse before the first number is given."""
    refusal = refuses(environment, asked)
    if refusal is None and environment is not None and asked.mode == "issue":
        refusal = await unready(tx, environment)
    if refusal is not None or environment is None:
        await _refuse(tx, number, asked, refusal or UNKNOWN)
        return
    await requests.remember(tx, number, "run", asked.run_id, asked.digest, ())
    until = month_end(asked.period, ZoneInfo(environment.time_zone))
    await runs.plan(tx, number, asked, until)
    await runs.begin(tx, number, asked.run_id, until)
    await _progress(tx, number, asked)


async def _refuse(tx: StepTx, number: int, asked: Run, refusal: Refusal) -> Answer:
    """It made nothing, so it may be asked for again. Refused for the same, it is told the same."""
    await runs.end(tx, number, asked.run_id, "refused")
    said = in_words(number, asked.run_id, refusal)
    why = sha256(asked.digest + refusal.message.encode()).hexdigest()[:16]
    refused = await first_told(tx, told(tx, number, said, f"{asked.run_id}/{refusal.reason}/{why}"))
    tx.answer(refused)
    tx.done()
    return refused


async def _bill(
    tx: StepTx, environment: EnvironmentState, asked: Run, accounts: Sequence[str]
) -> bool:
    """Lock, read what is due, decide, issue or draft, note; gives whether accounts are left."""
    number = environment.environment
    await registry.lock_accounts(tx, [(number, account) for account in accounts])
    holdings = await registry.holdings(tx, number, accounts)
    assert asked.until is not None  # it has begun
    lines = await rows.open_lines(tx, number, accounts, asked.until)
    plan = _decide(environment, asked, holdings, lines)
    tx.answer(*await drafting.replace(tx, number, accounts, asked.period))
    plan.invoices = await with_supplements(tx, number, plan.invoices)
    if asked.mode == "issue":
        await _add_credits(tx, number, asked, lines, plan)
        events = await issuing.issue(tx, environment, plan.invoices, plan.credits)
        if asked.send:
            concerned = [n.account for n in plan.invoices]
            concerned += [c.invoice.account for c in plan.credits]
            await send_statements(tx, environment, asked.run_id, asked.period, concerned)
    else:
        events = await issuing.draft(tx, environment, plan.invoices)
    tx.answer(*events)
    await runs.accounts_done(tx, number, asked.run_id, plan.reasons)
    return await _progress(tx, number, asked)


def _decide(
    environment: EnvironmentState,
    asked: Run,
    holdings: Mapping[str, Holding],
    lines: Mapping[str, Sequence[OpenLine]],
) -> _Plan:
    """Which invoices these accounts get, or why they get none."""
    plan = _Plan()
    zone = ZoneInfo(environment.time_zone)
    for account, its_lines in lines.items():
        its_bills = bills(its_lines, zone)
        holder = holdings[account].holder if account in holdings else None
        reason = _skip(its_bills, parties.unfit(holder))
        if reason == Skip.NOTHING and asked.mode == "draft":
            reason = Skip.CREDIT_DUE if any(x.due and x.outstanding for x in its_lines) else reason
        if reason is None and holder is not None:
            plan.invoices += [
                NewInvoice(
                    invoice_id=made(
                        "invoice", environment.environment, asked.run_id, account, bill.period, i
                    ),
                    account=account,
                    bill=bill,
                    customer=holder,
                    run_id=asked.run_id,
                    send=asked.send,
                )
                for i, bill in enumerate(its_bills)
                if bill.total > 0
            ]
        plan.reasons[account] = reason
    return plan


def _skip(its_bills: Sequence[Bill], unfit: Skip | None) -> Skip | None:
    """Why an account gets no invoice; None where at least one month gets one.

    A month that comes to less than nothing stays open; it never keeps the others back.
    """
    if not any(bill.total for bill in its_bills):
        return Skip.NOTHING
    if not any(bill.total > 0 for bill in its_bills):
        return Skip.NEGATIVE_TOTAL
    return unfit


async def _add_credits(
    tx: StepTx, number: int, asked: Run, lines: Mapping[str, Sequence[OpenLine]], plan: _Plan
) -> None:
    """Credit notes for what was reversed after it was invoiced; its sales stay off."""
    settled = [line for its in lines.values() for line in its if line.outstanding]
    found = credits_due(settled, await rows.billed_on(tx, number, settled))
    concerned = await invoices.find(tx, number, found)
    for invoice_id, items in found.items():
        invoice = concerned[invoice_id]
        plan.credits.append(
            NewCredit(
                credit_note_id=made("credit", number, asked.run_id, invoice_id),
                invoice=invoice,
                items=items,
                frees=False,
                reason="reversed",
                run_id=asked.run_id,
                send=asked.send,
            )
        )
        if plan.reasons[invoice.account] == Skip.NOTHING:
            plan.reasons[invoice.account] = None


async def with_supplements(
    tx: StepTx, number: int, wanted: Sequence[NewInvoice]
) -> list[NewInvoice]:
    """Say which of these invoices are a second one for their month."""
    seen = await rows.months_invoiced(tx, number, sorted({new.account for new in wanted}))
    found = []
    for new in wanted:
        found.append(replace(new, supplementary=(new.account, new.bill.period) in seen))
        seen.add((new.account, new.bill.period))
    return found


async def _progress(tx: StepTx, number: int, asked: Run) -> bool:
    """Say how far it is; gives whether accounts are left."""
    done, total = await runs.progress(tx, number, asked.run_id)
    said = RunProgressed(run_id=asked.run_id, environment=number, done=done, total=total)
    tx.answer(told(tx, number, said, f"{asked.run_id}/{done}"))
    return done < total


async def _complete(tx: StepTx, environment: EnvironmentState, asked: Run) -> None:
    number = environment.environment
    outcome = await runs.outcome(tx, number, asked)
    said = RunCompleted(
        run_id=asked.run_id,
        environment=number,
        period=asked.period,
        drafted=outcome.drafted,
        issued=outcome.issued,
        sent=outcome.sent,
        skipped=outcome.skipped,
        open=outcome.open,
        total=outcome.total,
        vat=outcome.vat,
        currency=environment.currency,
        credit_notes=outcome.credit_notes or None,
        credited=outcome.credited,
    )
    completed = told(tx, number, said, asked.run_id)
    await requests.add_answers(tx, number, "run", asked.run_id, [completed])
    await runs.end(tx, number, asked.run_id, "completed")
    tx.answer(completed)
    await mailing.mail_report(tx, environment, asked.run_id)
    tx.done()


async def on_poison(work: Work, tx: StepTx) -> None:
    """Our own code failed on one account three times: leave that one out, and go on.

    Where there is no account to blame, the run is refused with what it made standing.
    """
    payload: dict[str, Any] = work.job.payload
    number, run_id = payload["environment"], payload["run_id"]
    asked = await runs.find(tx, number, run_id)
    if asked is None:
        return
    accounts = await runs.next_accounts(tx, number, run_id, 1)
    if not accounts:
        message = "The run could not be finished; what it made stands. Ask for another."
        failed = Refusal(reason=Skip.NOT_PROCESSED, message=message)
        refused = await _refuse(tx, number, asked, failed)
        if asked.state == "billing":  # what it made has numbers: this is its answer for good
            await requests.add_answers(tx, number, "run", run_id, [refused])
            await runs.end(tx, number, run_id, "completed")
        return
    await runs.accounts_done(tx, number, run_id, {accounts[0]: Skip.NOT_PROCESSED})
    left_out = payload.get("left_out", 0) + 1
    await tx.add_job(
        "run",
        # No name of another run's job, which ends in a number: a run_id may hold a slash.
        f"{number}/{run_id}/{asked.attempt}+{left_out}",
        {**payload, "left_out": left_out},
        serial=f"run/{number}",
    )


RUN = JobKind(kind="run", run=run, side_by_side=2, lease_s=20, on_poison=on_poison, cleared=True)
