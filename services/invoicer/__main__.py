"""The invoicer's composition root: `python -m services.invoicer` serves, `... verify` audits."""

if __name__ == "__main__":
    from runtime.early import ready_to_end

    ready_to_end()

import sys

from runtime import recover
from runtime.incoming import Lane, Route
from runtime.sql import statements
from runtime.state import StateKind
from runtime.worker import Worker
from schemas.pos import SaleApproved, SaleDeclined, SaleReversalRefused, SaleReversed
from schemas.registry import AccountState, CustomerState, EnvironmentState
from services.invoicer.fresh import Fresh
from services.invoicer.handlers import commands, registry, sales
from services.invoicer.jobs import republish
from services.invoicer.jobs.delivery import Delivery
from services.invoicer.jobs.documents import Documents
from services.invoicer.jobs.forget import FORGET
from services.invoicer.jobs.mail import Mailing
from services.invoicer.jobs.pending import PENDING
from services.invoicer.jobs.run import RUN
from services.invoicer.jobs.statements import Statements
from services.invoicer.rendering import Rendering
from services.invoicer.settings import Settings
from services.invoicer.smtp import Mailer
from services.invoicer.store.invoices import read_states
from services.invoicer.timers import SCHEDULE
from services.invoicer.verify import main as verify

TOLD_BYTES = 5 * 1024 * 1024 // 2
"""Fetched at once of what is passed over, which an upgrade reads from its beginning: the largest
record, and little more."""

LANES = (
    Lane(
        name="sales",
        routes=(
            Route(
                topic="pos.decisions",
                takes=(SaleApproved, SaleDeclined, SaleReversed, SaleReversalRefused),
                handler=sales.handle,
            ),
        ),
    ),
    Lane(
        name="commands",
        routes=(
            Route(
                topic="invoices.commands",
                takes=commands.TAKES,
                handler=commands.handle,
                on_poison=commands.not_processed,
                barrier=("pos.decisions", "registry.state"),
            ),
        ),
        max_records=100,
    ),
    Lane(
        name="registry",
        routes=(
            Route(
                topic="registry.state",
                takes=(EnvironmentState, CustomerState, AccountState),
                handler=registry.handle,
            ),
        ),
    ),
    Lane(name="told", routes=(Route(topic="invoices.events", takes=()),), fetch_bytes=TOLD_BYTES),
)
STATES = (StateKind(kind="invoice", read=read_states),)


def build(settings: Settings) -> Worker:
    """The worker, put together; opens nothing."""
    rendering, fresh = Rendering(settings.document_processes), Fresh()
    documents = Documents(rendering=rendering, fresh=fresh)
    return Worker(
        service="invoicer",
        settings=settings,
        lanes=LANES,
        states=STATES,
        jobs=(
            RUN,
            PENDING,
            republish.kind(),
            FORGET,
            documents.kind(side_by_side=settings.document_processes + 1),
            Delivery(rendering=rendering).kind(),
            Statements(rendering=rendering).kind(),
            Mailing(settings=settings, mailer=Mailer(settings), fresh=fresh).kind(),
        ),
        timers=(SCHEDULE,),
    )


def main() -> None:
    """Serve until SIGTERM; or, as `verify [--json]`, audit the books and exit 0 or 1; or, as
    `recover SINCE`, go back to a moment (runtime/recover.py)."""
    if sys.argv[1:2] == ["verify"]:
        sys.exit(verify(sys.argv[2:]))
    if sys.argv[1:2] == ["recover"]:
        sql = statements("services.invoicer", "sql/recover.sql")
        sys.exit(recover.command(sys.argv[2:], Settings, sql.tell_again))
    build(Settings.read()).run()


if __name__ == "__main__":
    main()
