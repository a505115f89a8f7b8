"""Every field of every message wrong in every way: an answer, or a dead letter, never a stop.

Goal: whatever a till or an administrator sends, the handlers raise nothing and answer each record
that can be answered. Method: a right message of each type, one field at a time replaced by each
bad value; all that can be decoded goes through the real handlers on a real PostgreSQL in one batch.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.base import Message
from schemas.malformed import Malformed, Undecodable
from schemas.wire import decode, encode
from services.authorizer.handlers import registry, tills
from tests.services.authorizer.support import (
    NOON,
    VENUE,
    cancelled,
    command,
    recorded,
    requested,
    said,
    uid,
    venue,
)
from tests.support.databases import Database

MISSING = object()
BAD: tuple[Any, ...] = (
    MISSING, None, "", " ", "x" * 70_000, "\u0000", "\ud800", "%s{}';--", -1, 0, 1, 2**31, 2**63,
    10**400, 1.5, 1e300, float("nan"), True, [], [[]], [None], {}, {"type": "sale.requested"},
    "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "2026-07-01T12:00:00", uid("x").upper(),
    "USD", "EURO", "21.0", "-0", "1e3", [{"total": 1}] * 501,
)  # fmt: skip

SALES = (
    requested("a", 250),
    recorded("b", 250, moved_from=uid("m")),
    cancelled("c", "a", 100, lines=[{"total": 100, "description": "Pils"}]),
)
COMMANDS = (
    command("environment.configure", 1, name="x", schedule=None),
    command("environment.accept_gdpr", 2, accepted_by="x", document="y"),
    command("customer.register", 3, customer_id=uid("k"), first_name="x", email="a@bar.nl"),
    command("customer.change", 4, customer_id=uid("k"), city="x"),
    command("customer.erase", 5, customer_id=uid("k")),
    command("account.open", 6, account="28900009", limit=5, holder=uid("k")),
    command("account.change", 7, accounts=["28900001"], raise_limit_by=1),
    command("account.link", 8, account="28900001", customer_id=uid("k"), role="viewer"),
    command("account.unlink", 10, account="28900001", customer_id=uid("k"), role="holder"),
    command("registry.republish", 9),
    command("unbooked.dismiss", 11, sale_id=uid("a"), content="0" * 64, note="x"),
    command("environment.activate", 12),
    command("environment.deactivate", 13),
)


def spoiled(message: Message) -> Iterator[bytes]:
    """A message with one of its fields, or one of its first line's, wrong at a time."""
    right = json.loads(encode(message))
    lines = right.get("lines") or [{}]
    for bad in BAD:
        for name in right:
            yield _with(right, name, bad)
        for name in lines[0]:
            wrong = json.loads(_with(lines[0], name, bad))
            yield _with(right, "lines", [wrong, *lines[1:]])


def _with(content: dict[str, Any], name: str, value: Any) -> bytes:
    changed = {**content, name: value}
    if value is MISSING:
        del changed[name]
    return json.dumps(changed).encode()


def read(topic: str, values: Iterator[bytes]) -> list[Any]:
    """All that does not belong to the dead letters."""
    messages = []
    for value in values:
        try:
            message = decode(topic, value)
        except Undecodable:
            continue
        if isinstance(message, Malformed) and message.answered_by is None:
            continue
        messages.append(message)
    return messages


@pytest.mark.parametrize("message", SALES, ids=lambda m: m.type)
async def test_a_sale_that_is_wrong_anywhere_is_answered(
    postgres: Database, message: Message
) -> None:
    async with venue(postgres) as bench:
        wrong = read("pos.sales", spoiled(message))
        assert len(wrong) > 200
        answers = await bench.handle(bench.decide_sales, wrong, at=NOON)
        assert len(answers) == len(wrong)
        for asked, answer in zip(wrong, answers, strict=True):
            if isinstance(asked, Malformed):
                content = said(answer)
                assert (content["reason"], answer.type) == ("invalid_message", asked.answered_by)
                assert content["field"] == asked.field
            assert decode("pos.decisions", answer.value)
        again = await bench.handle(bench.decide_sales, wrong, at=NOON)
        for first, second in zip(answers, again, strict=True):
            # The one refusal that is not remembered: another cancellation may take its id.
            assert first == second or said(first)["reason"] == "sale_unknown"


@pytest.mark.parametrize("message", COMMANDS, ids=lambda m: m.type)
async def test_a_command_that_is_wrong_anywhere_is_answered(
    postgres: Database, message: Message
) -> None:
    async with venue(postgres) as bench:
        wrong = read("registry.commands", spoiled(message))
        answers = await bench.handle(registry.carry_out_commands, wrong)
        assert len(answers) == len(wrong) > 50
        for asked, answer in zip(wrong, answers, strict=True):
            if isinstance(asked, Malformed):
                assert (said(answer)["reason"], said(answer)["field"]) == ("invalid", asked.field)
            assert decode("registry.outcomes", answer.value)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "terminal.signed_on", "session_id": uid("s"), "at": NOON.isoformat()},
        {"type": "terminal.searched", "search_id": uid("s"), "query": "x", "at": NOON.isoformat()},
    ],
    ids=lambda content: content["type"],
)
async def test_a_till_that_asks_wrongly_is_answered_where_it_can_be_read(
    postgres: Database, content: dict[str, Any]
) -> None:
    right = {**content, "environment": VENUE, "terminal": "bar"}
    message = decode("pos.terminals", json.dumps(right).encode())
    assert isinstance(message, Message)
    async with venue(postgres) as bench:
        asked = read("pos.terminals", spoiled(message))
        assert len(asked) > 10
        answers = await bench.handle(tills.answer_tills, asked)
        assert len(answers) >= len(asked)
        assert await bench.handle(tills.answer_tills, asked) == answers
        for answer in answers:
            assert isinstance(decode("pos.directories", answer.value), Message)
