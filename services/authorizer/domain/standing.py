"""What of an account's limit is used, and what may still be spent. Amounts are minor units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from schemas.pos import DeclineReason

Release = Literal["issued", "paid"]
"""When an environment counts an amount as no longer used: invoiced, or paid as well."""


class Sums(NamedTuple):
    """The six sums that stand with an account. Each only rises; they may rise in any order.

    A tuple, for one is made for every account of every batch.
    """

    approved: int = 0
    reversed: int = 0
    issued: int = 0
    credited: int = 0
    paid: int = 0
    refunded: int = 0

    @property
    def unbilled(self) -> int:
        """What was sold and stands on no invoice, less what stands on one and was taken back
        since; negative where that is more, or while events overtake."""
        return self.approved - self.reversed - self.issued + self.credited


def open_amount(sums: Sums, release: Release) -> int:
    """What counts against the limit: approved - reversed - released; who asks counts less than
    nothing as nil.

    Released is what stands on invoices (issued - credited), or what of that was paid and not paid
    back. Computed at each decision and never stored, so that it is right whatever came first and
    whenever the environment chose otherwise.
    """
    on_invoices = sums.issued - sums.credited
    released = min(sums.paid - sums.refunded, on_invoices) if release == "paid" else on_invoices
    return sums.approved - sums.reversed - released


@dataclass(slots=True, kw_only=True)
class Standing:
    """One account while a batch is decided, read under its row's lock.

    `open` is open_amount(); it moves with each decision, so that the batch's later sales see the
    earlier ones. `barred` is why nothing may be bought on it at all. `approved_more` and
    `reversed_more` are what is to be added to the sums.
    """

    limit: int | None
    open: int
    barred: DeclineReason | None = None
    approved_more: int = 0
    reversed_more: int = 0

    @property
    def used(self) -> int:
        return max(self.open, 0)

    @property
    def available(self) -> int | None:
        """What is left of the limit; negative where more is used; None without a limit."""
        return None if self.limit is None else self.limit - max(self.open, 0)

    def has_room_for(self, total: int) -> bool:
        used = self.open if self.open > 0 else 0
        return self.limit is None or used + total <= self.limit

    def charge(self, total: int) -> None:
        self.open += total
        self.approved_more += total

    def take_back(self, amount: int) -> None:
        self.open -= amount
        self.reversed_more += amount


def barred(status: str, on_account: bool) -> DeclineReason | None:
    """Why nothing may be bought on an account as it is set, if so."""
    if status != "active":
        return DeclineReason.ACCOUNT_INACTIVE
    return None if on_account else DeclineReason.NOT_ALLOWED_ON_ACCOUNT
