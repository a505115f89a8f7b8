"""What is answered although it is wrong, and what is a dead letter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.ledger import EntryPosted
from schemas.malformed import Malformed, Undecodable
from schemas.wire import decode
from tests.schemas.message_strategies import (
    OTHER_ID,
    SALE_ID,
    as_bytes,
    cancellation,
    command,
    line,
    sale,
)

AT = datetime(2026, 7, 1, 10, tzinfo=UTC)


def wrong(message: dict[str, Any], topic: str = "pos.sales") -> Malformed:
    found = decode(topic, as_bytes(message))
    assert isinstance(found, Malformed), found
    return found


# --- wrong, but answerable --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": 11.5}, "total"),
        ({"total": 1150.0}, "total"),
        ({"total": True}, "total"),
        ({"total": "1150"}, "total"),
        ({"total": 10**14}, "total"),
        ({"total": 10**300}, "total"),
        ({"total": int("9" * 4000)}, "total"),
        ({"total": float("nan")}, "total"),
        ({"total": float("inf")}, "total"),
        ({"total": None}, "total"),
        ({"currency": "eur"}, "currency"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-07-01T10:00:00"}, "at"),
        ({"terminal": ""}, "terminal"),
        ({"account": " 1"}, "account"),
        ({"account": "x" * 65}, "account"),
        ({"account": 28900001}, "account"),
        ({"account": "a\x00"}, "account"),
        ({"account": "\ud800"}, "account"),
        ({"lines": []}, "lines"),
        ({"lines": {}}, "lines"),
        ({"lines": [line()] * 501}, "lines"),
        ({"lines": [line(), line(total=1.0)]}, "lines.1.total"),
        ({"lines": [line(quantity=2)]}, "lines.0.quantity"),
        ({"lines": [line(quantity="2,5")]}, "lines.0.quantity"),
        ({"lines": [line(unit_price="350")]}, "lines.0.unit_price"),
        ({"lines": [line(vat_rate=21)]}, "lines.0.vat_rate"),
        ({"lines": [line(description="x" * 201)]}, "lines.0.description"),
        ({"lines": [line(description="half \udc00")]}, "lines.0.description"),
        ({"lines": [1]}, "lines.0"),
        ({"note": "x" * 501}, "note"),
        ({"valid_s": -1}, "valid_s"),
        ({"x": [[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]], "note": "\ud800"}, "x"),
    ],
)  # fmt: skip
def test_a_sale_that_is_wrong_says_where_and_never_what(
    changes: dict[str, Any], field: str
) -> None:
    found = wrong(sale(**changes))

    assert found.field == field
    assert found.answered_by == "sale.declined"
    assert found.ids["sale_id"] == SALE_ID
    assert found.ids["environment"] == 2890
    value = next(iter(changes.values()))
    assert not isinstance(value, str) or len(value) < 2 or value not in found.message
    assert "input" not in found.message.lower()
    assert "^" not in found.message


@pytest.mark.parametrize("name", ["account", "terminal", "at", "currency", "total", "lines"])
def test_a_sale_that_lacks_a_field_is_answered_with_what_it_has(name: str) -> None:
    message = sale(sale_id=SALE_ID.upper())
    del message[name]

    found = wrong(message)

    assert (found.field, found.message) == (name, "is required")
    there = {"account", "terminal", "environment", "sale_id"} - {name}
    assert set(found.ids) == there
    assert set(found.fields) == {"at", "currency", "total"} - {name}
    assert found.ids["sale_id"] == SALE_ID
    assert found.fields.get("at", AT) == AT


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"),
        ({"reason": "bored"}, "reason"),
        ({"lines": [{"total": 5}]}, "amount"),
        ({"amount": 6, "lines": [{"total": 5}]}, "amount"),
        ({"amount": 0, "lines": [{"total": 0}]}, "amount"),
        ({"amount": 5, "lines": []}, "lines"),
        ({"amount": 5, "lines": [{"total": 5, "vat_rate": "21.0"}]}, "lines.0.vat_rate"),
    ],
)
def test_a_cancellation_that_is_wrong_says_where(changes: dict[str, Any], field: str) -> None:
    found = wrong(cancellation(**changes))

    assert found.field == field
    assert found.answered_by == "sale.reversal_refused"
    assert found.ids["cancellation_id"] == OTHER_ID
    assert found.ids["sale_id"] == SALE_ID


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (command("account.change", accounts=["1"], limit=1, raise_limit_by=1), "raise_limit_by"),
        (command("account.change", accounts=["1"], limit=None, raise_limit_by=1), "raise_limit_by"),
        (command("account.change", accounts=["1"], on_account=None), "on_account"),
        (command("account.change", accounts=["1"] * 10_001), "accounts"),
        (command("account.change", accounts=[]), "accounts"),
        (
            command("account.change", accounts=["1"], limit=None, raise_limit_by=None),
            "raise_limit_by",
        ),
        (
            command(
                "account.open",
                account="1",
                **dict.fromkeys(("status", "limit", "on_account", "in_overview", "holder")),
            ),
            "status",
        ),
        (command("account.open", account="1", status=None), "status"),
        (command("account.open", account="1", limit=-1), "limit"),
        (command("account.open", account="1", limit=12.5), "limit"),
        (command("customer.register", customer_id=SALE_ID, first_name="  "), "last_name"),
        (command("environment.configure", number_format="{year}"), "number_format"),
        (command("environment.configure", schedule={"day": 1}), "schedule.hour"),
        (command("environment.configure", logo="A" * 273_069), "logo"),
        (command("environment.configure", language="de"), "language"),
        (command("environment.accept_gdpr", accepted_by=""), "accepted_by"),
        (command("registry.republish", at="soon"), "at"),
    ],
)
def test_a_command_that_is_wrong_is_refused_with_its_field(
    message: dict[str, Any], field: str
) -> None:
    found = wrong(message, "registry.commands")

    assert found.field == field
    assert found.answered_by == "command.refused"
    assert found.ids["command_id"] == SALE_ID


def test_what_must_have_something_is_told_so_in_plain_words() -> None:
    empty = command("environment.accept_gdpr", accepted_by="", document="terms-1")
    nobody = command("account.change", accounts=[], status="active")

    for message in (empty, nobody):
        assert wrong(message, "registry.commands").message == "must not be empty"


@pytest.mark.parametrize(
    ("kind", "own_id", "fields", "field"),
    [
        ("payment.record", "payment_id", {"amount": 5, "method": "bank"}, "invoice_id"),
        (
            "payment.record",
            "payment_id",
            {"amount": 5, "method": "bank", "invoice_id": OTHER_ID, "number": "2026-00001"},
            "invoice_id",
        ),
        (
            "statement.request",
            "statement_id",
            {"from": "2026-02-01", "until": "2026-02-01", "format": "pdf"},
            "until",
        ),
        (
            "statement.request",
            "statement_id",
            {"from": "x", "until": "2026-02-01", "format": "pdf"},
            "from",
        ),
        ("document.request", "request_id", {"format": "pdf"}, "invoice_id"),
        ("invoices.run", "run_id", {"period": "2026-13", "mode": "issue", "send": True}, "period"),
    ],
)
def test_a_request_to_the_invoicer_that_is_wrong_keeps_its_own_id(
    kind: str, own_id: str, fields: dict[str, Any], field: str
) -> None:
    message = command(kind, **{own_id: SALE_ID}, **fields)

    found = wrong(message, "invoices.commands")

    assert found.field == field
    assert found.ids[own_id] == SALE_ID
    assert found.answered_by == "command.refused"


@pytest.mark.parametrize("run_id", ["x" * 101, "x" * 10_000, "", "  ", " july", "a\nb"])
def test_a_run_id_that_is_none_of_ours_is_answered_with_itself(run_id: str) -> None:
    found = wrong(command("invoices.run", run_id=run_id), "invoices.commands")

    assert found.field == "run_id"
    assert found.ids["run_id"] == run_id
    assert found.answered_by == "command.refused"


def test_the_own_keys_of_a_mapping_are_not_repeated() -> None:
    message = {
        "type": "import.uploaded", "job_id": SALE_ID, "environment": 2890, "file_name": "a.xlsx",
        "sha256": "0" * 64, "part": 1, "parts": 1, "content": "", "mode": "import", "by": "anna",
        "mapping": {"Jan Jansen": "nonsense"},
    }  # fmt: skip

    found = wrong(message, "imports.uploads")

    assert found.field == "mapping"
    assert found.answered_by == "import.failed"
    assert "Jan" not in repr(found)


def test_a_message_that_is_too_large_is_answered_where_its_ids_can_be_read() -> None:
    found = wrong(sale(x="x" * 300_000))

    assert found.ids["sale_id"] == SALE_ID
    assert found.message == "is in a message that is too large"


# --- dead letters -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"sale",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"type":7}',
        b'{"type":["sale.requested"]}',
        b'{"type":"sale.invented"}',
        b'{"type":"sale.approved"}',
        b'{"type":""}',
        b"\xff\xfe",
        b'\xef\xbb\xbf{"type":"sale.requested"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"type":"sale.requested","total":' + b"1" * 100_000,
        as_bytes(sale())[:-1],
        as_bytes(sale()) + b"{}",
        as_bytes(sale()).replace(b"Bier", b"Bi\xff"),
    ],
)
def test_what_has_no_readable_type_is_a_dead_letter(value: bytes | None) -> None:
    with pytest.raises(Undecodable):
        decode("pos.sales", value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sale_id", None),
        ("sale_id", "x"),
        ("sale_id", 7),
        ("sale_id", ["x"]),
        ("sale_id", "\ud800"),
        ("environment", None),
        ("environment", "2890"),
        ("environment", 0),
        ("environment", True),
        ("environment", 2890.0),
        ("environment", 2**31),
        ("environment", 10**200),
    ],
)
def test_what_has_no_readable_ids_is_a_dead_letter(name: str, value: Any) -> None:
    with pytest.raises(Undecodable) as caught:
        decode("pos.sales", as_bytes(sale(**{name: value})))

    assert caught.value.reason == f"{name} of sale.requested can't be read"


@pytest.mark.parametrize("run_id", ["x" * 10_001, "half \ud800", "\x00", 7, None])
def test_a_run_id_that_can_not_be_repeated_is_a_dead_letter(run_id: Any) -> None:
    with pytest.raises(Undecodable, match="run_id"):
        decode("invoices.commands", as_bytes(command("invoices.run", run_id=run_id)))


def test_a_type_of_another_topic_is_a_dead_letter() -> None:
    with pytest.raises(Undecodable):
        decode("pos.terminals", as_bytes(sale()))


def test_a_topic_of_one_message_demands_its_type_too() -> None:
    entry = {
        "entry_id": SALE_ID, "environment": 2890, "account": "1", "at": "2026-07-01T10:00:00Z",
        "kind": "charge", "source_id": OTHER_ID, "currency": "EUR",
        "legs": [
            {"ledger_account": "receivable:unbilled", "debit": 121, "credit": 0},
            {"ledger_account": "revenue:unbilled:21", "debit": 0, "credit": 121},
        ],
    }  # fmt: skip

    assert isinstance(
        decode("ledger.entries", as_bytes(entry | {"type": "entry.posted"})), EntryPosted
    )
    with pytest.raises(Undecodable):
        decode("ledger.entries", as_bytes(entry))


def test_a_field_that_may_be_of_several_kinds_says_each_of_them() -> None:
    asked = {
        **{"type": "statement.request", "statement_id": SALE_ID, "environment": 2890, "by": "fin"},
        **{"from": "2026-11-01", "until": "2026-12-01", "format": "pdf", "to": "the holder"},
    }

    found = wrong(asked, "invoices.commands")

    assert (found.field, found.message) == (
        "to",
        "must be 'holder' or 'viewers', or must be one e-mail address",
    )
