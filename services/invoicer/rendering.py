"""Where documents are made: other processes, so that nothing else waits for them."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

import structlog

log = structlog.get_logger()

Args = TypeVarTuple("Args")
T = TypeVar("T")


class RendererDied(OSError):
    """A process was killed under its work (out of memory, by hand): a fault of the surroundings."""


class TakesTooLong(Exception):
    """A document is not made in any reasonable time, such as for a logo that never ends."""


LIMIT_S = 120.0
"""A document of thousands of lines takes a minute at most."""


class Rendering:
    """Calls plain functions in `processes` others, started at the first call; 0: in threads.

    They are nicer than we are, and end with us, however we end. One that takes longer than
    `limit_s` is killed: its document fails, and those of others go on.
    """

    def __init__(self, processes: int, *, limit_s: float = LIMIT_S) -> None:
        self._processes = processes
        self._limit_s = limit_s
        self._pool: ProcessPoolExecutor | None = None

    async def call(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """`function(*args)`. Raises what it raises, RendererDied and TakesTooLong."""
        if self._processes == 0:
            return await asyncio.to_thread(function, *args)
        pool = self._pool = self._pool or ProcessPoolExecutor(
            self._processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
        )
        made = asyncio.get_running_loop().run_in_executor(pool, function, *args)
        try:
            async with asyncio.timeout(self._limit_s):
                return await made
        except TimeoutError:
            if not made.cancelled():
                raise  # its own, not ours
            self._pool = None
            for process in list(pool._processes.values()):  # it has no word for it
                process.kill()
            log.error("a document took too long", limit_s=self._limit_s)
            raise TakesTooLong(f"not made within {self._limit_s:.0f} s") from None
        except BrokenExecutor as error:
            if self._pool is pool:
                self._pool = None  # the next call starts others
            log.warning("a process that makes documents has died")
            raise RendererDied("a process that makes documents has died") from error


def _begin() -> None:
    """In the other process: leave Ctrl-C to the worker, be nice, and die with the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(5)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # its pipe closes when it is gone, also after kill -9
        os._exit(0)
