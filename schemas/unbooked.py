"""Sales that a till made and that could not be booked: what a person must see to.

A sale.recorded that is declined was drunk all the same. It stands here until somebody books it
(a sale.recorded with moved_from), until its till takes it back (sale.cancelled), or until
somebody says that it is settled otherwise (unbooked.dismiss).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import Message, Part
from schemas.commands import Command
from schemas.pos import MAX_LINES, DeclineReason, GivenLine
from schemas.values import (
    Account,
    Currency,
    Environment,
    Money,
    Note,
    Sha256,
    Terminal,
    Text,
    TillTime,
    Time,
    Uuid,
    Version,
    entries,
)


class UnbookedDismiss(Command):
    """Take a sale off the list without booking it.

    `content` is that of the unbooked.state: under one sale_id several sales may wait. Absent:
    all that wait under it.
    """

    type: Literal["unbooked.dismiss"] = "unbooked.dismiss"
    sale_id: Uuid
    content: Sha256 | None = None
    note: Note | None = None


class MadeSale(Part):
    """The sale as its till told it."""

    terminal: Terminal
    at: TillTime
    currency: Currency
    total: Money
    lines: Annotated[tuple[GivenLine, ...], entries(MAX_LINES, least=1)]
    operator: Text | None = None
    note: Note | None = None
    moved_from: Uuid | None = None
    moved_content: Sha256 | None = None


class UnbookedState(Message):
    """One sale that could not be booked, as it stands.

    `content` tells it from another under the same id: the digest of what the till sent. `sale` is
    the till's message; absent where it could not be read, and then `account` may be too.
    `cleared_by` is the sale that stands for it now, the till's cancellation, or the command that
    dismissed it. A booking of a listed sale (`moved_content`) does not wait itself where it is
    declined: it is cleared by the one that it was to book.
    """

    answer_ids: ClassVar[tuple[str, ...]] = ("environment", "sale_id")

    type: Literal["unbooked.state"] = "unbooked.state"
    environment: Environment
    sale_id: Uuid
    content: Sha256
    version: Version
    status: Literal["open", "cleared"]
    reason: Annotated[DeclineReason, Field(strict=False)]
    account: Account | None = None
    noted_at: Time
    sale: MadeSale | None = None
    cleared_at: Time | None = None
    cleared_by: Uuid | None = None
