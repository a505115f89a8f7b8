"""Questions to the person at the terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from cli.amounts import Misuse
from cli.screen import Screen, harmless


def can_ask(screen: Screen) -> bool:
    """Whether there is somebody to ask."""
    return not screen.as_json and sys.stdin.isatty()


async def agreed(screen: Screen, question: str, *, instead: str) -> bool:
    """A yes or a no; raises Misuse, saying what to do `instead`, where nobody can be asked."""
    if screen.as_json:
        raise Misuse(f"With --json nothing can be asked: {instead}")
    if not can_ask(screen):
        raise Misuse(f"Nobody can be asked here: {instead}")
    answer = await typed(f"{question} [y/N] ")
    return answer.strip().lower() in ("y", "yes", "j", "ja")


async def chosen(question: str, choices: Sequence[str]) -> str | None:
    """One of the choices, by its number or its name; None for an empty line."""
    for number, choice in enumerate(choices, start=1):
        print(f"  {number}  {harmless(choice)}")
    while answer := (await typed(f"{question} ")).strip():
        if answer in choices:
            return answer
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1]
        print(f"Type a number from 1 to {len(choices)}, or nothing to stop.")
    return None


async def typed(question: str) -> str:
    """The next line that is typed; unlike with input(), one Ctrl-C is enough to stop waiting."""
    print(question, end="", flush=True)
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
