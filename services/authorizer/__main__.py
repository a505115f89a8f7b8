"""The authorizer's worker, put together: `python -m services.authorizer`."""

from __future__ import annotations

if __name__ == "__main__":
    from runtime.early import ready_to_end

    ready_to_end()

import sys
from functools import partial

from runtime import recover
from runtime.incoming import Lane, Route
from runtime.sql import statements
from runtime.worker import Worker
from schemas import pos, terminals, unbooked
from schemas.steps import REGISTRY_COMMANDS
from services.authorizer.handlers import forget, invoices, republish, sales, tills
from services.authorizer.handlers import registry as commands
from services.authorizer.settings import Settings
from services.authorizer.store.recent import Recent
from services.authorizer.store.states import STATES
from services.authorizer.verify import main as verify

SALES_BYTES = 1_000_000
"""Of sales in one transaction: five hundred of the usual kind have less, and of cancellations that
name hundreds of lines each no more are decided together than PostgreSQL waits for."""

IN_HAND = 4
"""Transactions' sales at once, where so many wait."""

REGISTRY_BYTES = 64_000
"""Of registry commands in one transaction: one bundle of an import."""

QUIET_BYTES = 256_000
"""The same while no till asks anything: six of them, which takes a fifth less for each."""

RESTS = 2.0
"""While tills ask: after a transaction nothing, for so many times as long as that took."""


def lanes(batch_records: int) -> tuple[Lane, ...]:
    """Sales, the registry with what moves its sums, and the tills' directory."""
    recent = Recent()
    return (
        Lane(
            name="sales",
            routes=(
                Route(
                    topic="pos.sales",
                    takes=(pos.SaleRequested, pos.SaleRecorded, pos.SaleCancelled),
                    handler=partial(sales.decide_sales, recent),
                    on_poison=sales.refuse_poison,
                    at_once=partial(sales.decide_at_once, recent),
                ),
            ),
            max_records=batch_records,
            max_bytes=SALES_BYTES,
            in_hand=IN_HAND,
            by_key=True,
        ),
        Lane(
            name="registry",
            routes=(
                Route(
                    topic="registry.commands",
                    takes=(*REGISTRY_COMMANDS, unbooked.UnbookedDismiss),
                    handler=commands.carry_out_commands,
                    on_poison=commands.refuse_poison,
                ),
                Route(topic="invoices.events", takes=invoices.TAKES, handler=invoices.add_up),
            ),
            by_key=True,
            max_bytes=REGISTRY_BYTES,
            quiet_bytes=QUIET_BYTES,
            rests=RESTS,
        ),
        # A sign-on at a large venue is answered with thousands of accounts: few at a time, so that
        # sales are answered in between.
        Lane(
            name="tills",
            routes=(
                Route(
                    topic="pos.terminals",
                    takes=(terminals.TerminalSignedOn, terminals.TerminalSearched),
                    handler=tills.answer_tills,
                ),
            ),
            max_records=10,
        ),
    )


def build(settings: Settings) -> Worker:
    """The worker, with nothing opened."""
    return Worker(
        service="authorizer",
        settings=settings,
        lanes=lanes(settings.batch_records),
        states=STATES,
        jobs=(republish.JOB, forget.JOB),
    )


def main() -> None:
    """Serve until told to stop; or, as `verify [--json]`, audit the limits and exit 0, 1 or 2; or,
    as `recover SINCE`, go back to a moment (runtime/recover.py)."""
    if sys.argv[1:2] == ["verify"]:
        sys.exit(verify(sys.argv[2:]))
    if sys.argv[1:2] == ["recover"]:
        sql = statements("services.authorizer", "sql/recover.sql")
        sys.exit(recover.command(sys.argv[2:], Settings, sql.tell_again))
    build(Settings.read()).run()


if __name__ == "__main__":
    main()
