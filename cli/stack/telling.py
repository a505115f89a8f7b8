"""What a person sees while the stack starts, runs and ends."""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console


@dataclass(slots=True)
class Teller:
    """Prints lines, and on a terminal shows what is being waited for."""

    console: Console = field(
        default_factory=lambda: Console(file=sys.stdout, highlight=False, soft_wrap=True)
    )
    since: float = field(default_factory=time.monotonic)

    def say(self, text: str, style: str = "") -> None:
        """Print one line."""
        # Nobody may be listening any more (`stack up | head`); the stack goes on.
        with contextlib.suppress(OSError, SystemExit):
            self.console.print(text, style=style or None, markup=False)

    def started(self, name: str, address: str, log: object) -> None:
        """Print that something serves now."""
        seconds = time.monotonic() - self.since
        self.say(f"{name:<13} {address:<24} {seconds:5.1f} s   log {log}")

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show a spinner meanwhile, on a terminal; elsewhere one line."""
        if self.console.is_terminal:
            with self.console.status(text):
                yield
        else:
            self.say(text)
            yield
