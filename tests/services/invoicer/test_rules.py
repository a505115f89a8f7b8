"""Small rules on plain values: how a sale stands, bills, series, schedules."""

from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from runtime.transaction import Tx
from services.invoicer.admission import unready_by_now
from services.invoicer.domain import Bill, Item, Standing, standing_of
from services.invoicer.numbers import format_of, series_of, year_of
from services.invoicer.schedule import is_scheduled
from services.invoicer.store.runs import Run
from tests.services.invoicer.people import environment

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


def test_only_a_schedules_own_run_ids_are_scheduled() -> None:
    assert is_scheduled("schedule:2890:2026-07")
    assert not is_scheduled("my schedule:2890:2026-07")


@pytest.mark.parametrize(
    ("mode", "ready", "reason"),
    [("issue", 1, "environment_incomplete"), ("issue", 2, None), ("draft", 1, None)],
)
async def test_what_the_venue_lost_keeps_numbers_back_once_it_has_changed_and_no_drafts(
    mode: str, ready: int, reason: str | None
) -> None:
    asked = Run(
        run_id="r", digest=b"", attempt=1, period="2026-07", until=None, mode=mode, send=False,
        accounts=None, state="billing", asked_at=datetime(2026, 8, 1, tzinfo=UTC), ended_at=None,
    )  # fmt: skip
    lacking = environment(version=2, iban=None)
    nothing_is_read = cast("Tx", None)
    assert await unready_by_now(nothing_is_read, lacking, asked, ready) == reason
