"""payment.record: money came in for an issued invoice; partly, too much, or for a credited one."""

from runtime.transaction import Tx
from schemas.billing import PaymentReceived
from schemas.invoices import PaymentRecord
from services.invoicer.events import event
from services.invoicer.handlers.finding import find_issued
from services.invoicer.issuing import settle
from services.invoicer.replies import Done, Refusal, change
from services.invoicer.store import invoices


async def record(command: PaymentRecord, tx: Tx) -> Done | Refusal:
    """payment.received, and invoice.paid when nothing is open any more."""
    invoice_id = command.invoice_id
    if command.number is not None:
        invoice_id = await invoices.by_number(tx, command.environment, command.number)
    if invoice_id is None:
        return Refusal(
            reason="invoice_unknown", field="number", message="There is no invoice of this number."
        )
    invoice = await find_issued(tx, command.environment, invoice_id)
    if isinstance(invoice, Refusal):
        return invoice
    left = invoice.open - command.amount
    await invoices.add_payment(tx, invoice, command, left)
    received = PaymentReceived(
        payment_id=command.payment_id,
        invoice_id=invoice.invoice_id,
        number=invoice.number or "",
        environment=invoice.environment,
        account=invoice.account,
        amount=command.amount,
        currency=invoice.currency,
        at=command.at,
        open=left,
    )
    events = [event(received, invoice.environment, invoice.account, tx, command.payment_id)]
    events += await settle(tx, invoice, paid=invoice.paid + command.amount)
    return Done(
        events=tuple(events),
        changes=(change(command.payment_id, "created", "payment"), change(invoice.invoice_id)),
        touched=(invoice.invoice_id,),
    )
