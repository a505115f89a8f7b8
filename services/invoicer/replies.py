"""How requests are answered on invoices.events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runtime.answers import Answer, answer
from runtime.incoming import Incoming
from runtime.told import first_told
from runtime.transaction import Tx
from schemas.base import Message
from schemas.commands import Change, CommandApplied, CommandRefused

EVENTS = "invoices.events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is not carried out. `message` is a sentence for people, without personal data.

    `events` are what happened nevertheless: a draft that has changed is replaced.
    """

    reason: str
    message: str
    field: str | None = None
    events: tuple[Answer, ...] = ()
    touched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command did: its events in order, and the invoices whose state moved on."""

    events: tuple[Answer, ...] = ()
    changes: tuple[Change, ...] = ()
    touched: tuple[str, ...] = ()


def change(
    id: str,
    how: Literal["created", "changed", "unchanged"] = "changed",
    kind: Literal[
        "invoice", "credit_note", "payment", "statement", "sale", "exchange_rate"
    ] = "invoice",
) -> Change:
    return Change(kind=kind, id=id, change=how)


def applied(tx: Tx, environment: int, command_id: str, changes: Sequence[Change]) -> Answer:
    """command.applied, last of a command's answers."""
    said = CommandApplied(command_id=command_id, environment=environment, changes=tuple(changes))
    return told(tx, environment, said, command_id)


def told(tx: Tx, environment: int, message: Message, of: str) -> Answer:
    """An event of the environment itself, of no account."""
    name = f"{message.type}/{environment}/{of}"
    return answer(EVENTS, str(environment), message, id=name, time=tx.now)


def refused(
    incoming: Incoming, environment: int, command_id: str, refusal: Refusal, content: bytes = b""
) -> Answer:
    """command.refused, of a request that is remembered with its answers."""
    return answer(
        EVENTS,
        str(environment),
        in_words(environment, command_id, refusal),
        id="/".join(
            ("command.refused", str(environment), command_id, refusal.reason, content[:8].hex())
        ),
        time=incoming.time,
    )


def refused_late(tx: Tx, environment: int, command_id: str, refusal: Refusal) -> Answer:
    """command.refused by the job of a request that was taken: it is found out only there."""
    said = in_words(environment, command_id, refusal)
    return told(tx, environment, said, f"{command_id}/{refusal.reason}")


def in_words(environment: int, command_id: str, refusal: Refusal) -> CommandRefused:
    """What command.refused says."""
    return CommandRefused(
        command_id=command_id,
        environment=environment,
        reason=refusal.reason,
        field=refusal.field,
        message=refusal.message,
    )


async def refused_once(
    tx: Tx,
    incoming: Incoming,
    environment: int,
    command_id: str,
    refusal: Refusal,
    content: bytes,
) -> Answer:
    """command.refused of what takes no id's place: what is refused so again gets the same bytes.

    `content` is a digest of what tells this refusal from others under the id."""
    return await first_told(tx, refused(incoming, environment, command_id, refusal, content))
