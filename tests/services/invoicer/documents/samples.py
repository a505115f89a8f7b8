"""Documents to try things on: a plain one, and seeded random ones with awkward content."""

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicer.documents.model import (
    Address,
    Buyer,
    CreditNote,
    Document,
    Invoice,
    Line,
    Preceding,
    Seller,
)
from services.invoicer.vat import vat_rows

COUNT = int(os.environ.get("ONACCOUNT_TEST_DOCUMENTS", "20"))
"""How many random documents are judged; `make prove-documents` says 300."""

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

SELLER = Seller(
    environment=2890,
    legal_name="Sportcafé De Derde Helft B.V.",
    name="De Derde Helft",
    address=Address(street="Kanaalstraat 12", postcode="3531 CJ", city="Utrecht"),
    vat_number="NL001234567B01",
    chamber_number="12345678",
    iban="NL91ABNA0417164300",
    email="administratie@derdehelft.example",
)
GUEST = Buyer(
    name="Sanne van den Berg",
    address=Address(street="Oudegracht 201-bis", postcode="3511 NG", city="Utrecht"),
    email="sanne@voorbeeld.example",
)
BUSINESS = Buyer(
    name="J. Pietersen",
    company="Bouwbedrijf Pietersen & Zonen B.V.",
    address=Address(street="Industrieweg 4", postcode="3542 AD", city="Utrecht"),
    email="facturen@pietersen.example",
    vat_number="NL801234567B02",
    chamber_number="87654321",
)

REPLACED = (
    Preceding(number="2026-00007", issued_on=date(2026, 11, 2)),
    Preceding(number="F/9 & co", issued_on=date(2026, 11, 30)),
)

MENU = (
    ("Bier 0,25 l", 350, "21"),
    ("Speciaalbier van de tap", 525, "21"),
    ("Cappuccino", 325, "9"),
    ("Broodje kroket", 595, "9"),
    ("Spa blauw", 275, "9"),
    ("Bitterballen (8 stuks)", 875, "9"),
    ("Witte wijn, glas", 495, "21"),
    ("Dagmenu", 1750, "9"),
)
AWKWARD = (
    "#let x = $1 + 1$ \\ @ref *vet* _schuin_ <label> [x] {y} `z` // nee",
    "=SOM(A1:A9)",
    "Café ‘t Hœkje – “2 voor 1” <b>&amp;</b>",
    "שלום עולם 🍻 مرحبا",
    "Łódź Ελλάδα Привет ½ €",
    "x" * 120,
    "  twee  spaties ",
    "-1 korting",
    "a\"b'c;d,e\tf",
)


def line(
    description: str = "Bier 0,25 l",
    *,
    quantity: str = "2",
    unit_price: int = 350,
    vat_rate: str = "21",
    day: int = 3,
    hour: int = 20,
    minute: int = 14,
    total: int | None = None,
    sale_id: str = "018f3a5c-0000-7000-8000-000000000001",
) -> Line:
    """A line of November 2026 with the total that the contract gives it, unless one is named."""
    exact = (Decimal(quantity) * unit_price).quantize(Decimal(1), ROUND_HALF_UP)
    return Line(
        sale_id=sale_id,
        sold_at=datetime(2026, 11, day, hour, minute, tzinfo=AMSTERDAM),
        description=description,
        quantity=quantity,
        unit_price=unit_price,
        vat_rate=vat_rate,
        total=int(exact) if total is None else total,
        terminal="bar-1",
    )


def invoice(*lines: Line, **changes: Any) -> Invoice:
    """An invoice of November 2026 over `lines` (three by default), with any field changed."""
    given = lines or (
        line(),
        line("Broodje kroket", quantity="1", unit_price=595, vat_rate="9", minute=20),
        line("Kaas per kilo", quantity="0.35", unit_price=1899, vat_rate="9", day=14, hour=12),
    )
    fields: dict[str, Any] = {
        "invoice_id": "018f3a5c-1111-7000-8000-000000000001",
        "number": "2026-00042",
        "language": "nl",
        "seller": SELLER,
        "buyer": GUEST,
        "account": "28900001",
        "account_description": "Team 3",
        "issued_on": date(2026, 12, 1),
        "due_on": date(2026, 12, 15),
        "period": "2026-11",
        "currency": "EUR",
        "lines": given,
        "vat": vat_rows((each.vat_rate, each.total) for each in given),
        "total": sum(each.total for each in given),
    }
    return Invoice(**(fields | changes))


def credit_note(*lines: Line, **changes: Any) -> CreditNote:
    """A credit note for the invoice above."""
    base = invoice(*lines)
    fields = {
        name: getattr(base, name)
        for name in (
            "language",
            "seller",
            "buyer",
            "account",
            "account_description",
            "issued_on",
            "period",
            "currency",
            "lines",
            "vat",
            "total",
        )
    }
    return CreditNote(
        **(
            fields
            | {
                "invoice_id": "018f3a5c-2222-7000-8000-000000000001",
                "number": "2026-00043",
                "refers_to": "2026-00042",
                "refers_to_issued_on": date(2026, 12, 1),
                "reason": "Verkeerde rekening",
            }
            | changes
        )
    )


def many_lines(count: int, seed: int = 7) -> tuple[Line, ...]:
    """A busy month: `count` ordinary lines over its days."""
    rng = random.Random(seed)
    lines = []
    for _ in range(count):
        description, price, rate = rng.choice(MENU)
        at = datetime(2026, 11, 1, 11, 0, tzinfo=AMSTERDAM) + timedelta(
            days=rng.randrange(28), minutes=rng.randrange(720)
        )
        one = line(description, quantity=str(rng.randint(1, 6)), unit_price=price, vat_rate=rate)
        lines.append(one._replace(sold_at=at))
    return tuple(sorted(lines, key=lambda each: each.sold_at))


def random_documents(count: int, seed: int) -> Iterator[Document]:
    """Invoices and credit notes of awkward prices, quantities, rates and names; all lawful."""
    rng = random.Random(seed)
    while count:
        lines = tuple(_random_line(rng) for _ in range(rng.choice((1, 2, 3, 7, 40))))
        if sum(each.total for each in lines) <= 0:
            continue
        count -= 1
        changes: dict[str, Any] = {
            "invoice_id": str(UUID(int=rng.getrandbits(128))),
            "language": rng.choice(("nl", "en")),
            "buyer": _random_buyer(rng),
            "number": rng.choice(("2026-00042", "F/2026/1", "DH 2026.7", "2026#00009")),
        }
        make: Any = rng.choice((invoice, invoice, credit_note))
        if make is credit_note:
            changes["reason"] = rng.choice(("", *AWKWARD[:4]))
        yield make(*lines, **changes)


def _random_line(rng: random.Random) -> Line:
    quantity = rng.choice(("1", "2", "3", "0.35", "-1", "1.125", "12", "0.001", "-0.5", "1000"))
    price = rng.choice((1, 3, 99, 333, 350, 1995, 12345, -100, 999_999))
    one = line(
        rng.choice((*AWKWARD, *(item[0] for item in MENU))),
        quantity=quantity,
        unit_price=price,
        vat_rate=rng.choice(("21", "9", "0", "5.5", "19.25", "100")),
        day=rng.randint(1, 30),
        sale_id=str(UUID(int=rng.getrandbits(128))),
    )
    if rng.random() < 0.15:  # a part of it was taken back or billed before
        one = one._replace(total=one.total - rng.choice((-1, 1)) * (abs(one.total) // 3))
    return one


def _random_buyer(rng: random.Random) -> Buyer:
    awkward = rng.choice(AWKWARD)
    return rng.choice(
        (
            GUEST,
            BUSINESS,
            replace(GUEST, email=None),
            replace(GUEST, name=awkward),
            replace(GUEST, address=Address(street="", postcode="", city="", country="DE")),
            replace(BUSINESS, company=awkward, vat_number=None),
            replace(BUSINESS, chamber_number=None),
            replace(BUSINESS, peppol_id="0106:87654321"),
            replace(
                BUSINESS,
                chamber_number=None,
                vat_number="BE0123456749",
                address=Address(street="Meir 1", postcode="2000", city="Antwerpen", country="BE"),
            ),
        )
    )
