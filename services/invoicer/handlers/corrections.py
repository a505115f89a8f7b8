"""invoice.correct: a credit note and a new invoice in one transaction.

Without `exclude_sales` and `account` the invoice is made again as things are now (another holder,
address, or sales taken back meanwhile). `exclude_sales` are left off; with `account` they move to
that account, or all of the invoice's sales where the list is absent (an empty one is refused). What
comes off is taken back by sale.cancelled on pos.sales, as a till would, and held until its reversal
has come back; a moved sale is then recorded on the other account (moves.py). Ids are made from the
command's and the sale's, so that a repetition changes nothing.
"""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from runtime.answers import Answer, answer
from runtime.transaction import Tx
from schemas.invoices import InvoiceCorrect
from schemas.pos import SaleCancelled
from schemas.registry import EnvironmentState
from schemas.values import account_key
from services.invoicer import issuing, parties
from services.invoicer.admission import unready
from services.invoicer.documents.text import clean
from services.invoicer.domain import bills, month_end
from services.invoicer.handlers.drafts import settled, whole_credit
from services.invoicer.handlers.finding import find_issued
from services.invoicer.making import NewInvoice
from services.invoicer.names import made
from services.invoicer.replies import Done, Refusal, change
from services.invoicer.store import issuing as rows
from services.invoicer.store import mails, registry, sales
from services.invoicer.store.invoices import Invoice


async def correct(command: InvoiceCorrect, tx: Tx) -> Done | Refusal:
    """Credit all of it; invoice what remains; send away what does not."""
    invoice = await find_issued(tx, command.environment, command.invoice_id)
    if isinstance(invoice, Refusal):
        return invoice
    environment = await registry.environment(tx, command.environment)
    assert environment is not None  # an invoice has one
    refusal = settled(invoice) or _unreasoned(command) or await unready(tx, environment)
    if refusal is None:
        refusal = await _wrong_account(tx, command, invoice)
    if refusal is not None:
        return refusal
    note = await whole_credit(tx, invoice, command.command_id, command.reason)
    off, kept, strange = parted((item.sale_id for item in note.items), command)
    if strange:
        return _not_on_it(strange)
    if kept and (refusal := await _no_buyer(tx, invoice)) is not None:
        return refusal
    events = await issuing.issue(tx, environment, [], [note])
    again = await _again(tx, environment, invoice, kept, command)
    taken_off = await _take_off(tx, command, invoice, off)
    changes = [
        change(invoice.invoice_id),
        change(note.credit_note_id, "created", "credit_note"),
        *(change(sale, "changed", "sale") for sale in off),
    ]
    if again is not None:
        events += await issuing.issue(tx, environment, [again])
        changes.append(change(again.invoice_id, "created"))
    touched = (invoice.invoice_id, *(() if again is None else (again.invoice_id,)))
    return Done(events=(*events, *taken_off), changes=tuple(changes), touched=touched)


def parted(
    its_sales: Iterable[str], command: InvoiceCorrect
) -> tuple[list[str], list[str], list[str]]:
    """The sales that come off an invoice, those of its own that stay, and those that it has not."""
    its = dict.fromkeys(its_sales)
    off = dict.fromkeys(command.exclude_sales or ())
    if command.account and command.exclude_sales is None:
        off = its
    kept = [sale for sale in its if sale not in off]
    return list(off), kept, [sale for sale in off if sale not in its]


def _not_on_it(strange: list[str]) -> Refusal:
    more = "" if len(strange) == 1 else f", nor do {len(strange) - 1} more of those named"
    return Refusal(
        reason="sale_not_on_invoice",
        field="exclude_sales",
        message=f"Sale {strange[0]} does not stand on this invoice{more}.",
    )


def _unreasoned(command: InvoiceCorrect) -> Refusal | None:
    """A credit note says why it was made: its reader, and the auditor, see nothing else."""
    if clean(command.reason):
        return None
    return Refusal(
        reason="reason_missing",
        field="reason",
        message="Say in reason why it is corrected: the credit note tells its reader so.",
    )


async def _wrong_account(tx: Tx, command: InvoiceCorrect, invoice: Invoice) -> Refusal | None:
    if command.account is None:
        return None
    if command.account == invoice.account:
        return Refusal(
            reason="same_account", field="account", message="The sales are on this account already."
        )
    if command.exclude_sales is not None and not command.exclude_sales:
        return Refusal(
            reason="sales_missing",
            field="exclude_sales",
            message="exclude_sales names no sale to move; leave it out to move all of them.",
        )
    holdings = await registry.holdings(tx, command.environment, [command.account])
    if not (command.account in holdings and holdings[command.account].known):
        return Refusal(
            reason="account_unknown", field="account", message="There is no such account here."
        )
    return None


async def _no_buyer(tx: Tx, invoice: Invoice) -> Refusal | None:
    """Why the invoice can't be made again. Where all of its sales go nobody need be found."""
    holdings = await registry.holdings(tx, invoice.environment, [invoice.account])
    unfit = parties.unfit(holdings[invoice.account].holder)
    if unfit is None:
        return None
    return Refusal(
        reason=str(unfit),
        field="invoice_id",
        message="The account has no holder with a full postal address to invoice.",
    )


async def _again(
    tx: Tx,
    environment: EnvironmentState,
    invoice: Invoice,
    kept: list[str],
    command: InvoiceCorrect,
) -> NewInvoice | None:
    """The new invoice over the sales that remain; None where nothing does.

    It is of the invoice's month. What the venue's time zone, changed since, puts into another one
    is left to the next run: an invoice covers at most one.
    """
    if not kept:
        return None
    number = environment.environment
    zone = ZoneInfo(environment.time_zone)
    holder = (await registry.holdings(tx, number, [invoice.account]))[invoice.account].holder
    assert holder is not None  # `_no_buyer` saw to it
    lines = await rows.open_lines(
        tx, number, [invoice.account], month_end(invoice.period, zone), kept
    )
    its_bills = bills(lines[invoice.account], zone)
    bill = next((one for one in its_bills if one.period == invoice.period), None)
    if bill is None or bill.total <= 0:
        return None
    return NewInvoice(
        invoice_id=made("invoice", number, command.command_id, invoice.account, invoice.period),
        account=invoice.account,
        bill=bill,
        customer=holder,
        send=invoice.send or bool(await mails.recipients(tx, number, invoice.invoice_id)),
    )


async def _take_off(
    tx: Tx, command: InvoiceCorrect, invoice: Invoice, off: list[str]
) -> list[Answer]:
    """Hold these sales and ask the authorizer to take them back."""
    number = command.environment
    cancellations = {sale: made("cancellation", number, command.command_id, sale) for sale in off}
    await sales.take_off(
        tx,
        number,
        [
            (
                cancellations[sale],
                sale,
                made("moved", number, command.command_id, sale) if command.account else None,
                command.account,
            )
            for sale in off
        ],
    )
    terminals = await sales.terminals(tx, number, off)
    return [
        answer(
            "pos.sales",
            account_key(number, invoice.account),
            SaleCancelled(
                cancellation_id=cancellations[sale],
                sale_id=sale,
                environment=number,
                terminal=terminals[sale],
                account=invoice.account,
                at=tx.now,
                reason="cancelled",
            ),
            id=f"sale.cancelled/{number}/{cancellations[sale]}",
            time=tx.now,
        )
        for sale in off
    ]
