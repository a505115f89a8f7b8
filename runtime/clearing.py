"""Jobs that were done long ago go from the table, in small pieces (docs/decisions/0062)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from runtime.database import Database
from runtime.edge.backoff import Backoff
from runtime.status import Status
from runtime.transaction import sql

EVERY_S: Final = 600.0
AT_ONCE: Final = 1_000
DONE_DAYS: Final = 30.0
DAY_S: Final = 86_400.0


class Clearing:
    """Lets jobs of these kinds go once they have been done for `days`."""

    def __init__(self, database: Database, kinds: Sequence[str], days: float) -> None:
        self._database = database
        self._kinds = list(kinds)
        self._after_s = days * DAY_S

    async def run(self, status: Status, stopping: asyncio.Event) -> None:
        """Clear on a tick until told to stop. Raises nothing."""

        async def clear() -> None:
            while status.went_back is None and await self.some() == AT_ONCE:
                if stopping.is_set():
                    return

        await Backoff("clearing jobs", stopping, status.waits).again_and_again(clear, EVERY_S)

    async def some(self) -> int:
        """Let some of them go; returns how many. Two workers at once take others."""
        gone = await self._database.fetch(sql.clear_done, self._kinds, self._after_s, AT_ONCE)
        return len(gone)
