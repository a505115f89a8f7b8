"""What is not yet invoiced, as the invoicer tells it when asked (topic invoices.documents)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from schemas.base import Message, Part
from schemas.billing import SmtpCode
from schemas.values import (
    Account,
    Count,
    Currency,
    Email,
    Environment,
    InvoiceNumber,
    LongText,
    Note,
    Period,
    Sum,
    Time,
    Uuid,
    Word,
    entries,
)

MOST_LISTED: Final = 20_000
"""Entries, in order of account: `count` and `amount` are of all that there are."""


class PendingAmount(Part):
    """What one account has open of one month. `why`: it would stay so if a run came now."""

    account: Account
    period: Period
    sales: Count
    amount: Sum
    why: Word | None = None


class PendingSale(Part):
    """How one sale stands: `amount` is what is still to be invoiced of it, or taken back.

    `state` is pending, held, declined, cancelled, settled, returned, billed, credit_due,
    nothing_to_pay or unknown; `reason` why it was declined, or why a pending one would
    stay so if a run came now; `numbers` its invoices; `moved_to` the account to which a
    correction took it.
    """

    sale_id: Uuid
    account: Account | None = None
    booked_at: Time | None = None
    period: Period | None = None
    total: Sum | None = None
    amount: Sum
    state: Word
    reason: Word | None = None
    numbers: Annotated[tuple[InvoiceNumber, ...], entries(1000)] | None = None
    moved_to: Account | None = None


class PendingMail(Part):
    """A mail of an invoice, or of its credit note, that no mail server took yet.

    `since`: when it was asked for. `tries` are those whose outcome is known; `reason`, and `code`
    where the mail server gave one, tell of the last. It is tried again.
    """

    invoice_id: Uuid
    credit_note_id: Uuid | None = None
    number: InvoiceNumber
    account: Account
    to: Email
    since: Time
    tries: Count
    code: SmtpCode | None = None
    reason: Note | None = None


class FailedMails(Part):
    """Mails to finance itself that will never arrive: how many since one last did, and the last.

    `at`: when that was given up; `reason`, and `code` where the mail server gave one, say why.
    """

    to: Email
    count: Count
    kind: Literal["report", "invoice", "credit_note"]
    at: Time
    code: SmtpCode | None = None
    reason: Note


class PendingListed(Message):
    """What is not yet invoiced, or mailed. Beyond 20,000 entries only the first are listed;
    `amount` and `count` are of all. `lacking` is what the environment lacks to issue at all.
    `finance` goes with `mails`: which of finance's own mails failed, if any did."""

    answer_ids: ClassVar[tuple[str, ...]] = ("request_id", "environment")

    type: Literal["pending.listed"] = "pending.listed"
    request_id: Uuid
    environment: Environment
    part: Annotated[int, Field(strict=True, ge=1, le=1000)]
    parts: Annotated[int, Field(strict=True, ge=1, le=1000)]
    currency: Currency
    count: Count
    amount: Sum
    accounts: Annotated[tuple[PendingAmount, ...], entries(5000)] = ()
    sales: Annotated[tuple[PendingSale, ...], entries(5000)] = ()
    mails: Annotated[tuple[PendingMail, ...], entries(5000)] = ()
    finance: FailedMails | None = None
    lacking: LongText | None = None
