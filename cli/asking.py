"""Asking the person at the keyboard, where something can't be undone or touches very much."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from cli.amounts import Misuse
from cli.screen import Screen, harmless

Yes = Annotated[
    bool, Parameter(name=("--yes", "-y"), negative="", help="Do it without asking first.")
]


async def agreed(screen: Screen, question: str, *, yes: bool) -> bool:
    """Whether it is to be done. Raises Misuse where nobody can be asked."""
    if yes:
        return True
    if screen.as_json or not can_ask():
        raise Misuse(f"Nobody can be asked here: {question} Add --yes to do it.")
    said = await asked(question)
    if not said:
        screen.say("nothing was done")
    return said


def can_ask() -> bool:
    """Whether somebody sits at the other end of standard input."""
    return sys.stdin.isatty()


async def asked(question: str) -> bool:
    """Ask, and give whether the answer was yes; anything else is no."""
    print(f"{harmless(question)} [y/N] ", end="", flush=True)
    return (await typed()).strip().lower() in ("y", "yes", "j", "ja")


async def chosen(question: str, choices: Sequence[str]) -> str | None:
    """One of the choices, by its number or its name; None for an empty line."""
    for number, choice in enumerate(choices, start=1):
        print(f"  {number}  {harmless(choice)}")
    while True:
        print(f"{harmless(question)} ", end="", flush=True)
        answer = (await typed()).strip()
        if not answer:
            return None
        if answer in choices:
            return answer
        if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1]
        print(f"Type a number from 1 to {len(choices)}, or nothing to stop.")


async def typed() -> str:
    """The next line that is typed, empty at the end of the input; one Ctrl-C stops waiting."""
    if not sys.stdin.isatty():
        return await asyncio.to_thread(_line)
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        loop.remove_reader(sys.stdin)
        try:
            text = _line()
        except Misuse as fault:
            if not line.done():
                line.set_exception(fault)
        else:
            if not line.done():  # by Ctrl-C while the line came
                line.set_result(text)

    loop.add_reader(sys.stdin, read)
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin)


def _line() -> str:
    try:
        return sys.stdin.readline()
    except UnicodeDecodeError:
        raise Misuse("What was typed is no text in UTF-8.") from None
