"""Telling what is not yet invoiced, or mailed: one step, once what was decided before is seen."""

from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from runtime.answers import Answer, answer
from runtime.jobs import JobKind, StepTx, Work
from schemas.base import Part
from schemas.invoices import PendingRequest
from schemas.pending import FailedMails, PendingListed
from schemas.registry import EnvironmentState
from services.invoicer.admission import UNKNOWN, unready
from services.invoicer.replies import Refusal, refused_late
from services.invoicer.store import pending, registry, requests

TOPIC = "invoices.documents"
PER_PART, PART_BYTES = 4_000, 1_500_000
"""Entries of one part, and their bytes: it stays below a record's 2 MiB. What mail servers say may
be long, and a record that is too large is never taken."""

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
    entries: Sequence[Part]
    finance: FailedMails | None = None
    zone = ZoneInfo(environment.time_zone)
    if asked.mails:
        kind, amount = "mails", 0
        count, entries = await pending.mails(tx, asked.environment)
        finance = await pending.finance_mails(tx, environment)
    elif asked.sale_id is not None:
        sale = await pending.sale(tx, asked.environment, asked.sale_id, zone)
        kind, entries, count, amount = "sales", [sale], 1, sale.amount
    elif asked.account is not None:
        kind = "sales"
        entries = await pending.of_account(tx, asked.environment, asked.account, zone)
        count, amount = await pending.sums(tx, asked.environment, asked.account)
    else:
        kind, entries = "accounts", await pending.overview(tx, environment)
        count, amount = await pending.sums(tx, asked.environment, None)
    lacking = await unready(tx, environment)
    parts = list(pieces(entries))
    return [
        answer(
            TOPIC,
            asked.request_id,
            PendingListed(
                request_id=asked.request_id,
                environment=asked.environment,
                part=part,
                parts=len(parts),
                currency=environment.currency,
                count=count,
                amount=amount,
                finance=finance,
                lacking=None if lacking is None else lacking.message,
                **{kind: its},
            ),
            id=f"pending.listed/{asked.environment}/{asked.request_id}/{part}",
            time=tx.now,
        )
        for part, its in enumerate(parts, 1)
    ]


def pieces(entries: Sequence[Part]) -> Iterator[Any]:
    """The entries in portions that fit a part each; an empty one where there are none."""
    piece: list[Part] = []
    size = 0
    for entry in entries:
        more = len(entry.model_dump_json(exclude_defaults=True).encode())
        if len(piece) == PER_PART or size + more > PART_BYTES:
            yield tuple(piece)
            piece, size = [], 0
        piece.append(entry)
        size += more
    yield tuple(piece)


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
