"""Statements in MT940 (SWIFT), as Dutch banks give them: a tag at the start of a line.

`:25:` names the account, `:60F:` its currency, `:61:` begins a line, and the `:86:` after it says
what for. What `:86:` holds differs by bank: /NAME/.../REMI/... (ABN AMRO, Rabobank), or
/CNTP/IBAN/BIC/name/... (ING), or words.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from cli.amounts import Misuse
from cli.bank.lines import Line, between, compact, minor_units

_TAG = re.compile(r":(?P<tag>[0-9]{2}[A-Z]?):(?P<rest>.*)")
# Not all banks keep to SWIFT's letter: ASN has blanks where no day of booking is, Knab no comma
# behind whole euros, others blanks in the code of what it was.
_ENTRY = re.compile(
    r"(?P<value>[0-9]{6})(?:(?P<booked>[0-9]{4})| {4})?(?P<sign>R?[CD])[A-Z]?"
    r"(?P<whole>[0-9]{1,12})(?:,(?P<part>[0-9]{0,4}))?[A-Z][A-Z0-9 ]{3}(?P<reference>.*)"
)
_COUNTERPARTY = re.compile(r"/CNTP/(?P<iban>[^/]*)/[^/]*/(?P<name>[^/]*)/")


def is_mt940(text: str) -> bool:
    """Whether a text has the tags of an account and of a line."""
    return bool(re.search(r"^:25:", text, re.M) and re.search(r"^:6[01][A-Z]?:", text, re.M))


def lines(text: str, where: str, first: int = 1) -> list[Line]:
    """The lines of a statement, numbered from `first`; raises Misuse where one can't be read."""
    account, currency = "", "EUR"
    found: list[Line] = []
    tags = list(_tags(text))
    for i, (tag, rows) in enumerate(tags):
        if tag == "25":
            account = re.sub("[A-Z]{3}$", "", compact(rows[0]))  # some say its currency there
        elif tag.startswith("60"):
            currency = rows[0][7:10]
        elif tag == "61":
            told = tags[i + 1][1] if tags[i + 1 : i + 2] and tags[i + 1][0] == "86" else []
            number = first + len(found)
            found.append(_line(rows, told, number, account, currency, where))
    return found


def _tags(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each tag with its rows; a row that begins with no tag belongs to the one before."""
    tag, rows = "", list[str]()
    for row in text.splitlines():
        begins = _TAG.fullmatch(row)
        if begins or row.startswith(("-}", "{")) or row.strip() == "-":
            if tag:
                yield tag, rows
            tag, rows = (begins["tag"], [begins["rest"]]) if begins else ("", [])
        else:
            rows.append(row)
    if tag:
        yield tag, rows


def _line(
    rows: list[str], told: list[str], number: int, account: str, currency: str, where: str
) -> Line:
    entry = _ENTRY.fullmatch(rows[0].strip())
    if entry is None:
        raise Misuse(f"{where}, entry {number}: {rows[0]!r} is not a line of MT940.")
    sign = entry["sign"]
    amount = minor_units(f"{entry['whole']}.{entry['part'] or ''}", currency)
    if amount is None:
        raise Misuse(f"{where}, entry {number}: {rows[0]!r} says a part of a cent.")
    said = "".join(told)  # rows end where they are full, within a word too
    counterparty = _COUNTERPARTY.search(said)
    return Line(
        row=number,
        on=_day(entry["value"], entry["booked"], where, number),
        amount=amount if sign in ("C", "RD") else -amount,  # a debit that is undone comes in
        currency=currency,
        name=counterparty["name"].strip() if counterparty else between(said, "NAME", "NAAM"),
        iban=compact(counterparty["iban"] if counterparty else between(said, "IBAN")),
        description=said,
        reference="",
        account=account,
        sequence=" ".join(" ".join([entry["reference"], *rows[1:]]).split()),
        reversal=sign.startswith("R"),
    )


def _day(value: str, booked: str | None, where: str, number: int) -> date:
    """The day of booking: month and day, in the year in which they are next to the value date.

    Interest is valued by months of thirty days: the 30th of February is its last day.
    """
    try:
        year, month, day = 2000 + int(value[:2]), int(value[2:4]), int(value[4:])
        if month == 2 and day in (29, 30):
            day = monthrange(year, month)[1]
        valued = date(year, month, day)
        if booked is None:
            return valued
        years = (valued.year - 1, valued.year, valued.year + 1)
        month, day = int(booked[:2]), int(booked[2:])
        if (month, day) == (2, 29):
            return date(valued.year, 2, 29)
        return min((date(y, month, day) for y in years), key=lambda d: abs(d - valued))
    except ValueError:
        raise Misuse(f"{where}, entry {number}: {value}{booked or ''} is not a date.") from None
