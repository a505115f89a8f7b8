"""Lets an answer belong to the trace of who asked, also where it was remembered."""

from __future__ import annotations

from runtime.answers import Answer
from runtime.incoming import Incoming


def traced(answer: Answer, record: Incoming) -> Answer:
    """The answer in the asking record's trace; few tills send one."""
    return answer if record.trace is None else answer._replace(trace=record.trace)
