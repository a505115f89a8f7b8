"""The small types: what they take, what they refuse, and what they reckon."""

from __future__ import annotations

import datetime as dt
import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, TypeAdapter, ValidationError

from schemas import values


def read(hint: Any, text: str) -> Any:
    return TypeAdapter(hint, config=ConfigDict(strict=True)).validate_json(text)


def refused(hint: Any, value: object) -> bool:
    try:
        read(hint, value if isinstance(value, str) else json.dumps(value))
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("text", ["12.0", "true", '"12"', "1e3", "NaN", "null", str(10**13 + 1)])
def test_money_is_an_integer_within_bounds_and_nothing_else(text: str) -> None:
    assert refused(values.Money, text)
    assert not refused(values.Money, str(-(10**13)))


@pytest.mark.parametrize("value", [True, 12.0, Decimal(12), "12"])
def test_money_is_not_coerced_from_python_either(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(values.Money, config=ConfigDict(strict=True)).validate_python(value)


@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [
        ("2", 350, 700),
        ("-2", 350, -700),
        ("0.5", 5, 3),
        ("-0.5", 5, -3),
        ("0.5", -5, -3),
        ("0.49", 5, 2),
        ("1.50", 333, 500),
        ("-1.50", 333, -500),
        ("-0.5", 0, 0),
        ("-0", 12, 0),
        ("999999999.999999", 10**13, 9999999999999990000000),
    ],
)
def test_a_line_is_rounded_half_up_away_from_nil_on_both_sides(
    quantity: str, price: int, total: int
) -> None:
    assert values.line_total(quantity, price) == total


@given(
    st.decimals(min_value=-99999, max_value=99999, places=4, allow_nan=False),
    st.integers(-(10**7), 10**7),
)
def test_a_line_is_what_exact_decimals_make_of_it(quantity: Decimal, price: int) -> None:
    exact = (quantity * price).quantize(Decimal(1), rounding=ROUND_HALF_UP)

    assert values.line_total(format(quantity, "f"), price) == exact
    assert values.line_total(format(-quantity, "f"), price) == -exact


@pytest.mark.parametrize("text", ["0", "9", "21", "5.5", "100", "0.25", "20.05", "10"])
def test_a_rate_in_its_one_form_is_a_rate(text: str) -> None:
    assert values.is_vat_rate(text)
    assert read(values.Rate, json.dumps(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "21.0",
        "21.50",
        "021",
        "100.5",
        "101",
        "-1",
        "5,5",
        ".5",
        "5.",
        "5.555",
        "",
        "21\n",
        "२१",
        "0.0",
    ],
)
def test_a_rate_in_another_form_is_none(text: str) -> None:
    assert not values.is_vat_rate(text)
    assert refused(values.Rate, text if text == "" else json.dumps(text))


@pytest.mark.parametrize("text", ["1", "-1", "0.5", "12.125", "1.50", "-0.000001"])
def test_a_quantity_is_kept_as_it_was_written(text: str) -> None:
    assert read(values.Quantity, json.dumps(text)) == text


@pytest.mark.parametrize(
    "text", ["+1", "01", ".5", "1.", "1e3", "1,5", "", "1234567890", "١", "1 "]
)
def test_a_quantity_in_another_form_is_refused(text: str) -> None:
    assert refused(values.Quantity, json.dumps(text))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01T12:00:00+02:00", dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC)),
        ("2026-07-01t10:00:00z", dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC)),
        ("2026-07-01T10:00:00.123456789Z", dt.datetime(2026, 7, 1, 10, 0, 0, 123456, dt.UTC)),
    ],
)
def test_a_time_is_in_utc_once_it_is_read(text: str, moment: dt.datetime) -> None:
    read_moment = read(values.Time, json.dumps(text))

    assert read_moment == moment
    assert read_moment.tzinfo is dt.UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-07-01T12:00:00", "1700000000", 1700000000, "2026-07-01", "2026-02-30T00:00:00Z",
        "2026-07-01T25:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "now",
        "2026-07-01T12:00Z", "2026-07-01T12:00:00+0200",
    ],
)  # fmt: skip
def test_a_time_without_offset_or_in_another_form_is_refused(value: object) -> None:
    assert refused(values.Time, json.dumps(value))
    assert refused(values.TillTime, json.dumps(value))


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1899-12-30T00:00:00Z"]
)
def test_a_tills_clock_may_stand_anywhere(text: str) -> None:
    moment = read(values.TillTime, json.dumps(text))

    assert json.loads(TypeAdapter(values.TillTime).dump_json(moment)) == text
    assert refused(values.Time, json.dumps(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_tills_clock_that_stands_where_utc_has_no_time_is_told_as_the_nearest(
    text: str, told: str
) -> None:
    moment = read(values.TillTime, json.dumps(text))

    assert json.loads(TypeAdapter(values.TillTime).dump_json(moment)) == told
    assert refused(values.Time, json.dumps(text))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC), '"2026-07-01T10:00:00Z"'),
        (dt.datetime(2026, 7, 1, 10, 0, 0, 5000, dt.UTC), '"2026-07-01T10:00:00.005000Z"'),
        (
            dt.datetime(2026, 7, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            '"2026-07-01T10:00:00Z"',
        ),
    ],
)
def test_a_time_of_ours_has_one_text(moment: dt.datetime, text: str) -> None:
    time = TypeAdapter(values.Time)

    assert time.dump_json(time.validate_python(moment)).decode() == text


def test_a_naive_time_of_ours_is_refused() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(values.Time).validate_python(dt.datetime(2026, 7, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "value",
    [
        *("2026-13-01", "1700000000", "2026-07-01T00:00:00", 20260701),
        *("0001-01-01", "1899-12-31", "9999-12-31"),  # no zone has their midnight, or no workbook
    ],
)
def test_a_date_in_another_form_is_refused(value: object) -> None:
    assert refused(values.Date, json.dumps(value))
    assert read(values.Date, '"2026-07-01"') == dt.date(2026, 7, 1)


@given(st.uuids())
def test_a_uuid_comes_back_in_lower_case(given_id: Any) -> None:
    assert read(values.Uuid, json.dumps(str(given_id).upper())) == str(given_id)


@pytest.mark.parametrize("text", ["", "x", "{0191b0c4-7e3a-7cc1-9a51-1234567890ab}", "0" * 32])
def test_what_is_no_uuid_is_refused(text: str) -> None:
    assert refused(values.Uuid, json.dumps(text))


@pytest.mark.parametrize("text", ["0028900001", "a", "12 34", "a:b", "Tafel é", "x" * 64])
def test_an_account_number_is_kept_as_typed(text: str) -> None:
    assert read(values.Account, json.dumps(text)) == text


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "\u00a01", "1\n", "a\tb", "a\x00b", "x" * 65, 12, "\u2003"]
)
def test_an_account_number_with_blanks_around_or_control_characters_is_refused(
    text: object,
) -> None:
    assert refused(values.Account, json.dumps(text))


@pytest.mark.parametrize("text", ["a\x00b", "a\x1fb", "a\x1eb", "a\x7fb", "a\x85b", "\ud800"])
def test_no_text_holds_nul_control_characters_or_half_characters(text: str) -> None:
    assert refused(values.Text, json.dumps(text))
    assert refused(values.Note, json.dumps(text))


def test_a_note_may_have_lines_and_a_description_may_not() -> None:
    assert read(values.Note, json.dumps("one\ntwo\tthree")) == "one\ntwo\tthree"
    assert refused(values.Text, json.dumps("one\ntwo"))


@pytest.mark.parametrize("text", ["", "a@", "@b", "a b@c", "a@b@c", "a@b,c@d", "a@b\r\nBcc: x@y"])
def test_an_address_that_could_be_several_or_a_header_is_refused(text: str) -> None:
    assert refused(values.Email, json.dumps(text))


def test_keys_can_be_taken_apart_whatever_the_account() -> None:
    assert values.account_key(1, "2:3") == "1:2:3"
    assert values.account_key(12, "3") == "12:3"
    assert values.state_key("account", 2890, "007") == "account:2890:007"


def test_every_pattern_has_its_words() -> None:
    patterns = {value for name, value in vars(values).items() if name.endswith("_PATTERN")}

    assert patterns <= set(values.EXPECTED)
