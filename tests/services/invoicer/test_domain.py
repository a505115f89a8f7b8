"""What is due, months over time zones, credits: on plain values."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicer.domain import (
    MAX_SALES,
    Bill,
    Item,
    OpenLine,
    bill_of_draft,
    bills,
    credits_due,
    due_on,
    following,
    month_begin,
    month_end,
    month_of,
    months_of,
    previous,
    status_after,
)
from services.invoicer.numbers import written
from services.invoicer.schedule import due

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def line(at: datetime, amount: int = 100, sale_id: str = "s", **changes: object) -> OpenLine:
    values: dict[str, object] = {
        "sale_id": sale_id, "line": 0, "booked_at": at, "vat_rate": "21", "approved": amount,
        "reversed": 0, "billed": 0, "credited": 0,
    }  # fmt: skip
    return OpenLine(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC), "2026-06"),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), "2026-07"),  # summer: two hours ahead
        (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), "2026-12"),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "2027-01"),  # winter: one hour ahead
        (datetime(2026, 3, 31, 22, 0, tzinfo=UTC), "2026-04"),  # summer time began on the 29th
        (datetime(2026, 10, 31, 22, 30, tzinfo=UTC), "2026-10"),  # and ended on the 25th
    ],
)
def test_a_sale_belongs_to_the_month_of_the_venues_clock(moment: datetime, month: str) -> None:
    assert month_of(moment, AMSTERDAM) == month
    assert month_begin(month, AMSTERDAM) <= moment < month_end(month, AMSTERDAM)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants them so
    st.sampled_from(["Europe/Amsterdam", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Cairo"]),
)
def test_months_follow_one_another_without_a_gap(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    month = month_of(moment, zone)
    assert month_begin(month, zone) <= moment < month_end(month, zone)
    assert month_end(month, zone) == month_begin(following(month), zone)
    assert previous(following(month)) == month


def test_the_months_between_two_moments_are_the_venues() -> None:
    first = datetime(2026, 11, 30, 22, 59, tzinfo=UTC)
    last = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    assert months_of(first, last, AMSTERDAM) == ["2026-11", "2026-12", "2027-01"]
    assert months_of(first, first, AMSTERDAM) == ["2026-11"]


def test_each_calendar_month_gets_a_bill_of_its_own() -> None:
    june = line(datetime(2026, 6, 30, 21, 0, tzinfo=UTC), sale_id="a")
    july = line(datetime(2026, 6, 30, 23, 0, tzinfo=UTC), 250, sale_id="b")
    found = bills([july, june], AMSTERDAM)
    assert [(b.period, b.total) for b in found] == [("2026-06", 100), ("2026-07", 250)]


def test_what_is_held_or_stands_on_an_invoice_is_not_billed() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    assert bills([line(at, held=True), line(at, billed=100, reversed=40)], AMSTERDAM) == []


def test_what_was_credited_is_billed_again_and_what_was_taken_back_first_is_not() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    freed = line(at, 100, "a", billed=100, credited=100)
    part = line(at, 500, "b", billed=380, credited=380, reversed=120)
    (found,) = bills([freed, part], AMSTERDAM)
    assert found.sales == {"a": 100, "b": 380}


def test_lines_stand_on_a_bill_in_the_order_in_which_they_were_sold() -> None:
    first, second = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC)
    found = bills(
        [line(second, sale_id="a"), line(first, sale_id="b", line=1), line(first, sale_id="b")],
        AMSTERDAM,
    )
    assert [(i.sale_id, i.line) for i in found[0].items] == [("b", 0), ("b", 1), ("a", 0)]


def test_of_what_was_taken_back_nothing_stands_on_a_bill() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    (found,) = bills([line(at, sale_id="a", reversed=100), line(at, sale_id="b")], AMSTERDAM)
    assert [i.sale_id for i in found.items] == ["b"]


def test_a_month_of_more_sales_than_a_record_lists_gives_a_second_bill() -> None:
    at = datetime(2026, 7, 2, tzinfo=UTC)
    found = bills([line(at, sale_id=f"{i:06}") for i in range(MAX_SALES + 1)], AMSTERDAM)
    assert [len(b.sales) for b in found] == [MAX_SALES, 1]


def test_of_a_months_several_drafts_each_is_approved_as_its_own_bill_in_any_order() -> None:
    july = (Item(sale_id="a", line=0, vat_rate="21", amount=500),)
    more = (Item(sale_id="b", line=0, vat_rate="21", amount=120),)
    found = [
        Bill(period="2026-06", items=more),
        Bill(period="2026-07", items=july),
        Bill(period="2026-07", items=more),
    ]
    assert [bill_of_draft(found, "2026-07", total) for total in (500, 120, 7)] == [
        found[1],
        found[2],
        found[1],  # what is due has changed
    ]
    assert bill_of_draft(found, "2026-08", 120) is None


def test_what_was_reversed_after_billing_is_credited_on_its_invoice() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    whole = line(at, 100, "a", billed=100, reversed=100)
    part = line(at, 500, "b", billed=500, reversed=120)
    discount = line(at, -30, "a", line=1, billed=-30, reversed=-30)
    on = {("a", 0): "i1", ("a", 1): "i1", ("b", 0): "i2"}
    found = credits_due([whole, part, discount, line(at)], on)
    assert {k: [i.amount for i in v] for k, v in found.items()} == {"i1": [100, -30], "i2": [120]}
    assert credits_due([line(at, 100, "b", billed=100)], on) == {}


@pytest.mark.parametrize(
    ("total", "credited", "paid", "status"),
    [
        (100, 0, 0, "sent"),
        (100, 0, 99, "sent"),
        (100, 0, 100, "paid"),
        (100, 0, 130, "paid"),
        (1, 0, 1, "paid"),
        (100, 40, 60, "paid"),
        (100, 40, 0, "sent"),
        (100, 100, 0, "credited"),
        (100, 100, 100, "credited"),
        (0, 0, 0, "sent"),  # of nothing nothing was paid
    ],
)
def test_an_invoice_is_paid_when_nothing_is_open_and_credited_when_all_of_it_is(
    total: int, credited: int, paid: int, status: str
) -> None:
    assert status_after("sent", total=total, credited=credited, paid=paid) == status


def test_what_is_paid_no_more_stands_again_as_it_was_delivered() -> None:
    for delivery in ("issued", "sent", "undeliverable"):
        for paid, status in ((99, delivery), (100, "paid")):
            assert (
                status_after("paid", total=100, credited=0, paid=paid, delivery=delivery) == status
            )
    assert status_after("credited", total=9, credited=9, paid=0, delivery="sent") == "credited"


def test_the_last_day_to_pay_counts_from_the_issue_date() -> None:
    assert due_on(date(2026, 12, 20), 14) == date(2027, 1, 3)


def test_numbers_are_written_as_the_format_says() -> None:
    assert written("{year}-{seq:05}", year=2026, seq=7) == "2026-00007"
    assert written("F{seq}/{year}".replace("/", "-"), year=2026, seq=123) == "F123-2026"


def test_a_schedule_asks_for_the_month_before_once_its_hour_has_come() -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)

    def at(now: datetime, since: datetime = long_ago) -> tuple[str, str] | None:
        found = due(2890, day=1, hour=6, zone=AMSTERDAM, now=now, since=since)
        return None if found is None else (found.run_id, found.period)

    july = ("schedule:2890:2026-07", "2026-07")
    assert at(datetime(2026, 8, 1, 4, 0, tzinfo=UTC)) == july  # six o'clock there
    assert at(datetime(2026, 8, 1, 3, 59, tzinfo=UTC)) == ("schedule:2890:2026-06", "2026-06")
    assert at(datetime(2026, 8, 31, 12, 0, tzinfo=UTC)) == july
    assert at(datetime(2026, 8, 20, tzinfo=UTC), since=datetime(2026, 8, 19, tzinfo=UTC)) is None
    then = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
    assert at(then, since=then) == july  # set at the very moment
    assert at(datetime(2026, 1, 1, 6, tzinfo=UTC)) == ("schedule:2890:2025-12", "2025-12")
