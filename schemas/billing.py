"""What the invoicer tells (topics invoices.events, invoices.state and invoices.documents)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from schemas.base import Message, Part
from schemas.values import (
    BASE64_PATTERN,
    Account,
    Amount,
    Count,
    Currency,
    Date,
    Email,
    Environment,
    InvoiceNumber,
    LongText,
    Note,
    Period,
    Rate,
    RequiredText,
    RunId,
    Sha256,
    Sum,
    Text,
    Time,
    Uuid,
    Version,
    Word,
    entries,
)

MAX_INVOICED_SALES = 25_000
MAX_DOCUMENT_PART_BYTES = 1_000_000

InvoiceStatus = Literal["draft", "issued", "sent", "undeliverable", "paid", "deleted", "credited"]
SmtpCode = Annotated[int, Field(strict=True, ge=200, le=599)]


class VatLine(Part):
    """What one rate comes to: base + vat = gross, in minor units."""

    rate: Rate
    base: Sum
    vat: Sum
    gross: Sum


VatLines = Annotated[tuple[VatLine, ...], entries(1000)]


class ReplacedInvoice(Part):
    """An invoice that was credited, and whose sales stand on another one now."""

    invoice_id: Uuid
    number: InvoiceNumber
    issued_on: Date


class InvoicedSale(Part):
    """How much of a sale stands on an invoice or a credit note."""

    sale_id: Uuid
    amount: Sum


InvoicedSales = Annotated[tuple[InvoicedSale, ...], entries(MAX_INVOICED_SALES)]


class _Invoice(Message):
    answer_ids: ClassVar[tuple[str, ...]] = ("invoice_id", "environment", "account")

    invoice_id: Uuid
    environment: Environment
    account: Account


class InvoiceDrafted(_Invoice):
    """A draft to review. It claims nothing yet."""

    type: Literal["invoice.drafted"] = "invoice.drafted"
    period: Period
    currency: Currency
    total: Sum
    vat: VatLines


class InvoiceIssued(_Invoice):
    """An invoice has its number, for good.

    `replaces`: the credited invoices on which some of its sales stood just before.
    """

    type: Literal["invoice.issued"] = "invoice.issued"
    number: InvoiceNumber
    period: Period
    issued_at: Time
    due_on: Date
    currency: Currency
    total: Sum
    vat: VatLines
    sales: InvoicedSales
    replaces: (
        Annotated[tuple[ReplacedInvoice, ...], entries(MAX_INVOICED_SALES, least=1)] | None
    ) = None


class InvoiceSent(_Invoice):
    """The mail server took the invoice."""

    type: Literal["invoice.sent"] = "invoice.sent"
    to: Email
    message_id: RequiredText
    at: Time


class CreditNoteSent(_Invoice):
    """The mail server took a credit note."""

    answer_ids: ClassVar[tuple[str, ...]] = ("credit_note_id", "environment", "account")

    type: Literal["credit_note.sent"] = "credit_note.sent"
    credit_note_id: Uuid
    to: Email
    message_id: RequiredText
    at: Time


class InvoiceUndeliverable(_Invoice):
    """The invoice could not be mailed, or its credit note; `code` is the mail server's.

    One that was delivered before stays so: its state is `sent` still.
    """

    type: Literal["invoice.undeliverable"] = "invoice.undeliverable"
    to: Email | None = None
    code: SmtpCode | None = None
    reason: Note
    permanent: bool
    credit_note_id: Uuid | None = None


class InvoiceDeleted(_Invoice):
    """A draft is gone."""

    type: Literal["invoice.deleted"] = "invoice.deleted"
    at: Time


class InvoicePaid(_Invoice):
    """Nothing of the invoice is open any more."""

    type: Literal["invoice.paid"] = "invoice.paid"
    number: InvoiceNumber
    total: Sum
    at: Time


class CreditNoteIssued(_Invoice):
    """An invoice is taken back, in whole or in part; amounts are positive.

    `frees`: whether its sales may be invoiced again.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("credit_note_id", "environment", "account")

    type: Literal["credit_note.issued"] = "credit_note.issued"
    credit_note_id: Uuid
    number: InvoiceNumber
    issued_at: Time
    currency: Currency
    total: Amount
    vat: VatLines
    sales: InvoicedSales
    frees: bool
    reason: Note


class PaymentReceived(_Invoice):
    """Money came in for an invoice; `open` is what is left to pay, negative when too much came."""

    answer_ids: ClassVar[tuple[str, ...]] = ("payment_id", "environment", "account")

    type: Literal["payment.received"] = "payment.received"
    payment_id: Uuid
    number: InvoiceNumber
    amount: Amount
    currency: Currency
    at: Time
    open: Sum


class PaymentRefunded(_Invoice):
    """Money was paid back; `open` is what is left to pay, negative while more is to be had back.

    `reverses`: the payment that this undid. `method`: as the command said it.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("refund_id", "environment", "account")

    type: Literal["payment.refunded"] = "payment.refunded"
    refund_id: Uuid
    number: InvoiceNumber
    amount: Amount
    currency: Currency
    at: Time
    open: Sum
    reverses: Uuid | None = None
    method: RequiredText | None = None


class _Run(Message):
    answer_ids: ClassVar[tuple[str, ...]] = ("run_id", "environment")

    run_id: RunId
    environment: Environment


class RunProgressed(_Run):
    """How far a run is, in invoices."""

    type: Literal["run.progressed"] = "run.progressed"
    done: Count
    total: Count


class SkippedAccount(Part):
    """An account that a run left out, and why."""

    account: Account
    reason: Word


class OpenAccount(Part):
    """What stays uninvoiced up to the period's end, and why."""

    account: Account
    amount: Sum
    why: Word


class RunCompleted(_Run):
    """A run is done, or was refused (`reason` and `message`; then all counts are 0).

    `sent` were handed to the mailer; delivery is not waited for. `credit_notes`: how many it made
    of what was reversed after it was invoiced, where it made any; `credited`: what they come to.
    """

    type: Literal["run.completed"] = "run.completed"
    period: Period
    drafted: Count
    issued: Count
    sent: Count
    skipped: Annotated[tuple[SkippedAccount, ...], entries(20_000)]
    open: Annotated[tuple[OpenAccount, ...], entries(20_000)]
    total: Sum
    vat: VatLines
    reason: Word | None = None
    message: LongText | None = None
    currency: Currency | None = None
    credit_notes: Count | None = None
    credited: Sum | None = None


class InvoiceState(_Invoice):
    """An invoice as it stands."""

    answer_ids: ClassVar[tuple[str, ...]] = ("environment", "invoice_id")

    type: Literal["invoice.state"] = "invoice.state"
    version: Version
    period: Period
    status: InvoiceStatus
    number: InvoiceNumber | None = None
    currency: Currency
    total: Sum
    paid: Sum
    due_on: Date | None = None
    credited: Sum | None = None


class DocumentPart(Message):
    """A part of a file; request_id is the statement_id where a statement was asked for.

    sha256 is of the whole file.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("request_id",)

    type: Literal["document.part"] = "document.part"
    request_id: Uuid
    part: Annotated[int, Field(strict=True, ge=1, le=1000)]
    parts: Annotated[int, Field(strict=True, ge=1, le=1000)]
    file_name: RequiredText
    media_type: Text
    sha256: Sha256
    content: Annotated[
        str,
        StringConstraints(
            max_length=(MAX_DOCUMENT_PART_BYTES + 2) // 3 * 4, pattern=BASE64_PATTERN
        ),
    ]
