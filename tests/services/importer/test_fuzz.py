"""Files that are damaged at random are read or refused, whatever the damage. `make fuzz`: more."""

import subprocess
import sys


def test_more_than_a_hundred_damaged_files_are_read_or_refused() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.services.importer.fuzz", "--count", "120"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    found = (line.strip().split(" ", 1) for line in run.stdout.splitlines())
    counts = {ended: int(count) for count, ended in found}
    assert sum(counts.values()) == 120
    assert counts["read"] > 12
    assert counts["unreadable"] > 12
