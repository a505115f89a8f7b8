"""invoice.send: mail an issued invoice, or a credit note of it, again or to another address."""

from typing import Literal

from runtime.transaction import Tx
from schemas.invoices import InvoiceSend
from services.invoicer import parties
from services.invoicer.handlers.finding import find_issued
from services.invoicer.replies import Done, Refusal, change
from services.invoicer.store import documents, mails, registry
from services.invoicer.store.mails import NewMail


async def send(command: InvoiceSend, tx: Tx) -> Done | Refusal:
    """Record the mail; invoice.sent (of a credit note credit_note.sent) or invoice.undeliverable
    tells what became of it.

    Without `to` it goes to the present address of the holder that it was made out to: what one
    guest had is not mailed to the next who holds the account.
    """
    invoice = await find_issued(tx, command.environment, command.invoice_id)
    if isinstance(invoice, Refusal):
        return invoice
    number, note = command.environment, command.credit_note_id
    if note and not await documents.credit_note_exists(tx, number, note, invoice.invoice_id):
        return Refusal(
            reason="credit_note_unknown",
            field="credit_note_id",
            message="This invoice has no such credit note.",
        )
    address = command.to
    if address is None:
        holding = (await registry.holdings(tx, number, [invoice.account])).get(invoice.account)
        holder = holding.holder if holding else None
        if holder and not parties.is_whom(holder, invoice.holder, invoice.buyer):
            return Refusal(
                reason="holder_changed",
                field="to",
                message="The account has another holder than this was made out to; give an "
                "address with `to`.",
            )
        address, why_not = parties.mail_address(holder)
        if address is None:
            return Refusal(
                reason=why_not,
                field="to",
                message="The holder has no address to mail to; give one with `to`.",
            )
    kind: Literal["invoice", "credit_note"] = "credit_note" if note else "invoice"
    document_id = note or invoice.invoice_id
    mail = NewMail(kind=kind, ref=document_id, recipient=address, cause=command.command_id)
    await mails.add(tx, number, [mail])
    if await documents.exists(tx, number, document_id, draft=False):
        await tx.add_job(
            "mail", f"{number}/{mail.mail_id}", {"environment": number, "mail_id": mail.mail_id}
        )
    else:  # still to be made, or it could not be made: then this tries anew
        await tx.add_job(
            "document",
            f"{number}/{document_id}/{command.command_id}",
            {"environment": number, "kind": kind, "id": document_id},
        )
    changed = change(document_id, "changed", kind)
    return Done(changes=(changed,), touched=(invoice.invoice_id,))
