"""What counts as the same content, for good: these digests stand in databases."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.base import Message
from schemas.content import CONTENT_V1, NULL_COUNTS, canonical, digest
from schemas.steps import RegistryApply
from schemas.topics import MESSAGES, TOPIC
from schemas.wire import decode
from tests.schemas.message_strategies import (
    OTHER_ID,
    SALE_ID,
    as_bytes,
    cancellation,
    command,
    line,
    of_topic,
    sale,
    written,
)


def content(message: dict[str, Any]) -> str:
    read = decode(of_topic(message["type"]), as_bytes(message))
    assert isinstance(read, Message), read
    return digest(read).hex()


GOLDEN: dict[str, tuple[dict[str, Any], str]] = {
    "a sale": (sale(), "2c58b3a095a8db599d04b2f317afb8639bc050ca14f98bf59f3dc1aee0afa58a"),
    "a moved sale": (
        sale(type="sale.recorded", moved_from=OTHER_ID),
        "8f7db9d3e3f40a59019d03ab03b59440addf3a6609d01b4678cfed46ea3c82fd",
    ),
    "a cancellation of all": (
        cancellation(),
        "04eb8d2c2d3ce0f610a1382d4c90a3f48971006b840f80f241ecb294c607327f",
    ),
    "a cancellation of a line": (
        cancellation(amount=350, lines=[{"description": "Bier", "vat_rate": "21", "total": 350}]),
        "1babfe8021856c4a8937b16357344e76bc254abca9ce12d4a0f4d3ecb09837a1",
    ),
    "an account opened": (
        command("account.open", account="007", limit=None),
        "7c31110fb274366ec888ca74451e4621952c999da0e8bcfdac1711b969084ecf",
    ),
    "an environment configured": (
        command(
            "environment.configure",
            name="Café De Kroon",
            currency="EUR",
            schedule={"day": 1, "hour": 6, "mode": "issue", "send": True},
        ),
        "64eb210725b95dc60797f2d6aeaaf47f2129e99aa52f63225f18ca582d5989e0",
    ),
    "what an import asks": (
        command(
            "registry.apply",
            steps=[
                {
                    "step": 0,
                    "type": "customer.register",
                    "customer_id": OTHER_ID,
                    "company": 'Café "De" Kroon 😀',
                    "email_fictitious": True,
                    "city": None,
                },
                {
                    "step": 1,
                    "after": 0,
                    "type": "account.open",
                    "account": "007",
                    "limit": None,
                    "holder": OTHER_ID,
                },
                {"step": 2, "type": "account.change", "accounts": ["1", "2"], "limit": 500},
            ],
        ),
        "be1fcfc683b757f667b8a7a6a5d000cafb72be9db349d890b7d82fb1150af048",
    ),
    "a run": (
        {
            "type": "invoices.run",
            "run_id": "2026-07",
            "environment": 2890,
            "period": "2026-07",
            "mode": "issue",
            "send": True,
            "by": "anna",
        },
        "7b17c6379b3bbb698dbda4af31749061edd31b4082b8d3758fc9e3ef907b7e4b",
    ),
    "a statement": (
        {
            "type": "statement.request",
            "statement_id": SALE_ID,
            "environment": 2890,
            "from": "2026-07-01",
            "until": "2026-08-01",
            "format": "pdf",
            "by": "anna",
        },
        "71ab1f1308ce17a850b0b7d71748ffad6628e476e6f946739bc99f697095b05b",
    ),
}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_digest_of_version_1_never_changes(name: str) -> None:
    message, expected = GOLDEN[name]

    assert content(message) == expected


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_an_import_asks_has_the_digest_of_any_other_command(data: st.DataObject) -> None:
    message = decode("registry.commands", data.draw(written("registry.apply")))
    assert isinstance(message, RegistryApply)

    assert digest(message) == sha256(canonical(message).encode()).digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "sale.recorded"},
        {"at": "2026-07-02T00:00:00Z"},
        {"terminal": "bar-2"},
        {"operator": "Piet"},
        {"note": "on the house"},
        {"valid_s": 5},
        {"sale_id": SALE_ID.upper()},
        {"unknown": 1},
        {"operator": None},
    ],
)
def test_a_sale_is_the_same_whoever_sends_it_when_and_how(changes: dict[str, Any]) -> None:
    assert content(sale(**changes)) == content(sale())


@pytest.mark.parametrize(
    "changes",
    [
        {"sale_id": OTHER_ID},
        {"environment": 2891},
        {"account": "28900001"},
        {"currency": "USD"},
        {"total": 1151},
        {"lines": [line()]},
        {"lines": [line(), line()]},
        {"type": "sale.recorded", "moved_from": OTHER_ID},
        {"type": "sale.recorded", "moved_content": "ab" * 32},
        *(
            {"lines": [line(**change), sale()["lines"][1]]}
            for change in (
                {"description": "Wijn"},
                {"product": None},
                {"product": ""},
                {"quantity": "2.0"},
                {"unit_price": 351},
                {"vat_rate": "9"},
                {"total": 701},
            )
        ),
        {"lines": list(reversed(sale()["lines"]))},
    ],
)
def test_a_sale_is_another_one_when_anything_else_differs(changes: dict[str, Any]) -> None:
    assert content(sale(**changes)) != content(sale())


@pytest.mark.parametrize(
    "changes",
    [{"reason": "settled"}, {"amount": 1150}, {"account": "1"}, {"sale_id": OTHER_ID}],
)
def test_a_cancellation_is_another_one_when_anything_differs(changes: dict[str, Any]) -> None:
    assert content(cancellation(**changes)) != content(cancellation())


def test_a_product_that_is_absent_is_a_product_that_is_null() -> None:
    bare = line()
    del bare["product"]

    assert content(sale(lines=[bare])) == content(sale(lines=[line(product=None)]))


def test_a_default_that_is_given_is_the_default_that_is_not() -> None:
    assert content(command("account.open", account="1", status="active")) == content(
        command("account.open", account="1")
    )


def test_null_is_something_else_than_absent_where_null_clears() -> None:
    for kind, fields in NULL_COUNTS.items():
        extra = {
            "account.open": {"account": "1"},
            "account.change": {"accounts": ["1"]},
            "customer.change": {"customer_id": SALE_ID},
        }.get(kind, {})
        cleared = "limit" if "limit" in fields else "vat_number"
        assert content(command(kind, **extra, **{cleared: None})) != content(command(kind, **extra))


def test_null_is_absent_elsewhere() -> None:
    send = command("invoice.send", invoice_id=OTHER_ID)

    assert content(send | {"to": None}) == content(send)
    opened = command("account.open", account="1")
    assert content(opened | {"description": None}) == content(opened)


def test_a_command_of_another_type_under_the_same_id_is_another_one() -> None:
    assert content(command("environment.activate")) != content(command("environment.deactivate"))


def test_every_message_that_asks_something_has_its_content_and_all_fields_of_it() -> None:
    never = {"type", "at", "by", "terminal", "operator", "note"}
    asked = {
        kind
        for name in ("pos.terminals", "registry.commands", "imports.uploads", "invoices.commands")
        for kind, model in MESSAGES.items()
        if model in TOPIC[name].messages
    }

    assert set(CONTENT_V1) == asked
    for kind in asked:
        fields = {info.alias or name for name, info in MESSAGES[kind].model_fields.items()}
        assert set(CONTENT_V1[kind]) == fields - never, kind


def test_what_a_service_says_itself_has_no_digest() -> None:
    state = {
        "type": "balance.state", "environment": 1, "account": "1", "version": 1,
        "currency": "EUR", "unbilled": 0, "billed": 0, "at": "2026-07-01T10:00:00Z",
    }  # fmt: skip

    with pytest.raises(KeyError):
        content(state)
