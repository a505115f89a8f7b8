"""Puts a workbook on the import topic and follows what the importer says about it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from cli.amounts import Misuse
from cli.client import Client
from cli.messages import Json, given, new_id
from cli.registry import environments
from cli.replies import Expectation, Reply, holding
from cli.screen import Gauge
from schemas.imports import MAX_PART_BYTES, MAX_PARTS, MappedField

PART_BYTES = MAX_PART_BYTES
PREVIEW_S = 120.0  # a large workbook takes a while to be read
SILENCE_S = 120.0

FIELDS = tuple(sorted(get_args(MappedField)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A workbook as import.uploaded tells of it."""

    environment: int
    file_name: str
    content: bytes
    by: str
    mode: str = "preview"
    extra: Json

    def parts(self, job_id: str) -> Iterator[Json]:
        """The messages, in order."""
        pieces = [
            self.content[start : start + PART_BYTES]
            for start in range(0, len(self.content), PART_BYTES)
        ] or [b""]
        digest = hashlib.sha256(self.content).hexdigest()
        for number, piece in enumerate(pieces, start=1):
            yield {
                "type": "import.uploaded",
                "job_id": job_id,
                "environment": self.environment,
                "file_name": self.file_name,
                "sha256": digest,
                "part": number,
                "parts": len(pieces),
                "content": base64.b64encode(piece).decode(),
                "mode": self.mode,
                "by": self.by,
                **given(self.extra),
            }


def from_file(file: Path, **values: Any) -> Upload:
    """A file from the disk; raises Misuse where there is none, or one that no import could take.
    What it is the importer says."""
    try:
        if (size := file.stat().st_size) > MAX_PARTS * PART_BYTES:
            raise Misuse(
                f"{file} has {size // 1_000_000:,} MB, more than an import takes; split it."
            )
        content = file.read_bytes()
    except FileNotFoundError:
        raise Misuse(f"There is no file {file}; name an Excel workbook (.xlsx).") from None
    except IsADirectoryError:
        raise Misuse(f"{file} is a folder; name an Excel workbook (.xlsx).") from None
    except PermissionError:
        raise Misuse(f"{file} may not be read by you; ask its owner, or copy it first.") from None
    return Upload(file_name=file.name, content=content, **values)


async def environment_of(client: Client, given: int | None) -> int:
    """The environment that is given, else the only one there is; raises Misuse for several."""
    if given is not None:
        return given
    known = sorted(s["environment"] for s in await environments(client))
    if len(known) == 1:
        return int(known[0])
    if not known:
        raise Misuse("There is no environment yet; make one with `onaccount env configure`.")
    numbers = ", ".join(map(str, known[:20]))
    raise Misuse(f"For which environment? Add --environment with one of {numbers}.")


async def job_state(client: Client, job_id: str, environment: int | None = None) -> Json:
    """How an import stands, by its id or a beginning of it; raises Misuse where none is meant."""
    if not job_id.strip():  # which every id begins with
        raise Misuse("Say which import: its id, or the beginning of it.")
    states = (await client.view("imports.state")).values()
    found = [
        s
        for s in states
        if str(s["job_id"]).startswith(job_id.lower()) and environment in (None, s["environment"])
    ]
    if len(found) > 1 and len({s["job_id"] for s in found}) == 1:
        having = ", ".join(str(n) for n in sorted(s["environment"] for s in found))
        raise Misuse(
            f"Several environments have an import {job_id}; add --environment with one of {having}."
        )
    if len(found) != 1:
        which = "" if environment is None else f" of environment {environment}"
        raise Misuse(
            f"{'More than one' if found else 'No'} import{which} has an id that begins with "
            f"{job_id}; `onaccount import list` shows them."
        )
    return found[0]


def known_upload(state: Json, by: str) -> Upload:
    """An upload of which the file is with the importer already, to say something more of it."""
    return Upload(
        environment=state["environment"],
        file_name=state["file_name"],
        content=b"",
        by=by,
        extra={},
    )


async def report_of(client: Client, state: Json) -> bytes:
    """The report of an import; raises Misuse where there is none."""
    parts: dict[int, bytes] = {}
    for record in await client.read("imports.events", wanted=holding(state["job_id"])):
        message = record.message
        ours = record.environment == state["environment"]
        if ours and message.get("type") == "import.report" and message["job_id"] == state["job_id"]:
            parts[message["part"]] = base64.b64decode(message["content"])
            if len(parts) == message["parts"]:
                return b"".join(parts[number] for number in sorted(parts))
    raise Misuse(
        f"There is no report of {state['file_name']}: it is {state['status']}. One is made of what "
        "was imported, and of what was cancelled because of its problems."
    )


ENDING = ("", "import.confirmed", "import.cancelled")
"""What an import.failed is of that ends an import: the job itself, or one that is not known."""


def _failed(reply: Reply, *of: str) -> bool:
    """Whether it is an import.failed of one of these. One that refuses a single message, maybe of
    somebody else, leaves the job as it is, and its ce_id goes on behind the job's id: the reason,
    and which message (docs/importing.md)."""
    (which,) = (reply.header("ce_id") or "").split("/")[4:5] or [""]
    return reply.type == "import.failed" and which in of


class Job:
    """One import, from its upload to its report. Use inside `client.expecting` of its id."""

    def __init__(self, client: Client, upload: Upload, job_id: str | None = None) -> None:
        self.id = job_id or new_id()
        self.upload = upload
        self.report: bytes | None = None
        self._client = client
        self._parts: dict[int, bytes] = {}

    @property
    def asked(self) -> Json:
        """What the answers answer: for `client.expecting`."""
        environment = self.upload.environment
        return {"type": "import.uploaded", "job_id": self.id, "environment": environment}

    async def send(self) -> None:
        """Put the workbook on the topic."""
        for part in self.upload.parts(self.id):
            await self._client.send(part)

    async def say(self, kind: str) -> None:
        """import.confirmed, import.cancelled or import.undo."""
        await self._client.send(
            {
                "type": kind,
                "job_id": self.id,
                "environment": self.upload.environment,
                "by": self.upload.by,
            }
        )

    async def previewed(self, answers: Expectation) -> Json:
        """import.previewed, or import.failed."""
        while True:
            reply = await answers.next(PREVIEW_S)
            # Until now it is our own parts that may be unreadable.
            unread = reply.message.get("reason") == "invalid_message"
            if reply.type == "import.previewed" or _failed(reply, *ENDING) or unread:
                return reply.message

    async def completed(self, answers: Expectation, gauge: Gauge) -> Json:
        """import.completed or import.failed."""
        while True:
            message = (reply := await answers.next(SILENCE_S)).message
            match message["type"]:
                case "import.progressed":
                    gauge(message["done"], message["rows"])
                case "import.failed" if _failed(reply, *ENDING):
                    return message
                case "import.completed":
                    rows = sum(message[n] for n in ("created", "changed", "unchanged", "refused"))
                    gauge(rows, rows)
                    return message
                case "import.report":
                    self._part(message)

    async def reported(self, answers: Expectation) -> None:
        """The report, in `report`."""
        while self.report is None:
            message = (await answers.next(SILENCE_S)).message
            if message["type"] == "import.report":
                self._part(message)

    async def undone(self, answers: Expectation, gauge: Gauge, *, first_s: float) -> Json:
        """import.undone, or import.failed."""
        patience_s = first_s
        things = 0
        while True:
            message = (reply := await answers.next(patience_s)).message
            patience_s = SILENCE_S
            match message["type"]:
                case "import.progressed":
                    things = message["rows"]
                    gauge(message["done"], things)
                case "import.undone":
                    if things:
                        gauge(things, things)
                    return message
                case "import.failed" if _failed(reply, "import.undo", "undo"):
                    return message

    def _part(self, message: Json) -> None:
        self._parts[message["part"]] = base64.b64decode(message["content"])
        if len(self._parts) == message["parts"]:
            self.report = b"".join(self._parts[number] for number in sorted(self._parts))
