"""Telling again what moved money and how each invoice stands: a job, step by step. What was asked
of the authorizer and has not come back is asked again.

Nothing changes, so versions stay as they are, and no mail goes out. What was told of mails, drafts
and runs does not come back.
"""

from functools import partial
from typing import Final

from runtime.jobs import JobKind, Work
from services.invoicer.store import republish as store

A_STEP: Final = store.Most()
"""An invoice of ten thousand sales has most of a megabyte, and takes the loop a while to word."""

FIRST: Final = "00000000-0000-0000-0000-000000000000"

_READ: Final = {
    "invoice": store.invoices,
    "credit_note": store.credit_notes,
    "payment": store.payments,
}
_ORDER: Final = tuple(_READ)


async def republish(work: Work, a_step: store.Most) -> None:
    """One step: the next invoices, credit notes or payments."""
    payload = work.job.payload
    environment, kind = int(payload["environment"]), payload.get("kind", _ORDER[0])
    async with work.step() as tx:
        ids, told = await _READ[kind](tx, environment, payload.get("after", FIRST), a_step)
        tx.answer(*told)
        if "kind" not in payload:
            tx.answer(*await store.asked_back(tx, environment))
        if kind == "invoice":
            for id_ in ids:
                tx.touch(kind, environment, id_)
        if ids:
            tx.save({"environment": environment, "kind": kind, "after": ids[-1]})
        elif kind == _ORDER[-1]:
            tx.done()
        else:
            tx.save({"environment": environment, "kind": _ORDER[_ORDER.index(kind) + 1]})


def kind(a_step: store.Most = A_STEP) -> JobKind:
    """The job, so much at a time."""
    return JobKind(kind="republish", run=partial(republish, a_step=a_step), cleared=True)
