"""What waits for its time waits for what was said before it too: the importer may have been off."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from runtime.unread import AnyUnread
from runtime.work import Work
from services.importer.store import uploads

WAIT_S: Final = 5.0


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
