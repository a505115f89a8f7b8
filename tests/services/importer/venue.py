"""A venue that imports: the importer's handlers and jobs on PostgreSQL, a registry beside it."""

import asyncio
import base64
import hashlib
import io
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import openpyxl

from runtime.answers import Answer
from runtime.bell import Bell
from runtime.jobs import JobKind
from runtime.transaction import NO_ENDS, Ends
from schemas.imports import (
    ImportCancelled,
    ImportCompleted,
    ImportConfirmed,
    ImportFailed,
    ImportPreviewed,
    ImportUndo,
    ImportUploaded,
)
from schemas.wire import decode
from services.importer.__main__ import STATES, jobs, ringing
from services.importer.handlers.registry import hear_outcomes, hear_state
from services.importer.handlers.uploads import Uploads
from services.importer.settings import MIB, Settings
from tests.services.importer.registry import Registry
from tests.support.databases import Database
from tests.support.handlers import HandlerBench


class Venue:
    """What a person and the registry see of the importer."""

    def __init__(self, bench: HandlerBench, **changed: Any) -> None:
        self.bench = bench
        self.registry = Registry()
        self.settings = Settings(postgres="postgresql://unused", **changed)
        self.uploads = Uploads(
            file_bytes=self.settings.import_file_mb * MIB,
            kept_bytes=self.settings.import_kept_mb * MIB,
            expiry_s=self.settings.import_expiry_s,
            undo_days=self.settings.import_undo_days,
        )
        heard = Bell()
        self.hear_outcomes = ringing(heard, hear_outcomes)
        self.kinds: tuple[JobKind, ...] = jobs(
            self.settings, heard, self._any_unread, self._log_ends
        )
        self.events: list[Answer] = []
        self.commands: list[Answer] = []
        self.deaf = 0  # so many commands are not heard by the registry
        self.most_at_once = 0
        self.ends: Ends = NO_ENDS  # of the log, when a job asks
        self.unread: datetime | None = None  # when a record came that is not read yet
        self.read: dict[int, int] = {}  # up to where imports.uploads was read, as jobs know it
        self.late: list[Any] | None = None  # states are kept here, and not told yet
        self._seen = 0

    async def open(self, **settings: Any) -> None:
        """The environment's state is told."""
        await self.bench.handle(hear_state, [self.registry.environment_state(**settings)])

    async def say(self, *messages: Any) -> list[Any]:
        """Put messages on imports.uploads; gives the answers that come at once."""
        answers = await self.bench.handle(self.uploads.handle, messages)
        self.events += answers
        return [decode(a.topic, a.value) for a in answers]

    async def settle(self) -> list[Any]:
        """Run jobs, and have the registry answer commands meanwhile, until nothing is left to do;
        gives the events that were published."""
        begin = len(self.events)
        running = asyncio.create_task(self.run_jobs())
        try:
            async with asyncio.timeout(60):
                while not running.done():
                    await self.follow()
                    await asyncio.sleep(0.01)
        finally:
            running.cancel()
        await running
        await self.follow()
        return [decode(a.topic, a.value) for a in self.events[begin:]]

    async def _any_unread(self, at: datetime, read: Mapping[int, int]) -> bool:
        self.read = {**read}
        return self.unread is not None and self.unread < at

    async def _log_ends(self, topics: Sequence[str]) -> Ends:
        return self.ends

    async def run_jobs(self) -> None:
        """Run jobs until none is open but those whose time has not come."""
        while await self.bench.database.fetch(
            "SELECT FROM job WHERE state = 'open' AND kind <> 'expire'"
            " AND (kind <> 'forget' OR due_at <= now())"
        ):
            await self.bench.run_jobs(self.kinds)
            for kind in self.kinds:
                if kind.kind not in ("expire", "forget"):
                    await self.bench.make_due(kind.kind)

    async def follow(self) -> None:
        """Take what was published since: events for the person, commands for the registry."""
        published = self.bench.published.answers[self._seen :]
        self._seen += len(published)
        self.events += [a for a in published if a.topic == "imports.events"]
        await self.answer([a for a in published if a.topic == "registry.commands"])

    async def answer(self, commands: Iterable[Answer]) -> None:
        """The registry takes commands and tells their outcomes and its state."""
        commands = list(commands)
        self.commands += commands
        self.most_at_once = max(self.most_at_once, len(commands))
        deaf = min(self.deaf, len(commands))
        self.deaf -= deaf
        commands = commands[deaf:]
        outcomes: list[Any] = []
        states: list[Any] = []
        for command in commands:
            outcome, told = self.registry.ask(decode(command.topic, command.value))
            outcomes.append(outcome)
            states += told
        if outcomes:
            await self.bench.handle(self.hear_outcomes, outcomes)
        if self.late is None:
            await self.tell(states)
        else:
            self.late += states

    async def tell(self, states: Iterable[Any]) -> None:
        """registry.state tells of these."""
        if told := list(states):
            await self.bench.handle(hear_state, told)

    def confirm(self, job_id: str) -> ImportConfirmed:
        return ImportConfirmed(job_id=job_id, environment=self.registry.environment, by="Ans")

    async def undone(self, job_id: str) -> list[Any]:
        """Ask for an undo, and follow it to its end."""
        said = await self.say(
            ImportUndo(job_id=job_id, environment=self.registry.environment, by="Ans")
        )
        return [*said, *await self.settle()]

    def cancel(self, job_id: str) -> ImportCancelled:
        return ImportCancelled(job_id=job_id, environment=self.registry.environment, by="Ans")

    async def imported(self, content: bytes, **options: Any) -> list[Any]:
        """Upload in mode import, and follow it to its end."""
        await self.say(*parts(content, mode="import", **options))
        return await self.settle()


@asynccontextmanager
async def venue(database: Database, **changed: Any) -> AsyncIterator[Venue]:
    """An environment with accepted terms, nothing in it yet."""
    async with HandlerBench(database.dsn("importer"), states=STATES) as bench:
        place = Venue(bench, **changed)
        await place.open()
        yield place


def parts(
    content: bytes,
    *,
    job_id: str = "",
    size: int = 700_000,
    environment: int = 2890,
    mode: Any = "preview",
    file_name: str = "leden.xlsx",
    sha256: str = "",
    **more: Any,
) -> list[ImportUploaded]:
    """A workbook as messages."""
    job_id = job_id or str(uuid.uuid4())
    pieces = [content[i : i + size] for i in range(0, len(content), size)] or [b""]
    return [
        ImportUploaded(
            job_id=job_id,
            environment=environment,
            file_name=file_name,
            sha256=sha256 or hashlib.sha256(content).hexdigest(),
            part=number,
            parts=len(pieces),
            content=base64.b64encode(piece).decode(),
            mode=mode,
            by="Ans",
            **more,
        )
        for number, piece in enumerate(pieces, start=1)
    ]


def only(events: Iterable[Any], kind: type[Any]) -> Any:
    """The one event of a kind."""
    found = [e for e in events if isinstance(e, kind)]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} among {[e.type for e in events]}"
    return found[0]


def preview_of(events: Iterable[Any]) -> ImportPreviewed:
    return only(events, ImportPreviewed)  # type: ignore[no-any-return]


def completed_of(events: Iterable[Any]) -> ImportCompleted:
    return only(events, ImportCompleted)  # type: ignore[no-any-return]


def failed_of(events: Iterable[Any]) -> ImportFailed:
    return only(events, ImportFailed)  # type: ignore[no-any-return]


def report_of(events: Iterable[Any]) -> Any:
    """The report's sheet, put together from its parts."""
    pieces = sorted((e for e in events if e.type == "import.report"), key=lambda e: e.part)
    assert [p.part for p in pieces] == list(range(1, pieces[0].parts + 1))
    content = b"".join(base64.b64decode(p.content) for p in pieces)
    return openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
