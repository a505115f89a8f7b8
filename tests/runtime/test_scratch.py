"""A folder for what is not kept goes with its user, also where that is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.scratch import Scratch, clear

PREFIX = "onaccount-test-"
USER = f"""
import time
from runtime.scratch import Scratch
with Scratch({PREFIX!r}) as folder:
    (folder / "members").write_text("Piet")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


def _used() -> tuple[subprocess.Popen[str], Path]:
    user = subprocess.Popen([sys.executable, "-c", USER], stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    return user, Path(user.stdout.readline().strip())


def test_it_is_there_for_its_user_alone_and_then_gone() -> None:
    with Scratch(PREFIX) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "members").write_text("Piet")
    assert not folder.exists()


def test_the_folder_of_one_who_was_killed_goes_with_the_next_and_no_other_does(
    tmp_path: Path,
) -> None:
    other = tmp_path / "of-somebody-else"
    other.mkdir()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(other)
    living, kept = _used()
    killed, left = _used()
    try:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        assert (left / "members").exists()
        with Scratch(PREFIX) as folder:
            assert not left.exists()
            assert (kept / "members").read_text() == "Piet"
            clear(PREFIX)  # nor its own, nor what only looks like one
            assert folder.exists()
        assert other.exists()
        assert link.is_symlink()
    finally:
        for user in (living, killed):
            user.kill()
            user.communicate()
