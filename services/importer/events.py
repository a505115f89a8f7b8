"""The importer's answers, with ids and times that are the same however often they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from runtime.answers import Answer, answer
from runtime.told import first_told
from runtime.transaction import Tx
from schemas.base import Message
from schemas.commands import Command
from schemas.imports import ImportFailed, MappedField
from schemas.registry import (
    AccountChange,
    AccountUnlink,
    CustomerChange,
    CustomerErase,
)
from services.importer.domain.messages import Tongue, of_failure
from services.importer.store.imports import Sent, Waiting
from services.importer.store.uploads import EVENTS, Upload

COMMANDS = "registry.commands"

MODELS: Mapping[str, type[Command]] = {
    "customer.change": CustomerChange,
    "account.change": AccountChange,
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
    report: bool = False,
    **words: object,
) -> Answer:
    """The end of a job that does not go on; the sentence for `reason` unless one is given.

    `report`: a report follows it.
    """
    text = message or of_failure(reason, upload.language, **words)
    said = ImportFailed(
        job_id=upload.job_id,
        environment=upload.environment,
        reason=reason,
        message=text[:2000],
        choices=None if choices is None else tuple(c[:200] for c in choices[:500]),
        field=field,
        report=report or None,
    )
    return event(upload, said, at=at)


async def turned_down(
    tx: Tx,
    environment: int,
    job_id: str,
    reason: str,
    tongue: Tongue,
    *,
    at: datetime,
    mark: str,
    sentence: str = "",
    **words: object,
) -> Answer:
    """An answer to one message that leaves the job, if there is one, as it is.

    `mark` is made from what the message says: refused for the same again, it is told the same.
    `sentence`: the name of the one to say, where it is not that of the reason.
    """
    message = of_failure(sentence or reason, tongue, **words)
    said = ImportFailed(job_id=job_id, environment=environment, reason=reason, message=message)
    ce_id = f"import.failed/{environment}/{job_id}/{reason}/{mark}"
    return await first_told(tx, answer(EVENTS, job_id, said, id=ce_id, time=at))


async def undo_given_up(tx: Tx, upload: Upload, asked_at: datetime, *, at: datetime) -> Answer:
    """That an undo could not be taken to its end. Each giving up is told as one of its own, by when
    it was asked for."""
    return await turned_down(
        tx,
        upload.environment,
        upload.job_id,
        "not_processed",
        upload.language,
        at=at,
        mark=f"undo/{asked_at.timestamp():.3f}",
        sentence="undo_not_processed",
    )


def applying(upload: Upload, bundle: Waiting) -> Answer:
    """The command that asks for a bundle, the same bytes each time it is sent.

    Written by hand: the steps were checked when they were planned, and stand as they are sent.
    """
    at, by = upload.confirmed_at or upload.uploaded_at, upload.confirmed_by or upload.uploaded_by
    value = (
        f'{{"type":"registry.apply","command_id":"{bundle.command_id}",'
        f'"environment":{upload.environment},"at":{to_json(at.astimezone(UTC)).decode()},'
        f'"by":{to_json(by).decode()},"steps":{bundle.wired}}}'
    )
    ce_id = f"registry.apply/{upload.environment}/{bundle.command_id}"
    key = str(upload.environment)
    return Answer(COMMANDS, key, ce_id, "registry.apply", at, value.encode())


def undoing(upload: Upload, sent: Sent) -> Answer:
    """A command that takes something back: the same bytes each time it is sent for one asking.

    Where the undo was given up and is asked for again, it is sent under the same id with another
    time, maybe of another person: what the registry compares leaves these out.
    """
    assert upload.undo_at is not None, "an undo was asked for"
    at, by = upload.undo_at, upload.undo_by or ""
    values: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in sent.body.items()
    }
    message = MODELS[sent.type](
        command_id=sent.command_id, environment=upload.environment, at=at, by=by, **values
    )
    ce_id = f"{sent.type}/{upload.environment}/{sent.command_id}"
    return answer(COMMANDS, str(upload.environment), message, id=ce_id, time=at)
