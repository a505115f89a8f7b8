"""What waits for its time waits for what was said before it too: the importer may have been off."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from runtime.ends import LogEnds
from runtime.unread import AnyUnread
from runtime.work import Work
from services.importer.handlers.uploads import BARRIER
from services.importer.store import uploads

WAIT_S: Final = 5.0
BEHIND_S: Final = 0.1


async def all_heard(work: Work, any_unread: AnyUnread) -> bool:
    """Whether everything is read that was said until the job's moment; else it is given back for a
    while. Rows of older workers tell no moment, and wait for nothing."""
    until = work.job.payload.get("until")
    if until is None:
        return True
    async with work.look() as tx:
        read = await uploads.read_up_to(tx)
    if not await any_unread(datetime.fromisoformat(until), read):
        return True
    async with work.step() as tx:
        tx.later(WAIT_S)
    return False


async def caught_up(work: Work, log_ends: LogEnds) -> bool:
    """Whether all is known that was answered before this job was taken up first; else it is given
    back for a moment. Its barrier is as old as its message: the jobs before it in the line have had
    answers since, and another worker may be late with what they changed."""
    noted = work.job.payload.get("ends")
    if noted is None:
        found = (await log_ends(BARRIER)).items()
        noted = [[topic, at, end] for topic, ends in found for at, end in ends.items()]
    elif not noted:
        return True
    async with work.step() as tx:
        behind = await uploads.behind(tx, noted)
        tx.save({**work.job.payload, "ends": noted if behind else []})
        if behind:
            tx.later(BEHIND_S)
    return not behind
