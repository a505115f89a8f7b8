"""invoices.republish: what the invoicer told of money is told again, by a job."""

from runtime.transaction import Tx
from schemas.invoices import InvoicesRepublish
from services.invoicer.admission import UNKNOWN
from services.invoicer.replies import Done, Refusal
from services.invoicer.store import registry


async def ask(command: InvoicesRepublish, tx: Tx) -> Done | Refusal:
    """Record the job. Nothing changes."""
    number = command.environment
    if await registry.environment(tx, number) is None:
        return UNKNOWN
    await tx.add_job("republish", f"{number}/{command.command_id}", {"environment": number})
    return Done()
