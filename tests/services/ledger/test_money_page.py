"""docs/money.md's worked example is what the code reckons, to the cent.

    python -m tests.services.ledger.test_money_page     prints the example, to be put on the page

The authorizer's own reckoning of what is used, the invoicer's own VAT, the ledger's own journals.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from services.authorizer.domain.standing import Standing, Sums, open_amount
from services.invoicer.vat import vat_rows
from services.ledger import domain
from services.ledger.domain import BILLED, UNBILLED, Event, Journal, RateTotal

PAGE = Path(__file__).resolve().parents[3] / "docs" / "money.md"
LIMIT = 5_000
ABOUT = Event(2890, "28900001", "x", datetime(2026, 7, 1, tzinfo=UTC), "EUR")
Gross = Mapping[str, int]

BAR: Gross = {"21": 700, "9": 975}
WINE: Gross = {"21": 2450}
BITES: Gross = {"9": 1250}
BEER: Gross = {"21": 350}
BILL: Gross = {"21": 2800, "9": 975}
LUNCH: Gross = {"9": 990}


class Books:
    """An account's five sums, as the authorizer keeps them, and what the ledger has posted."""

    def __init__(self) -> None:
        self.sums = Sums()
        self.posted: Counter[str] = Counter()

    def has_room_for(self, total: int) -> bool:
        standing = Standing(limit=LIMIT, open=open_amount(self.sums, "issued"))
        return standing.has_room_for(total)

    def post(self, what: str, amount: int, journal: Journal) -> Journal:
        self.sums = self.sums._replace(**{what: getattr(self.sums, what) + amount})
        for name, moved in journal.legs.items():
            self.posted[name] += moved
        return journal

    def sell(self, gross: Gross) -> Journal:
        total = sum(gross.values())
        assert self.has_room_for(total)
        return self.post("approved", total, domain.charge(ABOUT, total, gross.items()))

    def take_back(self, gross: Gross) -> Journal:
        total = sum(gross.values())
        return self.post("reversed", total, domain.reversal(ABOUT, total, gross.items()))

    def invoice(self, gross: Gross) -> Journal:
        total = sum(gross.values())
        return self.post("issued", total, domain.invoice(ABOUT, total, rates(gross)))

    def credit(self, gross: Gross) -> Journal:
        total = sum(gross.values())
        return self.post("credited", total, domain.credit_note(ABOUT, total, rates(gross)))

    def pay(self, amount: int) -> Journal:
        return self.post("paid", amount, domain.payment(ABOUT, amount))


def rates(gross: Gross) -> list[RateTotal]:
    """With the invoicer's VAT."""
    return [RateTotal(row.rate, row.base, row.vat, row.gross) for row in vat_rows(gross.items())]


def story(books: Books) -> Iterator[tuple[str, Journal | None]]:
    """What happens, step by step; a decline posts nothing."""
    yield "two beers at 3.50 and an omelette at 9.75 are sold", books.sell(BAR)
    yield "a bottle of wine at 24.50 is sold", books.sell(WINE)
    assert not books.has_room_for(sum(BITES.values()))
    yield "bites for 12.50 are declined: 41.25 + 12.50 > 50.00", None
    yield "one beer is taken back", books.take_back(BEER)
    yield "the month is invoiced", books.invoice(BILL)
    yield "20.00 of it is paid", books.pay(2_000)
    yield "the wine was corked, and is taken back", books.take_back(WINE)
    yield "the next run credits it", books.credit(WINE)
    yield "lunch for 9.90 is sold", books.sell(LUNCH)


def euros(amount: int) -> str:
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02}"


def side(journal: Journal, sign: int) -> str:
    return ", ".join(f"{name} {euros(abs(x))}" for name, x in journal.legs.items() if x * sign > 0)


def example() -> str:
    """The block of the page."""
    books = Books()
    lines = [f"{'':34}{'used':>9}{'if paid':>9}{'room':>9}{'unbilled':>11}{'billed':>9}"]
    for number, (says, journal) in enumerate(story(books), 1):
        used = [max(open_amount(books.sums, release), 0) for release in ("issued", "paid")]
        figures = (*used, LIMIT - used[0], books.posted[UNBILLED], books.posted[BILLED])
        widths = (9, 9, 9, 11, 9)
        lines.append(f"{number}  {says}")
        if journal is not None:
            lines += [f"     Dr {side(journal, 1)}", f"     Cr {side(journal, -1)}"]
        lines.append(
            " " * 34 + "".join(f"{euros(x):>{w}}" for x, w in zip(figures, widths, strict=True))
        )
    assert sum(books.posted.values()) == 0
    owed = books.posted[UNBILLED] + books.posted[BILLED]
    assert owed == books.sums.approved - books.sums.reversed - books.sums.paid
    lines.append("")
    lines.append("what every ledger account holds after that (debit above zero):")
    lines += [f"     {name:<24}{euros(x):>9}" for name, x in sorted(books.posted.items())]
    return "\n".join(lines)


def test_the_worked_example_on_the_page_is_what_the_code_reckons() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = page.partition("```text worked-example\n")[2].partition("\n```")[0]
    assert shown == example()


def test_an_overpayment_is_owed_to_the_guest() -> None:
    books = Books()
    list(story(books))
    assert books.posted[BILLED] == -675
    assert books.posted[UNBILLED] == 990


if __name__ == "__main__":
    sys.stdout.write(example() + "\n")
