"""Runs command lines in this process, as `main` does, and keeps what they print."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cli.__main__ import main


@dataclass(frozen=True)
class Told:
    """What one command line printed, and its exit status."""

    status: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its last line, as JSON."""
        return json.loads(self.out.splitlines()[-1])


Run = Callable[..., Told]


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("env", "show", "2890")` runs `onaccount env show 2890`."""

    def run(*words: str) -> Told:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        printed = capsys.readouterr()
        return Told(ended.value.code, printed.out, printed.err)

    return run
