"""What a line of money that went out paid back, and whether that was recorded."""

from datetime import date
from typing import Any

import pytest

from cli.matches import Match, Recorded, Refunded
from tests.cli.test_payments import DAY, invoice, line, matched

PAID = invoice("2026-00001", 700, paid=700)
TOO_MUCH = invoice("2026-00002", 1250, paid=1750)
CREDITED = invoice("2026-00003", 900, paid=900, status="credited")
ALL = (PAID, TOO_MUCH, CREDITED)


def went_out(amount: int, text: str, *refunds: Refunded, **changes: Any) -> Match:
    (one,) = matched([line(-amount, text, **changes)], *ALL, refunds=refunds)
    assert one.pays == ()
    return one


def back(number: str, amount: int, reverses: str | None = None) -> Refunded:
    return Refunded(number, amount, DAY, reverses)


@pytest.mark.parametrize("text", ["terug 2026 00002", "Restitutie 2026-00002."])
def test_money_that_went_back_as_it_was_recorded_is_told_so(text: str) -> None:
    one = went_out(500, text, back("2026-00002", 500))
    assert (one.verdict, one.to_do) == ("refunded", ())
    assert one.why == "paid back for 2026-00002: recorded"


def test_money_that_went_back_and_was_not_recorded_says_what_to_type() -> None:
    one = went_out(500, "terug 2026-00002")
    assert one.verdict == "not_refunded"
    assert one.to_do == ("onaccount invoices refund 2890 2026-00002 5.00 --at 2026-08-05",)


def test_a_part_of_what_came_too_much_may_go_back() -> None:
    one = went_out(123, "deel van 2026-00002")
    assert one.to_do == ("onaccount invoices refund 2890 2026-00002 1.23 --at 2026-08-05",)


def test_more_than_came_too_much_is_told_with_what_it_was() -> None:
    one = went_out(501, "terug 2026-00002")
    assert (one.verdict, one.to_do) == ("not_refunded", ())
    assert one.why == "names 2026-00002; paid too much was €5.00 of 2026-00002"


def test_a_transfer_for_several_invoices_is_one_refund_of_each() -> None:
    text = "terug 2026-00002 en 2026-00003"
    one = went_out(1400, text)
    assert one.to_do == (
        "onaccount invoices refund 2890 2026-00002 5.00 --at 2026-08-05",
        "onaccount invoices refund 2890 2026-00003 9.00 --at 2026-08-05",
    )
    one = went_out(1400, text, back("2026-00002", 500), back("2026-00003", 900))
    assert one.why == "paid back for 2026-00002, 2026-00003: recorded"
    assert went_out(1300, text).to_do == ()  # which of them it pays back in part it does not say


def test_a_credit_notes_number_stands_for_its_invoice_where_money_went_out() -> None:
    notes = {"2026-00004": "2026-00003"}
    (one,) = matched([line(-900, "credit 2026-00004")], *ALL, credit_notes=notes)
    assert one.to_do == ("onaccount invoices refund 2890 2026-00003 9.00 --at 2026-08-05",)
    (one,) = matched([line(900, "credit 2026-00004")], *ALL, credit_notes=notes)
    assert one.verdict == "no_number"


def test_money_that_went_out_twice_is_seen_and_an_export_again_says_the_same() -> None:
    twice = [line(-500, "terug 2026-00002", row=row) for row in (2, 3)]
    for _ in range(2):
        first, second = matched(twice, *ALL[::2], invoice("2026-00002", 1250, paid=1250),
                                refunds=[back("2026-00002", 500)])  # fmt: skip
        assert first.verdict == "refunded"
        assert second.why == "names 2026-00002, of which nothing is to be paid back"
    first, second = matched(twice, *ALL)
    assert (len(first.to_do), second.to_do) == (1, ())


def test_a_payment_before_it_in_the_file_may_be_what_is_paid_back() -> None:
    lines = [line(800, "2026-00001"), line(-100, "terug 2026-00001")]
    came, went = matched(lines, invoice("2026-00001", 700), other_amounts=True)
    assert (came.verdict, went.verdict, len(went.to_do)) == ("pays", "not_refunded", 1)


def test_money_that_went_out_for_anything_else_is_not_told_of() -> None:
    for one in (went_out(8000, "Brood"), went_out(1200, "2026-12345")):
        assert (one.verdict, one.why) == ("outgoing", "")
    one = went_out(700, "uw factuur 2026-00001")  # a baker counts his invoices so too
    assert one.why == "names 2026-00001, of which nothing is to be paid back"


def test_an_amount_alone_is_a_hint_and_no_more() -> None:
    one = went_out(500, "terugbetaling")
    assert one.verdict == "outgoing"
    assert one.why == "names no invoice; as much is to be paid back for 2026-00002"
    near = Refunded("2026-00001", 300, date(2026, 8, 19))
    assert "as much was paid back for 2026-00001" in went_out(300, "terug", near).why
    assert went_out(300, "terug", near._replace(on=date(2026, 8, 20))).why == ""


def test_what_the_bank_took_back_says_which_payment_to_undo_until_it_is() -> None:
    paid = {"p-1": Recorded("2026-00001", 700, DAY), "p-2": Recorded("2026-00001", 700, DAY)}
    undone = [line(-700, "2026-00001", reversal=True)]
    (one,) = matched(undone, PAID, recorded=paid)
    assert one.verdict == "reversed"
    assert one.to_do == (
        "onaccount invoices refund 2890 2026-00001 --reverses p-1 --at 2026-08-05",
    )
    gone = [back("2026-00001", 700, "p-1")]
    (one,) = matched(undone, PAID, recorded=paid, refunds=gone)
    assert one.why == "the bank took back what paid 2026-00001: recorded"
    first, second = matched([*undone, *undone], PAID, recorded=paid, refunds=gone)
    assert (first.to_do, "--reverses p-2" in second.to_do[0]) == ((), True)
    (one,) = matched([line(-699, "2026-00001", reversal=True)], PAID, recorded=paid)
    assert (one.to_do, "--reverses` undoes it" in one.why) == ((), True)


def test_a_refund_that_undid_a_payment_is_no_money_that_was_sent() -> None:
    one = went_out(500, "terug 2026-00002", back("2026-00002", 500, "p-1"))
    assert one.verdict == "not_refunded"


def test_another_currency_pays_nothing_back() -> None:
    one = went_out(500, "terug 2026-00002", currency="USD")
    assert (one.verdict, one.why) == ("outgoing", "2026-00002: not in USD")
