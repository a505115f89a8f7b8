"""pending.request: what is not yet invoiced, why a given sale is not among it, which mails wait.

The request records a job, to be taken up once every sale that was there when it was asked has been
seen. Answered by pending.listed on invoices.documents; the same request_id is answered the same.
"""

from collections.abc import Sequence

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.content import digest
from schemas.invoices import PendingRequest
from services.invoicer.handlers.documents import REUSED
from services.invoicer.replies import refused_once
from services.invoicer.store import requests


async def request(incoming: Incoming, asked: PendingRequest, tx: Tx) -> Sequence[Answer]:
    """Recall, or record the job."""
    content = digest(asked)
    number, name = asked.environment, asked.request_id
    recalled = await requests.recall(tx, number, "pending", name)
    if recalled is not None:
        if recalled.digest != content:
            return [await refused_once(tx, incoming, number, name, REUSED, content)]
        return recalled.answers
    await requests.remember(tx, number, "pending", name, content, ())
    await tx.add_job("pending", f"{number}/{name}", asked.model_dump(), barrier=tx.ends)
    return ()
