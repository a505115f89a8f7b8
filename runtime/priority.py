"""Who waits when processors are few: what nobody stands at a bar for."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

NICENESS: Final = 5
"""Of nineteen: a quarter of a core that one of none wants as well (sched(7))."""

NICER: Final = 12
"""For what is quicker than who waits for it: a fifteenth of a core."""

AUTOGROUP: Final = Path("/proc/self/autogroup")
TRIES, REST_S = 3, 0.11
"""Linux takes the niceness of a session ten times a second at most, of all together."""


def give_way(niceness: int = NICENESS) -> None:
    """Let this process, and those that it starts, have a processor after others that want it.

    Where each session has a share of its own (Linux's autogroups) a process is nice to its own
    alone. So the session becomes as nice, if it is this process's: that of a terminal is not.
    One that was started by a nice one is so already, and becomes no nicer.
    Containers have shares of their own (docs/deploying.md). Raises nothing: it is a courtesy.
    """
    with suppress(OSError):
        os.nice(max(0, niceness - os.nice(0)))
    if os.getsid(0) != os.getpid():
        return
    for _ in range(TRIES):
        try:
            AUTOGROUP.write_text(str(niceness))
        except BlockingIOError:
            time.sleep(REST_S)
        except OSError:  # another kernel, or none that has it
            return
        else:
            return
