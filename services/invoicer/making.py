"""What is about to become an invoice or a credit note, as plain values."""

from dataclasses import dataclass

from schemas.registry import CustomerState
from services.invoicer.domain import Bill, Item
from services.invoicer.store.invoices import Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoice:
    """An invoice to be made. `invoice_id` of a draft that is approved is the draft's own."""

    invoice_id: str
    account: str
    bill: Bill
    customer: CustomerState
    run_id: str | None = None
    send: bool = False
    supplementary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredit:
    """A credit note to be made of some of an invoice's items; amounts are what is taken back."""

    credit_note_id: str
    invoice: Invoice
    items: tuple[Item, ...]
    frees: bool
    reason: str
    run_id: str | None = None
    send: bool = False

    @property
    def bill(self) -> Bill:
        return Bill(period=self.invoice.period, items=self.items)
