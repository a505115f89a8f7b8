"""Sales at the till and the authorizer's answers (topics pos.sales and pos.decisions).

Whether the amounts of a sale agree is not a matter of form: line.total against quantity x
unit_price, total against the lines and total >= 0 are judged by the authorizer (`invalid_total`),
and so is the form of a rate (`invalid_vat_rate`). The types here only bound them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Message, Part, wrong
from schemas.values import (
    Account,
    Amount,
    Currency,
    Environment,
    FieldPath,
    GivenRate,
    LongText,
    Money,
    Note,
    PositiveAmount,
    Quantity,
    Rate,
    Sha256,
    Sum,
    Terminal,
    Text,
    TillTime,
    Time,
    Uuid,
    entries,
)

MAX_LINES = 500
MAX_VALID_S = 366 * 86_400


class DeclineReason(StrEnum):
    """Why a sale is declined. The first that applies is given, in this order."""

    INVALID_MESSAGE = "invalid_message"
    SALE_ID_REUSED = "sale_id_reused"
    ENVIRONMENT_UNKNOWN = "environment_unknown"
    GDPR_NOT_ACCEPTED = "gdpr_not_accepted"
    MODULE_INACTIVE = "module_inactive"
    ACCOUNT_UNKNOWN = "account_unknown"
    CURRENCY_MISMATCH = "currency_mismatch"
    INVALID_TOTAL = "invalid_total"
    INVALID_VAT_RATE = "invalid_vat_rate"
    ALREADY_CANCELLED = "already_cancelled"
    EXPIRED = "expired"
    ACCOUNT_INACTIVE = "account_inactive"
    NOT_ALLOWED_ON_ACCOUNT = "not_allowed_on_account"
    OVER_LIMIT = "over_limit"
    NOT_PROCESSED = "not_processed"


RECORDED_DECLINES: frozenset[DeclineReason] = frozenset(
    {
        DeclineReason.INVALID_MESSAGE,
        DeclineReason.SALE_ID_REUSED,
        DeclineReason.ENVIRONMENT_UNKNOWN,
        DeclineReason.ACCOUNT_UNKNOWN,
        DeclineReason.CURRENCY_MISMATCH,
        DeclineReason.INVALID_TOTAL,
        DeclineReason.INVALID_VAT_RATE,
        DeclineReason.ALREADY_CANCELLED,
        DeclineReason.NOT_PROCESSED,
    }
)
"""The only reasons for which a sale that was already made (sale.recorded) is declined."""


class ReversalRefusal(StrEnum):
    """Why a cancellation is refused."""

    INVALID_MESSAGE = "invalid_message"
    ENVIRONMENT_UNKNOWN = "environment_unknown"
    ACCOUNT_UNKNOWN = "account_unknown"
    SALE_UNKNOWN = "sale_unknown"
    SALE_DECLINED = "sale_declined"
    EXCEEDS_SALE = "exceeds_sale"
    CANCELLATION_ID_REUSED = "cancellation_id_reused"
    NOT_THIS_ACCOUNT = "not_this_account"


CancelReason = Literal["cancelled", "settled", "returned"]


class SaleLine(Part):
    """One line of a decided sale. Amounts are minor units and include VAT."""

    description: Text
    product: Text | None = None
    quantity: Quantity
    unit_price: Money
    vat_rate: Rate
    total: Money


class GivenLine(SaleLine):
    """One line as the till sent it: its rate has not been judged yet (`is_vat_rate`).

    It is a SaleLine, so that the lines of a sale whose rates were found right can be put into
    its sale.approved as they are, without being checked or copied again.
    """

    vat_rate: GivenRate


class ReversedLine(Part):
    """What is taken off one line, with its rate.

    The total is negative where a line that was itself negative (a return, a discount) is taken
    back, so that a sale that is reversed in full leaves nothing at any rate.
    """

    description: Text
    product: Text | None = None
    quantity: Quantity | None = None
    unit_price: Money | None = None
    vat_rate: Rate
    total: Money


class CancelledLine(Part):
    """What a till takes off one line: how much, positive, and what is needed to find the line.

    Only the total is always there: the authorizer matches the lines of the sale on whatever else
    was given.
    """

    description: Text | None = None
    product: Text | None = None
    quantity: Quantity | None = None
    unit_price: Money | None = None
    vat_rate: Rate | None = None
    total: PositiveAmount


class Sale(Message):
    """What a request and a record of a sale share: the whole sale, as the till has it."""

    answer_ids: ClassVar[tuple[str, ...]] = ("sale_id", "environment")
    answered_by: ClassVar[str | None] = "sale.declined"

    sale_id: Uuid
    environment: Environment
    terminal: Terminal
    account: Account
    at: TillTime
    currency: Currency
    total: Money
    lines: Annotated[tuple[GivenLine, ...], entries(MAX_LINES, least=1)]
    operator: Text | None = None
    note: Note | None = None


class SaleRequested(Sale):
    """May this be sold on account? Asked before the drink is handed over."""

    type: Literal["sale.requested"] = "sale.requested"
    valid_s: Annotated[int, Field(strict=True, ge=0, le=MAX_VALID_S)] | None = None


class SaleRecorded(Sale):
    """This was sold on account, without an answer.

    `moved_from` is the sale it was moved from, or which could not be booked and is booked by it;
    then `moved_content` is the `content` of its unbooked.state, as several may wait under one id.
    """

    type: Literal["sale.recorded"] = "sale.recorded"
    moved_from: Uuid | None = None
    moved_content: Sha256 | None = None


class SaleCancelled(Message):
    """Take back all that is left of a sale, or `amount` of it, or these lines of it."""

    answer_ids: ClassVar[tuple[str, ...]] = ("cancellation_id", "sale_id", "environment")
    answered_by: ClassVar[str | None] = "sale.reversal_refused"

    type: Literal["sale.cancelled"] = "sale.cancelled"
    cancellation_id: Uuid
    sale_id: Uuid
    environment: Environment
    terminal: Terminal
    account: Account
    at: TillTime
    reason: CancelReason
    amount: PositiveAmount | None = None
    lines: Annotated[tuple[CancelledLine, ...], entries(MAX_LINES, least=1)] | None = None

    @model_validator(mode="after")
    def _lines_sum_to_amount(self) -> Self:
        if self.lines is not None and sum(line.total for line in self.lines) != self.amount:
            raise wrong("amount", "must be given with the lines, and be their sum")
        return self


class SaleApproved(Message):
    """The sale stands on the account. Without a limit, limit and available are null."""

    type: Literal["sale.approved"] = "sale.approved"
    sale_id: Uuid
    environment: Environment
    terminal: Terminal
    account: Account
    at: TillTime
    booked_at: Time
    decided_at: Time
    currency: Currency
    total: Amount
    lines: Annotated[tuple[SaleLine, ...], entries(MAX_LINES, least=1)]
    online: bool
    over_limit: bool
    limit: Sum | None
    used: Sum
    available: Sum | None
    clock_off: bool = False


class SaleDeclined(Message):
    """The sale does not stand on the account, and why.

    terminal, account, at, currency and total are left out only where the till's message was
    unreadable there (`invalid_message`); `field` then says where it was wrong.
    """

    type: Literal["sale.declined"] = "sale.declined"
    sale_id: Uuid
    environment: Environment
    terminal: Terminal | None = None
    account: Account | None = None
    at: TillTime | None = None
    decided_at: Time
    currency: Currency | None = None
    total: Money | None = None
    reason: Annotated[DeclineReason, Field(strict=False)]
    explanation: LongText
    field: FieldPath | None = None
    limit: Sum | None = None
    used: Sum | None = None
    available: Sum | None = None


class SaleReversed(Message):
    """What was taken off a sale: with amount 0 and no lines where the sale had not come yet.

    `currency` is the environment's where the sale is not known.
    """

    type: Literal["sale.reversed"] = "sale.reversed"
    cancellation_id: Uuid
    sale_id: Uuid
    environment: Environment
    terminal: Terminal
    account: Account
    at: TillTime
    decided_at: Time
    currency: Currency
    amount: Amount
    lines: Annotated[tuple[ReversedLine, ...], entries(MAX_LINES)]
    reason: CancelReason
    available: Sum | None


class SaleReversalRefused(Message):
    """Nothing was taken off, and why. As in sale.declined, what was unreadable is left out."""

    type: Literal["sale.reversal_refused"] = "sale.reversal_refused"
    cancellation_id: Uuid
    sale_id: Uuid
    environment: Environment
    terminal: Terminal | None = None
    account: Account | None = None
    at: TillTime | None = None
    decided_at: Time
    reason: Annotated[ReversalRefusal, Field(strict=False)]
    field: FieldPath | None = None
