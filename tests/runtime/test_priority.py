"""Processes that nobody at a bar waits for have processors after others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runtime.priority import AUTOGROUP, NICENESS

SAY = (
    "import os; from runtime.priority import AUTOGROUP, give_way; give_way(); give_way(); "
    "print(os.nice(0), AUTOGROUP.read_text() if AUTOGROUP.exists() else '')"
)


@pytest.mark.parametrize("its_own", [True, False])
def test_a_process_gives_way_and_so_does_its_session_where_that_is_its_own(its_own: bool) -> None:
    said = subprocess.check_output(
        [sys.executable, "-c", SAY], text=True, start_new_session=its_own
    )
    niceness, _, session = said.strip().partition(" ")
    assert int(niceness) == max(os.nice(0), NICENESS)
    if AUTOGROUP.exists():
        assert session.endswith(f" nice {NICENESS}") == its_own
