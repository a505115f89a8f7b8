"""Waiting for something that another task of this worker does, without asking again and again."""

from __future__ import annotations

import asyncio


class Bell:
    """Rings now and then; whoever waits takes `next` before looking whether there is anything to
    do, so that what happens in between is not missed."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def next(self) -> asyncio.Event:
        """What is set when it rings next."""
        return self._next

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()


async def within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for an event, but no longer than that. True where it came."""
    # Not wait_for: on 3.11 its task, when cancelled, waits for ever.
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
