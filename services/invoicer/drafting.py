"""How drafts end: deleted, replaced by a newer run's, or found to have changed."""

from collections.abc import Iterable, Sequence

from runtime.answers import Answer
from runtime.transaction import Tx
from schemas.billing import InvoiceDeleted
from services.invoicer.events import event
from services.invoicer.store import invoices
from services.invoicer.store.invoices import Invoice


async def vanish(tx: Tx, drafts: Iterable[Invoice]) -> list[Answer]:
    """Drafts claimed nothing and had no number: nothing but their state is left of them."""
    told = []
    for draft in drafts:
        await invoices.set_status(tx, draft, "deleted", credited=0, paid=0)
        said = InvoiceDeleted(
            invoice_id=draft.invoice_id,
            environment=draft.environment,
            account=draft.account,
            at=tx.now,
        )
        told.append(event(said, draft.environment, draft.account, tx, draft.invoice_id))
    return told


async def replace(tx: Tx, environment: int, accounts: Sequence[str], period: str) -> list[Answer]:
    """Let the drafts of these accounts go, up to and with a month: a run bills them anew.

    Two live drafts of the same sales would be reviewed twice, and only one could be issued.
    """
    return await vanish(tx, await invoices.drafts(tx, environment, accounts, period))
