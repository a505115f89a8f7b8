"""Statements in MT940, as ABN AMRO and ING write them."""

from datetime import date

import pytest

from cli.amounts import Misuse
from cli.bank import mt940
from tests.cli.bank.samples import MT940, MT940_ING


@pytest.mark.parametrize(
    ("text", "account"), [(MT940, "417164300"), (MT940_ING, "NL91INGB0417164300")]
)
def test_a_payment_reads_the_same_from_both_banks(text: str, account: str) -> None:
    assert mt940.is_mt940(text)
    came, went = mt940.lines(text, "x.sta")
    assert (came.row, came.on, came.amount, came.currency) == (1, date(2026, 8, 5), 125050, "EUR")
    assert (came.name, came.iban, came.account) == ("Hr J. Jansen", "NL20INGB0001234567", account)
    assert "factuur 2026-00001" in came.description
    assert (went.on, went.amount, went.reversal) == (date(2026, 8, 6), -8000, False)


@pytest.mark.parametrize(
    ("sign", "amount", "reversal"),
    [("C", 8000, False), ("D", -8000, False), ("RC", -8000, True), ("RD", 8000, True)],
)
def test_what_went_out_or_was_undone_is_never_money_that_came_in(
    sign: str, amount: int, reversal: bool
) -> None:
    _, one = mt940.lines(MT940.replace("0806D80,", f"0806{sign}80,"), "x")
    assert (one.amount, one.reversal) == (amount, reversal)


def test_a_booking_near_new_year_has_the_year_next_to_its_value_date() -> None:
    for said, day in (("2612310102", date(2027, 1, 2)), ("2701011231", date(2026, 12, 31)),
                      ("270105", date(2027, 1, 5)), ("2802290229", date(2028, 2, 29)),
                      ("270105    ", date(2027, 1, 5)), ("270230", date(2027, 2, 28)),
                      ("2702300301", date(2027, 3, 1))):  # fmt: skip
        came, _ = mt940.lines(MT940.replace("2608050805", said), "x")
        assert came.on == day


@pytest.mark.parametrize(
    ("was", "wrong", "says"),
    [
        ("C1250,50", "X1250,50", "entry 1: '2608050805X1250,50N654NONREF' is not a line"),
        ("C1250,50", "C1250.50", "is not a line of MT940"),
        ("2608050805", "2613050805", "entry 1: 2613050805 is not a date"),
        ("C1250,50", "C1250,505", "says a part of a cent"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_entry(was: str, wrong: str, says: str) -> None:
    with pytest.raises(Misuse, match=says):
        mt940.lines(MT940.replace(was, wrong), "x")


@pytest.mark.parametrize("said", ["C1250N654", "CR1250,N654", "C1250,S   ", "C1250,NTRF"])
def test_what_banks_write_beside_the_letter_of_swift_is_read(said: str) -> None:
    """No comma behind whole euros (Knab), a letter of the currency, blanks in the code."""
    came, _ = mt940.lines(MT940.replace("C1250,50N654", said), "x")
    assert (came.amount, came.sequence) == (125000, "NONREF")


def test_a_currency_is_read_with_the_decimals_that_it_has() -> None:
    for currency, said, minor in (("JPY", "1250,", 1250), ("KWD", "12,505", 12505)):
        text = MT940.replace("EUR3749", f"{currency}3749").replace("C1250,50", f"C{said}")
        came, _ = mt940.lines(text, "x")
        assert (came.currency, came.amount) == (currency, minor)


def test_a_table_is_not_taken_for_it() -> None:
    assert not mt940.is_mt940("Datum;Bedrag;Omschrijving\n20260801;12,50;:25: en :61: in woorden\n")
