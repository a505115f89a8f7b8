"""Where documents are made: other processes, so that nothing else waits for them."""

import asyncio
import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar, TypeVarTuple, cast

import structlog

from services.invoicer.renderer import LENGTH_BYTES, packed, unpacked

log = structlog.get_logger()

Args = TypeVarTuple("Args")
T = TypeVar("T")


class RendererDied(OSError):
    """A process was killed under its work (out of memory, by hand): a fault of the surroundings."""


class TakesTooLong(Exception):
    """A document is not made in any reasonable time, such as for a logo that never ends."""


LIMIT_S = 120.0
"""A document of thousands of lines takes a minute at most."""

_GLIBC = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""glibc's malloc asks the kernel for pages of 2 MiB: typst goes through much of its heap for each
document, and looking up where they lie was a thirtieth of its time. Another malloc, and a kernel
that has none, don't mind."""

_JEMALLOC = {"MALLOC_CONF": "thp:always,narenas:1"}
"""The same for jemalloc, which takes an eighth less time again; one thread needs one arena."""
_LIBRARY = "libjemalloc.so.2"

_BUFFER_BYTES = 4 * 2**20  # an answer in one piece: files of a few hundred lines


class Rendering:
    """Calls plain functions in `processes` others, started at the first call; 0: in threads.

    They are nicer than we are, and end with us, however we end. One that takes longer than
    `limit_s` is killed: its document fails, and those of others go on. `libraries`: as `memory`.
    """

    def __init__(
        self,
        processes: int,
        *,
        limit_s: float = LIMIT_S,
        libraries: Sequence[Path] | None = None,
    ) -> None:
        self._processes = processes
        self._limit_s = limit_s
        self._libraries = libraries
        self._turns = asyncio.Semaphore(processes)
        self.turn = asyncio.Semaphore(processes or 1)
        """Held by who makes several documents one after another: theirs follow one another, while
        others read and keep what they make, instead of all being ready at the same moment."""
        self._idle: list[_Renderer] = []

    async def call(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """`function(*args)`. Raises what it raises, RendererDied and TakesTooLong."""
        if self._processes == 0:
            return await asyncio.to_thread(function, *args)
        request = packed((function, args))
        async with self._turns:
            renderer = self._idle.pop() if self._idle else await _Renderer.start(self._libraries)
            try:
                async with asyncio.timeout(self._limit_s) as limit:
                    well, answer = await renderer.ask(request)
            except TimeoutError:
                renderer.end()
                if not limit.expired():
                    raise  # its own, not ours
                log.error("a document took too long", limit_s=self._limit_s)
                raise TakesTooLong(f"not made within {self._limit_s:.0f} s") from None
            except (OSError, EOFError) as error:
                renderer.end()
                log.warning("a process that makes documents has died")
                raise RendererDied("a process that makes documents has died") from error
            except BaseException:
                renderer.end()  # it is at work for nobody
                raise
            self._idle.append(renderer)
        if not well:
            raise cast("Exception", answer)
        return cast("T", answer)


class _Renderer:
    """One process, and the line to it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, libraries: Sequence[Path] | None) -> "_Renderer":
        process, ours = _started(libraries)
        reader, writer = await asyncio.open_connection(sock=ours, limit=_BUFFER_BYTES)
        return cls(process, reader, writer)

    async def ask(self, request: bytes) -> tuple[bool, object]:
        """Whether it went well, and what came of it. Raises OSError and EOFError when it died."""
        self._writer.write(request)
        length = await self._reader.readexactly(LENGTH_BYTES)
        answer = await self._reader.readexactly(int.from_bytes(length))
        return cast("tuple[bool, object]", unpacked(answer))

    def end(self) -> None:
        self._writer.close()
        self._process.kill()
        self._process.wait()


def memory(environ: Mapping[str, str], libraries: Sequence[Path] | None = None) -> dict[str, str]:
    """What the environment of a process that makes documents says of malloc.

    jemalloc where a folder of `libraries` has it: beside our own packages, as the image has it, or
    among the system's (docs/decisions/0114). What `environ` says of these stands.
    """
    folders = _libraries() if libraries is None else libraries
    found = next((file for folder in folders if (file := folder / _LIBRARY).is_file()), None)
    ours = _GLIBC if found is None else {"LD_PRELOAD": str(found), **_JEMALLOC, **_GLIBC}
    return {**ours, **environ}


def _libraries() -> Iterator[Path]:
    yield Path(sys.prefix, "lib")
    if kind := sysconfig.get_config_var("MULTIARCH"):
        yield Path("/usr/lib", kind)
    yield from (Path("/usr/lib64"), Path("/usr/lib"), Path("/usr/local/lib"))


def _started(libraries: Sequence[Path] | None) -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, its = socket.socketpair()
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.invoicer.renderer", str(its.fileno())],
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # nice to other workers, and Ctrl-C is for ours
            env=memory(os.environ, libraries),
        )
    return process, ours
