"""Telling the whole state of an environment again: a job, step by step.

Nothing changes, so versions stay as they are. After a power cut (`recover`) what was approved and
taken back since a moment is told again too, whose question may be gone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from runtime.jobs import JobKind, Work
from services.authorizer.handlers.registry import REPUBLISH
from services.authorizer.store import told, unbooked
from services.authorizer.store.states import ids_after

A_STEP: Final = 500
"""Records of one step: what is held in memory and published at once."""

_STATES: Final = ("environment", "customer", "account", unbooked.KIND)


async def republish(work: Work) -> None:
    """One step: the environment itself, or the next of its customers, accounts, sales that could
    not be booked, sales or cancellations."""
    payload = work.job.payload
    environment = int(payload["environment"])
    since = datetime.fromisoformat(payload["since"]) if "since" in payload else None
    kind, after = payload.get("kind", "environment"), payload.get("after")
    order = _STATES if since is None else (*_STATES, *told.STATEMENTS)
    async with work.step() as tx:
        last: str | None = None
        if kind == "environment":
            tx.touch("environment", environment)
        elif since is not None and kind in told.STATEMENTS:
            last, answers = await told.after(tx, kind, environment, after, since, A_STEP)
            tx.answer(*answers)
        else:
            if kind == unbooked.KIND:
                ids = await unbooked.ids_after(tx, environment, after, A_STEP)
            else:
                ids = await ids_after(tx, kind, environment, after, A_STEP)
            for id_ in ids:
                tx.touch(kind, environment, id_)
            last = ids[-1] if len(ids) == A_STEP else None
        if last is not None:
            tx.save({**payload, "kind": kind, "after": last})
        elif kind == order[-1]:
            tx.done()
        else:
            tx.save({**payload, "kind": order[order.index(kind) + 1], "after": None})


JOB: Final = JobKind(kind=REPUBLISH, run=republish)
