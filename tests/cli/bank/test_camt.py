"""Statements in CAMT.053: what counts, batch by batch, and what hostile XML is told."""

from datetime import date

import pytest

from cli.amounts import Misuse
from cli.bank import camt
from cli.bank.lines import Line
from tests.cli.bank.samples import document, entry, statement, transfer


def read(*statements: str, version: int = 2) -> list[Line]:
    return camt.lines(document(*statements, version=version), "x.xml")


@pytest.mark.parametrize("version", [2, 8])
def test_a_payment_reads_the_same_in_the_old_and_the_new_version(version: int) -> None:
    came, went = read(
        statement(
            entry("1250.50", transfer("factuur 2026-00001", version=version), version=version,
                  reference="B-1"),
            entry("80.00", sign="DBIT", day="2026-08-06", version=version),
        ),
        version=version,
    )  # fmt: skip
    assert came == Line(
        row=1, on=date(2026, 8, 5), amount=125050, currency="EUR", name="Hr J. Jansen",
        iban="NL20INGB0001234567", description="factuur 2026-00001", reference="",
        account="NL91ABNA0417164300", sequence="B-1",
    )  # fmt: skip
    assert (went.row, went.amount, went.description) == (2, -8000, "Overschrijving")


def test_a_batch_is_read_payment_by_payment_where_it_says_what_each_came_to() -> None:
    for version in (2, 8):
        parts = [transfer(f"2026-0000{n}", f"{n}.00", version=version) for n in (1, 2, 3)]
        found = read(statement(entry("6.00", *parts, version=version)), version=version)
        assert [(one.amount, one.description) for one in found] == [
            (100, "2026-00001"), (200, "2026-00002"), (300, "2026-00003"),
        ]  # fmt: skip


@pytest.mark.parametrize("amounts", [("1.00", None), ("1.00", "2.00")])
def test_a_batch_whose_parts_do_not_make_its_sum_is_one_line(amounts: tuple[str, str]) -> None:
    parts = [transfer(f"2026-0000{n}", amount) for n, amount in enumerate(amounts, start=1)]
    (one,) = read(statement(entry("6.00", *parts)))
    assert (one.amount, one.description) == (600, "2026-00001 2026-00002")


def test_what_a_payers_program_says_is_a_reference() -> None:
    said = (
        "<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd>"
        "<Strd><RfrdDocInf><Nb>2026-00001</Nb></RfrdDocInf></Strd>"
    )
    (one,) = read(statement(entry("6.00", transfer("", structured=said, end_to_end="F 7"))))
    assert one.reference == "RF18539007547034 2026-00001 F 7"
    assert one.description == "Overschrijving"


def test_several_statements_each_have_their_account_and_only_what_is_booked_counts() -> None:
    found = read(
        statement(entry("1.00"), entry("2.00", status="PDNG"), entry("3.00", status="INFO")),
        statement(entry("4.00"), account="NL00TEST0000000000"),
        statement(),
    )
    assert [(one.row, one.amount, one.account) for one in found] == [
        (1, 100, "NL91ABNA0417164300"),
        (2, 400, "NL00TEST0000000000"),
    ]


@pytest.mark.parametrize(("sign", "amount"), [("CRDT", 600), ("DBIT", -600)])
def test_what_the_bank_undoes_is_told_apart(sign: str, amount: int) -> None:
    undone = entry("6.00", sign=sign, more="<RvslInd>true</RvslInd>")
    (one,) = read(statement(undone))
    assert (one.reversal, one.amount) == (True, amount)
    (one,) = read(statement(undone.replace("true", "false")))
    assert not one.reversal


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (entry("6.005"), "entry 1: '6.005' is not an amount"),
        (entry("1e5"), "'1e5' is not an amount"),
        (entry("-6.00"), "'-6.00' is not an amount"),
        (entry("6.00", sign="CREDIT"), "does not say whether money came in"),
        (entry("6.00", day="2026-02-30"), "'2026-02-30' is not a date"),
        (entry("6.00").replace('Ccy="EUR"', 'Ccy=""'), "'' is not a currency"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_entry(broken: str, says: str) -> None:
    with pytest.raises(Misuse, match=says):
        read(statement(broken))


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (document(statement(entry("6.00", transfer("&b;"))), head=LAUGHS), "it is not read"),
        (document(statement(entry("6.00", transfer("&x;"))), head=OUTSIDE), "it is not read"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>', "it is not read"),
        (document(statement())[:-9], "no XML that can be read"),
        (b"<a>" * 100_000, "elements without end|no bank statement"),
        (document("<Stmt>" + "<a>" * 100_000), "elements within elements without end"),
        (b'<?xml version="1.0" encoding="no-such"?><x/>', "no XML that can be read"),
        (b"<html><body>Log in</body></html>", "is XML, but no bank statement"),
        (document(statement(), kind="camt.054"), "is a CAMT.054"),
        (document(statement(), kind="pain.001"), "is XML, but no bank statement"),
    ],
)
def test_xml_that_is_hostile_or_something_else_gets_a_clear_sentence(
    content: bytes, says: str
) -> None:
    with pytest.raises(Misuse, match=says):
        camt.lines(content, "x.xml")


def test_a_currency_is_read_with_the_decimals_that_it_has() -> None:
    for currency, said, minor in (("JPY", "1250", 1250), ("JPY", "1250.00", 1250),
                                  ("KWD", "1.234", 1234), ("EUR", "1250.5", 125050)):  # fmt: skip
        content = document(statement(entry(said))).replace(b'"EUR"', f'"{currency}"'.encode())
        (line,) = camt.lines(content, "x")
        assert (line.currency, line.amount) == (currency, minor)
    with pytest.raises(Misuse, match=r"entry 1: '1\.234' is not an amount"):
        read(statement(entry("1.234")))
