"""What a test is told of its stack's workers."""

import json
import subprocess
import sys
from pathlib import Path

from runtime.health import HealthServer
from runtime.status import Status
from tests.support.stacks import Stack


def test_a_worker_that_waits_for_a_person_is_named_with_its_words(tmp_path: Path) -> None:
    status = Status()
    server = HealthServer(status, "127.0.0.1", 0)
    server.start()
    processes = [
        {"name": "kafka", "pid": 1},
        {"name": "ledger-1", "pid": 1, "health": "http://127.0.0.1:9"},  # away: it says nothing
        {"name": "ledger-2", "pid": 1, "health": f"http://127.0.0.1:{server.port}"},
    ]
    (tmp_path / "stack.json").write_text(json.dumps({"processes": processes}))
    try:
        with subprocess.Popen([sys.executable, "-c", ""]) as process:
            stack = Stack(tmp_path, process)
            assert stack.stopped_for_good() is None  # it only starts
            status.went_back = "put back to an earlier state; see docs/runbook.md"
            assert stack.stopped_for_good() == f"ledger-2: {status.went_back}"
    finally:
        server.stop()
