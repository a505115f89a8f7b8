"""The line that is typed at the till, with the keys that a terminal has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from cli.asking import typed
from cli.counter.tab import Tab
from cli.counter.typed import WORDS

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.document import Document

OFFERED = 12
"""Guests at once that Tab offers."""
ROOM = 5
"""Lines below the prompt for what Tab offers."""
SHORTEST = 3
"""Letters of the shortest word that Tab offers: of `f` and `find`, find."""


class Keyboard:
    """A terminal: the arrows move in the line and go back to lines before it, Tab offers what a
    line may go on as. Lines stay in memory, for they name guests."""

    def __init__(self, tab: Tab) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion

        class Offering(Completer):
            def get_completions(self, document: Document, _: object) -> Iterator[Completion]:
                text = document.text_before_cursor
                for put, beside in offers(text, tab):
                    yield Completion(put, -len(text), display_meta=beside)

        self._session: PromptSession[str] = PromptSession(
            completer=Offering(), complete_while_typing=False, reserve_space_for_menu=ROOM
        )

    @property
    def text(self) -> str:
        """What the line reads now."""
        return self._session.default_buffer.text

    async def line(self, prompt: str) -> str:
        """The next line with its end, as a file gives it; empty at the end of the input. Raises
        KeyboardInterrupt for Ctrl-C."""
        try:
            return await self._session.prompt_async(prompt) + "\n"
        except EOFError:
            return ""


class Pipe:
    """Lines that a program gives: the prompt and each line are shown as if they had been typed."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    async def line(self, prompt: str) -> str:
        """As of a keyboard."""
        if self._silent:
            return await typed()
        print(prompt, end="", flush=True)
        text = await typed()
        print(text.strip("\n"))
        return text


def offers(text: str, tab: Tab) -> Iterator[tuple[str, str]]:
    """What a line that begins so may go on as: what is put, and what is shown beside it.
    Commands, and guests behind the button by their number or a part of their name."""
    begun = text.casefold()
    for word in sorted(WORDS):
        if len(word) >= SHORTEST and word.startswith(begun):
            yield word, ""
    if not begun.strip():
        return
    fitting = (
        one
        for one in tab.directory
        if one.account.casefold().startswith(begun) or begun in one.name.casefold()
    )
    for one in islice(fitting, OFFERED):
        yield one.account, one.name
