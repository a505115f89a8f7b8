"""What is due, and what is to be made of it: pure decisions on plain values.

Per sale line four sums are kept: approved, reversed, billed and credited. What is due is always
`approved - reversed - billed + credited`; so it is right in whatever order sales, reversals,
invoices and credit notes came. Amounts are minor units of one currency, VAT included.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.commands import MAX_CHANGES
from services.invoicer.vat import VatRow, vat_rows

MAX_SALES = MAX_CHANGES - 2
"""Of one invoice: its event lists them, and a record has at most 2 MiB. Where all of them move,
command.applied names them too, with the invoice and its credit note."""


class Skip(StrEnum):
    """Why a run makes no invoice for an account."""

    NOTHING = "nothing_to_invoice"
    ACCOUNT_UNKNOWN = "account_unknown"
    NO_HOLDER = "no_holder"
    NO_POSTAL_ADDRESS = "no_postal_address"
    NEGATIVE_TOTAL = "negative_total"
    CREDIT_DUE = "credit_due"  # a run that drafts gives no numbers, to credit notes neither
    NOT_PROCESSED = "not_processed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLine:
    """One line of a sale with what became of it. `held`: a correction takes its sale off."""

    sale_id: str
    line: int
    booked_at: datetime
    vat_rate: str
    approved: int
    reversed: int
    billed: int
    credited: int
    held: bool = False

    @property
    def stands(self) -> int:
        """What was sold and not taken back."""
        return self.approved - self.reversed

    @property
    def outstanding(self) -> int:
        """What stands on invoices and was not credited."""
        return self.billed - self.credited

    @property
    def due(self) -> int:
        return self.stands - self.outstanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line's share of a document. Of a credit note it is what is taken back."""

    sale_id: str
    line: int
    vat_rate: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What an invoice over one calendar month, or a credit note, comes to."""

    period: str
    items: tuple[Item, ...]

    @property
    def total(self) -> int:
        return sum(item.amount for item in self.items)

    @property
    def vat(self) -> tuple[VatRow, ...]:
        return vat_rows((item.vat_rate, item.amount) for item in self.items)

    @property
    def sales(self) -> dict[str, int]:
        """How much of each sale stands here, in order of booking."""
        found: dict[str, int] = {}
        for item in self.items:
            found[item.sale_id] = found.get(item.sale_id, 0) + item.amount
        return found


_REMEMBERED = 1_024  # moments: a sale's lines have one, and are asked for one by one

# -- months ------------------------------------------------------------------------------------


@lru_cache(_REMEMBERED)
def month_of(moment: datetime, zone: ZoneInfo) -> str:
    """The calendar month of a moment in the venue's time zone: "2026-07"."""
    return f"{moment.astimezone(zone):%Y-%m}"


def month_begin(period: str, zone: ZoneInfo) -> datetime:
    """The month's first moment, in UTC. Midnight may not exist there: then the first after it."""
    year, month = map(int, period.split("-"))
    return datetime(year, month, 1, tzinfo=zone).astimezone(UTC)


def month_end(period: str, zone: ZoneInfo) -> datetime:
    """The first moment after the month, in UTC."""
    return month_begin(following(period), zone)


def following(period: str) -> str:
    """The next month."""
    year, month = map(int, period.split("-"))
    return f"{year + month // 12:04}-{month % 12 + 1:02}"


def previous(period: str) -> str:
    """The month before."""
    year, month = map(int, period.split("-"))
    return f"{year - (month == 1):04}-{(month - 2) % 12 + 1:02}"


def months_of(first: datetime, last: datetime, zone: ZoneInfo) -> list[str]:
    """The months from that of one moment to that of another, both included."""
    found, end = [month_of(first, zone)], month_of(last, zone)
    while found[-1] < end:
        found.append(following(found[-1]))
    return found


def due_on(issued_on: date, payment_days: int) -> date:
    """The last day to pay."""
    return issued_on + timedelta(days=payment_days)


# -- billing -----------------------------------------------------------------------------------


def bills(lines: Iterable[OpenLine], zone: ZoneInfo) -> list[Bill]:
    """What is to be invoiced: one bill per calendar month, earliest first.

    Lines that stand on an invoice already are left to `credits_due`. A collective invoice covers at
    most one calendar month (art. 35 Wet OB 1968, art. 223 VAT directive). A month with more
    sales than a record can list gives more than one.
    """
    months: dict[str, list[OpenLine]] = {}
    for line in lines:
        if line.due and not line.outstanding and not line.held:
            months.setdefault(month_of(line.booked_at, zone), []).append(line)
    return [
        Bill(period=period, items=items)
        for period in sorted(months)
        for items in _in_pieces(sorted(months[period], key=_in_order))
    ]


def _in_order(line: OpenLine) -> tuple[datetime, str, int]:
    return line.booked_at, line.sale_id, line.line


def _in_pieces(lines: Sequence[OpenLine]) -> Iterator[tuple[Item, ...]]:
    piece: list[Item] = []
    sales: set[str] = set()
    for line in lines:
        if line.sale_id not in sales and len(sales) == MAX_SALES:
            yield tuple(piece)
            piece, sales = [], set()
        sales.add(line.sale_id)
        piece.append(
            Item(sale_id=line.sale_id, line=line.line, vat_rate=line.vat_rate, amount=line.due)
        )
    if piece:
        yield tuple(piece)


def bill_of_draft(found: Iterable[Bill], period: str, total: int) -> Bill | None:
    """Which of these a draft of this month and total is of; None where the month has none.

    Of a month's several bills (see `bills`) any may be approved first.
    """
    its = [bill for bill in found if bill.period == period]
    return next((bill for bill in its if bill.total == total), its[0] if its else None)


def credits_due(
    lines: Iterable[OpenLine], billed_on: Mapping[tuple[str, int], str]
) -> dict[str, tuple[Item, ...]]:
    """What was reversed after it was invoiced, per invoice: to be taken back by a credit note.

    `billed_on` names the invoice on which a line (sale_id, line) stands.
    """
    found: dict[str, list[Item]] = {}
    for line in sorted(lines, key=_in_order):
        if line.due and line.outstanding:
            found.setdefault(billed_on[line.sale_id, line.line], []).append(
                Item(sale_id=line.sale_id, line=line.line, vat_rate=line.vat_rate, amount=-line.due)
            )
    return {invoice: tuple(items) for invoice, items in found.items()}


# -- how a sale stands -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What became of one sale, in sums over its lines. `outstanding` stands on invoices and was
    not credited; `taken_back_as` is the reason of its last reversal, None where none is known."""

    total: int
    reversed: int
    outstanding: int
    due: int
    held: bool
    taken_back_as: str | None


def standing_of(sale: Standing) -> str:
    """Why a sale is or is not among what is to be invoiced: the first of these that is so."""
    if sale.held:
        return "held"
    if sale.outstanding and sale.due:
        return "credit_due"
    if sale.due:
        return "pending"
    if sale.outstanding:
        return "billed"
    if sale.reversed and sale.reversed == sale.total:
        return sale.taken_back_as or "cancelled"
    return "nothing_to_pay"


# -- what an invoice is worth ------------------------------------------------------------------


def status_after(
    status: str, *, total: int, credited: int, paid: int, delivery: str = "issued"
) -> str:
    """The status of an issued invoice after a payment, its undoing, or a credit note.

    Credited in full beats paid; paid is what leaves nothing open. What was paid and is no more
    stands again as it was delivered.
    """
    if total and credited == total:
        return "credited"
    if paid >= total - credited and paid > 0:
        return "paid"
    return delivery if status == "paid" else status
