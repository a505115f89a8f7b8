"""How messages are read, and how they are written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.malformed import Malformed
from schemas.pos import (
    MAX_LINES,
    GivenLine,
    ReversedLine,
    SaleApproved,
    SaleDeclined,
    SaleRecorded,
    SaleRequested,
    SaleReversed,
)
from schemas.registry import AccountChange, AccountOpen, EnvironmentConfigure
from schemas.topics import TOPIC
from schemas.wire import decode, encode
from tests.schemas.message_strategies import (
    SALE_ID,
    as_bytes,
    command,
    line,
    sale,
)

AT = datetime(2026, 7, 1, 10, tzinfo=UTC)


def approved(**changes: Any) -> SaleApproved:
    request = decode("pos.sales", as_bytes(sale()))
    assert isinstance(request, SaleRequested)
    fields: dict[str, Any] = {
        "sale_id": request.sale_id,
        "environment": request.environment,
        "terminal": request.terminal,
        "account": request.account,
        "at": request.at,
        "booked_at": request.at,
        "decided_at": request.at,
        "currency": request.currency,
        "total": request.total,
        "lines": request.lines,
        "online": True,
        "over_limit": False,
        "limit": None,
        "used": 1150,
        "available": None,
    }
    return SaleApproved(**fields | changes)


def written(message: dict[str, Any]) -> bytes:
    """In as few bytes as can be."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


# --- read -------------------------------------------------------------------------------------


def test_a_sale_is_read_as_the_till_sent_it() -> None:
    request = decode("pos.sales", as_bytes(sale(sale_id=SALE_ID.upper(), valid_s=30, extra={})))

    assert isinstance(request, SaleRequested)
    assert request.sale_id == SALE_ID
    assert request.account == "0028900001"
    assert request.at == AT
    assert request.valid_s == 30
    assert request.lines[1] == GivenLine(
        description="Bitterballen", quantity="1", unit_price=450, vat_rate="21", total=450
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"total": 1},
        {"total": -1150},
        {"lines": [line(total=1)]},
        {"lines": [line(vat_rate="21.0")]},
        {"lines": [line(vat_rate="many")]},
    ],
)
def test_amounts_that_disagree_and_odd_rates_are_left_to_the_authorizer(
    changes: dict[str, Any],
) -> None:
    assert isinstance(decode("pos.sales", as_bytes(sale(**changes))), SaleRequested)
    recorded = as_bytes(sale(type="sale.recorded", **changes))
    assert isinstance(decode("pos.sales", recorded), SaleRecorded)


def test_what_is_said_twice_counts_the_last_time() -> None:
    value = as_bytes(sale())[:-1] + b',"total":7}'

    request = decode("pos.sales", value)

    assert isinstance(request, SaleRequested)
    assert request.total == 7


# --- written ----------------------------------------------------------------------------------


def test_without_a_limit_limit_and_available_are_null_and_what_is_optional_is_absent() -> None:
    written = json.loads(encode(approved()))

    assert written["limit"] is None
    assert written["available"] is None
    assert "clock_off" not in written
    assert "product" not in written["lines"][1]
    assert list(written)[:3] == ["type", "sale_id", "environment"]
    assert written["at"] == "2026-07-01T10:00:00Z"


def test_the_same_message_has_the_same_bytes_however_it_was_made() -> None:
    assert encode(approved()) == encode(approved(clock_off=False))
    assert b'"clock_off":true' in encode(approved(clock_off=True))


def greatest(**more: Any) -> bytes:
    """A sale as large as one may be."""
    most = TOPIC["pos.sales"].max_value_bytes
    lines = [line(description="é" * 100, product="x" * 200) for _ in range(MAX_LINES)]
    asked = sale(lines=lines, total=700 * MAX_LINES, **more)
    short = most - len(written(asked))
    for one in lines:
        added = min(short, 100)
        one["description"] += "y" * added
        short -= added
    told = written(asked)
    assert len(told) == most
    return told


def test_the_greatest_sale_can_be_moved() -> None:
    """It says from where besides. Nothing else may be larger."""
    made = decode("pos.sales", greatest(type="sale.recorded"))
    assert isinstance(made, SaleRecorded)
    moved = encode(made.model_copy(update={"moved_from": SALE_ID, "moved_content": "ab" * 32}))
    assert len(moved) > TOPIC["pos.sales"].max_value_bytes
    assert isinstance(decode("pos.sales", moved), SaleRecorded)
    for told in (moved.replace(b"moved_from", b"moved_fro_"), moved + b" " * 1024):
        refused = decode("pos.sales", told)
        assert isinstance(refused, Malformed)
        assert refused.field == "lines"


def test_what_is_answered_to_the_greatest_sale_can_be_read_by_those_who_book_it() -> None:
    """It holds all lines of the sale, and says more: what it takes off a limit must be booked."""
    request = decode("pos.sales", greatest())
    assert isinstance(request, SaleRequested)
    moment, least = AT.replace(microsecond=123456), -(2**63)
    yes = approved(
        lines=request.lines, total=request.total, at=moment, booked_at=moment, decided_at=moment,
        limit=least, used=least, available=least, clock_off=True,
    )  # fmt: skip
    no = SaleReversed(
        cancellation_id=SALE_ID, sale_id=SALE_ID, environment=2**31 - 1, terminal="é" * 64,
        account="é" * 64, at=moment, decided_at=moment, currency="EUR", amount=request.total,
        lines=tuple(
            ReversedLine(**one.model_dump(exclude={"total"}), total=-one.total)
            for one in request.lines
        ),
        reason="cancelled", available=least,
    )  # fmt: skip
    for answer in (yes, no):
        assert len(encode(answer)) > TOPIC["pos.sales"].max_value_bytes
        read = decode("pos.decisions", encode(answer))
        assert isinstance(read, type(answer))
        assert encode(read) == encode(answer)


def test_a_decline_leaves_out_what_could_not_be_read() -> None:
    declined = SaleDeclined(
        sale_id=SALE_ID,
        environment=2890,
        decided_at=AT,
        reason="invalid_message",  # type: ignore[arg-type]
        explanation="total must be an integer",
        field="total",
    )

    assert json.loads(encode(declined)) == {
        "type": "sale.declined",
        "sale_id": SALE_ID,
        "environment": 2890,
        "decided_at": "2026-07-01T10:00:00Z",
        "reason": "invalid_message",
        "explanation": "total must be an integer",
        "field": "total",
    }


def test_a_command_tells_absent_from_null_and_is_written_so() -> None:
    given = command("account.change", accounts=["1"], limit=None)
    change = decode("registry.commands", as_bytes(given))

    assert isinstance(change, AccountChange)
    assert "limit" in change.model_fields_set
    assert "description" not in change.model_fields_set
    assert json.loads(encode(change)) == given


def test_a_command_of_ours_is_written_with_what_was_given_only() -> None:
    configure = EnvironmentConfigure(
        command_id=SALE_ID, environment=2890, at=AT, by="anna", name="De Kroon", schedule=None
    )
    opened = AccountOpen(command_id=SALE_ID, environment=2890, at=AT, by="anna", account="007")

    assert json.loads(encode(configure)) == command(
        "environment.configure", name="De Kroon", schedule=None
    )
    assert json.loads(encode(opened)) == command("account.open", account="007")
    assert opened.status == "active"
