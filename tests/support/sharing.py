"""Which tests stay in one of a run's processes, and in which order, where it has several
(pytest-xdist)."""

from collections.abc import Iterable
from itertools import groupby

import pytest
from xdist.scheduler import LoadFileScheduling

# Folders whose tests share one stack of many processes, which each process would start anew.
TOGETHER = ("tests/outside/", "tests/journeys/together/")

# Tests that wait more than they reckon, for what was killed to be back.
WAITING = ("tests/runtime/", "tests/services/ledger/")


class ByFileOrFolder(LoadFileScheduling):
    """A file's tests stay together, and a whole folder's where they share what is dear."""

    def _split_scope(self, nodeid: str) -> str:
        for folder in TOGETHER:
            if nodeid.startswith(folder):
                return folder
        return super()._split_scope(nodeid)


def mixed(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The files of those that wait spread among the others: else all processes wait at once."""
    files = [list(file) for _, file in groupby(items, lambda item: item.nodeid.split("::")[0])]
    waiting = [file for file in files if file[0].nodeid.startswith(WAITING)]
    others = [file for file in files if not file[0].nodeid.startswith(WAITING)]
    order = sorted(
        [((place + 0.5) / len(waiting), file) for place, file in enumerate(waiting)]
        + [((place + 0.5) / len(others), file) for place, file in enumerate(others)],
        key=lambda one: one[0],
    )
    return [item for _, file in order for item in file]
