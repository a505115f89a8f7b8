"""What became of mails, and what finance hears of it."""

from collections.abc import Mapping

import structlog

from runtime.answers import Answer, answer
from runtime.jobs import AnsweringTx
from schemas.billing import CreditNoteSent, InvoiceSent, InvoiceUndeliverable
from schemas.statements import StatementSent, StatementUndeliverable
from services.invoicer.events import event
from services.invoicer.metrics import MAILS
from services.invoicer.replies import EVENTS
from services.invoicer.store import invoices, mails, statements
from services.invoicer.store.mails import Mail

log = structlog.get_logger()


async def failed(
    tx: AnsweringTx, number: int, mail: Mail, code: int | None, said: str, *, permanent: bool
) -> None:
    """End a mail as undeliverable, and tell finance what did not reach its guest.

    An invoice that was delivered stays so, whatever becomes of a later mail to another address.
    """
    MAILS.labels(mail.kind, "failed").inc()
    if not await mails.end(tx, number, [mail.mail_id], "failed", code, said):
        return
    log.warning("a mail is undeliverable", environment=number, mail=mail.mail_id, code=code)
    if mail.kind == "statement":
        tx.answer(await _no_statement(tx, number, mail, code, said, permanent=permanent))
    invoice_id, account = mail.invoice_id, mail.account
    if invoice_id is None or account is None or mail.copy:
        return
    if mail.kind == "invoice":
        await invoices.mailed(tx, number, [invoice_id], "undeliverable", ("issued",))
    said_so = InvoiceUndeliverable(
        invoice_id=invoice_id,
        environment=number,
        account=account,
        to=mail.recipient,
        code=code,
        reason=said if mail.kind == "invoice" else f"credit note: {said}",
        permanent=permanent,
        credit_note_id=mail.ref if mail.kind == "credit_note" else None,
    )
    tx.answer(event(said_so, number, account, tx, invoice_id, mail.mail_id))


async def _no_statement(
    tx: AnsweringTx, number: int, mail: Mail, code: int | None, said: str, *, permanent: bool
) -> Answer:
    key, asked = await statements.asked(tx, number, mail.ref)
    told_so = StatementUndeliverable(
        statement_id=asked,
        environment=number,
        account=key.partition(":")[2] or None,
        to=mail.recipient,
        code=code,
        reason=said,
        permanent=permanent,
    )
    name = f"statement.undeliverable/{number}/{mail.mail_id}"
    return answer(EVENTS, key, told_so, id=name, time=tx.now)


async def sent(tx: AnsweringTx, number: int, mails_sent: Mapping[str, tuple[Mail, str]]) -> None:
    """End mails as sent, given by id with their Message-IDs; finance hears what was delivered."""
    ended = await mails.end(tx, number, list(mails_sent), "sent", None, "")
    fresh = [pair for mail_id, pair in mails_sent.items() if mail_id in ended]
    arrived = [
        mail.invoice_id
        for mail, _ in fresh
        if mail.kind == "invoice" and mail.invoice_id is not None and not mail.copy
    ]
    if arrived:
        await invoices.mailed(tx, number, arrived, "sent", ("issued", "undeliverable"))
    for mail, message_id in fresh:
        MAILS.labels(mail.kind, "sent").inc()
        tx.answer(*await _told(tx, number, mail, message_id))


async def _told(tx: AnsweringTx, number: int, mail: Mail, message_id: str) -> list[Answer]:
    """What finance hears of a mail that was sent."""
    if mail.copy:
        return []
    if mail.kind == "statement":
        key, asked = await statements.asked(tx, number, mail.ref)
        told_so = StatementSent(
            statement_id=asked,
            environment=number,
            to=mail.recipient,
            message_id=message_id,
            at=tx.now,
        )
        name = f"statement.sent/{number}/{mail.mail_id}"
        return [answer(EVENTS, key, told_so, id=name, time=tx.now)]
    invoice_id, account = mail.invoice_id, mail.account
    if invoice_id is None or account is None:
        return []
    if mail.kind == "credit_note":
        note = CreditNoteSent(
            credit_note_id=mail.ref,
            invoice_id=invoice_id,
            environment=number,
            account=account,
            to=mail.recipient,
            message_id=message_id,
            at=tx.now,
        )
        return [event(note, number, account, tx, mail.ref, mail.mail_id)]
    told = InvoiceSent(
        invoice_id=invoice_id,
        environment=number,
        account=account,
        to=mail.recipient,
        message_id=message_id,
        at=tx.now,
    )
    return [event(told, number, account, tx, invoice_id, mail.mail_id)]
