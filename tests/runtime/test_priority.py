"""Processes that nobody at a bar waits for have processors after others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runtime.priority import AUTOGROUP, NICENESS, NICER

SAY = (
    "import os, sys; from runtime.priority import AUTOGROUP, give_way; give_way(); "
    "give_way(int(sys.argv[1])); "
    "print(os.nice(0), AUTOGROUP.read_text() if AUTOGROUP.exists() else '')"
)


@pytest.mark.parametrize("its_own", [True, False])
@pytest.mark.parametrize("asked", [NICENESS, NICER])
def test_a_process_gives_way_and_so_does_its_session_where_that_is_its_own(
    asked: int, its_own: bool
) -> None:
    """Once more than it does already, where that is asked; and never less."""
    said = subprocess.check_output(
        [sys.executable, "-c", SAY, str(asked)], text=True, start_new_session=its_own
    )
    niceness, _, session = said.strip().partition(" ")
    assert int(niceness) == max(os.nice(0), asked)
    if AUTOGROUP.exists():
        assert session.endswith(f" nice {asked}") == its_own
