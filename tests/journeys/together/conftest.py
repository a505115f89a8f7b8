"""One whole stack for these journeys, each with venues of its own. What sends nonsense on every
topic is last of them (by its name): the one before it sees that there is no dead letter."""

from collections.abc import Iterator

import pytest

from tests.support.run import current
from tests.support.stacks import Stack, begin_stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """A whole stack with all workers: `.info` is its stack.json."""
    whole = begin_stack(current().new_folder("stack"))
    try:
        whole.wait_ready()
        yield whole
    finally:
        whole.end()
