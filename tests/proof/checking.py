"""Compares what was answered with what the reference model expects."""

from __future__ import annotations

import json
from collections.abc import Hashable
from datetime import datetime
from typing import Any

from runtime.answers import Answer
from tests.proof.reference.answers import Expected

TIMES = ("at", "booked_at", "decided_at")


def read(answer: Answer) -> dict[str, Any]:
    """An answer's content, with what the model says in other words."""
    content: dict[str, Any] = json.loads(answer.value)
    for name in TIMES:
        if name in content:
            content[name] = datetime.fromisoformat(content[name])
    if answer.type == "sale.approved":
        content.setdefault("clock_off", False)
    if answer.type == "sale.reversed":
        lines = content["lines"]
        content["taken"] = [(x["description"], x["vat_rate"], x["total"]) for x in lines]
    if answer.type == "command.applied":
        warnings = content.get("warnings", [])
        content["warned of"] = {(warning["kind"], warning["id"]) for warning in warnings}
    if answer.type == "entry.posted":
        content["moved"] = {
            leg["ledger_account"]: leg["debit"] - leg["credit"] for leg in content["legs"]
        }
    return content


class Memory:
    """All first answers of a sequence. What comes again must be the same, byte for byte."""

    def __init__(self) -> None:
        self._given: dict[Hashable, Answer] = {}
        self._ids: dict[str, Answer] = {}

    def check(self, expected: Expected, answer: Answer, asked: Any) -> dict[str, Any]:
        """Fails where the answer is another one than expected; gives what it says."""
        plain = answer._replace(trace=None)
        first = self._given.get(expected.memory) if expected.memory is not None else None
        if first is not None:
            assert plain == first, f"repeated otherwise:\n{plain}\n{first}\nasked {asked}"
            return read(answer)
        assert answer.type == expected.type, f"{answer}\nexpected {expected}\nasked {asked}"
        content = read(answer)
        assert content["type"] == answer.type
        for name, value in expected.says.items():
            found = content.get(name)
            assert found == value, (
                f"{name} is {found!r}, not {value!r}: {content}\nexpected {expected}\nasked {asked}"
            )
        for name, value in expected.may.items():
            assert content.get(name, value) == value, (
                f"{name}: {content}\nexpected {expected}\nasked {asked}"
            )
        assert answer.key == expected.key
        if answer.type == "sale.declined":
            assert content["explanation"]
        # One event, one ce_id: whatever is said under an id is said once.
        known = self._ids.setdefault(answer.id, plain)
        assert known == plain, f"two answers under one id:\n{known}\n{plain}"
        if expected.memory is not None:
            self._given[expected.memory] = plain
        return content
