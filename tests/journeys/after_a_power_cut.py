"""A broker that lost the end of every log with its power, and what docs/runbook.md then says.

Goal: every sale is answered once, booked once and invoiced once, no till is told two answers, and
each store is what it told. Method: a stack sells, takes back, imports, invoices, corrects and is
paid; its ledger and its invoicer are stopped where they stand, so that there is also what they
never read; everything is killed with -9, and from each partition of every topic, the groups'
offsets among them, some of the last batches are cut. All workers are seen to stop; tills sell on
meanwhile, so that others' records stand where some were decided; then step by step what the page
says, twice.

`make prove-recovery` runs it; ONACCOUNT_POWER_SEED gives the same cut again (the log tells it).
"""

import asyncio
import json
import logging
import os
import random
import signal
import time
import uuid
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from openpyxl import Workbook

from cli.stack.process import wait_until
from tests.cli.running import runner
from tests.journeys.after_a_gap import (
    ACCOUNT,
    PAGE,
    VENUE,
    Ask,
    a_month_of_one_guest,
    with_workers,
)
from tests.support.apart import run_apart
from tests.support.power import lose_end, records_in
from tests.support.run import current
from tests.support.stacks import NO_WORKERS, Stack, begin_stack

pytestmark = pytest.mark.timeout(1500)

SEED = int(os.environ.get("ONACCOUNT_POWER_SEED") or random.randrange(10**6))
SAYS = ("`onaccount recover 2026-11-28T21:30+01:00`", "Stop all workers", "onaccount limits verify")
GUESTS = ("A1", "A2", "A3")
PRICE = 700
MOST = int(os.environ.get("ONACCOUNT_POWER_MOST", "12"))
"""Records of a partition that may be lost."""
WITH_ITS_POWER = (
    "__consumer_offsets", "imports.events", "imports.state", "imports.uploads", "invoices.commands",
    "invoices.events", "invoices.state", "ledger.balances", "ledger.entries", "pos.decisions",
    "pos.sales", "registry.commands", "registry.outcomes", "registry.state",
)  # fmt: skip
Told = dict[str, set[tuple[Any, ...]]]


@pytest.fixture
def folder() -> Path:
    return current().new_folder("power")


@pytest.fixture
def onaccount(folder: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    run = runner(capsys)

    def asked(*words: str, status: int | None = 0) -> Any:
        told = run(*words, "--json", "--dir", str(folder))
        assert status is None or told.status == status, (words, told)
        return told.json if told.out.strip() else json.loads(told.err)

    return asked


def test_what_a_power_cut_took_is_made_good_by_one_command(folder: Path, onaccount: Ask) -> None:
    assert all(each in PAGE.read_text(encoding="utf-8") for each in SAYS)
    since = datetime.now(UTC) - timedelta(minutes=1)
    tills = Tills()

    stack = begin_stack(folder)
    stack.wait_ready()
    an_evening(stack, onaccount, tills, folder)
    cut_the_power(stack)

    with_workers(folder, "", stops, is_ready=False)

    def recovers(stack: Stack) -> None:
        run_apart(tills.sell(stack.info["kafka"], 25))
        for _ in range(2):
            onaccount("recover", since.isoformat())

    with_workers(folder, NO_WORKERS, recovers)

    def serves(stack: Stack) -> None:
        all_is_right(stack, onaccount, tills)
        refused = onaccount("recover", since.isoformat(), status=1)["error"]
        assert "Workers of the authorizer run" in refused
        assert not stack.stopped_for_good()

    with_workers(folder, "", serves)


def stops(stack: Stack) -> None:
    """The whole stack does, for a worker that waits for a person."""
    assert stack.process.wait(180) == 1, stack.output
    assert "see docs/runbook.md" in stack.output


class Tills:
    """What tills said, and what they were told before the power went."""

    def __init__(self) -> None:
        self.said: dict[str, bytes] = {}
        self.heard: Told = {}

    async def sell(self, kafka: str, count: int) -> None:
        """Sales on all accounts; one in five is taken back at once."""
        async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
            for number in range(count):
                sold = self._sale(GUESTS[number % len(GUESTS)])
                await self._say(producer, sold)
                if number % 5 == 0:
                    await self._say(producer, taken_back(json.loads(sold)))

    async def repeat(self, kafka: str) -> None:
        """What was not answered, as the contract has it."""
        told = await answers(kafka)
        async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
            for id_, said in self.said.items():
                if id_ not in self.heard and id_ not in told:
                    await producer.send_and_wait("pos.sales", said, key=os.urandom(4))

    async def hear(self, kafka: str) -> None:
        self.heard = await answers(kafka)

    def _sale(self, account: str) -> bytes:
        return json.dumps(
            {
                "type": "sale.requested", "sale_id": str(uuid.uuid4()), "environment": 2890,
                "terminal": "bar-1", "account": account, "at": datetime.now(UTC).isoformat(),
                "currency": "EUR", "total": PRICE,
                "lines": [{"description": "Friet", "quantity": "2", "unit_price": 350,
                           "vat_rate": "9", "total": PRICE}],
            }
        ).encode()  # fmt: skip

    async def _say(self, producer: AIOKafkaProducer, message: bytes) -> None:
        self.said[id_of(json.loads(message))] = message
        await producer.send_and_wait("pos.sales", message, key=os.urandom(4))


def taken_back(sale: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "type": "sale.cancelled", "cancellation_id": str(uuid.uuid4()), "environment": 2890,
            "sale_id": sale["sale_id"], "terminal": "bar-1", "account": sale["account"],
            "at": sale["at"], "reason": "cancelled", "amount": 300,
        }
    ).encode()  # fmt: skip


def id_of(message: dict[str, Any]) -> str:
    return str(message.get("cancellation_id") or message["sale_id"])


async def records(kafka: str, topic: str) -> list[Any]:
    """All of a topic."""
    found: list[Any] = []
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    async with consumer:
        for tp, end in (await consumer.end_offsets(consumer.assignment())).items():
            while await consumer.position(tp) < end:
                for some in (await consumer.getmany(tp, timeout_ms=500)).values():
                    found += some
    return found


async def answers(kafka: str) -> Told:
    """By id what was answered: value, ce_id and ce_time of each record, alike or not."""
    found: Told = defaultdict(set)
    for record in await records(kafka, "pos.decisions"):
        body, headers = json.loads(record.value), dict(record.headers)
        # Of a cancellation that came before its sale, and may be sent again: not remembered.
        if body.get("reason") != "sale_unknown":
            found[id_of(body)].add((record.value, headers["ce_id"], headers["ce_time"]))
    return found


def an_evening(stack: Stack, onaccount: Ask, tills: Tills, folder: Path) -> None:
    """All that moves money; and of each a part that ledger and invoicer never read."""
    kafka = stack.info["kafka"]
    a_month_of_one_guest(onaccount)
    for account in GUESTS:
        limit = ("--limit", "100000", "--on-account", "--holder", "twelve")
        onaccount("account", "open", VENUE, account, *limit)
    run_apart(tills.sell(kafka, 60))
    onaccount("import", VENUE, str(workbook(folder)), "--yes")
    assert wait_until(lambda: all_told(tills, kafka), within_s=60)
    run_apart(asyncio.sleep(2))
    stack_stops(stack, "ledger-1")
    run_apart(tills.sell(kafka, 20))
    assert wait_until(lambda: all_told(tills, kafka), within_s=60)
    run_apart(asyncio.sleep(1))
    assert onaccount("invoices", "run", VENUE, this_month(), "--issue", "--yes")["total"]
    for invoice in onaccount("invoices", "list", VENUE)[:2]:
        onaccount("invoices", "pay", VENUE, invoice["number"], "5,00")
    stack_stops(stack, "invoicer-1")
    onaccount("account", "open", VENUE, "A4", "--limit", "1000", "--on-account")
    run_apart(tills.sell(kafka, 20))
    assert wait_until(lambda: all_told(tills, kafka), within_s=60)
    run_apart(tills.hear(kafka))


def stack_stops(stack: Stack, name: str) -> None:
    pid = stack.pid(name)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)


def all_told(tills: Tills, kafka: str) -> bool:
    """They repeat what is not; a cancellation that came before its sale is among that."""
    run_apart(tills.repeat(kafka))
    return set(tills.said) <= {*run_apart(answers(kafka)), *tills.heard}


def this_month() -> str:
    return f"{datetime.now(ZoneInfo('Europe/Amsterdam')):%Y-%m}"


def workbook(folder: Path) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("Achternaam", "Rekening"), *((f"Gast {n}", f"B{n}") for n in range(20))):
        sheet.append(row)
    book.save(folder / "guests.xlsx")
    return folder / "guests.xlsx"


def cut_the_power(stack: Stack) -> None:
    """Whatever runs is killed, and some of the last records of each log are not on the disk."""
    pids = [one["pid"] for one in stack.info["processes"] if one["pid"]]
    stack.process.kill()
    stack.process.wait()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    chance, data = random.Random(SEED), stack.folder / "kafka" / "data"
    lost: dict[str, int] = defaultdict(int)
    for topic in WITH_ITS_POWER:
        for partition in sorted(int(p.name[len(topic) + 1 :]) for p in data.glob(f"{topic}-*")):
            most = min(records_in(data, topic, partition), MOST)
            if most and (wanted := chance.randint(0, most)):
                lost[topic] += lose_end(data, topic, partition, wanted)
    logging.getLogger(__name__).warning("ONACCOUNT_POWER_SEED=%s lost %s", SEED, dict(lost))
    assert {"pos.sales", "pos.decisions", "invoices.events", "registry.state"} <= set(lost)


def all_is_right(stack: Stack, onaccount: Ask, tills: Tills) -> None:
    kafka = stack.info["kafka"]
    assert wait_until(lambda: all_told(tills, kafka), within_s=90)
    assert wait_until(lambda: not untrue(onaccount), within_s=120), untrue(onaccount)

    told = run_apart(answers(kafka))
    for id_, found in told.items():
        assert len(found | tills.heard.get(id_, set())) == 1, (id_, found)
    onaccount("invoices", "run", VENUE, this_month(), "--issue", "--yes")
    assert wait_until(lambda: not untrue(onaccount), within_s=60), untrue(onaccount)
    booked_and_invoiced_once(run_apart(everything(kafka)), tills)
    for account in (ACCOUNT, *GUESTS):
        assert onaccount("ledger", "show", VENUE, account)["closing"]["unbilled"] == 0
    assert {one["status"] for one in onaccount("import", "list", VENUE)} == {"completed"}
    found = {one["account"] for one in onaccount("account", "list", VENUE)}
    assert {*GUESTS, "A4", "B0", "B19"} <= found


def untrue(onaccount: Ask) -> list[Any]:
    """What the three checks find, and what was not yet told again."""
    wrong: list[Any] = []
    for service in ("limits", "ledger", "invoices"):
        found = onaccount(service, "verify", status=None)
        held = found.get("held") or {}
        if not found["ok"] or held.get("on_their_way"):
            wrong.append((service, found))
    return wrong


async def everything(kafka: str) -> dict[str, list[Any]]:
    topics = ("pos.decisions", "ledger.entries", "invoices.events")
    return {topic: await records(kafka, topic) for topic in topics}


def booked_and_invoiced_once(logs: dict[str, list[Any]], tills: Tills) -> None:
    """By what was told, each event once: what was sold less what was taken back is what stands in
    the books and on the invoices, sale by sale."""
    events = {
        topic: [json.loads(v) for v in {dict(r.headers)["ce_id"]: r.value for r in some}.values()]
        for topic, some in logs.items()
    }
    sold: dict[str, int] = defaultdict(int)
    for one in events["pos.decisions"]:
        if one["type"] == "sale.approved":
            sold[one["sale_id"]] += one["total"]
        elif one["type"] == "sale.reversed":
            sold[one["sale_id"]] -= one["amount"]
    assert all(sold[json.loads(said)["sale_id"]] for said in tills.said.values())
    booked = [
        (one["kind"], one["source_id"])
        for one in events["ledger.entries"]
        if one["kind"] in ("charge", "reversal")
    ]
    assert len(booked) == len(set(booked))
    decided = {
        ("charge" if one["type"] == "sale.approved" else "reversal", id_of(one))
        for one in events["pos.decisions"]
        if one["type"] == "sale.approved" or (one["type"] == "sale.reversed" and one["amount"])
    }
    assert set(booked) == decided
    invoiced: dict[str, int] = defaultdict(int)
    for one in events["invoices.events"]:
        sign = {"invoice.issued": 1, "credit_note.issued": -1}.get(one["type"], 0)
        for sale in one.get("sales", ()) if sign else ():
            invoiced[sale["sale_id"]] += sign * sale["amount"]
    assert {k: v for k, v in invoiced.items() if v} == {k: v for k, v in sold.items() if v}
