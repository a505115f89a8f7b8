"""Job `expire`: ends an upload whose parts never came, or a preview that nobody confirmed."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.jobs import StepTx, Work
from runtime.unread import AnyUnread
from services.importer.events import failed
from services.importer.handlers.uploads import end
from services.importer.jobs.heard import all_heard
from services.importer.jobs.plan import locked
from services.importer.store import uploads
from services.importer.store.uploads import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """Ends what was waited for in vain; `any_unread` looks for what was said in time."""

    any_unread: AnyUnread

    async def run(self, work: Work) -> None:
        """Taken up when the time has come; looks whether there is still something to end."""
        async with work.step() as tx:
            if await _waiting(work, tx) is None:
                tx.done()
        if work.ended or not await all_heard(work, self.any_unread):
            return
        async with work.step() as tx:
            if upload := await _waiting(work, tx):
                why = failed(upload, "expired", at=tx.now)
                tx.answer(await end(tx, upload, "expired", why, at_part=upload.parts))
            tx.done()


async def _waiting(work: Work, tx: StepTx) -> Upload | None:
    """The job's upload, where it still waits for what this job was made for."""
    upload = await locked(work, tx)
    if upload.status != work.job.ref.rpartition("/")[2]:
        return None
    if upload.status == "received" and await uploads.arrived(tx, upload) == upload.parts:
        return None
    return upload
