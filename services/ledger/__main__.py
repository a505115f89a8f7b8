"""The ledger: without arguments the worker; `verify` checks the books (verify.py), and
`recover SINCE` has it go back to a moment (runtime/recover.py)."""

if __name__ == "__main__":
    from runtime.early import ready_to_end

    ready_to_end()

import sys

from runtime import recover
from runtime.incoming import Lane, Route
from runtime.worker import Worker
from services.ledger import verify
from services.ledger.handlers import decisions, invoices
from services.ledger.settings import Settings
from services.ledger.states import BALANCE


def build(settings: Settings) -> Worker:
    """The worker with all that it takes; nothing is opened yet."""
    return Worker(
        service="ledger",
        settings=settings,
        lanes=(
            Lane(
                name="ledger",
                routes=(
                    Route(
                        topic="pos.decisions",
                        takes=decisions.TAKES,
                        handler=decisions.handle,
                        at_once=decisions.handle_at_once,
                    ),
                    Route(topic="invoices.events", takes=invoices.TAKES, handler=invoices.handle),
                ),
                max_records=settings.batch_records,
                in_hand=4,
                by_key=True,
            ),
        ),
        states=(BALANCE,),
    )


def main() -> None:
    """Run the worker, or what is asked for by name."""
    if sys.argv[1:2] == ["verify"]:
        sys.exit(verify.main(sys.argv[2:]))
    if sys.argv[1:2] == ["recover"]:
        sys.exit(recover.command(sys.argv[2:], Settings))
    build(Settings.read()).run()


if __name__ == "__main__":
    main()
