"""The auditor's file: XML Auditfile Financieel 3.2, which the Dutch tax authority and accountants'
programs read.

Element names, their order, types and lengths are those of XmlAuditfileFinancieel3.2.xsd (namespace
below). A file is one company's, in one currency, within one financial year: `check` says what a
venue lacks. The ledger is a subledger of debtors and revenue: nothing else of a venue's books is in
it. Written element by element, so memory does not grow with the period.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from cli.amounts import Misuse, decimal
from cli.books.chart import EARLIER, ledger_account, rate_of
from cli.books.period import day_of
from cli.books.spool import Entry, Figures
from cli.books.tables import Books, Count
from cli.messages import Json

NAMESPACE = "http://www.auditfiles.nl/XAF/3.2"
LONGEST_ID = 35
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STREET = re.compile(r"(?P<name>.*?\S)\s+(?P<number>[0-9]{1,6})\s*[-/ ]?\s*(?P<extension>\S{0,20})")


class Journal(NamedTuple):
    """A journal of the file; `kind` is XAF's: M memorial, S sales, B bank."""

    id: str
    description: str
    kind: str
    entries: tuple[str, ...]


JOURNALS = (
    Journal("charges", "Sales on account, not yet invoiced", "M", ("charge", "reversal")),
    Journal("invoices", "Invoices and credit notes", "S", ("invoice", "credit_note")),
    Journal("payments", "Payments and refunds", "B", ("payment",)),
)
MUST_BE_SET = {
    "legal_name": "--legal-name",
    "country": "--country",
    "vat_number": "--vat-number",
}


def check(books: Books) -> None:
    """Raises Misuse where an audit file of this can't be lawful."""
    if books.period.first.year != books.period.last.year:
        raise Misuse("An audit file is of one financial year: export each year by itself.")
    settings = books.venue.settings
    if missing := [option for name, option in MUST_BE_SET.items() if not settings.get(name)]:
        raise Misuse(
            f"An audit file names the company and its VAT number; set what is missing with "
            f"`onaccount env configure {settings['environment']} {' ... '.join(missing)} ...`."
        )


def write_xaf(books: Books, file: Path, count: Count, *, today: date) -> None:
    """Write the file; `check` it first."""
    with etree.xmlfile(str(file), encoding="UTF-8") as xml:
        xml.write_declaration()
        out = _Out(xml)
        with xml.element(f"{{{NAMESPACE}}}auditfile", nsmap={None: NAMESPACE}):
            out.group("header", _header(books, today))
            with out.within("company"):
                _company(out, books)
                _opening(out, books)
                _transactions(out, books, count)


def _header(books: Books, today: date) -> dict[str, str]:
    return {
        "fiscalYear": str(books.period.first.year),
        "startDate": books.period.first.isoformat(),
        "endDate": books.period.last.isoformat(),
        "curCode": books.venue.settings["currency"],
        "dateCreated": today.isoformat(),
        "softwareDesc": "onaccount",
        "softwareVersion": version("onaccount")[:20],
    }


def _company(out: _Out, books: Books) -> None:
    settings = books.venue.settings
    out.leaf("companyIdent", str(settings["environment"]))
    out.leaf("companyName", settings["legal_name"], 999)
    out.leaf("taxRegistrationCountry", settings["country"])
    out.leaf("taxRegIdent", settings["vat_number"], 30)
    _address(out, settings)
    with out.within("customersSuppliers"):
        for account, _, _ in books.spool.guests():
            _customer(out, account, books)
    names = [*books.spool.figures(), EARLIER]
    with out.within("generalLedger"):
        for one in map(ledger_account, names):
            out.group(
                "ledgerAccount",
                {"accID": one.name, "accDesc": one.description, "accTp": one.sheet},
            )
    with out.within("vatCodes"):
        for rate in sorted({rate for name in names if (rate := rate_of(name))}, key=float):
            to_pay = {"vatToPayAccID": f"vat:{rate}"} if f"vat:{rate}" in names else {}
            out.group("vatCode", {"vatID": rate, "vatDesc": f"{rate}%", **to_pay})
    with out.within("periods"):
        for number, first, last in books.period.months():
            out.group(
                "period",
                {
                    "periodNumber": str(number),
                    "periodDesc": f"{first:%Y-%m}",
                    "startDatePeriod": first.isoformat(),
                    "endDatePeriod": last.isoformat(),
                },
            )


def _customer(out: _Out, account: str, books: Books) -> None:
    holder = books.venue.holder(account)
    with out.within("customerSupplier"):
        out.leaf("custSupID", guest_id(account))
        out.leaf("custSupName", books.venue.name(account) or account, 50)
        out.leaf("commerceNr", holder.get("chamber_number"), 999)
        if holder.get("vat_number"):
            out.leaf("taxRegistrationCountry", holder.get("country"))
            out.leaf("taxRegIdent", holder["vat_number"], 30)
        out.leaf("custSupTp", "C")
        _address(out, holder)


def _address(out: _Out, of: Json) -> None:
    if not any(of.get(name) for name in ("street", "postcode", "city")):
        return
    street = of.get("street") or ""
    parts = STREET.fullmatch(street)
    with out.within("streetAddress"):
        out.leaf("streetname", parts["name"] if parts else street, 999)
        if parts:
            out.leaf("number", parts["number"], 15)
            out.leaf("numberExtension", parts["extension"], 999)
        out.leaf("city", of.get("city"), 50)
        out.leaf("postalCode", of.get("postcode"), 10)
        out.leaf("country", of.get("country"))


def opening_balance(figures: Mapping[str, Figures]) -> dict[str, int]:
    """What each ledger account opens with; together nothing.

    Revenue of the years before is no revenue of this one: it is their result.
    """
    found: dict[str, int] = {}
    for name, one in figures.items():
        if ledger_account(name).sheet == "B":
            found[name] = one.opening
        else:
            found[name] = one.this_year
            found[EARLIER] = found.get(EARLIER, 0) + one.opening - one.this_year
    return {name: amount for name, amount in sorted(found.items()) if amount}


def _opening(out: _Out, books: Books) -> None:
    opening = opening_balance(books.spool.figures())
    with out.within("openingBalance"):
        out.leaf("opBalDate", books.period.first.isoformat())
        out.leaf("opBalDesc", "Balances before the first day")
        out.totals(
            len(opening),
            sum(x for x in opening.values() if x > 0),
            -sum(x for x in opening.values() if x < 0),
        )
        for number, (name, amount) in enumerate(opening.items(), 1):
            out.group(
                "obLine",
                {
                    "nr": str(number),
                    "accID": name,
                    "amnt": decimal(abs(amount)),
                    "amntTp": "D" if amount > 0 else "C",
                },
            )


def _transactions(out: _Out, books: Books, count: Count) -> None:
    figures = books.spool.figures().values()
    written = 0
    with out.within("transactions"):
        out.totals(
            books.spool.lines,
            sum(one.debit for one in figures),
            sum(one.credit for one in figures),
        )
        for journal in JOURNALS:
            with out.within("journal"):
                out.leaf("jrnID", journal.id)
                out.leaf("desc", journal.description)
                out.leaf("jrnTp", journal.kind)
                if journal.kind == "B":
                    out.leaf("offsetAccID", "bank")
                    out.leaf("bankAccNr", books.venue.settings.get("iban"), LONGEST_ID)
                for number, entry in enumerate(books.spool.read(*journal.entries), 1):
                    _transaction(out, number, entry, books)
                    written += len(entry.message["legs"])
                    count(written)


def _transaction(out: _Out, number: int, entry: Entry, books: Books) -> None:
    message, day = entry.message, day_of(entry.at, books.zone)
    legs = message["legs"]
    vat = {leg["ledger_account"]: leg for leg in legs if leg["ledger_account"].startswith("vat:")}
    with out.within("transaction"):
        out.leaf("nr", str(number))
        out.leaf("desc", f"{message['kind'].replace('_', ' ')} {entry.document}")
        out.leaf("periodNumber", str(day.month))
        out.leaf("trDt", day.isoformat())
        out.leaf("amnt", decimal(sum(leg["debit"] for leg in legs)))
        out.leaf("amntTp", "D")
        out.leaf("sourceID", message["kind"])
        for place, leg in enumerate(legs, 1):
            name = leg["ledger_account"]
            with out.within("trLine"):
                out.leaf("nr", str(place))
                out.leaf("accID", name)
                out.leaf("docRef", entry.document, 999)
                out.leaf("effDate", day.isoformat())
                _amount(out, leg, "amnt")
                out.leaf("recRef", message["entry_id"])
                if name.startswith("receivable:"):
                    out.leaf("custSupID", guest_id(message["account"]))
                if message["kind"] in ("invoice", "credit_note"):
                    out.leaf("invRef", entry.document, 999)
                rate = rate_of(name)
                if name == f"revenue:{rate}":
                    with out.within("vat"):
                        out.leaf("vatID", rate)
                        out.leaf("vatPerc", rate)
                        _amount(out, vat.get(f"vat:{rate}", {"debit": 0, "credit": 0}), "vatAmnt")


def _amount(out: _Out, leg: Mapping[str, Any], name: str) -> None:
    out.leaf(name, decimal(leg["debit"] or leg["credit"]))
    out.leaf(f"{name}Tp", "D" if leg["debit"] else "C")


def guest_id(account: str) -> str:
    """An account's number as the file's id, which has at most 35 characters: a longer one keeps
    its beginning and is told apart by a digest."""
    text = NO_XML.sub("", account)
    if len(text) <= LONGEST_ID and text == account:
        return text
    return f"{text[:24]}~{sha256(account.encode()).hexdigest()[:10]}"


class _Out:
    """Writes elements of the namespace; an empty text writes none."""

    def __init__(self, xml: Any) -> None:
        self._xml = xml

    def within(self, name: str) -> Any:
        return self._xml.element(f"{{{NAMESPACE}}}{name}")

    def leaf(self, name: str, text: str | None, longest: int = 9_999) -> None:
        if text and (clean := NO_XML.sub("", text)[:longest].strip()):
            with self.within(name):
                self._xml.write(clean)

    def group(self, name: str, leaves: Mapping[str, str]) -> None:
        with self.within(name):
            for one, text in leaves.items():
                self.leaf(one, text)

    def totals(self, lines: int, debit: int, credit: int) -> None:
        self.leaf("linesCount", str(lines))
        self.leaf("totalDebit", decimal(debit))
        self.leaf("totalCredit", decimal(credit))
