"""What finance asks of the invoicer (topic invoices.commands).

`account` and the like are the contract's words; what the invoicer tells is in `billing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Message, wrong
from schemas.commands import Command
from schemas.entities import Accounts
from schemas.registry import RunMode
from schemas.values import (
    Account,
    Date,
    Email,
    Environment,
    GivenRunId,
    InvoiceNumber,
    Note,
    Period,
    PositiveAmount,
    RequiredText,
    RunId,
    Time,
    Uuid,
    entries,
)

MAX_SALES = 10_000


class InvoicesRun(Message):
    """Invoice all that is open up to the end of a month: the running one or a past one.

    Without `accounts` all of them. Answered by run.completed, or by command.refused with the
    run_id as its command_id.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("run_id", "environment")
    answered_by: ClassVar[str | None] = "command.refused"
    read_as: ClassVar[Mapping[str, Any]] = {"run_id": GivenRunId}

    type: Literal["invoices.run"] = "invoices.run"
    run_id: RunId
    environment: Environment
    period: Period
    accounts: Accounts | None = None
    mode: RunMode
    send: bool
    by: RequiredText


class InvoicesRepublish(Command):
    """Tell once more what moved money (each invoice, credit note, payment and refund) and how each
    invoice stands. For a topic that was lost; whoever has a thing counts it once."""

    type: Literal["invoices.republish"] = "invoices.republish"


class _InvoiceCommand(Command):
    invoice_id: Uuid


class InvoiceApprove(_InvoiceCommand):
    """Issue a draft as it was reviewed."""

    type: Literal["invoice.approve"] = "invoice.approve"


class InvoiceSend(_InvoiceCommand):
    """Mail an issued invoice, to its holder or to an address; or one of its credit notes."""

    type: Literal["invoice.send"] = "invoice.send"
    to: Email | None = None
    credit_note_id: Uuid | None = None


class InvoiceDelete(_InvoiceCommand):
    """Drop a draft; an issued invoice gets a credit note and its sales are free again."""

    type: Literal["invoice.delete"] = "invoice.delete"


class InvoiceCorrect(_InvoiceCommand):
    """A credit note and a new invoice in one: without some sales, or on another account."""

    type: Literal["invoice.correct"] = "invoice.correct"
    reason: Note
    exclude_sales: Annotated[tuple[Uuid, ...], entries(MAX_SALES)] | None = None
    account: Account | None = None


class _Request(Message):
    answered_by: ClassVar[str | None] = "command.refused"

    environment: Environment
    by: RequiredText


def _one_invoice(invoice_id: str | None, number: str | None) -> None:
    if (invoice_id is None) == (number is None):
        raise wrong("invoice_id", "or else number must be given, and not both")


class PaymentRecord(_Request):
    """Money came in for an invoice, named by its id or its number (one of them).

    `at` is when; it may lie a year ahead of the record's time and no more.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("payment_id", "environment")

    type: Literal["payment.record"] = "payment.record"
    payment_id: Uuid
    invoice_id: Uuid | None = None
    number: InvoiceNumber | None = None
    amount: PositiveAmount
    at: Time
    method: RequiredText

    @model_validator(mode="after")
    def _names_one_invoice(self) -> Self:
        _one_invoice(self.invoice_id, self.number)
        return self


class PaymentRefund(_Request):
    """Money was paid back: what was paid too much for an invoice, or for one that was credited.

    With `reverses`, a payment_id, it undoes that payment: the bank took it back, or it never came.
    Its id is one of the payments': no refund and payment share one. `at` is bounded as a payment's.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("refund_id", "environment")

    type: Literal["payment.refund"] = "payment.refund"
    refund_id: Uuid
    invoice_id: Uuid | None = None
    number: InvoiceNumber | None = None
    amount: PositiveAmount
    at: Time
    method: RequiredText
    reverses: Uuid | None = None

    @model_validator(mode="after")
    def _names_one_invoice(self) -> Self:
        _one_invoice(self.invoice_id, self.number)
        return self


class StatementRequest(_Request):
    """What happened on an account (absent: on all) from a day, included, until a day, excluded.

    Either may be a moment too. With `to` it is mailed; without, answered as document.part.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("statement_id", "environment")

    type: Literal["statement.request"] = "statement.request"
    statement_id: Uuid
    account: Account | None = None
    from_: Annotated[Date | Time, Field(alias="from")]
    until: Date | Time
    format: Literal["xlsx", "pdf"]
    to: Literal["holder", "viewers"] | Email | None = None

    @model_validator(mode="after")
    def _covers_something(self) -> Self:
        # Of a day and a moment only the venue's clock says which is later: the invoicer looks.
        if type(self.until) is type(self.from_) and self.until <= self.from_:
            raise wrong("until", "must be later than from")
        return self


class PendingRequest(Message):
    """What is not yet invoiced: per account and month, or with `account` sale by sale.

    With `sale_id` how that sale stands: why it is not among it. Sees every sale that was decided
    before it was asked. With `mails` instead the mails to guests that no mail server took yet.
    Answered by pending.listed.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("request_id", "environment")
    answered_by: ClassVar[str | None] = "command.refused"

    type: Literal["pending.request"] = "pending.request"
    request_id: Uuid
    environment: Environment
    account: Account | None = None
    sale_id: Uuid | None = None
    mails: bool = False

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if self.account is not None and self.sale_id is not None:
            raise wrong("sale_id", "or else account may be given, and not both")
        if self.mails and (self.account is not None or self.sale_id is not None):
            raise wrong("mails", "are of the whole venue: neither account nor sale_id goes with it")
        return self


class DocumentRequest(Message):
    """An invoice's or a credit note's file, drafts too. Answered by document.part."""

    answer_ids: ClassVar[tuple[str, ...]] = ("request_id", "environment")
    answered_by: ClassVar[str | None] = "command.refused"

    type: Literal["document.request"] = "document.request"
    request_id: Uuid
    environment: Environment
    invoice_id: Uuid | None = None
    credit_note_id: Uuid | None = None
    format: Literal["pdf", "xlsx", "ubl"]

    @model_validator(mode="after")
    def _names_one_document(self) -> Self:
        if (self.invoice_id is None) == (self.credit_note_id is None):
            raise wrong("invoice_id", "or else credit_note_id must be given, and not both")
        return self
