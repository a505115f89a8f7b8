"""Job `expire`: ends an upload whose parts never came, or a preview that nobody confirmed."""

from __future__ import annotations

from runtime.jobs import Work
from services.importer.events import failed
from services.importer.handlers.uploads import end
from services.importer.jobs.plan import locked
from services.importer.store import uploads


async def expire(work: Work) -> None:
    """Taken up when the time has come; looks whether there is still something to end."""
    waiting_for = work.job.ref.rsplit("/", 1)[-1]
    async with work.step() as tx:
        upload = await locked(work, tx)
        complete = await uploads.arrived(tx, upload) == upload.parts
        if upload.status == waiting_for and not (waiting_for == "received" and complete):
            why = failed(upload, "expired", at=tx.now)
            tx.answer(await end(tx, upload, "expired", why, at_part=upload.parts))
        tx.done()
