"""Gets an invoice's files, and statements, over the topics."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cli.amounts import Misuse
from cli.messages import Json, given, new_id
from cli.months import a_month
from cli.replies import Expectation
from cli.screen import Screen, outcome
from cli.trouble import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file as it was sent."""

    file_name: str
    media_type: str
    content: bytes


async def document(
    answers: Expectation, timeout_s: float, *, making_s: float | None = None
) -> Document | Json:
    """The file whose parts come in, or the command.refused that came instead.

    A command.applied may come before a part, or after it: they are on two topics. Something is
    waited for `timeout_s` seconds, and after that `making_s` where the file takes longer. Raises
    Trouble when what came is not what its sha256 says.
    """
    parts: dict[int, bytes] = {}
    patience_s = timeout_s
    while True:
        message = (await answers.next(patience_s)).message
        patience_s = making_s or timeout_s
        if message["type"] == "command.refused":
            return message
        if message["type"] != "document.part":
            continue
        parts[message["part"]] = base64.b64decode(message["content"])
        if len(parts) == message["parts"]:
            break
    content = b"".join(parts[number] for number in sorted(parts))
    if hashlib.sha256(content).hexdigest() != message["sha256"]:
        raise Trouble(
            f"{message['file_name']} came damaged (its sha256 differs); ask for it once more."
        )
    return Document(
        file_name=message["file_name"], media_type=message["media_type"], content=content
    )


def save(screen: Screen, found: Document | Json, out: Path | None) -> int:
    """Write a file that came to `out`: a file, or a folder; here unless given.

    What is not there and has no ending is a folder to be made.
    """
    if not isinstance(found, Document):
        return outcome(screen, found)
    place = out or Path(Path(found.file_name).name)
    if out is not None and not out.exists():
        (out.parent if out.suffix else out).mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        place = place / Path(found.file_name).name
    place.write_bytes(found.content)
    screen.data({"file": str(place), "bytes": len(found.content), "type": found.media_type})
    screen.good(f"{place} ({len(found.content):,} bytes)")
    return 0


def statement_message(
    environment: int,
    account: str | None,
    *,
    period: str | None,
    first: str | None,
    until: str | None,
    format: str,
    to: str | None,
    by: str,
) -> Json:
    """statement.request over a month or from a day until another; raises Misuse for neither."""
    if (first is None) != (until is None) or (period is not None and first is not None):
        raise Misuse("Give either --period, or both --from and --until.")
    if first is None or until is None:
        month = period or date.today().strftime("%Y-%m")  # noqa: DTZ011 - the person's calendar
        begin = date.fromisoformat(f"{a_month(month)}-01")
        first, until = f"{begin}", f"{(begin + timedelta(days=31)).replace(day=1)}"
    return {
        "type": "statement.request",
        "statement_id": new_id(),
        "environment": environment,
        "from": first,
        "until": until,
        "format": format,
        "by": by,
        **given({"account": account, "to": to}),
    }
