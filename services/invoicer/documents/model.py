"""What a document shows, as plain values: all that the renderers in this package ever see.

Whoever makes documents (the invoicer's jobs) fills these in from its rows; the renderers know no
database, clock or setting. The same value gives the same bytes, for ever: so everything that a
document says, its dates too, stands here. Money is integer minor units of `currency`, gross unless
said otherwise. Amounts of a credit note are positive, as in `credit_note.issued`.

A value that contradicts itself (lines that do not sum to the total) raises ValueError where it is
made: no document may say two things about one amount.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from schemas.values import line_total
from services.invoicer.vat import VatRow

Language = Literal["nl", "en"]
_REMEMBERED = 4_096  # quantities


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address. `country` is ISO 3166-1 alpha-2. Any of it may be missing ("")."""

    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = "NL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """The venue's picture as it was configured: checked PNG or SVG bytes."""

    content: bytes
    media_type: Literal["image/png", "image/svg+xml"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """The venue, from environment.state. `name` is what guests call it, `legal_name` who sells."""

    environment: int
    legal_name: str
    name: str = ""
    address: Address
    vat_number: str | None = None
    chamber_number: str | None = None
    iban: str | None = None
    email: str | None = None
    """Where questions go: reply_to, else finance_email."""
    logo: Logo | None = None
    colour: str | None = None
    """The venue's own colour as "#RRGGBB"; anything else is taken as none."""

    @property
    def shown_name(self) -> str:
        return self.name or self.legal_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """The account's holder, from customer.state. `name` is a person's full name."""

    name: str = ""
    company: str = ""
    address: Address
    email: str | None = None
    vat_number: str | None = None
    chamber_number: str | None = None
    peppol_id: str | None = None
    """"scheme:value", such as "0106:12345678"."""

    @property
    def shown_name(self) -> str:
        return self.company or self.name


class Line(NamedTuple):
    """One sale line as it is billed (or credited) here.

    `sold_at` is the sale's booked_at in the venue's time zone (aware): its date is the supply
    date. `quantity` is a decimal string, `unit_price` gross minor units, `vat_rate` as on the wire.
    `total` is what this document bills of it: usually round_half_up(quantity x unit_price), less
    where part of the line was reversed or billed before. `part` says so then.

    A tuple: there are many, and each is made, handed to another process and made there again.
    """

    sale_id: str
    sold_at: datetime
    description: str
    quantity: str
    unit_price: int
    vat_rate: str
    total: int
    terminal: str = ""

    @property
    def part(self) -> bool:
        """Only a part of the line is billed: quantity x unit_price is not `total`."""
        return line_total(self.quantity, self.unit_price) != self.total

    @property
    def billed_quantity(self) -> Decimal:
        """As documents show it: with a price that is not negative (EN 16931 BR-27), so a discount
        has a negative quantity; and 1 (or -1) x the rest where only a part is billed."""
        if self.part:
            return Decimal(1 if self.total >= 0 else -1)
        return _billed_quantity(self.quantity, self.unit_price < 0)

    @property
    def billed_price(self) -> int:
        """The gross unit price that goes with `billed_quantity`; never negative."""
        return abs(self.total if self.part else self.unit_price)


@lru_cache(_REMEMBERED)
def _billed_quantity(quantity: str, is_discount: bool) -> Decimal:
    return -Decimal(quantity) if is_discount else Decimal(quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class EuroVat:
    """All of a document's VAT in euro cents, and the euros for one unit of its currency."""

    vat: int
    rate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    invoice_id: str
    """Of the invoice, or the credit_note_id of a credit note: names the document for ever."""
    number: str | None
    """None: a draft, which is shown as such."""
    language: Language
    seller: Seller
    buyer: Buyer
    account: str
    account_description: str = ""
    issued_on: date
    """In the venue's time zone; of a draft: the day on which it was drafted."""
    period: str
    """"YYYY-MM": the calendar month of the supplies."""
    currency: str
    lines: tuple[Line, ...]
    """All of it; or none, where only its totals are told of (a mail)."""
    vat: tuple[VatRow, ...]
    """One row per rate, as the event has it: `vat_rows((l.vat_rate, l.total) for l in lines)`."""
    total: int
    """What is to be paid (or comes back): what the till took."""
    euro: EuroVat | None = None
    """Where the venue is Dutch and bills in another currency (art. 230 VAT directive)."""

    def __post_init__(self) -> None:
        if self.lines and sum(line.total for line in self.lines) != self.total:
            raise ValueError(f"{self.invoice_id}: the lines do not sum to the total")
        if sum(row.gross for row in self.vat) != self.total:
            raise ValueError(f"{self.invoice_id}: the VAT rows do not sum to the total")

    @property
    def net(self) -> int:
        return sum(row.base for row in self.vat)

    @property
    def vat_total(self) -> int:
        return sum(row.vat for row in self.vat)

    @property
    def vat_in_euros_follows(self) -> bool:
        """A draft whose invoice will say it: at the rate of the day of issue, not of this one."""
        dutch = self.seller.address.country == "NL"
        return self.number is None and dutch and self.currency != "EUR"

    @property
    def file_stem(self) -> str:
        """NUMBER for NUMBER.pdf, NUMBER.xlsx, NUMBER.xml: safe as a file name on any system."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.number or f"draft-{self.invoice_id}").strip(
            "."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preceding:
    """An invoice that was credited and that another one replaces."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(_Document):
    """An invoice of one account over one calendar month (art. 35a Wet OB 1968 is its checklist)."""

    due_on: date
    supplementary: bool = False
    """A later run found these sales after the month's invoice had been made."""
    replaces: tuple[Preceding, ...] = ()
    """Credited invoices on which its lines, or some of them, stood just before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote(_Document):
    """Takes back an invoice, or a part of it. `reason` is finance's words or a code of ours
    (labels.credit_reason), may be empty."""

    refers_to: str
    """The number of the invoice that it credits (art. 35a: it must refer to it)."""
    refers_to_issued_on: date
    reason: str = ""


Document = Invoice | CreditNote
