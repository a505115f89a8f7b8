"""What an environment gives to who and what says nothing, and how often it had to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The environment's country and its limit for new accounts (minor units; None: no limit)."""

    country: str = "NL"
    default_limit: int | None = 0


@dataclass(slots=True)
class Tally:
    """Counts over all rows: accounts that get a limit of nothing because nobody named one."""

    limit_nought: int = 0
