"""What of very many lines stands on paper: like ones of a day together, or what a day's come to.

A page of lines takes typst 10 MB of memory and a quarter of a second, and a mail of them soon is
too large for a mail server. UBL and workbook have every line, whatever stands here (decision 143).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from services.invoicer.documents.model import Document, Line

MOST_ON_PAPER = 5_000
"""Rows: a hundred pages, 300 MB while they are made."""

How = Literal["each", "articles", "rates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPaper:
    """The rows of a document, in the order of the sales: `each` line; `articles` of a day with
    their quantities; or per day and rate what its lines come to, as a line of this amount whose
    quantity says how many they are."""

    how: How
    lines: Sequence[Line]


def on_paper(document: Document) -> OnPaper:
    """As much as paper holds."""
    lines = sorted(document.lines, key=lambda line: line.sold_at)
    if len(lines) <= MOST_ON_PAPER:
        return OnPaper(how="each", lines=lines)
    articles = _articles(lines)
    if len(articles) <= MOST_ON_PAPER:
        return OnPaper(how="articles", lines=articles)
    return OnPaper(how="rates", lines=_rates(lines))


def _articles(lines: Sequence[Line]) -> list[Line]:
    """Like lines of a day as one: those whose quantity times price is their amount to the cent, for
    so it is of their sum too."""
    found: dict[object, Line] = {}
    for n, line in enumerate(lines):
        quantity = Decimal(line.quantity)
        exact = quantity * line.unit_price == line.total
        like = (line.sold_at.date(), line.description, line.unit_price, line.vat_rate)
        before = found.get(like) if exact else None
        if before is None:
            found[like if exact else n] = line
        else:
            together = f"{Decimal(before.quantity) + quantity:f}"
            total = before.total + line.total
            found[like] = before._replace(quantity=together, total=total, terminal="")
    return list(found.values())


def _rates(lines: Sequence[Line]) -> list[Line]:
    found: dict[tuple[date, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.sold_at.date(), line.vat_rate), []).append(line)
    return [
        its[0]._replace(quantity=str(len(its)), total=sum(line.total for line in its))
        for its in found.values()
    ]
