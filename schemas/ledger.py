"""What the ledger posts and what is owed (topics ledger.entries and ledger.balances)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from schemas.base import Message, Part
from schemas.values import (
    EXPECTED,
    RATE_PATTERN,
    Account,
    Currency,
    Environment,
    Sum,
    Time,
    Uuid,
    Version,
    entries,
)

_RATE = RATE_PATTERN[1:-1]
LEDGER_ACCOUNT_PATTERN = (
    rf"^(?:bank|receivable:(?:unbilled|billed)|revenue:(?:unbilled:)?{_RATE}|vat:{_RATE})$"
)
EXPECTED[LEDGER_ACCOUNT_PATTERN] = "must be a ledger account, like bank or vat:21"

LedgerAccount = Annotated[str, StringConstraints(max_length=40, pattern=LEDGER_ACCOUNT_PATTERN)]
EntryKind = Literal["charge", "reversal", "invoice", "credit_note", "payment"]
LegAmount = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]


class Leg(Part):
    """One side of a journal entry, in minor units: of debit and credit one is 0.

    That, and that debits equal credits, the ledger's domain and its database enforce.
    """

    ledger_account: LedgerAccount
    debit: LegAmount
    credit: LegAmount


class EntryPosted(Message):
    """A journal entry. source_id is the sale_id, cancellation_id, invoice_id, ... behind it."""

    answer_ids: ClassVar[tuple[str, ...]] = ("entry_id", "environment", "account")

    type: Literal["entry.posted"] = "entry.posted"
    entry_id: Uuid
    environment: Environment
    account: Account
    at: Time
    kind: EntryKind
    source_id: Uuid
    currency: Currency
    legs: Annotated[tuple[Leg, ...], entries(5000, least=2)]


class BalanceState(Message):
    """What an account owes, gross, in minor units: positive is owed."""

    answer_ids: ClassVar[tuple[str, ...]] = ("environment", "account")

    type: Literal["balance.state"] = "balance.state"
    environment: Environment
    account: Account
    version: Version
    currency: Currency
    unbilled: Sum
    billed: Sum
    at: Time
