"""Questions to the person at the keyboard."""

from __future__ import annotations

import asyncio
import sys

YES = ("y", "yes", "j", "ja")


def can_ask() -> bool:
    """Whether somebody sits at the other end of standard input."""
    return sys.stdin.isatty()


async def agreed(question: str) -> bool:
    """Ask, and give whether the answer was yes; anything else is no."""
    print(f"{question} [y/N] ", end="", flush=True)
    return (await _typed()).strip().lower() in YES


async def _typed() -> str:
    """The next line that is typed; unlike with input(), one Ctrl-C is enough to stop waiting."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        loop.remove_reader(sys.stdin)
        if not line.done():
            line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin)
