"""A batch that is decided at once, with something happening before each of its statements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from runtime.glance import Glance

Before = Callable[[], Awaitable[Any]]


async def nothing() -> None:
    """Nobody else is at work."""


class Interrupted(Glance):
    """One that awaits `looks` before it looks, and `records` before it records."""

    __slots__ = ("_glance", "_looks", "_records")

    def __init__(
        self, glance: Glance, *, looks: Before = nothing, records: Before = nothing
    ) -> None:
        self._glance, self._looks, self._records = glance, looks, records
        self.touched, self.known, self.few = glance.touched, glance.known, glance.few
        self._haste = glance._haste

    async def look(self, query: str, *args: Any) -> list[asyncpg.Record]:
        await self._looks()
        rows = await self._glance.look(query, *args)
        self.now = self._glance.now
        return rows

    async def record(self, query: str, *args: Any) -> list[asyncpg.Record]:
        await self._records()
        return await self._glance.record(query, *args)
