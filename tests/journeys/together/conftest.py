"""One whole stack for these journeys, each with venues of its own. What sends nonsense on every
topic comes, by its file's name, after test_one_sale_to_a_mailed_invoice, which sees no dead letter;
and the checks of test_verified come after that."""

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
