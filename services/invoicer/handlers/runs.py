"""invoices.run: bill all that is open up to a month's end.

The message only records a job, to be taken up once every sale and every registry state that was
there when it was asked has been seen (the barrier); so the job, not this handler, sees whether it
can be carried out. Answered by run.completed, or command.refused with the run_id. The same run_id
with the same content is answered the same; what was refused made nothing, and may be asked for
again under its id: while it would be refused for the same, with the same bytes.
"""

from collections.abc import Sequence

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.content import digest
from schemas.invoices import InvoicesRun
from services.invoicer.replies import Refusal, refused_once
from services.invoicer.store import requests, runs


async def run(incoming: Incoming, asked: InvoicesRun, tx: Tx) -> Sequence[Answer]:
    """Recall, or refuse, or record the job."""
    content = digest(asked)
    known = await runs.find(tx, asked.environment, asked.run_id)
    if known is not None and known.state != "refused":
        if known.digest != content:
            number, name = asked.environment, asked.run_id
            return [await refused_once(tx, incoming, number, name, REUSED, content)]
        recalled = await requests.recall(tx, asked.environment, "run", asked.run_id)
        return () if recalled is None else recalled.answers
    if known is not None and known.asked_at >= incoming.time:
        return ()  # the record that was refused comes again; its refusal is on its way
    attempt = await runs.ask(tx, asked, content, incoming.time)
    if attempt is None:  # another worker was asked for it at this moment: it is known by now
        return await run(incoming, asked, tx)
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
