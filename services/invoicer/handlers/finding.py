"""Finding the invoice that a command names, and refusing what can't be done to it."""

from runtime.transaction import Tx
from services.invoicer.replies import Refusal
from services.invoicer.store import invoices
from services.invoicer.store.invoices import Invoice

UNKNOWN = Refusal(
    reason="invoice_unknown", field="invoice_id", message="There is no such invoice here."
)

DELETED = Refusal(reason="invoice_deleted", field="invoice_id", message="This draft was deleted.")


async def find(tx: Tx, environment: int, invoice_id: str) -> Invoice | Refusal:
    """The invoice under its account's lock, or why not."""
    found = await invoices.find_locked(tx, environment, invoice_id)
    return UNKNOWN if found is None else found


async def find_issued(tx: Tx, environment: int, invoice_id: str) -> Invoice | Refusal:
    """An invoice that has a number, credited ones too."""
    found = await find(tx, environment, invoice_id)
    if isinstance(found, Refusal):
        return found
    if found.status == "deleted":
        return DELETED
    if found.number is None:
        return Refusal(
            reason="not_issued", field="invoice_id", message="This is a draft; approve it first."
        )
    return found
