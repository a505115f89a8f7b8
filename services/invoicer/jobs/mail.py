"""Mailing: one job per mail and recipient, until it is sent or undeliverable.

Before a mail is given to a server that is noted, and what became of it after; so a worker that
dies between the two mails at most once more, with the same Message-ID, and that is counted. So is
a line that breaks off after the mail was given. Temporary refusals (4xx) are tried again with
growing delays for up to two days; 5xx are for good; a server that is away is waited for, without
end.

A few are noted together, sent side by side and recorded together: never more than a worker has
connections, so that no more than these are in doubt when it is killed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from runtime.faults import Fault, LeaseLost, fault_of
from runtime.jobs import Bundle, BundleTx, JobKind, StepTx, Work
from services.invoicer.composing import Make, compose
from services.invoicer.documents.mime import BadAddressError, Composed, message_id
from services.invoicer.fresh import Fresh
from services.invoicer.jobs.fates import failed, sent
from services.invoicer.metrics import MAILS, MAYBE_TWICE
from services.invoicer.settings import Settings
from services.invoicer.smtp import Mailer
from services.invoicer.smtp_outcomes import Away, Outcome, Refused, Sent, Unsure
from services.invoicer.store import mails, registry
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


LINGER_S = 0.02
"""So long a mail that was taken waits for those sent beside it, to be recorded with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """A mail that was noted as handed over, and how it is made."""

    work: Work
    mail: Mail
    make: Make


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unfit:
    """The address is none that a mail can be sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posted:
    """A mail, and what came of sending it."""

    letter: _Letter
    outcome: Outcome | _Unfit
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """The job "mail": payload {environment, mail_id}."""

    settings: Settings
    mailer: Mailer
    fresh: Fresh = field(default_factory=Fresh)

    def kind(self) -> JobKind:
        connections = self.settings.smtp_connections
        return JobKind(
            kind="mail",
            cleared=True,
            run=self.run,
            side_by_side=connections,
            lease_s=LEASE_S,
            in_turns=True,
            on_poison=self.on_poison,
            together=self.together,
            at_once=connections,
            in_hand=connections,
        )

    async def run(self, work: Work) -> None:
        """As `together`, of one."""
        await self.together(Bundle([work]))

    async def together(self, bundle: Bundle) -> None:
        """Note, compose, send, record. One that our own code fails on is left open: alone its
        failure is its own."""
        number: int = bundle.works[0].job.payload["environment"]
        await self.mailer.ready()
        letters = await self._begin(bundle, number)
        sending = {asyncio.create_task(self._post(letter)) for letter in letters}
        left = set(sending)
        try:
            while left:
                done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
                if left:
                    more, left = await asyncio.wait(left, timeout=LINGER_S)
                    done |= more
                errors = [error for task in done if (error := task.exception()) is not None]
                if errors and len(bundle.works) == 1:
                    raise errors[0]
                await self._recorded(
                    bundle, number, [task.result() for task in done if task.exception() is None]
                )
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    async def _begin(self, bundle: Bundle, number: int) -> list[_Letter]:
        """The mails that are to go now, noted as handed over."""
        letters: list[_Letter] = []
        async with bundle.step() as tx:
            ids = {work: str(work.job.payload["mail_id"]) for work in tx.held}
            found = await mails.find(tx, number, *ids.values())
            state = await registry.environment(tx, number)
            for work in tx.held:
                mail = found.get(ids[work])
                if mail is None or mail.state != "pending":
                    tx.done(work)
                elif mail.unsure >= MOST_UNSURE:
                    await failed(tx, number, mail, None, "may_have_arrived", permanent=False)
                    tx.done(work)
                else:
                    sender = self.settings.mail_from
                    make = await compose(tx, number, state, mail, sender, self.fresh)
                    if make is None:  # its document is not made yet
                        tx.later(work, 2)
                    else:
                        letters.append(_Letter(work=work, mail=mail, make=make))
            return await self._handed_over(tx, number, letters)

    async def _handed_over(
        self, tx: BundleTx, number: int, letters: Sequence[_Letter]
    ) -> list[_Letter]:
        if not letters:
            return []
        named = {x.mail.mail_id: self._name(x.mail) for x in letters}
        times = await mails.hand_over(tx, number, named)
        for letter in letters:
            mail = letter.mail
            if mail.mail_id not in times:
                tx.done(letter.work)  # it has its fate
            elif times[mail.mail_id] > mail.attempts + 1:
                MAYBE_TWICE.inc()
                log.warning("a mail may arrive twice", environment=number, mail=mail.mail_id)
        return [x for x in letters if x.mail.mail_id in times]

    def _name(self, mail: Mail) -> str:
        try:
            return message_id(mail.mail_id, mail.recipient, self.settings.mail_from)
        except BadAddressError:  # composing finds so too, for every part of an address
            return ""

    async def _post(self, letter: _Letter) -> _Posted:
        try:
            # A guest's mail is made in a millisecond; a report or a statement may be large.
            small = letter.mail.kind in ("invoice", "credit_note")
            message = letter.make() if small else await asyncio.to_thread(letter.make)
        except BadAddressError:
            return _Posted(letter=letter, outcome=_Unfit())
        return _Posted(
            letter=letter, outcome=await self._send(message), message_id=message.message_id
        )

    async def _send(self, message: Composed) -> Outcome:
        return await self.mailer.send(self.settings.mail_from, message.to, message.content)

    async def _recorded(self, bundle: Bundle, number: int, posted: Sequence[_Posted]) -> None:
        """Record what came of mails; where our own code fails on that, of each by itself."""
        try:
            if posted:
                await self._record(bundle, number, posted)
        except LeaseLost as error:
            log.info("mails taken over by another worker", why=str(error))
        except Exception as error:
            if fault_of(error) is not Fault.OWN or len(bundle.works) == 1:
                raise
            if len(posted) > 1:
                for each in posted:
                    await self._recorded(bundle, number, [each])

    async def _record(self, bundle: Bundle, number: int, posted: Sequence[_Posted]) -> None:
        async with bundle.step([x.letter.work for x in posted]) as tx:
            ours = [x for x in posted if x.letter.work in tx.held]
            taken = [x for x in ours if isinstance(x.outcome, Sent)]
            if taken:
                named = {x.letter.mail.mail_id: (x.letter.mail, x.message_id) for x in taken}
                await sent(tx, number, named)
                tx.done(*(x.letter.work for x in taken))
            for each in ours:
                if not isinstance(each.outcome, Sent):
                    await self._not_sent(tx, number, each.letter, each.outcome)

    async def _not_sent(
        self, tx: BundleTx, number: int, letter: _Letter, outcome: Away | Unsure | Refused | _Unfit
    ) -> None:
        work, mail = letter.work, letter.mail
        if isinstance(outcome, Away):
            MAILS.labels(mail.kind, "waiting").inc()
            fault = outcome.why.partition(":")[0]  # a server's words may name whom the mail is for
            log.info("the mail server is away", environment=number, mail=mail.mail_id, why=fault)
            await mails.put_off(tx, number, mail.mail_id, None, outcome.why)
            tx.later(work, self.settings.smtp_away_s)
        elif isinstance(outcome, Unsure):
            MAILS.labels(mail.kind, "unsure").inc()
            log.warning("no answer to a mail", environment=number, mail=mail.mail_id)
            await mails.unsure(tx, number, mail.mail_id, outcome.why)
            tx.later(work, delay_s(self.settings.smtp_retry_s, mail.unsure))
        elif isinstance(outcome, _Unfit):
            await failed(tx, number, mail, None, "bad_address", permanent=True)
            tx.done(work)
        elif outcome.permanent or self._too_long(tx, mail):
            code, said = outcome.code, outcome.said
            await failed(tx, number, mail, code, said, permanent=outcome.permanent)
            tx.done(work)
        else:
            MAILS.labels(mail.kind, "put_off").inc()
            await mails.put_off(tx, number, mail.mail_id, outcome.code, outcome.said)
            tx.later(work, delay_s(self.settings.smtp_retry_s, mail.refusals))

    def _too_long(self, tx: BundleTx, mail: Mail) -> bool:
        """Whether temporary refusals have gone on for too long."""
        since = mail.refused_since or tx.now
        return (tx.now - since).total_seconds() >= self.settings.smtp_give_up_s

    async def on_poison(self, work: Work, tx: StepTx) -> None:
        """Our own code fails on this mail: finance must know that it was not sent."""
        number, mail_id = work.job.payload["environment"], work.job.payload["mail_id"]
        for mail in (await mails.find(tx, number, mail_id)).values():
            await failed(tx, number, mail, None, "not_processed", permanent=True)
