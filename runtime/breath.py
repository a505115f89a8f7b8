"""Long work in the loop that also answers tills: it pauses, so that they need not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from time import perf_counter
from typing import Final, TypeVar

T = TypeVar("T")

GO_S: Final = 0.002
"""Seconds that are worked in one go."""

TURNS: Final = 3
"""Rounds of the loop that others get then. What a sale waits for is handed from callback to
callback, each run a round later: with one round every hand-over would cost it another go."""


class Breath:
    """Counts the time since the last pause; ask it between two small pieces of long work."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since = perf_counter()

    async def take(self) -> None:
        """Pause if it is time to."""
        if perf_counter() - self._since < GO_S:
            return
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self._since = perf_counter()

    async def through(self, work: Generator[None, None, T]) -> T:
        """What long work comes to that stops by itself between two small pieces."""
        while True:
            try:
                next(work)
            except StopIteration as end:
                result: T = end.value
                return result
            await self.take()
