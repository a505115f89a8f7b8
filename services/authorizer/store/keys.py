"""Keys as statements take them."""

from __future__ import annotations

from collections.abc import Iterable


def columns(keys: Iterable[tuple[int, str]]) -> tuple[list[int], list[str]]:
    """Keys, each an environment and an id in it, as two arrays for unnest."""
    pairs = list(keys)
    return [environment for environment, _ in pairs], [each for _, each in pairs]
