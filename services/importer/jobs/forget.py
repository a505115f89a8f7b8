"""Jobs `forget` and `erase`: people's data go once nobody needs them.

`forget` takes the rows, commands and preview of a job that has ended: at once where it did
nothing that could be taken back, else when the time for an undo is over. `erase` takes what any
job still holds of customers that were erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from runtime.jobs import Work
from runtime.transaction import Tx
from runtime.unread import AnyUnread
from services.importer.handlers.uploads import FORGET, appoint, payload
from services.importer.jobs.heard import all_heard
from services.importer.jobs.plan import locked
from services.importer.store import forgetting
from services.importer.store.uploads import Upload

BUSY_S = 60.0
UNDER_WAY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """Forgets jobs after so many days; `any_unread` looks for who asked for an undo in time."""

    undo_days: float
    any_unread: AnyUnread

    async def plan(self, tx: Tx, upload: Upload) -> None:
        """Have a job that did something forgotten when its time is over; another one at once."""
        if upload.never_ran:
            await tx.add_job(FORGET, upload.ref, payload(upload))
        else:
            until = tx.now + timedelta(days=self.undo_days)
            await appoint(tx, FORGET, upload.ref, upload, until)

    async def run(self, work: Work) -> None:
        if not await all_heard(work, self.any_unread):
            return
        while True:
            async with work.step() as tx:
                upload = await locked(work, tx)
                if not upload.ended or (upload.undo_at and upload.status != "undone"):
                    tx.later(BUSY_S)
                elif not await forgetting.some(tx, upload):
                    await forgetting.the_rest(tx, upload)
                    tx.done()
            if work.ended:
                return


async def erase(work: Work) -> None:
    """Forget customers whom the registry has erased."""
    asked = work.job.payload
    async with work.step() as tx:
        who = (asked["environment"], asked["customers"])
        if await forgetting.under_way(tx, *who):
            tx.later(UNDER_WAY_S)
        else:
            await forgetting.customers(tx, *who)
            tx.done()
