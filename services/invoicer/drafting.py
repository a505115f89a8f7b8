"""How drafts end: deleted, replaced by a newer run's, or found to have changed."""

from collections.abc import Iterable, Sequence

from runtime.answers import Answer
from runtime.transaction import Tx
from schemas.billing import InvoiceDeleted
from services.invoicer.events import event
from services.invoicer.store import forgetting, invoices
from services.invoicer.store.invoices import Invoice


async def vanish(tx: Tx, drafts: Iterable[Invoice]) -> list[Answer]:
    """Drafts claimed nothing and had no number: their state and lines are left of them, and nothing
    of whom they were made out to."""
    told = []
    gone: dict[int, list[str]] = {}
    for draft in drafts:
        gone.setdefault(draft.environment, []).append(draft.invoice_id)
        await invoices.set_status(tx, draft, "deleted", credited=0, paid=0)
        said = InvoiceDeleted(
            invoice_id=draft.invoice_id,
            environment=draft.environment,
            account=draft.account,
            at=tx.now,
        )
        told.append(event(said, draft.environment, draft.account, tx, draft.invoice_id))
    for environment, ids in gone.items():
        await forgetting.drafts(tx, environment, ids)
    return told


async def replace(tx: Tx, environment: int, accounts: Sequence[str], period: str) -> list[Answer]:
    """Let the drafts of these accounts go, up to and with a month: a run bills them anew.

    Two live drafts of the same sales would be reviewed twice, and only one could be issued.
    """
    return await vanish(tx, await invoices.drafts(tx, environment, accounts, period))
