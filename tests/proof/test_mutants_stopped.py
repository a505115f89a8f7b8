"""Whoever ends a run over the mutants ends all that it has started.

Method: in a copy of the tree, so that what came of a person's own run stays.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from cli.stack.process import Mark
from tests.proof.mutants.__main__ import copy_tree
from tests.support import run

ALL_OF_IT_S = 240


def test_told_to_stop_it_leaves_no_server_and_no_process() -> None:
    tree = run.current().new_folder("mutants")
    copy_tree(tree)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.proof.mutants", "--jobs", "1", "--only", "domain/ids.py"],
        cwd=tree,
        stdout=subprocess.DEVNULL,
    ) as mutants:
        server = first_server(tree, mutants)
        started = psutil.Process(mutants.pid).children(recursive=True)
        mutants.send_signal(signal.SIGTERM)
        assert mutants.wait(60) == 128 + signal.SIGTERM
    assert server.process() is None
    assert [one for one in started if one.is_running() and one.status() != "zombie"] == []
    assert not list(tree.glob("var/mutants/tree-0/var/test/run-*"))


def first_server(tree: Path, mutants: subprocess.Popen[bytes]) -> Mark:
    """The PostgreSQL of its worker, once it runs."""
    end = time.monotonic() + ALL_OF_IT_S
    while time.monotonic() < end:
        assert mutants.poll() is None, "it has ended by itself"
        for file in tree.glob("var/mutants/tree-0/var/test/run-*/postgres-*.mark"):
            mark = Mark(**json.loads(file.read_text()))
            if mark.process() is not None:
                return mark
        time.sleep(0.05)
    raise AssertionError("its worker has started no server")
