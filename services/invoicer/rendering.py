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


class Rendering:
    """Calls plain functions in `processes` others, started at the first call; 0: in threads.

    They are nicer than we are, and end with us, however we end.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    async def call(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """`function(*args)`. Raises what it raises, and RendererDied."""
        if self._processes == 0:
            return await asyncio.to_thread(function, *args)
        pool = self._pool = self._pool or ProcessPoolExecutor(
            self._processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
        )
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, function, *args)
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
