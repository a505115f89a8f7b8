"""What is known while a batch is decided: read under locks, moved on by each decision."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

from runtime.answers import Answer
from schemas.pos import DeclineReason, Sale, SaleRecorded
from services.authorizer.domain.sales import House
from services.authorizer.domain.standing import Standing

Key = tuple[int, str]
"""An environment with an account number, a sale_id or a cancellation_id."""

State = Literal["awaited", "approved", "declined"]
Kind = Literal["sale", "cancellation", "command", "search"]


@dataclass(slots=True)
class KnownSale:
    """A sale under its id. `answer` and `digest` are None while it is awaited: cancelled, and
    not come yet. `reversed_lines` is what was taken off each line, None where nothing was.
    `called_off`: the accounts on which all of it was cancelled before it came, or after it was
    declined."""

    state: State
    account: str
    digest: bytes | None = None
    total: int = 0
    recorded: bool = False
    answer: Answer | None = None
    reversed_lines: Sequence[int] | None = None
    called_off: Set[str] = frozenset()
    # How the row is to be written: not at all, as a new one, as one that is awaited from now on.
    stored: Literal["known", "new", "awaited"] = "known"
    decided: bool = False
    taken_back: bool = False
    called_off_now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCancellation:
    """A cancellation under its id, and what it took back (0 where it was refused)."""

    sale_id: str
    account: str
    digest: bytes
    amount: int
    answer: Answer
    new: bool = False


@dataclass(frozen=True, slots=True)
class RefusalKey:
    """Names a refusal that may not take the place of what its id stands for."""

    environment: int
    kind: Kind
    id: str
    digest: bytes


@dataclass(slots=True, kw_only=True)
class Unbooked:
    """A sale that a till made and that could not be booked. `sale`: None if it was unreadable, or
    if it is on the list already (`listed`). `cleared_by`: what stands for it, or which
    cancellation of its till's (`taken_back`)."""

    environment: int
    sale_id: str
    digest: bytes
    account: str | None
    reason: DeclineReason
    sale: Sale | None
    cleared_by: str | None = None
    taken_back: bool = False
    listed: bool = False


@dataclass(slots=True, kw_only=True)
class Book:
    """All that a batch of sales and cancellations needs to know and comes to say.

    `versions` and `rows` say how the rows of environments and accounts stood that it was read from:
    by their version, and by the transaction that wrote them.
    """

    houses: dict[int, House] = field(default_factory=dict)
    standings: dict[Key, Standing] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    rows: dict[Key, int] = field(default_factory=dict)
    sales: dict[Key, KnownSale] = field(default_factory=dict)
    cancellations: dict[Key, KnownCancellation] = field(default_factory=dict)
    # The transaction that writes what is moved, once that is known.
    writer: int | None = None
    refusals: dict[RefusalKey, Answer] = field(default_factory=dict)
    # By their ids and contents: what is noted, and what is listed of the sales that are recorded,
    # and of those that some are moved from.
    unbooked: dict[Key, dict[bytes, Unbooked]] = field(default_factory=dict)
    # (environment, sale_id), what stands for it now: a sale_id or a cancellation_id, which content
    # is meant, if one is, and whether that alone is
    taken_off: list[tuple[Key, str, bytes | None, bool]] = field(default_factory=list)

    def clear(
        self,
        key: Key,
        by: str,
        content: bytes | None = None,
        *,
        alone: bool = False,
        taken_back: bool = False,
    ) -> None:
        """What waits under this sale_id waits no more; what is noted under it later does.

        Where one content is meant, only that and, but for `alone`, what was unreadable of it: under
        a reused id another sale may wait.
        """
        self.taken_off.append((key, by, content, alone))
        for one in self.unbooked.get(key, {}).values():
            unreadable = one.reason is DeclineReason.INVALID_MESSAGE and not alone
            meant = content is None or one.digest == content or unreadable
            if one.cleared_by is None and meant:
                one.cleared_by, one.taken_back = by, taken_back

    def stands(self, key: Key) -> bool:
        """Whether a sale under this sale_id is booked."""
        sale = self.sales.get(key)
        return sale is not None and sale.state == "approved"

    def clear_unread(self) -> None:
        """What could not be read, and waits though a sale.recorded stands under its id, waits no
        more: of two older workers that decided both at the same moment neither saw the other's."""
        for key, found in self.unbooked.items():
            if self.stands(key) and self.sales[key].recorded:
                for one in found.values():
                    if one.cleared_by is None and one.reason is DeclineReason.INVALID_MESSAGE:
                        self.clear(key, key[1], one.digest, alone=True)

    def was_seen_to(self, booked: SaleRecorded, content: bytes) -> bool:
        """Whether the listed sale that this is to book was booked under another id, taken back or
        dismissed; or itself was listed, or what its till had said of it before and could not be
        read, and was booked or dismissed (docs/decisions/0137)."""
        for said in self.unbooked.get((booked.environment, booked.sale_id), {}).values():
            by_a_person = said.cleared_by not in (None, booked.sale_id) and not said.taken_back
            meant = said.digest == content or said.reason is DeclineReason.INVALID_MESSAGE
            if by_a_person and meant:
                return True
        if booked.moved_content is None:
            return False
        listed = self.unbooked.get((booked.environment, str(booked.moved_from)), {})
        origin = listed.get(bytes.fromhex(booked.moved_content))
        return origin is not None and origin.cleared_by not in (None, booked.sale_id)

    def clear_origin(self, booked: SaleRecorded) -> None:
        """What waits of the sale that this one is moved from.

        Where it is not said which content, and one of them stands under that id, it is that one
        which is moved: what waits under its id is another sale.
        """
        if booked.moved_from is None:
            return
        key = (booked.environment, booked.moved_from)
        origin = self.sales.get(key)
        if booked.moved_content is not None:
            self.clear(key, booked.sale_id, bytes.fromhex(booked.moved_content), alone=True)
        elif origin is None or origin.state != "approved":
            self.clear(key, booked.sale_id)

    def note(self, one: Unbooked) -> None:
        """Put it on the list, where it is not there yet.

        A booking of what is listed does not wait itself (docs/decisions/0130): what it was to book
        waits, or was seen to. So does what comes under the id of a booking that stands.
        """
        found = self.unbooked.setdefault((one.environment, one.sale_id), {})
        if one.digest in found:
            return
        found[one.digest] = one
        booked = one.sale
        if not isinstance(booked, SaleRecorded) or booked.moved_from in (None, one.sale_id):
            return
        for origin in self.unbooked.get((one.environment, str(booked.moved_from)), {}).values():
            if origin.cleared_by == one.sale_id:
                one.cleared_by = one.sale_id
            elif origin.digest.hex() == booked.moved_content:
                one.cleared_by = origin.sale_id

    def language(self, environment: int, default: str) -> str:
        house = self.houses.get(environment)
        return default if house is None else house.language
