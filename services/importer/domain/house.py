"""What an environment gives to who and what says nothing, and how often it had to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The environment's country, its currency, its limit for new accounts (minor units; None: no
    limit), and whether they may buy (None: not known)."""

    country: str = "NL"
    currency: str = "EUR"
    default_limit: int | None = 0
    default_on_account: bool | None = None


@dataclass(slots=True)
class Tally:
    """Counts over all rows: accounts that get a limit of nothing because nobody named one, those
    that may not buy because nobody said that they may, those that nobody holds because the row does
    not say who does, those that are closed and stay so, and new customers who get no account
    because no column gives any."""

    limit_nought: int = 0
    may_not_buy: int = 0
    no_account: int = 0
    no_holder: int = 0
    closed: int = 0
