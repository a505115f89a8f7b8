"""Who can be invoiced and mailed, what a run may ask, how long a refused mail waits."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from services.invoicer.admission import refuses
from services.invoicer.jobs.mail import LONGEST_DELAY_S, delay_s
from services.invoicer.parties import buyer, full_name, language, mail_address, seller, unfit
from services.invoicer.store.runs import Run
from tests.services.invoicer.people import customer, environment, new_id


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


def test_a_temporary_refusal_waits_longer_each_time_up_to_four_hours() -> None:
    delays = [delay_s(60, n) for n in range(12)]
    assert delays[:3] == [60, 120, 240]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY_S


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xef\xbb\xbf<svg/>", "image/svg+xml"),  # as editors on Windows save it
        (b" \n<svg/>", "image/svg+xml"),
        (b"GIF89a", None),
    ],
)
def test_a_logo_is_known_by_what_it_begins_with(content: bytes, kind: str | None) -> None:
    shown = seller(environment(logo=base64.b64encode(content).decode())).logo
    assert (None if shown is None else shown.media_type) == kind
    assert shown is None or not shown.content.startswith(b"\xef")
