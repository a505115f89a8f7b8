"""`python -m tests.proof.mutants [--only PART] [--again]`: try all faults, print a table.

Works in copies of the tree below var/mutants; what came of each fault stands in results.jsonl.
`--only` takes parts of files' names, `--again` tries what survived the last time, `--jobs` is how
many at once. Exit 0: every survivor is one that docs/proof.md explains (explained.txt, here).
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / "var" / "mutants"
COPIED = ("cli", "deploy", "runtime", "schemas", "services", "tests", "pyproject.toml")
EXPLAINED = Path(__file__).with_name("explained.txt")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def stopped(number: int, frame: FrameType | None) -> None:
    """Handles SIGTERM: by an exception, as a Ctrl-C, so that what was started ends too."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def copy_tree(to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to / name)


def read(results: Path) -> list[dict[str, Any]]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text().splitlines()]


def explained() -> set[str]:
    """Survivors that are as they should be: FILE | CODE | FAULT, one a line."""
    lines = EXPLAINED.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def follow(workers: list[subprocess.Popen[bytes]], results: Path) -> None:
    """Say what is tried and what came of it, while it goes on."""
    seen = 0
    while True:
        going = any(worker.poll() is None for worker in workers)
        lines = read(results)
        for line in lines[seen:]:
            seen += 1
            say(f"{seen}/{line['of']} {line['outcome']:8} {line['where']}  {line['fault'][:90]}")
        if not going:
            return
        time.sleep(1)


def report(lines: list[dict[str, Any]]) -> int:
    """The table of files, and the survivors; how many of those nobody has explained."""
    known = explained()
    table: dict[str, Counter[str]] = {}
    open_ = []
    for line in lines:
        part = line["where"].split(":")[0].split(" ")[0]
        outcome = line["outcome"]
        if outcome == "survived" and f"{part} | {line['code']} | {line['fault']}" in known:
            outcome = "explained"
        elif outcome == "survived":
            open_.append(line)
        table.setdefault(part, Counter())[outcome] += 1
    say(f"\n{'':52} {'faults':>7} {'killed':>7} {'explained':>10} {'survived':>9}")
    total: Counter[str] = Counter()
    for part, found in sorted(table.items()):
        total += found
        say(f"{part:52} {found.total():7} {found['killed']:7} {found['explained']:10} "
              f"{found['survived']:9}")  # fmt: skip
    say(f"{'all':52} {total.total():7} {total['killed']:7} {total['explained']:10} "
          f"{total['survived']:9}")  # fmt: skip
    for line in open_:
        say(f"survived: {line['where']}: {line['fault']}")
    return len(open_)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="parts of files' names, by commas")
    parser.add_argument("--again", action="store_true", help="what survived the last time")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    results = HOME / "results.jsonl"
    survived = [one for one in read(results) if one["outcome"] == "survived"]
    results.unlink(missing_ok=True)
    (HOME / "again.json").write_text(json.dumps(survived if options.again else None))
    signal.signal(signal.SIGTERM, stopped)
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for job in range(options.jobs):
            tree = HOME / f"tree-{job}"
            copy_tree(tree)
            command = [sys.executable, "-m", "tests.proof.mutants.worker", str(job),
                       str(options.jobs), options.only, str(results)]  # fmt: skip
            workers.append(subprocess.Popen(command, cwd=tree))
        follow(workers, results)
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
    if any(worker.returncode for worker in workers):
        say("a worker failed; what follows is not all")
        report(read(results))
        return 2
    return 1 if report(read(results)) else 0


if __name__ == "__main__":
    sys.exit(main())
