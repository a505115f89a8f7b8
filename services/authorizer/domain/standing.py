"""What an account may still spend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["inactive", "active", "blocked", "closed"]
Release = Literal["issued", "paid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What a decision needs of an environment."""

    environment: int
    gdpr_accepted: bool
    active: bool
    currency: str
    language: str
    limit_release: Release


@dataclass(slots=True, kw_only=True)
class Standing:
    """An account as read under its row lock; the sums move on within a batch.

    Amounts are minor units of the environment's currency. `limit` None: no limit. Each of the
    five sums only grows, so what is used is right in whatever order events come, and whenever
    the setting `limit_release` changes (design part 5).
    """

    venue: Venue
    account: str
    status: Status
    on_account: bool
    limit: int | None
    approved: int
    reversed: int
    issued: int
    credited: int
    paid: int
    changed: bool = False

    @property
    def used(self) -> int:
        """What counts against the limit; never below zero."""
        released = self.issued - self.credited
        if self.venue.limit_release == "paid" and self.paid < released:
            released = self.paid
        used = self.approved - self.reversed - released
        return used if used > 0 else 0

    @property
    def available(self) -> int | None:
        """What may still be spent; negative where more than the limit is used. None: no limit."""
        return None if self.limit is None else self.limit - self.used

    def approve(self, total: int) -> None:
        """Count a sale."""
        self.approved += total
        self.changed = True

    def reverse(self, amount: int) -> None:
        """Count what was taken off a sale."""
        self.reversed += amount
        self.changed = True
