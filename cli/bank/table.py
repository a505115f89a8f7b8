"""Statements as tables (CSV, TAB): ING, Rabobank, ABN AMRO, Revolut, and any with a header.

Columns are found by their names, in Dutch or English; ABN AMRO's tab-separated export has none and
is known by its shape. Amounts are read exactly; what can't be read is refused with its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import zip_longest

from cli.amounts import Misuse
from cli.bank.lines import Line, between, compact, minor_units
from schemas.currencies import decimals

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "on": (
        "datum", "date", "boekdatum", "transactiondate", "bookingdate", "transactiedatum",
        "completeddate", "datecompletedutc",
    ),
    "amount": (
        "bedrag", "bedrageur", "amount", "amounteur", "transactiebedrag", "transactionamount",
    ),
    "out": (
        "af", "debet", "debit", "afschrijving", "afgeschreven", "uit", "uitgaven", "debitamount",
        "debetbedrag", "bedragaf", "paidout", "moneyout", "withdrawal",
    ),
    "in": (
        "bij", "credit", "bijschrijving", "bijgeschreven", "in", "inkomsten", "creditamount",
        "creditbedrag", "bedragbij", "paidin", "moneyin", "deposit",
    ),
    "sign": (
        "afbij", "debitcredit", "debetcredit", "creditdebet", "creditdebit", "dc", "cd", "bijaf",
    ),
    "currency": (
        "munt", "valuta", "valutacode", "currency", "muntsoort", "mutationcode", "paymentcurrency",
    ),
    "name": (
        "naamomschrijving", "naamtegenpartij", "naam", "name", "namedescription",
        "counterpartyname", "counterparty", "tegenpartij", "tegenrekeninghouder", "partnername",
        "payer",
    ),
    "iban": (
        "tegenrekening", "tegenrekeningibanbban", "counterparty account", "counterpartyiban",
        "counterpartyaccount", "iban", "tegenrekeningiban", "tegenrekeningnummer", "partneriban",
    ),
    "account": (
        "rekening", "ibanbban", "account", "accountnumber", "rekeningnummer", "eigenrekening",
    ),
    "reference": ("betalingskenmerk", "paymentreference", "reference", "kenmerk"),
    "sequence": (
        "volgnr", "saldonamutatie", "resultingbalance", "saldonatrn", "endsaldo", "balance", "id",
        "transactiereferentie",
    ),
    "description": (
        "mededelingen", "notifications", "omschrijving", "description", "omschrijving1",
        "omschrijving2", "omschrijving3", "remittanceinformation",
    ),
}  # fmt: skip
_STATE, _DONE = "state", "COMPLETED"  # of Revolut: what is not done yet, or was undone, is no money
_STATES = {_DONE, "PENDING", "REVERTED", "DECLINED", "FAILED"}
_SEVERAL = ("description", "sequence")
_IN = {"bij", "bijschrijving", "credit", "c", "cr", "+"}
_OUT = {"af", "afschrijving", "debit", "debet", "d", "dr", "-"}
_BEFORE_HEADER = 10  # lines in which a bank may say what the file is
_AMOUNT = (
    r"(?P<sign>[+-]?)(?:(?P<plain>[0-9]+)(?:[.,](?P<part>[0-9]{1,%d}))?"
    r"|(?P<grouped>[0-9]{1,3}(?:[.,' ][0-9]{3})+)[.,](?P<decimals>[0-9]{%d}))"
)
_AMOUNTS = {places: re.compile(_AMOUNT % (max(places, 2), max(places, 2))) for places in range(5)}
"""By how many decimals a currency has; one that has none is written with .00 too, or none. With
three digits behind one mark it is thousands there, and there alone."""
_NO_DECIMALS = re.compile(r"(?P<sign>[+-]?)(?P<grouped>[0-9]{1,3}(?:[.,' ][0-9]{3})+)")
_TIME = re.compile(r"(?<=[0-9])[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?Z?$")
_DATES = ("%Y-%m-%d", "%Y%m%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d")


def lines(text: str, where: str) -> list[Line]:
    """The lines of an export, in the file's order; raises Misuse where it is none."""
    first = [row for row in text.splitlines() if row.strip()][:_BEFORE_HEADER]
    head = next((row for row in first if any(map(row.count, ";,\t"))), "")
    delimiter = max(";,\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        filled = [(rows.line_num, r) for r in rows if any(cell.strip() for cell in r)]
    except csv.Error as fault:
        raise Misuse(f"{where} is no CSV that can be read ({fault}).") from None
    if not filled:
        raise Misuse(f"{where} is empty.")
    if delimiter == "\t" and _is_abn(filled[0][1]):
        return [_abn(number, row, where) for number, row in filled]
    return list(_with_header(filled, where))


# -- with a header -----------------------------------------------------------------------------


def _with_header(rows: Sequence[tuple[int, list[str]]], where: str) -> Iterator[Line]:
    head, places = _header(rows, where)
    rest = rows[head + 1 :]
    if not places["sign"]:
        places["sign"] = _signs(rest)
    rest = _done(rows[head][1], rest)
    signed = _is_signed([row[i] for _, row in rest for i in places["out"] if i < len(row)])
    for number, row in rest:
        cells = {
            name: " ".join(row[i].strip() for i in its if i < len(row)).strip()
            for name, its in places.items()
        }
        currency = cells["currency"].upper() or "EUR"
        if places["amount"]:
            amount = _minor(cells["amount"], currency, where, number)
            if places["sign"]:
                amount = _signed(amount, cells["sign"], where, number)
        else:
            amount = _of_two(cells["out"], cells["in"], signed, currency, where, number)
        yield Line(
            row=number,
            on=_date(cells["on"], where, number),
            amount=amount,
            currency=currency,
            name=cells["name"],
            iban=compact(cells["iban"]),
            description=cells["description"],
            reference=cells["reference"],
            account=compact(cells["account"]),
            sequence=cells["sequence"],
        )


def _header(rows: Sequence[tuple[int, list[str]]], where: str) -> tuple[int, dict[str, list[int]]]:
    """The line that names the columns, and where each stands; above it some banks put a title."""
    found = [(i, _places(row)) for i, (_, row) in enumerate(rows[:_BEFORE_HEADER])]
    for i, places in found:
        if places["on"] and (places["amount"] or (places["out"] and places["in"])):
            return i, places
    missing = [name for name in ("on", "amount") if not found[0][1][name]]
    names = {
        "on": "a date (Datum, Date)",
        "amount": "an amount (Bedrag, Amount; or two: Debet and Credit)",
    }
    raise Misuse(
        f"{where} has no column with {' and '.join(names[m] for m in missing)}; its first "
        f"line says: {', '.join(rows[0][1])[:200]}. Where the bank names no columns, put a line "
        "above it that does (Datum, Bedrag, Naam, Omschrijving)."
    )


def _signs(rows: Sequence[tuple[int, list[str]]]) -> list[int]:
    """The column that holds nothing but words for in and out, whatever it is called: without it
    what a venue paid would count as paid to it. One of dashes alone says nothing."""
    columns = zip_longest(*(row for _, row in rows), fillvalue="")
    words = [{cell.strip().lower() for cell in column} - {""} for column in columns]
    return [i for i, its in enumerate(words) if its - {"-"} and its <= _IN | _OUT]


def _done(
    header: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> Sequence[tuple[int, list[str]]]:
    """Without what a column of states says is not completed: pending, reverted, declined."""
    if _STATE not in (names := [cell.strip().lower() for cell in header]):
        return rows
    place = names.index(_STATE)
    states = [row[place].strip().upper() if place < len(row) else "" for _, row in rows]
    if _STATES.isdisjoint(states):
        return rows
    return [row for row, state in zip(rows, states, strict=True) if state == _DONE]


def _places(header: Sequence[str]) -> dict[str, list[int]]:
    """Which columns hold what: the first name that is there, of descriptions all of them."""
    plain = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in header]
    found: dict[str, list[int]] = {}
    for field, names in COLUMNS.items():
        its = [plain.index(name) for name in names if name in plain]
        found[field] = its if field in _SEVERAL else its[:1]
    return found


def _is_signed(out: Sequence[str]) -> bool:
    """Whether all that went out has its sign. Where only some has, that may be money that came
    back (a "storno")."""
    return all("-" in cell for cell in out if re.search("[1-9]", cell))


def _of_two(out: str, into: str, signed: bool, currency: str, where: str, row: int) -> int:
    """What one of two columns says, where what went out and what came in have one each.
    Some banks write what went out with its sign; what came in has none."""
    went, came = (_minor(text, currency, where, row) if text else 0 for text in (out, into))
    if not (out or into) or (went and came) or came < 0 or (went < 0 and not signed):
        raise Misuse(
            f"{where}, line {row}: {out!r} and {into!r} do not say whether money came in or went "
            "out."
        )
    return came - abs(went)


def _signed(amount: int, sign: str, where: str, row: int) -> int:
    words = set(sign.lower().split())
    if words and words <= _IN:
        return amount
    if words and words <= _OUT:
        return -abs(amount)
    raise Misuse(f"{where}, line {row}: {sign!r} does not say whether money came in or went out.")


# -- ABN AMRO's export has no header -----------------------------------------------------------


def _is_abn(row: Sequence[str]) -> bool:
    """account, currency, date, balance before, balance after, value date, amount, description"""
    return (
        len(row) >= 8
        and bool(re.fullmatch(r"[A-Z]{3}", row[1].strip()))
        and (re.fullmatch(r"[0-9]{8}", row[2].strip()) is not None)
    )


def _abn(number: int, row: Sequence[str], where: str) -> Line:
    if len(row) < 8:
        raise Misuse(f"{where}, line {number}: a line of ABN AMRO has eight columns.")
    account, currency, on, _, after, _, amount, description = (cell.strip() for cell in row[:8])
    return Line(
        row=number,
        on=_date(on, where, number),
        amount=_minor(amount, currency.upper(), where, number),
        currency=currency.upper(),
        name=between(description, "NAME", "NAAM"),
        iban=compact(between(description, "IBAN")),
        description=description,
        reference="",
        account=account,
        sequence=after,
    )


# -- cells -------------------------------------------------------------------------------------


def _minor(text: str, currency: str, where: str, row: int) -> int:
    plain = text.replace("€", "").replace(currency, "").replace("\u00a0", " ").strip()
    places = decimals(currency)
    found = _AMOUNTS[places].fullmatch(plain)
    if found is None and places == 0:
        found = _NO_DECIMALS.fullmatch(plain)
    parts = found.groupdict() if found else {}
    whole = re.sub(r"[^0-9]", "", parts.get("plain") or parts.get("grouped") or "")
    part = parts.get("part") or parts.get("decimals") or ""
    value = minor_units(f"{whole}.{part}", currency) if whole else None
    if value is None:
        raise Misuse(f"{where}, line {row}: {text!r} is not an amount in {currency}.")
    return -value if parts["sign"] == "-" else value


def _date(text: str, where: str, row: int) -> date:
    day = _TIME.sub("", text.strip())
    for form in _DATES:
        try:
            return datetime.strptime(day, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise Misuse(f"{where}, line {row}: {text!r} is not a date.")
