"""The importer: workbooks in, registry commands out; `python -m services.importer`."""

from __future__ import annotations

if __name__ == "__main__":
    from runtime.early import ready_to_end

    ready_to_end()

import sys
from collections.abc import Iterable, Sequence

from runtime import recover
from runtime.answers import Answer
from runtime.bell import Bell
from runtime.ends import LogEnds, log_ends
from runtime.incoming import Handler, Incoming, Lane, Route
from runtime.jobs import JobKind
from runtime.priority import give_way
from runtime.scratch import clear
from runtime.sql import statements
from runtime.state import StateKind
from runtime.transaction import Tx
from runtime.unread import AnyUnread, Unread
from runtime.worker import Worker
from services.importer.handlers import registry
from services.importer.handlers.uploads import (
    BARRIER,
    CARRY_OUT,
    DECIDE,
    DECIDE_LARGE,
    EXPIRE,
    FORGET,
    REPORT,
    TAKES,
    UNDO,
    UNDO_AT_ONCE,
    Uploads,
)
from services.importer.heap import give_large_blocks_back
from services.importer.jobs.carry_out import CarryingOut
from services.importer.jobs.expire import Expiring
from services.importer.jobs.files import FOLDERS
from services.importer.jobs.forget import Forgetting, erase
from services.importer.jobs.plan import Planning
from services.importer.jobs.report import Reporting
from services.importer.jobs.undo import Undoing
from services.importer.settings import MIB, Settings
from services.importer.store import uploads

NOTED_AT_ONCE = 4
"""Times a batch's records that are noted of the registry in one transaction: an import makes two
states a row, and its next bundles wait until those of the last are committed."""

UPLOADS = "imports.uploads"
UPLOADS_AT_ONCE = 2
UPLOAD_BYTES = 5 * MIB // 4
"""Parts are up to a megabyte each, and what is fetched at once is held in memory, as it came and as
it is read: one part and little more, however large the workbook."""


def ringing(bell: Bell, handler: Handler) -> Handler:
    """The handler; the bell rings each time when it is through."""

    async def handle(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
        answers = await handler(batch, tx)
        bell.ring()
        return answers

    return handle


def lanes(settings: Settings, heard: Bell) -> tuple[Lane, ...]:
    handler = Uploads(
        file_bytes=settings.import_file_mb * MIB,
        kept_bytes=settings.import_kept_mb * MIB,
        expiry_s=settings.import_expiry_s,
        undo_days=settings.import_undo_days,
    )
    received = Route(topic=UPLOADS, takes=TAKES, handler=handler.handle, barrier=BARRIER)
    state = Route(topic="registry.state", takes=registry.STATES, handler=registry.hear_state)
    outcomes = Route(
        topic="registry.outcomes",
        takes=registry.OUTCOMES,
        handler=ringing(heard, registry.hear_outcomes),
    )
    return (
        Lane(
            name="uploads",
            routes=(received,),
            max_records=UPLOADS_AT_ONCE,
            fetch_bytes=UPLOAD_BYTES,
        ),
        Lane(
            name="registry",
            routes=(state, outcomes),
            max_records=settings.batch_records,
            times=NOTED_AT_ONCE,
        ),
    )


def jobs(
    settings: Settings, heard: Bell, any_unread: AnyUnread, ends: LogEnds
) -> tuple[JobKind, ...]:
    limits = settings.child_limits()
    many = settings.import_side_by_side
    window = settings.import_window
    planning = Planning(limits=limits, expiry_s=settings.import_expiry_s, window=window)
    forgetting = Forgetting(undo_days=settings.import_undo_days, any_unread=any_unread)
    expiring = Expiring(any_unread=any_unread)
    reporting = Reporting(limits=limits, forgetting=forgetting)
    carrying_out = CarryingOut(
        limits=limits,
        window=window,
        resend_s=settings.import_resend_s,
        forgetting=forgetting,
        outcomes=heard,
    )
    undoing = Undoing(window=window, resend_s=settings.import_resend_s, log_ends=ends)
    slow = (
        (DECIDE, planning.run, planning.poisoned),
        (DECIDE_LARGE, planning.run, planning.poisoned),
        (CARRY_OUT, carrying_out.run, carrying_out.poisoned),
        (REPORT, reporting.run, reporting.poisoned),
        (UNDO, undoing.run, undoing.poisoned),
        (UNDO_AT_ONCE, undoing.run_gathered_at_once, undoing.poisoned),
    )
    return (
        *(
            JobKind(kind=kind, run=run, side_by_side=many, on_poison=poisoned, cleared=True)
            for kind, run, poisoned in slow
        ),
        JobKind(kind=FORGET, run=forgetting.run, cleared=True, appointed=True),
        JobKind(kind=registry.ERASE, run=erase, cleared=True),
        JobKind(kind=EXPIRE, run=expiring.run, cleared=True, appointed=True),
    )


STATES = (StateKind(kind="import", read=uploads.states),)


def build(settings: Settings) -> Worker:
    """The worker, put together; opens nothing."""
    heard, client = Bell(), settings.client()
    any_unread, ends = Unread(client, UPLOADS).before, log_ends(client, "importer")
    return Worker(
        service="importer",
        settings=settings,
        lanes=lanes(settings, heard),
        states=STATES,
        jobs=jobs(settings, heard, any_unread, ends),
    )


def main() -> None:
    """Serve until told to stop; or, as `recover SINCE`, go back to then (runtime/recover.py)."""
    if sys.argv[1:2] == ["recover"]:
        sql = statements("services.importer", "sql/recover.sql")
        sys.exit(recover.command(sys.argv[2:], Settings, sql.tell_again))
    give_way()
    give_large_blocks_back()
    worker = build(Settings.read())
    clear(FOLDERS)  # people's workbooks that one who was killed has left
    worker.run()


if __name__ == "__main__":
    main()
