"""The decision on one sale, in plain values: the reasons and their order, the time, the numbers."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.currencies import money
from schemas.pos import RECORDED_DECLINES, DeclineReason
from services.authorizer.domain.explanations import explain, is_currency
from services.authorizer.domain.sales import Approved, Declined, House, booking, decide
from services.authorizer.domain.standing import Standing
from tests.services.authorizer.support import NOON, line, recorded, requested

HOUSE = House(gdpr_accepted=True, active=True, currency="EUR", language="en", release="issued")
R = DeclineReason

# What is wrong with a sale, each fault alone, in the contract's order. Each row: the reason, what
# of the sale is changed, what of its surroundings.
FAULTS: list[tuple[DeclineReason, dict[str, Any], dict[str, Any]]] = [
    (R.ENVIRONMENT_UNKNOWN, {}, {"house": None}),
    (R.GDPR_NOT_ACCEPTED, {}, {"gdpr_accepted": False}),
    (R.MODULE_INACTIVE, {}, {"active": False}),
    (R.ACCOUNT_UNKNOWN, {}, {"standing": None}),
    (R.CURRENCY_MISMATCH, {"currency": "USD"}, {}),
    (R.INVALID_TOTAL, {"total": 251}, {}),
    (R.INVALID_VAT_RATE, {"lines": [line(250, "21.0")]}, {}),
    (R.ALREADY_CANCELLED, {}, {"cancelled": True}),
    (R.EXPIRED, {"valid_s": 0}, {}),
    (R.ACCOUNT_INACTIVE, {}, {"barred": R.ACCOUNT_INACTIVE}),
    (R.NOT_ALLOWED_ON_ACCOUNT, {}, {"barred": R.NOT_ALLOWED_ON_ACCOUNT}),
    (R.OVER_LIMIT, {}, {"limit": 249}),
]


def answer(make: Any, faults: list[int]) -> Approved | Declined:
    """Decide a sale of 250 with these faults at once."""
    sale: dict[str, Any] = {}
    around: dict[str, Any] = {}
    for n in sorted(faults, reverse=True):  # of two that exclude each other, the first
        sale |= FAULTS[n][1]
        around |= FAULTS[n][2]
    house = replace(HOUSE, **{k: v for k, v in around.items() if k in ("gdpr_accepted", "active")})
    standing = Standing(limit=around.get("limit", 1000), open=0, barred=around.get("barred"))
    if make is recorded:
        sale.pop("valid_s", None)
    return decide(
        make("sale", 250, **sale),
        house=around.get("house", house),
        standing=around.get("standing", standing),
        cancelled=around.get("cancelled", False),
        record_time=NOON,
        now=NOON + timedelta(seconds=2),
    )


@pytest.mark.parametrize("n", range(len(FAULTS)), ids=lambda n: FAULTS[n][0])
def test_each_fault_has_its_reason(n: int) -> None:
    declined = answer(requested, [n])
    assert isinstance(declined, Declined)
    assert declined.reason is FAULTS[n][0]


@pytest.mark.parametrize("n", range(len(FAULTS)), ids=lambda n: FAULTS[n][0])
def test_of_several_faults_the_first_of_the_contracts_order_is_told(n: int) -> None:
    for other in range(n + 1, len(FAULTS)):
        declined = answer(requested, [n, other])
        assert isinstance(declined, Declined)
        assert declined.reason is FAULTS[n][0], FAULTS[other][0]
    all_of_them = answer(requested, list(range(n, len(FAULTS))))
    assert isinstance(all_of_them, Declined)
    assert all_of_them.reason is FAULTS[n][0]


@pytest.mark.parametrize("n", range(len(FAULTS)), ids=lambda n: FAULTS[n][0])
def test_what_was_drunk_already_is_declined_only_for_what_makes_it_impossible(n: int) -> None:
    decision = answer(recorded, [n])
    if FAULTS[n][0] in RECORDED_DECLINES:
        assert isinstance(decision, Declined)
        assert decision.reason is FAULTS[n][0]
    else:
        assert isinstance(decision, Approved)
        assert decision.online is False
        assert decision.over_limit is (FAULTS[n][0] is R.OVER_LIMIT)


def test_an_approval_tells_the_numbers_as_they_are_with_the_sale() -> None:
    decision = decide(
        requested("s", 600), house=HOUSE, standing=Standing(limit=1000, open=400), cancelled=False,
        record_time=NOON, now=NOON,
    )  # fmt: skip
    assert decision == Approved(NOON, False, True, False, 1000, 1000, 0)


@pytest.mark.parametrize(("open_", "used"), [(-251, 0), (-250, 0), (-249, 1)])
def test_what_is_used_with_the_sale_is_told_to_the_cent_and_never_below_nothing(
    open_: int, used: int
) -> None:
    """What was taken back after it was invoiced may be more than what is open."""
    decision = decide(
        requested("s", 250), house=HOUSE, standing=Standing(limit=1000, open=open_),
        cancelled=False, record_time=NOON, now=NOON,
    )  # fmt: skip
    assert decision == Approved(NOON, False, True, False, 1000, used, 1000 - used)


def test_a_decline_tells_the_numbers_as_they_are_without_it() -> None:
    decision = decide(
        requested("s", 601), house=HOUSE, standing=Standing(limit=1000, open=400), cancelled=False,
        record_time=NOON, now=NOON,
    )  # fmt: skip
    assert decision == Declined(R.OVER_LIMIT, None, 1000, 400, 600)


@pytest.mark.parametrize(
    ("lines", "total", "field"),
    [
        ([line(250), line(250, total=251)], 501, "lines.1.total"),
        ([line(250), line(250)], 499, "total"),
        ([line(-250)], -250, "total"),
        ([line(250, quantity="0.5", total=125)], 125, None),
        ([line(25, quantity="0.5", total=13)], 13, None),
        ([line(250), line(250, quantity="-1", total=-250)], 0, None),
    ],
)
def test_amounts_must_add_up_to_the_cent(
    lines: list[dict[str, Any]], total: int, field: str | None
) -> None:
    decision = decide(
        requested("s", lines=lines, total=total), house=HOUSE,
        standing=Standing(limit=None, open=0), cancelled=False, record_time=NOON, now=NOON,
    )  # fmt: skip
    if field is None:
        assert isinstance(decision, Approved)
    else:
        assert decision == Declined(R.INVALID_TOTAL, field, None, 0, None)


@pytest.mark.parametrize("rate", ["21.0", "-1", "101", "9,5", "5.123", "laag", " 21"])
def test_a_rate_that_is_none_is_named_with_its_line(rate: str) -> None:
    decision = decide(
        requested("s", lines=[line(100, "0"), line(150, rate)]), house=HOUSE,
        standing=Standing(limit=None, open=0), cancelled=False, record_time=NOON, now=NOON,
    )  # fmt: skip
    assert decision == Declined(R.INVALID_VAT_RATE, "lines.1.vat_rate", None, 0, None)


@pytest.mark.parametrize(("late_s", "expired"), [(30, False), (30.001, True)])
def test_a_question_expires_when_it_is_taken_up_later_than_it_said(
    late_s: float, expired: bool
) -> None:
    decision = decide(
        requested("s", valid_s=30), house=HOUSE, standing=Standing(limit=None, open=0),
        cancelled=False, record_time=NOON, now=NOON + timedelta(seconds=late_s),
    )  # fmt: skip
    assert isinstance(decision, Declined) is expired


DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("behind", "offline", "believed"),
    [
        (timedelta(0), False, True),
        (DAY, False, True),
        (DAY + timedelta(microseconds=1), False, False),
        (-DAY, False, True),
        (-DAY - timedelta(microseconds=1), False, False),
        (timedelta(days=45), True, True),
        (timedelta(days=45, microseconds=1), True, False),
        (-DAY - timedelta(microseconds=1), True, False),
    ],
)
def test_a_tills_time_is_believed_only_near_the_records(
    behind: timedelta, offline: bool, believed: bool
) -> None:
    at = NOON - behind
    expected: tuple[datetime, bool] = (at, False) if believed else (NOON, True)
    assert booking(at, NOON, recorded=offline) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "nl", "en"),
    [
        (1250, "EUR", "€ 12,50", "€12.50"),
        (5, "EUR", "€ 0,05", "€0.05"),
        (-150, "EUR", "€ -1,50", "-€1.50"),
        (123450, "EUR", "€ 1.234,50", "€1,234.50"),
        (-123456789, "EUR", "€ -1.234.567,89", "-€1,234,567.89"),
        (1250, "JPY", "JPY 1.250", "JPY 1,250"),
        (5, "KWD", "KWD 0,005", "KWD 0.005"),
        (1250, "KWD", "KWD 1,250", "KWD 1.250"),
        (0, "EUR", "€ 0,00", "€0.00"),
        (1250, "CHF", "CHF 12,50", "CHF 12.50"),
    ],
)
def test_money_is_written_as_a_person_would(amount: int, currency: str, nl: str, en: str) -> None:
    assert (money(amount, currency, "nl"), money(amount, currency, "en")) == (nl, en)


def test_what_is_no_currency_is_told_from_what_is_one() -> None:
    assert is_currency("EUR")
    for none in ("EUX", "XXX", "XTS"):
        assert not is_currency(none)


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("reason", list(R))
def test_every_reason_explains_itself_in_both_languages(reason: R, language: str) -> None:
    declined = Declined(reason, "total", 1000, 900, 100)
    sentence = explain(
        declined, language, environment=2890, account="28900001", total=250, valid_s=30, says="x"
    )
    assert sentence.endswith(".")
    assert "None" not in sentence
    assert "{" not in sentence
    if reason is R.OVER_LIMIT:
        comma = "," if language == "nl" else "."
        for number in ("2{}50", "10{}00", "9{}00", "1{}00"):
            assert number.format(comma) in sentence
