"""The importer's answers, with ids and times that are the same however often they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from runtime.answers import Answer, answer
from schemas.base import Message
from schemas.commands import Command
from schemas.imports import ImportFailed, MappedField
from schemas.registry import (
    AccountChange,
    AccountLink,
    AccountOpen,
    AccountUnlink,
    CustomerChange,
    CustomerErase,
    CustomerRegister,
)
from services.importer.domain.messages import Tongue, of_failure
from services.importer.store.imports import Sent
from services.importer.store.uploads import EVENTS, Upload

COMMANDS = "registry.commands"

MODELS: Mapping[str, type[Command]] = {
    "customer.register": CustomerRegister,
    "customer.change": CustomerChange,
    "account.open": AccountOpen,
    "account.change": AccountChange,
    "account.link": AccountLink,
    "account.unlink": AccountUnlink,
    "customer.erase": CustomerErase,
}


def event(upload: Upload, message: Message, *, at: datetime, mark: str = "") -> Answer:
    """An event of a job. There is one of each type, or one per type and `mark`."""
    ce_id = f"{message.type}/{upload.ref}{'/' + mark if mark else ''}"
    return answer(EVENTS, upload.job_id, message, id=ce_id, time=at)


def failed(
    upload: Upload,
    reason: str,
    *,
    at: datetime,
    message: str = "",
    choices: Sequence[str] | None = None,
    field: MappedField | None = None,
    **words: object,
) -> Answer:
    """The end of a job that does not go on; the sentence for `reason` unless one is given."""
    text = message or of_failure(reason, upload.language, **words)
    said = ImportFailed(
        job_id=upload.job_id,
        environment=upload.environment,
        reason=reason,
        message=text[:2000],
        choices=None if choices is None else tuple(c[:200] for c in choices[:500]),
        field=field,
    )
    return event(upload, said, at=at)


def turned_down(
    environment: int,
    job_id: str,
    reason: str,
    tongue: Tongue,
    *,
    at: datetime,
    mark: str,
    **words: object,
) -> Answer:
    """An answer to one message that leaves the job, if there is one, as it is. Not remembered.

    `mark` tells the message from others: made from it, so that its redelivery is answered alike.
    """
    message = of_failure(reason, tongue, **words)
    said = ImportFailed(job_id=job_id, environment=environment, reason=reason, message=message)
    ce_id = f"import.failed/{environment}/{job_id}/{reason}/{mark}"
    return answer(EVENTS, job_id, said, id=ce_id, time=at)


def command(upload: Upload, sent: Sent) -> Answer:
    """A row's command, the same bytes each time it is sent."""
    at, by = upload.confirmed_at or upload.uploaded_at, upload.confirmed_by or upload.uploaded_by
    return _command(upload, sent, at, by)


def undoing(upload: Upload, sent: Sent) -> Answer:
    """A command that takes something back, the same bytes each time it is sent."""
    assert upload.undo_at is not None, "an undo was asked for"
    return _command(upload, sent, upload.undo_at, upload.undo_by or "")


def _command(upload: Upload, sent: Sent, at: datetime, by: str) -> Answer:
    message = command_message(sent.type, sent.body, sent.command_id, upload.environment, at, by)
    ce_id = f"{sent.type}/{upload.environment}/{sent.command_id}"
    return answer(COMMANDS, str(upload.environment), message, id=ce_id, time=at)


def command_message(
    kind: str, body: Mapping[str, Any], command_id: str, environment: int, at: datetime, by: str
) -> Command:
    """A registry command out of its planned body. Raises ValidationError for what it can't hold."""
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in body.items()}
    return MODELS[kind](command_id=command_id, environment=environment, at=at, by=by, **values)
