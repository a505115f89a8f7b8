"""Exports and statements from entries that come twice and in no order."""

import csv
import os
import tracemalloc
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import load_workbook

from cli.amounts import Misuse, decimal
from cli.books.chart import EARLIER
from cli.books.export import format_of
from cli.books.period import Period
from cli.books.spool import Spool
from cli.books.statement import statement
from cli.books.tables import COLUMNS, harmless, write_csv, write_xlsx
from cli.books.venue import Venue
from cli.books.xaf import NAMESPACE, check, guest_id, opening_balance, write_xaf
from tests.cli.books.support import (
    AMSTERDAM,
    ENTRIES,
    LONG,
    SETTINGS,
    THE_VENUE,
    books,
    invoiced,
    sold,
    spooled,
    uid,
)

JULY = Period.read("2026-07")
TODAY = date(2026, 8, 3)
NS = {"x": NAMESPACE}
SCHEMAS = [Path(__file__).with_name("xaf-subset.xsd")]
if real := os.environ.get("ONACCOUNT_XAF_XSD"):
    SCHEMAS.append(Path(real))


def uncounted(number: int) -> None:
    """Nobody looks at how far it is."""


@pytest.mark.parametrize(
    ("text", "first", "last", "named"),
    [
        ("2026", "2026-01-01", "2026-12-31", "2026"),
        ("2026-02", "2026-02-01", "2026-02-28", "2026-02"),
        ("2026-12", "2026-12-01", "2026-12-31", "2026-12"),
        ("2026-07-01..2026-07-31", "2026-07-01", "2026-07-31", "2026-07"),
        ("2026-07-01..2026-07-15", "2026-07-01", "2026-07-15", "2026-07-01_2026-07-15"),
    ],
)
def test_a_period_is_a_year_a_month_or_days(text: str, first: str, last: str, named: str) -> None:
    period = Period.read(text)
    assert (period.first, period.last) == (date.fromisoformat(first), date.fromisoformat(last))
    assert str(period) == named


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-13", "2026-07-01", "2026-07-32..2026-08-01", "x",
     "9999", "9999-12", "2026-01-01..9999-12-31", "٢٠٢٦"],
)  # fmt: skip
def test_what_is_no_period_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(Misuse, match="write a year"):
        Period.read(text)


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(Misuse, match="ends before it begins"):
        Period.read("2026-07-02..2026-07-01")


def test_a_month_is_the_venues_own_and_each_entry_stands_in_it_once_in_order() -> None:
    with spooled(JULY, *ENTRIES) as spool:
        found = list(spool.read())
        assert [one.message["source_id"] for one in found] == [
            uid(name)
            for name in ("first of july", "same second", "july", "bill of july", "too much")
        ]
        assert all(one.at <= after.at for one, after in pairwise(found))
        assert (spool.entries, spool.lines) == (5, 13)
        assert [one.document for one in found][3] == "2026-00012"
        figures = spool.figures()
    assert sum(one.opening for one in figures.values()) == 0
    assert sum(one.debit - one.credit for one in figures.values()) == 0
    assert (figures["receivable:unbilled"].opening, figures["receivable:unbilled"].closing) == (
        0,
        350,
    )
    assert figures["receivable:billed"].closing == -300  # paid too much
    assert (figures["revenue:21"].opening, figures["revenue:21"].this_year) == (-10200, -200)


def test_documents_of_one_moment_stand_in_the_order_of_their_numbers() -> None:
    numbers = ["F2026-9", "F2026-10", "F2026-11", "F2026-99", "F2026-100"]
    bills = [invoiced(number, "2026-07-31T20:00:00Z", 121, 21) for number in numbers]
    before = sold("before", "2026-07-31T19:59:59Z", 5)
    with spooled(JULY, *bills, before) as spool:
        for number in numbers:
            spool.name_document(uid(number), number)
        assert [one.document for one in spool.read()] == [uid("before"), *numbers]


def test_revenue_of_earlier_years_opens_as_their_result() -> None:
    with spooled(JULY, *ENTRIES) as spool:
        opening = opening_balance(spool.figures())
    assert opening == {"bank": 12342, EARLIER: -10000, "revenue:21": -200, "vat:21": -2142}
    assert sum(opening.values()) == 0
    year = Period.read("2026")
    with spooled(year, *ENTRIES) as spool:
        opening = opening_balance(spool.figures())
    assert opening == {EARLIER: -10000, "receivable:billed": 12100, "vat:21": -2100}


def test_csv_holds_every_leg_to_the_cent_and_no_formula(tmp_path: Path) -> None:
    file = tmp_path / "july.csv"
    with spooled(JULY, *ENTRIES) as spool:
        write_csv(books(spool, JULY), file, uncounted)
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 13
    assert sum(round(float(row["debit"]) * 100) for row in rows) == 250 + 450 + 350 + 1400 + 1000
    assert {row["date"] for row in rows} == {"2026-07-01", "2026-07-10", "2026-07-31"}
    assert {row["name"] for row in rows if row["account"] == LONG} == {"'=HYPERLINK(1)"}
    assert {row["account"] for row in rows} == {"0007", LONG}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=1+1", "'=1+1"),
        ("x;=1+1;-2", "x;'=1+1;'-2"),
        ("Bar; en zo", "Bar; en zo"),
        ("a-b=c", "a-b=c"),
        ("", ""),
    ],
)
def test_no_part_of_a_name_is_a_formula_where_semicolons_divide_cells(
    name: str, written: str
) -> None:
    assert harmless(name) == written


def test_a_workbook_has_the_journal_and_balances_that_close(tmp_path: Path) -> None:
    file = tmp_path / "july.xlsx"
    with spooled(JULY, *ENTRIES) as spool:
        write_xlsx(books(spool, JULY), file, uncounted)
    book = load_workbook(file)
    assert book.sheetnames == ["Ledger accounts", "Accounts", "Journal"]
    ledger = {row[0]: row[2:] for row in book["Ledger accounts"].iter_rows(2, values_only=True)}
    assert ledger["bank"] == (123.42, 10, 0, 133.42)
    assert round(sum(float(str(row[3])) for row in ledger.values()), 2) == 0
    accounts = {row[0]: row[2:] for row in book["Accounts"].iter_rows(2, values_only=True)}
    # 0007: sold 2.50 and 4.50 in July, paid 10.00; an invoice moves nothing of what is owed.
    assert accounts == {"0007": (0, -3, -3), LONG: (0, 3.5, 3.5)}
    journal = list(book["Journal"].iter_rows(2))
    assert len(journal) == 13
    assert journal[0][0].value == journal[0][0].value.replace(hour=0)
    assert journal[0][3].value == "0007"  # leading zeros stay
    assert [c.data_type for row in journal for c in row if c.value == "=HYPERLINK(1)"] == ["s"] * 2


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.name)
@pytest.mark.parametrize("period", ["2026-07", "2026", "2025", "2024", "2026-07-10..2026-08-02"])
def test_an_audit_file_is_valid_and_its_totals_are_those_of_its_lines(
    tmp_path: Path, period: str, schema: Path
) -> None:
    file, wanted = tmp_path / "books.xaf", Period.read(period)
    with spooled(wanted, *ENTRIES) as spool:
        check(books(spool, wanted))
        write_xaf(books(spool, wanted), file, uncounted, today=TODAY)
    found = etree.parse(file)
    rules = etree.XMLSchema(etree.parse(schema))
    assert rules.validate(found), rules.error_log

    def texts(path: str) -> list[str]:
        return [str(one.text) for one in found.findall(path, NS)]

    known = set(texts(".//x:ledgerAccount/x:accID"))
    used = {*texts(".//x:trLine/x:accID"), *texts(".//x:obLine/x:accID")}
    assert used | set(texts(".//x:vatToPayAccID")) <= known
    assert set(texts(".//x:trLine/x:custSupID")) <= set(texts(".//x:customerSupplier/x:custSupID"))
    for part, line in (("openingBalance", "obLine"), ("transactions", "trLine")):
        lines = found.findall(f".//x:{line}", NS)
        assert texts(f".//x:{part}/x:linesCount") == [str(len(lines))]
        totals = {"D": 0, "C": 0}
        for one in lines:
            amount = one.findtext("x:amnt", namespaces=NS).replace(".", "")
            totals[one.findtext("x:amntTp", namespaces=NS)] += int(amount)
        assert texts(f".//x:{part}/x:totalDebit") == [decimal(totals["D"])]
        assert texts(f".//x:{part}/x:totalCredit") == [decimal(totals["C"])]
        assert totals["D"] == totals["C"]


def test_an_audit_file_tells_the_vat_of_an_invoice_and_its_number(tmp_path: Path) -> None:
    file = tmp_path / "july.xaf"
    with spooled(JULY, *ENTRIES) as spool:
        write_xaf(books(spool, JULY), file, uncounted, today=TODAY)
    found = etree.parse(file)
    [line] = found.findall(".//x:trLine[x:vat]", NS)
    told = {etree.QName(one).localname: one.text for one in line.iter() if len(one) == 0}
    assert (told["accID"], told["amnt"], told["amntTp"]) == ("revenue:21", "5.79", "C")
    assert (told["vatID"], told["vatPerc"], told["vatAmnt"]) == ("21", "21", "1.21")
    assert told["invRef"] == "2026-00012"
    street = found.find(".//x:customerSupplier/x:streetAddress", NS)
    assert [one.text for one in street][:3] == ["Dorpsstraat", "3", "bis"]


def test_an_audit_file_is_of_one_year_and_of_a_company_with_a_vat_number() -> None:
    over = Period.read("2025-12-01..2026-01-31")
    with spooled(over, *ENTRIES) as spool:
        with pytest.raises(Misuse, match="one financial year"):
            check(books(spool, over))
        nameless = Venue(settings={**SETTINGS, "vat_number": None})
        with pytest.raises(Misuse, match="--vat-number"):
            check(books(spool, JULY)._replace(venue=nameless))


def test_a_long_account_number_gets_an_id_that_fits_and_stays_its_own() -> None:
    assert guest_id("0007") == "0007"
    assert len(guest_id(LONG)) == 35
    assert guest_id(LONG) != guest_id(LONG[:-1] + "2")
    assert guest_id("\ufffe1") != guest_id("1")


def test_a_statement_runs_from_what_was_owed_to_what_is_owed() -> None:
    own = [one for one in ENTRIES if one["account"] == "0007"]
    listed = statement(own, {uid("bill of july"): "2026-00012"}, period=JULY, zone=AMSTERDAM)
    assert (listed.opening, listed.closing) == ((0, 0), (0, -300))
    assert [(line.unbilled, line.billed, line.owed) for line in listed.lines] == [
        (250, 0, 250),
        (450, 0, 700),
        (-700, 700, 700),
        (0, -1000, -300),
    ]
    assert listed.lines[2].document == "2026-00012"
    assert statement(own, {}).closing == (999, -300)


def test_the_format_is_as_the_file_is_named() -> None:
    assert format_of(None, None) == "xlsx"
    assert format_of(Path("a.xaf"), None) == "xaf"
    assert format_of(Path("a.txt"), "csv") == "csv"
    with pytest.raises(Misuse, match=r"a\.txt tells no format"):
        format_of(Path("a.txt"), None)


def test_an_export_keeps_its_entries_on_disk(tmp_path: Path) -> None:
    """Goal: memory does not grow with the period. Method: four times as many, hardly more."""

    def peak(count: int) -> int:
        tracemalloc.start()
        with Spool(
            begins=JULY.begins(AMSTERDAM),
            ends=JULY.ends(AMSTERDAM),
            year_begins=JULY.year_begins(AMSTERDAM),
        ) as spool:
            for number in range(count):
                spool.add(sold(f"s{number}", "2026-07-10T12:00:00Z", 100))
            made = books(spool, JULY)
            write_csv(made, tmp_path / "many.csv", uncounted)
            write_xlsx(made, tmp_path / "many.xlsx", uncounted)
            write_xaf(made, tmp_path / "many.xaf", uncounted, today=TODAY)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert THE_VENUE.name("0007").startswith("Café")
    peak(50)  # what is loaded once
    few, many = peak(300), peak(1_200)
    assert many < few + 200_000
