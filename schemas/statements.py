"""What the invoicer tells of statements that it mails (topic invoices.events)."""

from __future__ import annotations

from typing import ClassVar, Literal

from schemas.base import Message
from schemas.billing import SmtpCode
from schemas.values import Account, Email, Environment, Note, RequiredText, Time, Uuid


class StatementSent(Message):
    """The mail server took a statement."""

    answer_ids: ClassVar[tuple[str, ...]] = ("statement_id", "environment")

    type: Literal["statement.sent"] = "statement.sent"
    statement_id: Uuid
    environment: Environment
    to: Email
    message_id: RequiredText
    at: Time


class StatementUndeliverable(Message):
    """A statement could not be mailed; `code` is the mail server's. Without `account`: of all."""

    answer_ids: ClassVar[tuple[str, ...]] = ("statement_id", "environment")

    type: Literal["statement.undeliverable"] = "statement.undeliverable"
    statement_id: Uuid
    environment: Environment
    account: Account | None = None
    to: Email
    code: SmtpCode | None = None
    reason: Note
    permanent: bool
