"""Mailing: one job per mail and recipient, until it is sent or undeliverable.

Before a mail is given to a server that is noted, and what became of it after; so a worker that
dies between the two mails at most once more, with the same Message-ID, and that is counted. So is
a line that breaks off after the mail was given. Temporary refusals (4xx) are tried again with
growing delays for up to two days; 5xx are for good; a server that is away is waited for, without
end.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from runtime.answers import Answer, answer
from runtime.jobs import JobKind, StepTx, Work
from schemas.billing import CreditNoteSent, InvoiceSent, InvoiceUndeliverable, StatementSent
from services.invoicer.composing import Make, compose
from services.invoicer.documents.mime import BadAddressError, Composed, message_id
from services.invoicer.events import event
from services.invoicer.fresh import Fresh
from services.invoicer.metrics import MAILS, MAYBE_TWICE
from services.invoicer.replies import EVENTS
from services.invoicer.settings import Settings
from services.invoicer.smtp import Mailer
from services.invoicer.smtp_outcomes import Away, Outcome, Refused, Sent, Unsure
from services.invoicer.store import invoices, mails, statements
from services.invoicer.store.mails import Mail

log = structlog.get_logger()

LONGEST_DELAY_S = 4 * 3_600

MOST_UNSURE = 4
"""So often a mail is given without an answer; after that finance is told that it may be there."""


def delay_s(first_s: float, attempts: int) -> float:
    """How long to wait after the n-th temporary refusal: doubling, at most four hours."""
    return float(min(first_s * 2 ** min(attempts, 20), LONGEST_DELAY_S))


LEASE_S = 30.0
"""It is renewed while a mail server takes its time, so it need not be as long as that may be: so
long waits a mail whose worker was killed. Not shorter: PostgreSQL may be away for some seconds,
and a mail that two workers hold is sent twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """The job "mail": payload {environment, mail_id}."""

    settings: Settings
    mailer: Mailer
    fresh: Fresh = field(default_factory=Fresh)

    def kind(self) -> JobKind:
        return JobKind(
            kind="mail",
            cleared=True,
            run=self.run,
            side_by_side=self.settings.smtp_connections,
            lease_s=LEASE_S,
            in_turns=True,
            on_poison=self.on_poison,
        )

    async def run(self, work: Work) -> None:
        """Note, compose, send, record."""
        number, mail_id = work.job.payload["environment"], work.job.payload["mail_id"]
        await self.mailer.ready()
        async with work.step() as tx:
            mail = await mails.find(tx, number, mail_id)
            if mail is None or mail.state != "pending":
                tx.done()
                return
            make = await self._begin(tx, number, mail)
            if make is None:
                return
        try:
            # A guest's mail is made in a millisecond; a report or a statement may be large.
            small = mail.kind in ("invoice", "credit_note")
            message = make() if small else await asyncio.to_thread(make)
        except BadAddressError:
            await self._fail(work, number, mail, None, "bad_address", permanent=True)
            return
        await self._record(work, number, mail, message, await self._send(message))

    async def _begin(self, tx: StepTx, number: int, mail: Mail) -> Make | None:
        """How to make the mail, noted as handed over; None where there is nothing to send now."""
        if mail.unsure >= MOST_UNSURE:
            await failed(tx, number, mail, None, "may_have_arrived", permanent=False)
            tx.done()
            return None
        make = await compose(tx, number, mail, self.settings.mail_from, self.fresh)
        if make is None:  # its document is not made yet
            tx.later(2)
            return None
        try:
            name = message_id(mail.mail_id, mail.recipient, self.settings.mail_from)
        except BadAddressError:  # composing finds so too, for every part of an address
            name = ""
        times = await mails.hand_over(tx, number, mail.mail_id, name)
        if times is not None and times > mail.attempts + 1:
            MAYBE_TWICE.inc()
            log.warning("a mail may arrive twice", environment=number, mail=mail.mail_id)
        return make

    async def _send(self, message: Composed) -> Outcome:
        return await self.mailer.send(self.settings.mail_from, message.to, message.content)

    async def _record(
        self, work: Work, number: int, mail: Mail, message: Composed, outcome: Outcome
    ) -> None:
        if isinstance(outcome, Sent):
            MAILS.labels(mail.kind, "sent").inc()
            async with work.step() as tx:
                if await mails.end(tx, number, mail.mail_id, "sent", None, ""):
                    tx.answer(*await _told(tx, number, mail, message.message_id))
                tx.done()
        elif isinstance(outcome, Away):
            MAILS.labels(mail.kind, "waiting").inc()
            log.info(
                "the mail server is away", environment=number, mail=mail.mail_id, why=outcome.why
            )
            async with work.step() as tx:
                await mails.put_off(tx, number, mail.mail_id, None, outcome.why)
                tx.later(self.settings.smtp_away_s)
        elif isinstance(outcome, Unsure):
            MAILS.labels(mail.kind, "unsure").inc()
            log.warning("no answer to a mail", environment=number, mail=mail.mail_id)
            async with work.step() as tx:
                await mails.unsure(tx, number, mail.mail_id, outcome.why)
                tx.later(delay_s(self.settings.smtp_retry_s, mail.unsure))
        elif outcome.permanent:
            await self._fail(work, number, mail, outcome.code, outcome.said, permanent=True)
        else:
            await self._refused(work, number, mail, outcome)

    async def _refused(self, work: Work, number: int, mail: Mail, outcome: Refused) -> None:
        """A temporary refusal: again later, unless that has gone on for too long."""
        async with work.step() as tx:
            since = mail.refused_since or tx.now
            if (tx.now - since).total_seconds() < self.settings.smtp_give_up_s:
                MAILS.labels(mail.kind, "put_off").inc()
                await mails.put_off(tx, number, mail.mail_id, outcome.code, outcome.said)
                tx.later(delay_s(self.settings.smtp_retry_s, mail.refusals))
                return
        await self._fail(work, number, mail, outcome.code, outcome.said, permanent=False)

    async def _fail(
        self, work: Work, number: int, mail: Mail, code: int | None, said: str, *, permanent: bool
    ) -> None:
        async with work.step() as tx:
            await failed(tx, number, mail, code, said, permanent=permanent)
            tx.done()

    async def on_poison(self, work: Work, tx: StepTx) -> None:
        """Our own code fails on this mail: finance must know that it was not sent."""
        number, mail_id = work.job.payload["environment"], work.job.payload["mail_id"]
        mail = await mails.find(tx, number, mail_id)
        if mail is not None:
            await failed(tx, number, mail, None, "not_processed", permanent=True)


async def failed(
    tx: StepTx, number: int, mail: Mail, code: int | None, said: str, *, permanent: bool
) -> None:
    """End a mail as undeliverable, and tell finance what did not reach its guest.

    An invoice that was delivered stays so, whatever becomes of a later mail to another address.
    """
    MAILS.labels(mail.kind, "failed").inc()
    if not await mails.end(tx, number, mail.mail_id, "failed", code, said):
        return
    log.warning("a mail is undeliverable", environment=number, mail=mail.mail_id, code=code)
    invoice_id, account = mail.invoice_id, mail.account
    if invoice_id is None or account is None or mail.copy:
        return
    if mail.kind == "invoice":
        await invoices.mailed(tx, number, invoice_id, "undeliverable", ("issued",))
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


async def _told(tx: StepTx, number: int, mail: Mail, message_id: str) -> list[Answer]:
    """What finance hears of a mail that was sent."""
    if mail.copy:
        return []
    if mail.kind == "statement":
        key, asked = await statements.asked(tx, number, mail.ref)
        sent = StatementSent(
            statement_id=asked,
            environment=number,
            to=mail.recipient,
            message_id=message_id,
            at=tx.now,
        )
        name = f"statement.sent/{number}/{mail.mail_id}"
        return [answer(EVENTS, key, sent, id=name, time=tx.now)]
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
    await invoices.mailed(tx, number, invoice_id, "sent", ("issued", "undeliverable"))
    told = InvoiceSent(
        invoice_id=invoice_id,
        environment=number,
        account=account,
        to=mail.recipient,
        message_id=message_id,
        at=tx.now,
    )
    return [event(told, number, account, tx, invoice_id, mail.mail_id)]
