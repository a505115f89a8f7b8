"""A worker in the test's own process, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.worker import Worker


@asynccontextmanager
async def serving(worker: Worker) -> AsyncIterator[Worker]:
    """Let it serve meanwhile, or try to; it must end in an orderly way within 15 s."""
    task = asyncio.create_task(worker.serve())
    try:
        yield worker
    finally:
        worker.stopping.set()
        assert await asyncio.wait_for(task, 15) == 0
