"""Keys and lists as statements take them: PostgreSQL's arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def columns(keys: Iterable[tuple[A, B]]) -> tuple[list[A], list[B]]:
    """Keys of two parts, mostly an environment and an id in it, as two arrays for unnest."""
    pairs = list(keys)
    return [first for first, _ in pairs], [second for _, second in pairs]


def array(items: Iterable[str]) -> str:
    """A list as PostgreSQL writes it, for lists of lists: unnest takes no rows of several lengths.
    Only for what has nothing to quote: numbers, ids, ledger accounts."""
    return "{" + ",".join(items) + "}"
