"""What a worker's process does first, before it loads its own code."""

import os
import signal
import sys
from types import FrameType


def ready_to_end() -> None:
    """From now on, to be told to stop is to be done: nothing is open yet. `Worker.run` takes over.

    Loading its code takes a worker a second or, where it has little of a core, many; the signal
    itself would end it meanwhile, which reads as a failure. Only of a worker, which is called
    without arguments: a check that is broken off must not exit 0, for that says that all is true.
    """
    if not sys.argv[1:]:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, done)


def done(number: int, frame: FrameType | None) -> None:
    """Handles a signal by ending at once, with status 0."""
    # Not sys.exit: within an import it may be caught, and run what is half loaded; within what C
    # or Rust calls back (a model that pydantic builds) it is swallowed, and the worker serves on.
    os._exit(0)
