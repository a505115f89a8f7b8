"""Faults in SQL statements: a lock left out, another operator, another sum."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.proof.mutants.python_faults import Fault

# (what is found, what stands there instead). Of each, every place is one fault.
_CHANGES: tuple[tuple[str, str], ...] = (
    (r"FOR NO KEY UPDATE(?: OF \w+)?", ""),
    (r"FOR KEY SHARE(?: OF \w+)?", ""),
    (r"FOR SHARE(?: OF \w+)?", ""),
    (r"FOR UPDATE(?: OF \w+)?", ""),
    (r"\nON CONFLICT DO NOTHING", ""),
    (r"(?<=[\w)]) \+ (?=\w)", " - "),
    (r" # ", " | "),
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r" <> ", " = "),
    (r" > (?=\d)", " >= "),
    (r" IS NULL", " IS NOT NULL"),
    (r"\bEXISTS\b", "NOT EXISTS"),
    (r"\bsum\(", "max("),
    (r"'issued'", "'paid'"),
    (r"'credited'", "'issued'"),
    (r"\bu\.approved\b", "u.reversed"),
    (r"\bu\.credited\b", "u.paid"),
    (r"\bchange\.unbilled\b", "change.billed"),
    (r"\bchange\.entries\b", "1"),
    (r"\bDISTINCT\b", ""),
)


def faults(file: str, text: str) -> Iterator[Fault]:
    """Every fault in a file of statements; comments are left alone."""
    taken: set[tuple[int, str]] = set()
    for pattern, instead in _CHANGES:
        for found in re.finditer(pattern, text):
            start_of_line = text.rfind("\n", 0, found.start() + 1) + 1
            if text[start_of_line : found.start()].lstrip().startswith("--"):
                continue
            new = found.expand(instead)
            if (found.start(), new) in taken:
                continue
            taken.add((found.start(), new))
            line = text.count("\n", 0, found.start()) + 1
            whole = text[: found.start()] + new + text[found.end() :]
            code = text.splitlines()[line - 1].strip()
            yield Fault(file, line, code, found.group().strip(), new.strip() or "nothing", whole)
