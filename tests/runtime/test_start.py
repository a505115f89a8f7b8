"""What a worker takes up when it starts."""

import subprocess
import sys


def test_a_worker_loads_nothing_for_consoles() -> None:
    """A sixth of its start: structlog takes up rich wherever that is installed."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import services.ledger.__main__, sys; print('rich' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "False\n"


def test_whoever_wants_rich_still_gets_it() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import runtime, rich; print(rich.get_console().file.name)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "<stdout>\n"
