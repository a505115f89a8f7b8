"""Job `undo`: takes an import back, as far as nobody has built on it since.

First the accounts, then the links that it made between what it found, then the customers: one is
erased only once nothing is left that it holds. Each thing is decided once, from the registry's
state after everything that was answered before the undo was asked for (its barrier) and before
it was its turn: what the import before it changed, or an undo put back, counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from runtime.ends import LogEnds
from runtime.jobs import StepTx, Work
from schemas.imports import ImportProgressed, ImportUndone, Kept
from services.importer.domain.messages import Tongue, say
from services.importer.domain.undo_sentences import UNDO
from services.importer.domain.undoing import (
    KINDS,
    Kind,
    Step,
    Touched,
    left,
    undo_account,
    undo_customer,
    undo_link,
)
from services.importer.events import event, undo_given_up, undoing
from services.importer.jobs.heard import caught_up
from services.importer.jobs.plan import locked
from services.importer.store import undo, uploads
from services.importer.store.uploads import Upload

CHUNK: Final = 500
STEPS: Final = 20
PAUSE_S: Final = 0.02
FROM_THE_FIRST: Final = -1
MOST_KEPT: Final = 9_999
MOST_BYTES: Final = 1_900_000
BYTES_AROUND: Final = 60
"""Of what stays in one message, where a topic takes two megabytes; of each, what is not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """Takes jobs back within these bounds."""

    window: int
    resend_s: float
    log_ends: LogEnds

    async def run(self, work: Work) -> None:
        if not await caught_up(work, self.log_ends):
            return
        while not work.job.payload.get("gathered"):
            async with work.step() as tx:
                await _gather(work, tx)
        for _ in range(STEPS):
            async with work.step() as tx:
                busy = await self._step(work, tx)
            if work.ended:
                return
            if not busy:
                await asyncio.sleep(PAUSE_S)
        async with work.step() as tx:
            tx.later(0)

    async def run_gathered_at_once(self, work: Work) -> None:
        """A job that an older worker may take over at any step: it finds none half gathered."""
        if not work.job.payload.get("gathered"):
            async with work.step() as tx:
                upload = await locked(work, tx)
                until: int | None = FROM_THE_FIRST
                while until is not None:
                    until = await undo.gather(tx, upload, after=until)
                tx.save({**work.job.payload, "gathered": True, "phase": 0})
        await self.run(work)

    async def _step(self, work: Work, tx: StepTx) -> bool:
        """Decide about some more things and send what may be sent. True where there was any."""
        upload = await locked(work, tx)
        phase = int(work.job.payload["phase"])
        open_, under_way = await undo.open_steps(tx, upload)
        decided = 0
        if open_ < self.window:
            decided = await _decide(tx, upload, KINDS[phase])
            if decided == 0 and open_ == 0:
                if phase + 1 == len(KINDS):
                    await _settle(tx, upload)
                else:
                    tx.save({**work.job.payload, "phase": phase + 1})
                return True
        before = tx.now - timedelta(seconds=self.resend_s)
        most = max(0, self.window - under_way) or 1
        sent = await undo.send(tx, upload, most, before, tx.now)
        tx.answer(*(undoing(upload, s) for s in sent))
        if told := await _progress(work, tx, upload):
            tx.save({**work.job.payload, **told})
        return bool(sent or decided)

    async def poisoned(self, work: Work, tx: StepTx) -> None:
        """Our own code failed again and again: what was taken back stays so. It may be asked for
        again, and is forgotten when its time is over."""
        upload = await locked(work, tx)
        await undo.give_up(tx, upload)
        tx.answer(await undo_given_up(tx, upload, upload.undo_at or tx.now, at=tx.now))


async def _decide(tx: StepTx, upload: Upload, kind: Kind) -> int:
    things = await undo.undecided(tx, upload, kind, CHUNK)
    if not things:
        return 0
    ids = [t.id for t in things]
    now = await undo.standing(tx, upload, kind, ids)
    used = await undo.in_use(tx, upload, ids) if kind == "customer" else {}
    steps: list[tuple[Touched, Step]] = []
    for thing in things:
        stands = now.get(thing.id)
        match kind:
            case "account":
                found = undo_account(thing, stands, upload.language)
            case "link":
                found = undo_link(thing, stands, upload.language)
            case "customer":
                found = undo_customer(thing, stands, used.get(thing.id, ()), upload.language)
        steps += [(thing, step) for step in found]
    await undo.decide(tx, upload, steps)
    await undo.note_decided(tx, upload, kind, ids)
    return len(things)


async def _gather(work: Work, tx: StepTx) -> None:
    """Collect some more of what the job touched."""
    upload = await locked(work, tx)
    after = int(work.job.payload.get("gathered_to", FROM_THE_FIRST))
    until = await undo.gather(tx, upload, after=after)
    so_far = {"gathered": True, "phase": 0} if until is None else {"gathered_to": until}
    tx.save({**work.job.payload, **await _progress(work, tx, upload), **so_far})


async def _progress(work: Work, tx: StepTx, upload: Upload) -> dict[str, object]:
    """At least every second while there is something to do; gives what the job is to keep of it."""
    last = work.job.payload.get("progress_at")
    if last and tx.now - datetime.fromisoformat(last) < timedelta(seconds=0.8):
        return {}
    done, things = await undo.progress(tx, upload)
    said = ImportProgressed(
        job_id=upload.job_id, environment=upload.environment, done=done, rows=things
    )
    at = tx.now.astimezone(UTC)
    tx.answer(event(upload, said, at=at, mark=f"undo/{int(at.timestamp() * 1000)}"))
    return {"progress_at": at.isoformat()}


async def _settle(tx: StepTx, upload: Upload) -> None:
    counts = await undo.counts(tx, upload)
    count, stays = await undo.kept(tx, upload, MOST_KEPT)
    told = tuple(told_of(count, stays, upload.language))
    said = ImportUndone(job_id=upload.job_id, environment=upload.environment, kept=told, **counts)
    answer = event(upload, said, at=tx.now)
    tx.answer(await uploads.say(tx, upload, answer, at_part=upload.parts))
    await uploads.become(tx, upload, "undone")
    tx.done()


def told_of(count: int, stays: Sequence[undo.Left], tongue: Tongue) -> Iterator[Kept]:
    """What stays, of which `stays` are the first: as many of them as one message holds, and how
    many more there are."""
    room, told = MOST_BYTES, 0
    for one in stays:
        kept = Kept(kind=one.kind, id=one.id, why=_why(one, tongue))
        room -= len(f"{kept.id}{kept.why}".encode()) + BYTES_AROUND
        if room < 0:
            break
        yield kept
        told += 1
    if count > told:
        yield Kept(kind="more", id="...", why=say(UNDO["more"], tongue, value=count - told))


def _why(stays: undo.Left, tongue: Tongue) -> str:
    why = [stays.kept or ""]
    if stays.refused:
        why.append(left(stays.reason, stays.message, tongue))
    return "; ".join(w for w in why if w)[:2000]
