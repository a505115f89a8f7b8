"""invoices.run: bill all that is open up to a month's end.

The message only records a job, to be taken up once every sale and every registry state that was
there when it was asked has been seen (the barrier). Answered by run.completed, or command.refused
with the run_id. The same run_id with the same content is answered the same; what was refused made
nothing, and may be asked for again under its id.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.content import digest
from schemas.invoices import InvoicesRun
from schemas.registry import EnvironmentState
from services.invoicer.domain import month_end, month_of
from services.invoicer.replies import Refusal, refused
from services.invoicer.schedule import is_scheduled
from services.invoicer.store import registry, requests, runs


async def run(incoming: Incoming, asked: InvoicesRun, tx: Tx) -> Sequence[Answer]:
    """Recall, or refuse, or record the job."""
    content = digest(asked)
    known = await runs.find(tx, asked.environment, asked.run_id)
    if known is not None and known.state != "refused":
        if known.digest != content:
            return [refused(incoming, asked.environment, asked.run_id, REUSED, content)]
        recalled = await requests.recall(tx, asked.environment, "run", asked.run_id)
        return () if recalled is None else recalled.answers
    environment = await registry.environment(tx, asked.environment)
    if environment is None:
        return [refused(incoming, asked.environment, asked.run_id, UNKNOWN, content)]
    refusal = _too_early(asked, environment, incoming)
    if refusal is not None:
        return [refused(incoming, asked.environment, asked.run_id, refusal, content)]
    until = month_end(asked.period, ZoneInfo(environment.time_zone))
    attempt = await runs.ask(tx, asked, content, until)
    await tx.add_job(
        "run",
        f"{asked.environment}/{asked.run_id}/{attempt}",
        {"environment": asked.environment, "run_id": asked.run_id},
        serial=f"run/{asked.environment}",
        barrier=tx.ends,
    )
    return ()


REUSED = Refusal(
    reason="run_id_reused", message="A run with this run_id and other content was asked for before."
)
UNKNOWN = Refusal(
    reason="environment_unknown", field="environment", message="This environment is not known."
)


def _too_early(
    asked: InvoicesRun, environment: EnvironmentState, incoming: Incoming
) -> Refusal | None:
    this_month = month_of(incoming.time, ZoneInfo(environment.time_zone))
    if asked.period > this_month:
        return Refusal(
            reason="period_in_future",
            field="period",
            message=f"The period {asked.period} has not begun; the running month is {this_month}.",
        )
    if asked.period == this_month and is_scheduled(asked.run_id):
        return Refusal(
            reason="period_not_over",
            field="period",
            message=f"A scheduled run waits for the end of its period {asked.period}.",
        )
    return None
