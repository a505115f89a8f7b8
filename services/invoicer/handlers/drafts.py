"""invoice.approve and invoice.delete: the two ends of a draft, and the end of an invoice."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from runtime.transaction import Tx
from schemas.invoices import InvoiceApprove, InvoiceDelete
from schemas.registry import EnvironmentState
from services.invoicer import drafting, issuing, parties
from services.invoicer.admission import unready
from services.invoicer.domain import Item, bill_of_draft, bills, month_end
from services.invoicer.handlers.finding import find
from services.invoicer.making import NewCredit, NewInvoice
from services.invoicer.names import made
from services.invoicer.replies import Done, Refusal, change
from services.invoicer.store import invoices, registry
from services.invoicer.store import issuing as rows
from services.invoicer.store.invoices import Invoice
from services.invoicer.viewing import send_statements


async def approve(command: InvoiceApprove, tx: Tx) -> Done | Refusal:
    """Issue a draft as it was reviewed; refused, with a new draft, where its total has changed."""
    draft = await find(tx, command.environment, command.invoice_id)
    if isinstance(draft, Refusal):
        return draft
    if draft.status != "draft":
        return Refusal(
            reason="not_a_draft",
            field="invoice_id",
            message=f"This invoice is {draft.status}; only a draft can be approved.",
        )
    environment = await registry.environment(tx, command.environment)
    assert environment is not None  # an invoice has one
    refusal = await unready(tx, environment)
    if refusal is not None:
        return refusal
    new = await _again(tx, environment, draft)
    if isinstance(new, Refusal):
        return new
    if new is None or new.bill.total != draft.total:
        return await _changed(tx, environment, draft, new, command.command_id)
    await rows.drop_draft_lines(tx, command.environment, draft.invoice_id)
    supplementary = (draft.account, draft.period) in await rows.months_invoiced(
        tx, command.environment, [draft.account]
    )
    events = await issuing.issue(tx, environment, [replace(new, supplementary=supplementary)])
    if draft.send:
        cause = draft.run_id or draft.invoice_id
        await send_statements(tx, environment, cause, draft.period, [draft.account])
    return Done(
        events=tuple(events), changes=(change(draft.invoice_id),), touched=(draft.invoice_id,)
    )


async def _again(
    tx: Tx, environment: EnvironmentState, draft: Invoice
) -> NewInvoice | Refusal | None:
    """The draft computed afresh: its account and month as they are now. None: nothing is due."""
    number = environment.environment
    zone = ZoneInfo(environment.time_zone)
    holding = (await registry.holdings(tx, number, [draft.account])).get(draft.account)
    holder = holding.holder if holding else None
    unfit = parties.unfit(holder)
    if unfit is not None or holder is None:
        return Refusal(
            reason=str(unfit),
            message="The account has no holder with a full postal address to invoice.",
        )
    lines = await rows.open_lines(tx, number, [draft.account], month_end(draft.period, zone))
    its_bill = bill_of_draft(bills(lines[draft.account], zone), draft.period, draft.total)
    if its_bill is None or its_bill.total <= 0:
        return None
    return NewInvoice(
        invoice_id=draft.invoice_id,
        account=draft.account,
        bill=its_bill,
        customer=holder,
        run_id=draft.run_id,
        send=draft.send,
    )


async def _changed(
    tx: Tx, environment: EnvironmentState, draft: Invoice, new: NewInvoice | None, command_id: str
) -> Refusal:
    """The old draft goes; a new one takes its place where something is due."""
    events = await drafting.vanish(tx, [draft])
    successor = ""
    if new is not None:
        its_id = made("draft", draft.environment, draft.invoice_id, command_id)
        again = replace(new, invoice_id=its_id)
        events += await issuing.draft(tx, environment, [again])
        successor = f" The new draft is {again.invoice_id}."
    return Refusal(
        reason="draft_changed",
        field="invoice_id",
        message=f"What is due is no longer what was reviewed.{successor}",
        events=tuple(events),
        touched=(draft.invoice_id,) if new is None else (draft.invoice_id, again.invoice_id),
    )


async def delete(command: InvoiceDelete, tx: Tx) -> Done | Refusal:
    """A draft vanishes; an issued invoice gets a credit note that frees its sales."""
    invoice = await find(tx, command.environment, command.invoice_id)
    if isinstance(invoice, Refusal):
        return invoice
    if invoice.status == "draft":
        events = await drafting.vanish(tx, [invoice])
        return Done(
            events=tuple(events),
            changes=(change(invoice.invoice_id),),
            touched=(invoice.invoice_id,),
        )
    environment = await registry.environment(tx, command.environment)
    assert environment is not None  # an invoice has one
    refusal = settled(invoice) or await unready(tx, environment)
    if refusal is not None:
        return refusal
    note = await whole_credit(tx, invoice, command.command_id, "deleted")
    events = await issuing.issue(tx, environment, [], [note])
    return Done(
        events=tuple(events),
        changes=(change(invoice.invoice_id), change(note.credit_note_id, "created", "credit_note")),
        touched=(invoice.invoice_id,),
    )


def settled(invoice: Invoice) -> Refusal | None:
    """Nothing is left of it to take back."""
    if invoice.status in ("deleted", "credited"):
        return Refusal(
            reason=f"invoice_{invoice.status}",
            field="invoice_id",
            message=f"This invoice is {invoice.status} already.",
        )
    return None


async def whole_credit(tx: Tx, invoice: Invoice, command_id: str, reason: str) -> NewCredit:
    """A credit note of all that is left of an issued invoice; frees its sales."""
    standing = await invoices.items(tx, invoice.environment, invoice.invoice_id)
    return NewCredit(
        credit_note_id=made("credit", invoice.environment, command_id, invoice.invoice_id),
        invoice=invoice,
        items=tuple(
            Item(
                sale_id=s.item.sale_id,
                line=s.item.line,
                vat_rate=s.item.vat_rate,
                amount=s.item.amount - s.credited,
            )
            for s in standing
            if s.item.amount != s.credited
        ),
        frees=True,
        reason=reason,
        send=True,
    )
