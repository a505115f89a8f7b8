"""Forgetting erased customers in what tills were told: a job, step by step.

First the pages of sign-ons, revision by revision, then what searches found. All that were erased by
the first step go together: an import that is taken back erases thousands, and what is read for one
name is read for all.
"""

from __future__ import annotations

from typing import Final

from runtime.jobs import JobKind, Work
from services.authorizer.store import forgetting


async def forget(work: Work) -> None:
    """One step: some revisions, or some searches."""
    payload = work.job.payload
    environment = int(payload["environment"])
    async with work.step() as tx:
        found, last = await forgetting.names(tx, [environment], payload.get("upto"))
        if not found:  # an earlier job took them along
            tx.done()
            return
        names, upto = found[environment], payload.get("upto", last)
        if "searches" not in payload:
            after = payload.get("revision", 0)
            revision = await forgetting.forget_in_pages(tx, environment, after, names)
            place = {"searches": None} if revision is None else {"revision": revision}
            tx.save({"environment": environment, "upto": upto, **place})
            return
        search = await forgetting.forget_in_searches(tx, environment, payload["searches"], names)
        if search is not None:
            tx.save({"environment": environment, "upto": upto, "searches": search})
            return
        await forgetting.forgotten(tx, environment, upto)
        tx.done()


JOB: Final = JobKind(kind=forgetting.KIND, run=forget, cleared=True)
