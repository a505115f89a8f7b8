"""Work on a stream of chunks, with the next one made ready meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final, TypeVar

T = TypeVar("T")

WAITING: Final = 1
"""Chunks that wait to be planned, and to be stored; one more is made ready meanwhile."""


@contextlib.asynccontextmanager
async def ahead(chunks: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """The same chunks, made ready by a task of its own while those before them are taken further:
    PostgreSQL and this process then work at the same time. No more than WAITING wait."""
    ready: asyncio.Queue[T | Exception | None] = asyncio.Queue(WAITING)

    async def read() -> None:
        try:
            async for chunk in chunks:
                await ready.put(chunk)
        except Exception as fault:
            await ready.put(fault)
        else:
            await ready.put(None)

    async def taken() -> AsyncIterator[T]:
        while (chunk := await ready.get()) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    reading = asyncio.create_task(read())
    try:
        yield taken()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
