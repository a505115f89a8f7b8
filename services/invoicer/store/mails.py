"""Mails: one row per mail and recipient, each with a fate of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from runtime.sql import statements
from runtime.transaction import Tx
from services.invoicer.names import made

sql = statements("services.invoicer", "sql/mails.sql")

Kind = Literal["invoice", "credit_note", "report", "statement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMail:
    """A mail to be sent when its document is there. `cause` tells resends apart."""

    kind: Kind
    ref: str
    recipient: str
    cause: str
    copy: bool = False

    @property
    def mail_id(self) -> str:
        return made("mail", self.kind, self.ref, self.cause, self.recipient, self.copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A row of `mail`."""

    mail_id: str
    kind: Kind
    ref: str
    recipient: str
    copy: bool
    state: str
    message_id: str | None
    handed_over: int
    attempts: int
    refusals: int
    refused_since: datetime | None
    code: int | None
    created_at: datetime
    invoice_id: str | None
    """Of the invoice that it is about, or whose credit note it brings."""
    account: str | None
    open: int | None

    @property
    def unsure(self) -> int:
        """How often it was handed over and nobody noted what became of it."""
        return self.handed_over - self.attempts


async def add(tx: Tx, environment: int, mails: Sequence[NewMail]) -> None:
    """Record mails; what is recorded already stays as it is."""
    if mails:
        await tx.execute(
            sql.add,
            environment,
            [m.mail_id for m in mails],
            [m.kind for m in mails],
            [m.ref for m in mails],
            [m.recipient for m in mails],
            [m.copy for m in mails],
        )


async def pending(tx: Tx, environment: int, *refs: str) -> list[str]:
    """The mails that wait for these documents."""
    return [r["mail_id"] for r in await tx.fetch(sql.pending, environment, list(refs))]


async def add_jobs(tx: Tx, environment: int, mail_ids: Iterable[str]) -> None:
    """Let these mails go."""
    await tx.add_jobs(
        "mail",
        {f"{environment}/{m}": {"environment": environment, "mail_id": m} for m in mail_ids},
    )


async def find(tx: Tx, environment: int, *mail_ids: str) -> dict[str, Mail]:
    rows = await tx.fetch(sql.find, environment, list(mail_ids))
    return {r["mail_id"]: Mail(**dict(r)) for r in rows}


async def hand_over(tx: Tx, environment: int, message_ids: Mapping[str, str]) -> dict[str, int]:
    """How often each was handed over, this time included; without those that have their fate.

    `message_ids` by mail."""
    rows = await tx.fetch(sql.hand_over, environment, list(message_ids), list(message_ids.values()))
    return {r["mail_id"]: r["handed_over"] for r in rows}


async def put_off(tx: Tx, environment: int, mail_id: str, code: int | None, said: str) -> None:
    await tx.execute(sql.put_off, environment, mail_id, code, said)


async def unsure(tx: Tx, environment: int, mail_id: str, said: str) -> None:
    """The server was given it and did not answer: that it was handed over is all that is known."""
    await tx.execute(sql.unsure, environment, mail_id, said)


async def end(
    tx: Tx, environment: int, mail_ids: Sequence[str], state: str, code: int | None, said: str
) -> set[str]:
    """Their fate; gives those that had none yet."""
    rows = await tx.fetch(sql.end, environment, list(mail_ids), state, code, said)
    return {r["mail_id"] for r in rows}


async def recipients(tx: Tx, environment: int, ref: str) -> list[str]:
    """The addresses that a document was mailed to, or is about to be."""
    return [r["recipient"] for r in await tx.fetch(sql.recipients, environment, ref)]
