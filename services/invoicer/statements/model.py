"""What a statement shows, as plain values."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.invoicer.documents.model import Language, Seller


def moments(
    first: date | datetime, until: date | datetime, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """From when, included, until when, excluded: days begin at midnight by the venue's clock."""
    begin, end = (
        (at if isinstance(at, datetime) else datetime.combine(at, time(), zone)).astimezone(zone)
        for at in (first, until)
    )
    return begin, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line that was sold, or taken back (`back`, then `amount` is negative).

    `at` is in the venue's time zone; amounts are minor units, VAT included. Of a part that was
    taken back, quantity and price may be unknown.
    """

    at: datetime
    account: str
    terminal: str
    description: str
    quantity: str | None
    unit_price: int | None
    vat_rate: str
    amount: int
    back: bool

    @property
    def shown(self) -> tuple[Decimal | None, int | None]:
        """Quantity and price as the invoice has them, whose prices are never negative (EN 16931
        BR-27): of -3.00 for a discount, -1 x 3.00."""
        quantity = None if self.quantity is None else Decimal(self.quantity)
        if quantity is None or self.unit_price is None or self.unit_price >= 0:
            return quantity, self.unit_price
        return -quantity, -self.unit_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What a statement's mail says: the days from `first` (included) until `until` (excluded).

    Of one that begins or ends at some other moment, the days that it touches. Without `account` it
    is of all accounts.
    """

    seller: Seller
    language: Language
    currency: str
    account: str | None
    holder: str
    first: date
    until: date
    total: int

    @property
    def last(self) -> date:
        return self.until - timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Cover):
    """A statement with its rows, which sum to `total`."""

    description: str
    rows: tuple[Row, ...]

    @property
    def file_stem(self) -> str:
        """A name that is safe on any system."""
        of = "".join(c if c.isalnum() and c.isascii() else "-" for c in self.account or "all")
        return f"statement-{of}-{self.first}-{self.last}"
