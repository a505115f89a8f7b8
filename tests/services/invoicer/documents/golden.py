"""How each kind of document looks: pictures that people looked at, kept beside this file.

make golden        makes them again; look at what changed before it is committed
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from services.invoicer.documents.model import Address, Logo
from services.invoicer.documents.pdf import render_pdf
from services.invoicer.statements.model import Row, Statement
from services.invoicer.statements.render import render_pdf as render_statement
from tests.services.invoicer.documents.paper import Picture, drawn
from tests.services.invoicer.documents.samples import (
    AWKWARD,
    BUSINESS,
    GUEST,
    SELLER,
    credit_note,
    invoice,
    line,
    many_lines,
)

FOLDER = Path(__file__).with_name("golden")
DOTS_PER_INCH = 50
LOGO = Logo(
    content=b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100">'
    b'<circle cx="50" cy="50" r="48" fill="#aa2200"/>'
    b'<path d="M110 80 L160 20 L210 80 Z" fill="#114488"/></svg>',
    media_type="image/svg+xml",
)
LONG = replace(
    BUSINESS,
    company="Vereniging tot Bevordering van de Instandhouding van Historische Zeilschepen en "
    "Werven Amsterdam-Noord B.V.",
    name="mr. drs. Jan-Willem Alexander van der Heijden-Oosterbaan",
)
RIGHT_TO_LEFT = replace(
    GUEST,
    name="محمد بن عبد الله الخطيب",
    address=Address(street="שדרות רוטשילד 12", postcode="3511 NG", city="Utrecht"),
)


def statement(count: int, account: str | None, language: str) -> Statement:
    """A statement of `count` lines, one of them taken back; of three accounts without `account`."""
    rng = random.Random(11)
    accounts = (account,) if account else ("28900001", "28900002", "terras-7")
    rows = [
        Row(
            at=each.sold_at,
            account=rng.choice(accounts),
            terminal=each.terminal,
            description=each.description,
            quantity=each.quantity,
            unit_price=each.unit_price,
            vat_rate=each.vat_rate,
            amount=each.total,
            back=False,
        )
        for each in many_lines(count)
    ]
    if rows:
        back = replace(rows[0], at=rows[0].at + timedelta(days=1), amount=-rows[0].amount)
        rows.append(replace(back, quantity=None, unit_price=None, back=True))
    rows.sort(key=lambda row: (row.account, row.at))
    return Statement(
        seller=SELLER,
        language="nl" if language == "nl" else "en",
        currency="EUR",
        account=account,
        holder=GUEST.name if account else "",
        description="Team 3" if account else "",
        first=date(2026, 11, 1),
        until=date(2026, 12, 1),
        rows=tuple(rows),
        total=sum(row.amount for row in rows),
    )


def documents() -> dict[str, bytes]:
    """Name -> PDF, of each kind: nl and en, guest and business, one page and many."""
    odd = [line(text, quantity="1", unit_price=100) for text in AWKWARD]
    discount = line("Korting vaste gast", quantity="1", unit_price=-250, minute=50)
    part = line("Bier", quantity="3", unit_price=350, total=700)
    branded = replace(SELLER, logo=LOGO, colour="#ffd400")
    made = {
        "invoice-nl-guest": invoice(*many_lines(12)),
        "invoice-en-business": invoice(
            *many_lines(8), language="en", buyer=BUSINESS, supplementary=True
        ),
        "invoice-nl-long-names": invoice(*odd, part, discount, buyer=LONG, seller=branded),
        "invoice-nl-right-to-left": invoice(
            line("شاي بالنعناع"), line("קפה הפוך"), line("Bier 🍺"), buyer=RIGHT_TO_LEFT
        ),
        "invoice-en-many-pages": invoice(*many_lines(110), language="en", buyer=BUSINESS),
        "invoice-nl-great-amounts": invoice(
            *many_lines(6), line("Zaal", quantity="1000", unit_price=999_999_99), buyer=BUSINESS
        ),
        "credit-note-nl-business": credit_note(buyer=BUSINESS),
        "credit-note-en-guest": credit_note(language="en", reason="Billed to the wrong account"),
        "draft-nl": invoice(number=None),
    }
    return {
        **{name: render_pdf(document) for name, document in made.items()},
        "statement-nl": render_statement(statement(14, "28900001", "nl")),
        "statement-en-all": render_statement(statement(80, None, "en")),
        "statement-nl-nothing": render_statement(statement(0, "28900001", "nl")),
    }


def pictures() -> Iterator[tuple[str, Picture]]:
    """The pages that are kept: of many, the first two and the last."""
    for name, pdf in documents().items():
        pages = drawn(pdf, DOTS_PER_INCH)
        kept = sorted({0, 1, len(pages) - 1} & set(range(len(pages))))
        for page in kept:
            yield f"{name}-{page + 1}.png", pages[page]


def main() -> None:
    """Make all pictures again."""
    made = dict(pictures())
    for old in FOLDER.glob("*.png"):
        if old.name not in made:
            old.unlink()
    for name, picture in made.items():
        (FOLDER / name).write_bytes(picture.png())


if __name__ == "__main__":
    main()
