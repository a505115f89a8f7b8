"""Files that are damaged at random are read or refused, whatever the damage. `make fuzz`: more."""

import subprocess
import sys


def test_hundreds_of_damaged_files_are_read_or_refused() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.services.importer.fuzz", "--count", "300"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    found = (line.strip().split(" ", 1) for line in run.stdout.splitlines())
    counts = {ended: int(count) for count, ended in found}
    assert sum(counts.values()) == 300
    assert counts["read"] > 30
    assert counts["unreadable"] > 30
