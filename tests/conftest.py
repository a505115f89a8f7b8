"""Fixtures for all tests, and the servers' end (tests/support/run.py)."""

import gc
import signal
from typing import IO, Any

import pytest

from tests.support import run
from tests.support.fixtures import (
    kafka,
    module_postgres,
    new_topic,
    own_kafka,
    own_postgres,
    postgres,
    postgres_server,
    smtp,
)
from tests.support.sharing import ByFileOrFolder, mixed

__all__ = [
    "kafka",
    "module_postgres",
    "new_topic",
    "own_kafka",
    "own_postgres",
    "postgres",
    "postgres_server",
    "smtp",
]

LOCK = pytest.StashKey[IO[str]]()
FAILED = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run, unless this process is one of several of a run (pytest-xdist)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Started in the background by a script, where a shell has Ctrl-C ignored; the processes
        # that tests start would inherit that, and some tests send them just this signal.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        config.stash[LOCK] = run.begin()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileOrFolder | None:
    """Who gets which tests; None: as xdist does by itself."""
    return ByFileOrFolder(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One order for all processes of a run; one process alone has the order of the files."""
    if hasattr(config, "workerinput"):
        items[:] = mixed(items)


def pytest_collection_finish() -> None:
    """What all tests are made of stays: the collector, which was a twelfth of a test's time, need
    not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Note whether the logs may be of use."""
    session.config.stash[FAILED] = exitstatus not in (
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """End all servers of the run."""
    if (lock := config.stash.get(LOCK, None)) is not None:
        run.finish(lock, keep=config.stash.get(FAILED, False))
