"""Who can be invoiced and mailed, what a run may ask, how long a refused mail waits."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from services.invoicer.admission import refuses
from services.invoicer.documents.model import Address, Logo
from services.invoicer.jobs.mail import LONGEST_DELAY_S, delay_s
from services.invoicer.parties import (
    buyer,
    buyer_from,
    buyer_json,
    full_name,
    is_whom,
    language,
    mail_address,
    readers,
    seller,
    seller_from,
    seller_json,
    unfit,
)
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


def test_a_venue_and_a_guest_are_shown_as_they_are_set_and_kept_so() -> None:
    logo = base64.b64encode(b"<svg/>").decode()
    shown = seller(environment(country="BE", reply_to="answers@club.example", logo=logo))
    assert (shown.legal_name, shown.name) == ("Stichting De Club", "De Club")
    where = Address(street="Dorpsstraat 1", postcode="1234 AB", city="Utrecht", country="BE")
    assert (shown.address, shown.email) == (where, "answers@club.example")
    assert shown.logo == Logo(content=b"<svg/>", media_type="image/svg+xml")
    nobody = dict.fromkeys(("legal_name", "name", "street", "postcode", "city", "country"))
    bare = seller(environment(**nobody))
    assert (bare.legal_name, bare.name, bare.address) == ("", "", Address(country="NL"))
    assert (bare.email, bare.logo) == ("finance@club.example", None)
    for each in (shown, bare):
        assert seller_from(seller_json(each)[1]) == each
    guest = buyer(customer(new_id(), company=" De Kroeg ", country="BE"))
    there = Address(street="Kerkweg 2", postcode="3456 CD", city="Zeist", country="BE")
    assert (guest.company, guest.address) == ("De Kroeg", there)
    none = buyer(customer(new_id(), street=None, postcode=None, city=None))
    assert (none.company, none.address) == ("", Address(country="NL"))
    for one in (guest, none):
        assert buyer_from(buyer_json(one)) == one


def test_whom_an_invoice_was_made_out_to_is_known_by_its_id_or_else_by_name() -> None:
    anna, twin = customer(new_id()), customer(new_id())
    kept = buyer_json(buyer(anna))
    assert is_whom(anna, anna.customer_id, kept)
    assert not is_whom(twin, anna.customer_id, kept)
    assert is_whom(twin, None, kept)
    assert not is_whom(customer(new_id(), first_name="Bea"), None, kept)
    assert not is_whom(customer(new_id(), company="De Kroeg"), None, kept)


def test_of_those_who_share_an_address_the_first_is_written_to_in_their_language() -> None:
    first = customer(new_id(), email="a@b.example", language="en")
    others = [customer(new_id(), email="a@b.example"), customer(new_id(), email=None)]
    assert readers([first, *others], environment()) == {"a@b.example": "en"}
