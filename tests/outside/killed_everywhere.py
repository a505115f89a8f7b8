"""Tills sell while every process of the stack is killed with -9, one after another.

Goal: nothing is lost, nothing counts twice, nothing goes over the limit. Method: a whole stack with
two workers of each kind; sales on thirty accounts, each with a random key (so nothing rests on
partitions) and a tenth of them twice; one account has room for exactly twenty. Meanwhile one
process after another is killed. Then every sale must be answered, all repetitions of an answer be
equal byte for byte, the hot account have exactly what fits, and the books of the ledger be those of
the decisions.

Of `make prove-chaos`, for two minutes, as ONACCOUNT_CHAOS_S says. `make test` has a short story in
its place in which everything is killed too (test_a_story.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.journeys.raw import command, send_until_taken
from tests.support.stacks import Stack

pytestmark = pytest.mark.timeout(600)

SELL_S = float(os.environ.get("ONACCOUNT_CHAOS_S", "60"))
ENVIRONMENT = 2890
ACCOUNTS = [f"2890{number:04}" for number in range(30)]
HOT, PRICE, ROOM = ACCOUNTS[0], 1080, 20
VICTIMS = ("authorizer-1", "ledger-1", "postgres", "kafka", "authorizer-2", "invoicer-1")
LINES = [
    {"description": "Bier", "quantity": "2", "unit_price": 250, "vat_rate": "21", "total": 500},
    {"description": "Friet", "quantity": "2", "unit_price": 290, "vat_rate": "9", "total": 580},
]


def sale() -> bytes:
    account = HOT if random.random() < 0.2 else random.choice(ACCOUNTS[1:])
    return json.dumps(
        {
            "type": "sale.requested", "sale_id": str(uuid.uuid4()), "environment": ENVIRONMENT,
            "terminal": "bar-1", "account": account, "at": datetime.now(UTC).isoformat(),
            "currency": "EUR", "total": PRICE, "lines": LINES,
        }
    ).encode()  # fmt: skip


async def prepare(producer: AIOKafkaProducer) -> None:
    for kind, fields in (
        ("environment.configure", {"name": "Kantine"}),
        ("environment.accept_gdpr", {"accepted_by": "M. de Vries", "document": "terms"}),
        ("environment.activate", {}),
        *(
            ("account.open", {"account": account, "limit": ROOM * PRICE if account == HOT else None,
                              "on_account": True})
            for account in ACCOUNTS
        ),
    ):  # fmt: skip
        await producer.send("registry.commands", command(kind, **fields), key=b"2890")
    await producer.flush()


async def sell(producer: AIOKafkaProducer, until: float) -> list[bytes]:
    sent = []
    while time.monotonic() < until:
        one = sale()
        for _ in range(2 if random.random() < 0.1 else 1):
            await send_until_taken(producer, "pos.sales", one, os.urandom(4))
        sent.append(one)
        await asyncio.sleep(0.01)
    return sent


async def kill_in_turn(stack: Stack, until: float) -> list[str]:
    killed = []
    while time.monotonic() < until:
        name = VICTIMS[len(killed) % len(VICTIMS)]
        await asyncio.sleep(SELL_S / (len(VICTIMS) + 1) if len(killed) < len(VICTIMS) else 4)
        with contextlib.suppress(AssertionError):  # it is away already
            stack.kill(name)
        killed.append(name)
    return killed


async def decisions(kafka: str) -> dict[str, set[tuple[Any, ...]]]:
    """sale_id -> its answers: key, value, ce_id and ce_time of each."""
    found: dict[str, set[tuple[Any, ...]]] = {}
    consumer = AIOKafkaConsumer(
        "pos.decisions", bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    async with consumer:
        for tp, end in (await consumer.end_offsets(consumer.assignment())).items():
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                    for record in records:
                        body = json.loads(record.value)
                        if body["environment"] != ENVIRONMENT:
                            continue
                        headers = dict(record.headers)
                        answer = (record.key, record.value, headers["ce_id"], headers["ce_time"])
                        found.setdefault(body["sale_id"], set()).add(answer)
    return found


def approved_in(found: dict[str, set[tuple[Any, ...]]]) -> dict[str, int]:
    """What was approved of each account, in minor units."""
    approved: dict[str, int] = {}
    for answers in found.values():
        message = json.loads(next(iter(answers))[1])
        if message["type"] == "sale.approved":
            approved[message["account"]] = approved.get(message["account"], 0) + message["total"]
    return approved


async def balances(kafka: str) -> dict[str, int]:
    """What each account owes, unbilled, by the newest balance.state."""
    newest: dict[str, dict[str, Any]] = {}
    consumer = AIOKafkaConsumer(
        "ledger.balances", bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    async with consumer:
        for tp, end in (await consumer.end_offsets(consumer.assignment())).items():
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                    for record in records:
                        state = json.loads(record.value)
                        if state["environment"] == ENVIRONMENT:
                            newest[state["account"]] = state
    return {account: state["unbilled"] for account, state in newest.items()}


async def eventually(stack: Stack, read: Any, right: Any, within_s: float = 90) -> Any:
    """What `read` gives once it is right, or at last."""
    deadline = time.monotonic() + within_s
    while True:
        found = None
        with contextlib.suppress(KafkaError, OSError):
            found = await read(stack.info["kafka"])
            if right(found):
                return found
        if time.monotonic() > deadline:
            return found
        await asyncio.sleep(1)


async def test_whatever_is_killed_all_is_answered_once_and_the_books_are_right(
    pairs: Stack,
) -> None:
    stack = pairs
    async with AIOKafkaProducer(bootstrap_servers=stack.info["kafka"], acks="all") as producer:
        await prepare(producer)
        await asyncio.sleep(2)
        until = time.monotonic() + SELL_S
        *sold, killed = await asyncio.gather(
            *(sell(producer, until) for _ in range(4)), kill_in_turn(stack, until)
        )
    sent = {json.loads(one)["sale_id"] for batch in sold for one in batch}
    assert set(VICTIMS) <= set(killed)
    found = await eventually(stack, decisions, lambda them: sent <= them.keys())
    unanswered = len(sent - found.keys())
    assert not unanswered, f"{unanswered} of {len(sent)} have no answer: {stack.waits()}"
    assert not [sale_id for sale_id, answers in found.items() if len(answers) > 1]
    approved = approved_in(found)
    wanted = sum(1 for batch in sold for one in batch if json.loads(one)["account"] == HOT)
    assert wanted > ROOM
    assert approved[HOT] == ROOM * PRICE
    owed = await eventually(stack, balances, lambda them: them == approved)
    assert owed == approved, stack.waits()
