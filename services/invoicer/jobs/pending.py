"""Telling what is not yet invoiced, or mailed: one step, once what was decided before is seen."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from runtime.answers import Answer, answer
from runtime.jobs import JobKind, StepTx, Work
from schemas.invoices import PendingRequest
from schemas.pending import (
    FailedMails,
    PendingAmount,
    PendingListed,
    PendingMail,
    PendingSale,
)
from schemas.registry import EnvironmentState
from services.invoicer.admission import UNKNOWN, unready
from services.invoicer.replies import Refusal, refused_late
from services.invoicer.store import pending, registry, requests

TOPIC = "invoices.documents"
PER_PART = 4_000
"""Entries of one part: it stays well below a record's 2 MiB."""

NO_ACCOUNT = Refusal(
    reason="account_unknown", field="account", message="There is no such account here."
)


async def run(work: Work) -> None:
    """Read, answer, remember."""
    asked = PendingRequest.model_validate(work.job.payload)
    async with work.step() as tx:
        environment = await registry.environment(tx, asked.environment)
        if environment is None:
            answers = [_refused(tx, asked, UNKNOWN)]
        elif asked.account is not None and not await registry.holdings(
            tx, asked.environment, [asked.account]
        ):
            answers = [_refused(tx, asked, NO_ACCOUNT)]
        else:
            answers = await _listed(tx, asked, environment)
        await requests.add_answers(tx, asked.environment, "pending", asked.request_id, answers)
        tx.answer(*answers)
        tx.done()


async def _listed(tx: StepTx, asked: PendingRequest, environment: EnvironmentState) -> list[Answer]:
    accounts: Sequence[PendingAmount] = ()
    sales: Sequence[PendingSale] = ()
    mails: Sequence[PendingMail] = ()
    finance: FailedMails | None = None
    zone = ZoneInfo(environment.time_zone)
    if asked.mails:
        (count, mails), amount = await pending.mails(tx, asked.environment), 0
        finance = await pending.finance_mails(tx, environment)
    elif asked.sale_id is not None:
        sales = [await pending.sale(tx, asked.environment, asked.sale_id, zone)]
        count, amount = 1, sales[0].amount
    elif asked.account is not None:
        sales = await pending.of_account(tx, asked.environment, asked.account, zone)
        count, amount = await pending.sums(tx, asked.environment, asked.account)
    else:
        accounts = await pending.overview(tx, environment)
        count, amount = await pending.sums(tx, asked.environment, None)
    lacking = await unready(tx, environment)
    pieces = list(_pieces(accounts, sales, mails))
    return [
        answer(
            TOPIC,
            asked.request_id,
            PendingListed(
                request_id=asked.request_id,
                environment=asked.environment,
                part=part,
                parts=len(pieces),
                currency=environment.currency,
                count=count,
                amount=amount,
                accounts=its_accounts,
                sales=its_sales,
                mails=its_mails,
                finance=finance,
                lacking=None if lacking is None else lacking.message,
            ),
            id=f"pending.listed/{asked.environment}/{asked.request_id}/{part}",
            time=tx.now,
        )
        for part, (its_accounts, its_sales, its_mails) in enumerate(pieces, 1)
    ]


def _pieces(
    accounts: Sequence[PendingAmount], sales: Sequence[PendingSale], mails: Sequence[PendingMail]
) -> Iterator[tuple[tuple[PendingAmount, ...], tuple[PendingSale, ...], tuple[PendingMail, ...]]]:
    for start in range(0, max(1, len(accounts), len(sales), len(mails)), PER_PART):
        end = start + PER_PART
        yield tuple(accounts[start:end]), tuple(sales[start:end]), tuple(mails[start:end])


def _refused(tx: StepTx, asked: PendingRequest, refusal: Refusal) -> Answer:
    return refused_late(tx, asked.environment, asked.request_id, refusal)


async def on_poison(work: Work, tx: StepTx) -> None:
    """It can't be told: whoever asked hears so, and again where it asks again."""
    asked = PendingRequest.model_validate(work.job.payload)
    failed = Refusal(reason="not_processed", message="What is pending could not be told.")
    answers = [_refused(tx, asked, failed)]
    await requests.add_answers(tx, asked.environment, "pending", asked.request_id, answers)
    tx.answer(*answers)


PENDING = JobKind(kind="pending", run=run, on_poison=on_poison, cleared=True)
