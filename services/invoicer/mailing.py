"""Which mails a new invoice, a credit note or a run gives, and whom there is none to mail to."""

from collections.abc import Iterable

from runtime.answers import Answer
from runtime.transaction import Tx
from schemas.billing import InvoiceUndeliverable
from schemas.registry import EnvironmentState
from services.invoicer import parties
from services.invoicer.events import event
from services.invoicer.making import NewCredit, NewInvoice
from services.invoicer.store import invoices, mails
from services.invoicer.store.mails import NewMail


async def mail(tx: Tx, environment: EnvironmentState, wanted: Iterable[NewInvoice]) -> list[Answer]:
    """Record the mails of issued invoices; tell at once where there is no address to mail to.

    Finance's copies go whether or not the guests are mailed now: they follow the issue. A later
    invoice.send mails the guest alone, so finance never gets a second one.
    """
    new_mails: list[NewMail] = []
    told: list[Answer] = []
    for new in wanted:
        new_mails += copies(environment, "invoice", new.invoice_id)
        if not new.send:
            continue
        address, why_not = parties.mail_address(new.customer)
        if address is None:
            told += await undeliverable(tx, environment.environment, new, why_not)
        else:
            new_mails.append(
                NewMail(kind="invoice", ref=new.invoice_id, recipient=address, cause="issue")
            )
    await mails.add(tx, environment.environment, new_mails)
    return told


async def undeliverable(tx: Tx, environment: int, new: NewInvoice, why_not: str) -> list[Answer]:
    """There is no address: finance must act."""
    await invoices.mailed(tx, environment, [new.invoice_id], "undeliverable", ("issued",))
    said = InvoiceUndeliverable(
        invoice_id=new.invoice_id,
        environment=environment,
        account=new.account,
        reason=why_not,
        permanent=True,
    )
    return [event(said, environment, new.account, tx, new.invoice_id, why_not)]


def copies(environment: EnvironmentState, kind: mails.Kind, ref: str) -> list[NewMail]:
    """Finance's own copy of each document, where it wants one."""
    if environment.finance_copy != "each" or not environment.finance_email:
        return []
    return [
        NewMail(kind=kind, ref=ref, recipient=environment.finance_email, cause="issue", copy=True)
    ]


async def mail_credit(tx: Tx, environment: EnvironmentState, new: NewCredit) -> None:
    """Finance gets its copy; who got the invoice by mail gets its credit note, where mails go."""
    number = environment.environment
    wanted = copies(environment, "credit_note", new.credit_note_id)
    if new.send:
        wanted += [
            NewMail(kind="credit_note", ref=new.credit_note_id, recipient=address, cause="issue")
            for address in await mails.recipients(tx, number, new.invoice.invoice_id)
        ]
    await mails.add(tx, number, wanted)


async def mail_report(tx: Tx, environment: EnvironmentState, run_id: str) -> None:
    """Finance gets a run's report, where it wants one."""
    if environment.finance_copy != "report" or not environment.finance_email:
        return
    number = environment.environment
    # Two venues of one bookkeeper may name a run alike: their mails still are two.
    cause = f"run of {number}"
    new = NewMail(kind="report", ref=run_id, recipient=environment.finance_email, cause=cause)
    await mails.add(tx, number, [new])
    await tx.add_job(
        "mail", f"{number}/{new.mail_id}", {"environment": number, "mail_id": new.mail_id}
    )
