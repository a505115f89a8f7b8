"""Listening to the reading child: whoever is told to stop stops, whatever is said just then."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.importer.child import Child, Unread


def child(stdout: asyncio.StreamReader, silence_s: float = 10) -> Child:
    process: Any = SimpleNamespace(stdout=stdout)
    return Child(process, silence_s)


async def test_who_is_cancelled_as_a_line_comes_does_not_go_on() -> None:
    """Else a plan that failed waits for its reader, and that for somebody to take its rows: for
    ever, and every later import of the environment with them."""
    stdout = asyncio.StreamReader()
    hearing = asyncio.create_task(child(stdout).hear())
    await asyncio.sleep(0)
    stdout.feed_data(b'{"end": true}\n')
    hearing.cancel()
    await asyncio.wait([hearing])
    assert hearing.cancelled()


async def test_a_child_that_says_nothing_is_not_waited_for() -> None:
    with pytest.raises(Unread, match="too_demanding"):
        await child(asyncio.StreamReader(), silence_s=0.05).hear()
