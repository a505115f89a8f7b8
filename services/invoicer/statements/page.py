"""What a statement's PDF lays out: words, amounts and dates as text, in the reader's language."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.letterhead import addressed_data, letterhead_data, present
from services.invoicer.documents.rows import Group, Shown, table_data
from services.invoicer.documents.text import (
    breakable,
    clean,
    day,
    money,
    quantity_text,
    rate_label,
    unbroken,
    weekday,
)
from services.invoicer.statements.model import Cover, Row, Statement
from services.invoicer.statements.words import WORDS

_HEADS = ("time", "description", "quantity", "unit_price", "vat", "amount")


def page_data(statement: Statement, *, with_logo: bool) -> dict[str, Any]:
    """What templates/statement.typ takes."""
    labels, words = LABELS[statement.language], WORDS[statement.language]
    title = f"{words['title']} {period(statement)}"
    return {
        **letterhead_data(statement.seller, statement.language, with_logo=with_logo),
        "title": f"{title} · {clean(statement.seller.shown_name)}",
        "heading": words["heading"],
        "running": title,
        "draft": False,
        **addressed_data(
            {"name": breakable(statement.holder), "address": [], "facts": []},
            present(
                (words["from"], unbroken(day(statement.first, statement.language))),
                (words["until"], unbroken(day(statement.last, statement.language))),
                (labels["account"], account_text(statement)),
            ),
        ),
        "notes": [],
        **table_data(list(_groups(statement)), [labels[head] for head in _HEADS], greys=(0, 4)),
        "nothing": words["nothing"],
        "total": _money(statement, statement.total),
        "closing": words["no_invoice"],
    }


def period(statement: Cover) -> str:
    """ "1 juli 2026 t/m 31 juli 2026"."""
    return WORDS[statement.language]["period"].format(
        first=day(statement.first, statement.language), last=day(statement.last, statement.language)
    )


def account_text(statement: Statement) -> str:
    """The account with its description, or that it is all of them."""
    if statement.account is None:
        return WORDS[statement.language]["all"]
    return " · ".join(part for part in (statement.account, statement.description) if part)


def described(row: Row, statement: Cover) -> str:
    """The line as it was sold; of one that was taken back, that it was."""
    if not row.back:
        return row.description
    return WORDS[statement.language]["back"].format(description=row.description)


def _groups(statement: Statement) -> Iterator[Group]:
    """By day; where it is of all accounts, by account first."""
    if statement.account is not None:
        yield from _days(statement, statement.rows, level=2)
        return
    for account, found in groupby(statement.rows, key=lambda row: row.account):
        its = tuple(found)
        total = _money(statement, sum(row.amount for row in its))
        yield Group(title=breakable(account, longest=60), total=total, rows=(), begins=True)
        yield from _days(statement, its, level=3)


def _days(statement: Statement, rows: tuple[Row, ...], *, level: int) -> Iterator[Group]:
    for date, found in groupby(rows, key=lambda row: row.at.date()):
        its = list(found)
        yield Group(
            title=f"{weekday(date, statement.language)} {date.year}",
            total=_money(statement, sum(row.amount for row in its)),
            rows=[_shown(statement, row) for row in its],
            level=level,
        )


def _shown(statement: Statement, row: Row) -> Shown:
    language = statement.language
    quantity, price = row.shown
    return Shown(
        cells=(
            f"{row.at:%H:%M}",
            clean(described(row, statement)),
            "" if quantity is None else quantity_text(quantity, language),
            "" if price is None else _money(statement, price),
            rate_label(row.vat_rate, language),
            _money(statement, row.amount),
        )
    )


def _money(statement: Cover, amount: int) -> str:
    return money(amount, statement.currency, statement.language)
