"""What must be answered to a message."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

UNCOUNTED = frozenset({"at", "by", "terminal", "operator", "note"})
"""With the type: what is no content of a message (contract, part 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An answer: `says` must be in it just so, `may` where it says that at all.

    `memory` names what is remembered: the first answer under it may be any that says so, every
    later one is that one, byte for byte. None: each time anew.
    """

    type: str
    memory: Hashable | None
    key: str
    says: Mapping[str, Any] = field(default_factory=dict)
    may: Mapping[str, Any] = field(default_factory=dict)


def again(memory: Hashable) -> Expected:
    """What was answered before."""
    return Expected(type="again", memory=memory, key="")


def content_of(message: Mapping[str, Any], *, typed: bool = False) -> str:
    """What makes two messages under one id the same. A sale's time to live is no part of it, and
    the type is for all but sales (docs/decisions/0004)."""
    left_out = UNCOUNTED | {"valid_s"} | (frozenset() if typed else {"type"})
    if message["type"] == "account.open" and message.get("status") == "active":
        left_out |= {"status"}  # what is said is what is meant where nothing is said
    return json.dumps({k: v for k, v in message.items() if k not in left_out}, sort_keys=True)
