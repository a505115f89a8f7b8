"""One stack, two workers of each kind, and a client of the contract alone."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.outside.wire import Wire
from tests.support import run
from tests.support.stacks import Stack, begin_stack

_ENVIRONMENTS = itertools.count(7001)
_WORKERS = "authorizer=2,ledger=2,importer=2,invoicer=2"


@pytest.fixture(scope="package")
def pairs() -> Iterator[Stack]:
    """A whole stack in which everything is always in several workers' hands."""
    whole = begin_stack(run.current().new_folder("pairs"), workers=_WORKERS)
    try:
        whole.wait_ready()
        yield whole
    finally:
        whole.end()


@pytest.fixture
async def wire(pairs: Stack) -> AsyncIterator[Wire]:
    """A connection of the test's own, that reads all topics from their beginning."""
    async with Wire(pairs.info["kafka"]) as opened:
        yield opened


@pytest.fixture
def env() -> int:
    """An environment that no other test uses."""
    return next(_ENVIRONMENTS)
