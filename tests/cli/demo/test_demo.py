"""The demo as a whole, in a folder of its own: it ends with every figure right and nothing left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

WORDS = [sys.executable, "-m", "cli", "demo"]


def environment() -> dict[str, str]:
    # Wherever one usually works: the demo is not to touch it.
    return {**os.environ, "ONACCOUNT_KAFKA": "127.0.0.1:1", "ONACCOUNT_SMTP": "127.0.0.1:1"}


def at_work_in(folder: Path) -> list[str]:
    """Processes that have this folder in their command line, or work in it."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        words = " ".join(process.info["cmdline"] or ())
        where = process.info["cwd"] or ""
        if process.info["status"] != psutil.STATUS_ZOMBIE and (
            str(folder) in words or where.startswith(str(folder))
        ):
            found.append(words)
    return found


def test_the_story_ends_well_and_leaves_mails_and_documents_but_no_process(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "a clone"
    folder.mkdir()
    done = subprocess.run(
        [*WORDS, "--json"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=270,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-2000:])
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    assert len(figures) >= 18
    assert [one for one in figures if not one["ok"]] == []
    results = folder / "var" / "demo-results"
    assert len(list((results / "mails").glob("*.eml"))) == 11
    for ending in ("pdf", "xlsx", "xml"):
        assert len(list((results / "documents").glob(f"20*.{ending}"))) == 10
    assert not (folder / "var" / "demo").exists()
    assert at_work_in(folder) == []


def test_ctrl_c_ends_it_with_one_sentence_and_nothing_left_running(tmp_path: Path) -> None:
    with (tmp_path / "printed.txt").open("w") as out, (tmp_path / "err.txt").open("w") as err:
        demo = subprocess.Popen(WORDS, cwd=tmp_path, env=environment(), stdout=out, stderr=err)
        deadline = time.monotonic() + 180
        while "kafka" not in (tmp_path / "printed.txt").read_text().split("workers")[-1]:
            assert time.monotonic() < deadline
            assert demo.poll() is None
            time.sleep(0.1)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 130
    assert (tmp_path / "err.txt").read_text() == "onaccount: stopped.\n"
    assert not (tmp_path / "var" / "demo").exists()
    assert at_work_in(tmp_path) == []
