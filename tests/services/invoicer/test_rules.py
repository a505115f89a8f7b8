"""Small rules on plain values: series, who can be invoiced and mailed, what a run may ask."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.invoicer.admission import refuses
from services.invoicer.domain import Bill, Item, Standing, standing_of
from services.invoicer.numbers import format_of, series_of, year_of
from services.invoicer.parties import buyer, full_name, language, mail_address, unfit
from services.invoicer.schedule import is_scheduled
from services.invoicer.store.runs import Run
from tests.services.invoicer.people import customer, environment, new_id

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"due": 100}, "pending"),
        ({"due": 100, "held": True}, "held"),
        ({"outstanding": 100}, "billed"),
        ({"outstanding": 60, "reversed": 40}, "billed"),
        ({"outstanding": 100, "due": -40, "reversed": 40}, "credit_due"),
        ({"reversed": 100, "taken_back_as": "settled"}, "settled"),
        ({"reversed": 100}, "cancelled"),
        ({"total": 0}, "nothing_to_pay"),
        ({"total": 0, "taken_back_as": "settled"}, "nothing_to_pay"),
    ],
)
def test_of_a_sale_the_first_reason_that_is_so_is_told(changes: dict[str, Any], state: str) -> None:
    values: dict[str, Any] = {
        "total": 100, "reversed": 0, "outstanding": 0, "due": 0, "held": False,
        "taken_back_as": None,
    }  # fmt: skip
    assert standing_of(Standing(**{**values, **changes})) == state


def test_a_bill_sums_its_items_per_sale_and_per_rate() -> None:
    items = tuple(
        Item(sale_id=sale, line=i, vat_rate=rate, amount=amount)
        for i, (sale, rate, amount) in enumerate(
            [("b", "21", 121), ("a", "9", 109), ("b", "9", 218), ("b", "21", -21)]
        )
    )
    bill = Bill(period="2026-07", items=items)
    assert bill.total == 427
    assert list(bill.sales.items()) == [("b", 318), ("a", 109)]
    assert [(row.rate, row.gross) for row in bill.vat] == [("21", 100), ("9", 327)]


def test_credit_notes_count_with_the_invoices_where_the_formats_are_one_text() -> None:
    one = environment()
    two = environment(credit_note_format="C{year}-{seq:03}")
    assert (series_of("credit_note", one), series_of("invoice", one)) == ("invoice", "invoice")
    assert (series_of("credit_note", two), series_of("invoice", two)) == ("credit_note", "invoice")
    assert format_of("invoice", two) == "{year}-{seq:05}"
    assert format_of("credit_note", two) == "C{year}-{seq:03}"


def test_the_year_of_a_number_is_the_venues() -> None:
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert year_of(moment, AMSTERDAM) == 2027
    assert year_of(moment, ZoneInfo("UTC")) == 2026


def asked(
    period: str, run_id: str = "r", *, mode: str = "issue", at: datetime | None = None
) -> Run:
    return Run(
        run_id=run_id, digest=b"", attempt=1, period=period, until=None, mode=mode, send=True,
        accounts=None, state="waiting", ended_at=None,
        asked_at=at or datetime(2026, 7, 31, 22, 30, tzinfo=UTC),  # August in Amsterdam
    )  # fmt: skip


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (asked("2026-08"), None),
        (asked("2026-07"), None),
        (asked("2026-09"), "period_in_future"),
        (asked("2026-08", at=datetime(2026, 7, 31, 21, 30, tzinfo=UTC)), "period_in_future"),
        (asked("2026-08", "schedule:2890:2026-08"), "period_not_over"),
        (asked("2026-07", "schedule:2890:2026-07"), None),
    ],
)
def test_a_run_may_ask_for_the_running_month_and_a_schedule_for_one_that_is_over(
    run: Run, reason: str | None
) -> None:
    refusal = refuses(environment(), run)
    assert (None if refusal is None else refusal.reason) == reason
    unknown = refuses(None, run)
    assert unknown is not None
    assert unknown.reason == "environment_unknown"


def test_only_a_schedules_own_run_ids_are_scheduled() -> None:
    assert is_scheduled("schedule:2890:2026-07")
    assert not is_scheduled("my schedule:2890:2026-07")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"street": None}, "no_postal_address"),
        ({"postcode": " "}, "no_postal_address"),
        ({"city": ""}, "no_postal_address"),
    ],
)
def test_who_can_not_be_invoiced_and_why(changes: dict[str, Any], why: str | None) -> None:
    assert unfit(customer(new_id(), **changes)) == why
    assert unfit(customer(new_id(), **changes).model_copy(update={"erased": True})) == "no_holder"
    assert unfit(None) == "no_holder"


def test_where_a_mail_goes_or_why_nowhere() -> None:
    assert mail_address(customer(new_id(), email="a@b.example")) == ("a@b.example", "")
    assert mail_address(customer(new_id(), email=None)) == (None, "no_address")
    assert mail_address(None) == (None, "no_address")
    fictitious = customer(new_id(), email="test@test.nl", email_fictitious=True)
    assert mail_address(fictitious) == (None, "fictitious_address")


def test_the_customers_language_comes_before_the_venues() -> None:
    assert language(customer(new_id(), language="en"), environment()) == "en"
    assert language(customer(new_id()), environment(language="en")) == "en"
    assert language(None, environment()) == "nl"


def test_a_buyers_name_is_put_together_of_what_there_is() -> None:
    person = customer(new_id(), first_name=" Jan ", infix="van der", last_name="Berg")
    assert full_name(person) == "Jan van der Berg"
    assert full_name(customer(new_id(), first_name=None, last_name="Berg")) == "Berg"
    assert buyer(customer(new_id(), country=None)).address.country == "NL"
