"""Money for an issued invoice. payment.record: it came in; partly, too much, or for a credited one.
payment.refund: it was paid back; never more than came too much. Or a payment is undone.

Both change the invoice's `paid`, and stand in one table with ids that they share: what is paid is
the sum of what came in less what went back.
"""

from runtime.transaction import Tx
from schemas.billing import PaymentReceived, PaymentRefunded
from schemas.invoices import PaymentRecord, PaymentRefund
from services.invoicer.documents.text import money
from services.invoicer.events import event
from services.invoicer.handlers.finding import find_issued
from services.invoicer.issuing import settle
from services.invoicer.replies import Done, Refusal, change
from services.invoicer.store import invoices
from services.invoicer.store.invoices import Invoice


async def record(command: PaymentRecord, tx: Tx) -> Done | Refusal:
    """payment.received, and invoice.paid when nothing is open any more."""
    invoice = await _invoice(tx, command)
    if isinstance(invoice, Refusal):
        return invoice
    left = invoice.open - command.amount
    await invoices.add_payment(tx, invoice, command, command.payment_id, command.amount, left)
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


async def refund(command: PaymentRefund, tx: Tx) -> Done | Refusal:
    """payment.refunded. Of what came too much the invoice's status stays: paid, or credited. Where
    a payment is undone it is to be paid again."""
    invoice = await _invoice(tx, command)
    if isinstance(invoice, Refusal):
        return invoice
    refusal = await _not_to_be_had(tx, command, invoice)
    if refusal is not None:
        return refusal
    left = invoice.open + command.amount
    await invoices.add_payment(tx, invoice, command, command.refund_id, -command.amount, left)
    refunded = PaymentRefunded(
        refund_id=command.refund_id,
        invoice_id=invoice.invoice_id,
        number=invoice.number or "",
        environment=invoice.environment,
        account=invoice.account,
        amount=command.amount,
        currency=invoice.currency,
        at=command.at,
        open=left,
        reverses=command.reverses,
        method=command.method,
    )
    events = [event(refunded, invoice.environment, invoice.account, tx, command.refund_id)]
    events += await settle(tx, invoice, paid=invoice.paid - command.amount)
    return Done(
        events=tuple(events),
        changes=(change(command.refund_id, "created", "payment"), change(invoice.invoice_id)),
        touched=(invoice.invoice_id,),
    )


async def _not_to_be_had(tx: Tx, command: PaymentRefund, invoice: Invoice) -> Refusal | None:
    """Why so much can't have gone back; None where it can."""
    too_much = max(0, -invoice.open)
    if command.reverses is not None:
        left = await invoices.payment_left(tx, invoice, command.reverses)
        if left is None:
            return Refusal(
                reason="payment_unknown",
                field="reverses",
                message="This invoice has no such payment.",
            )
        # What was paid back of it since is gone already.
        return _exceeds(command.amount, min(left, invoice.paid), "exceeds_payment", invoice)
    if too_much:
        return _exceeds(command.amount, too_much, "exceeds_overpayment", invoice)
    return Refusal(
        reason="nothing_to_refund",
        field="amount",
        message="No more was paid for this invoice than is due. Where its guest is to have money "
        "back nevertheless, credit it first; a payment that never came is undone with `reverses`.",
    )


def _exceeds(amount: int, most: int, reason: str, invoice: Invoice) -> Refusal | None:
    if amount <= most:
        return None
    worth = money(most, invoice.currency, "en")
    left = (
        f"Of this invoice {worth} was paid too much; no more can be paid back."
        if reason == "exceeds_overpayment"
        else f"Of that payment {worth} is left; no more can be undone."
    )
    return Refusal(reason=reason, field="amount", message=left)


async def _invoice(tx: Tx, command: PaymentRecord | PaymentRefund) -> Invoice | Refusal:
    """The invoice that is named by its id or its number."""
    invoice_id = command.invoice_id
    if command.number is not None:
        invoice_id = await invoices.by_number(tx, command.environment, command.number)
    if invoice_id is None:
        return Refusal(
            reason="invoice_unknown", field="number", message="There is no invoice of this number."
        )
    return await find_issued(tx, command.environment, invoice_id)
