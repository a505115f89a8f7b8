"""Telling the whole state of an environment again: a job, step by step.

Nothing changes, so versions stay as they are.
"""

from __future__ import annotations

from typing import Final

from runtime.jobs import JobKind, Work
from services.authorizer.handlers.registry import REPUBLISH
from services.authorizer.store import unbooked
from services.authorizer.store.states import ids_after

A_STEP: Final = 500
"""Records of one step: what is held in memory and published at once."""

_ORDER: Final = ("environment", "customer", "account", unbooked.KIND)


async def republish(work: Work) -> None:
    """One step: the environment itself, or the next of its customers, accounts
    or sales that could not be booked."""
    payload = work.job.payload
    environment = int(payload["environment"])
    kind = payload.get("kind", "environment")
    async with work.step() as tx:
        if kind == "environment":
            tx.touch("environment", environment)
            ids: list[str] = []
        else:
            after = payload.get("after")
            if kind == unbooked.KIND:
                ids = await unbooked.ids_after(tx, environment, after, A_STEP)
            else:
                ids = await ids_after(tx, kind, environment, after, A_STEP)
            for id_ in ids:
                tx.touch(kind, environment, id_)
        if len(ids) == A_STEP:
            tx.save({"environment": environment, "kind": kind, "after": ids[-1]})
        elif kind == _ORDER[-1]:
            tx.done()
        else:
            tx.save({"environment": environment, "kind": _ORDER[_ORDER.index(kind) + 1]})


JOB: Final = JobKind(kind=REPUBLISH, run=republish)
