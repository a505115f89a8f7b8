"""A month of a venue, from the tills to paid invoices, by the command line on real parts.

Goal: what the tills took is invoiced, mailed and paid, to the cent, whatever happens in between.
Method: seeded sales of two months, some cancelled; one run that issues while the invoicers are
killed with -9; a mail address that is refused and one that is missing; then sales taken back after
their invoice, a correction, a move to another account, a deletion, and a second run; last a bank's
export, imported twice. The truth is kept by the test's own tills, and compared at every stage.

`make prove-month` does it with 200 accounts and 20,000 sales, and tells how long each stage took.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.cli.running import Run, Told, runner
from tests.journeys import month
from tests.support.mails import MailServer
from tests.support.run import current
from tests.support.stacks import Stack, begin_stack

pytestmark = pytest.mark.timeout(3600)

ACCOUNTS = int(os.environ.get("ONACCOUNT_MONTH_ACCOUNTS", "6"))
SALES = int(os.environ.get("ONACCOUNT_MONTH_SALES", "120"))
INVOICERS = ("invoicer-1", "invoicer-2") if ACCOUNTS > 20 else ("invoicer-1",)
REFUSED, NO_ADDRESS = 3, 4
VENUE = str(month.VENUE)
LEGAL = (
    *("--name", "De Twaalf", "--legal-name", "Sportclub De Twaalf B.V.", "--language", "nl"),
    *("--street", "Sportlaan 12", "--postcode", "3991 AB", "--city", "Houten", "--country", "NL"),
    *("--vat-number", "NL856432106B01", "--chamber-number", "66221355"),
    *("--iban", "NL91ABNA0417164300", "--finance-email", "financien@detwaalf.nl"),
)


@dataclass
class Month:
    """The stack, its mail server, the tills' truth, and what stages hand on."""

    stack: Stack
    mail: MailServer
    till: month.Till
    folder: Path
    numbers: dict[str, dict[str, Any]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    sales_moved: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.took[name] = self.took.get(name, 0) + time.monotonic() - begun

    def say(self, messages: Iterable[dict[str, Any]]) -> int:
        """Put till messages on pos.sales, and wait until each is decided."""
        return asyncio.run(_say(self.stack.info["kafka"], list(messages)))


async def _say(kafka: str, messages: list[dict[str, Any]]) -> int:
    consumer = AIOKafkaConsumer("pos.decisions", bootstrap_servers=kafka, max_poll_records=5000)
    async with consumer, AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        for partition in consumer.assignment():
            await consumer.position(partition)
        for one in messages:
            key = f"{one['environment']}:{one['account']}".encode()
            await producer.send("pos.sales", json.dumps(one).encode(), key=key)
        await producer.flush()
        wanted = {m.get("cancellation_id") or m["sale_id"] for m in messages}
        decided: set[str] = set()
        async with asyncio.timeout(300):
            while not wanted <= decided:
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    for record in records:
                        said = json.loads(record.value)
                        assert said["type"] in ("sale.approved", "sale.reversed"), said
                        decided.add(said.get("cancellation_id") or said["sale_id"])
    return len(wanted)


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def venue(mail: MailServer) -> Iterator[Month]:
    folder = current().new_folder("month")
    whole = begin_stack(folder, workers="invoicer=2", environment={"ONACCOUNT_SMTP": mail.address})
    try:
        whole.wait_ready()
        till = month.Till(accounts=ACCOUNTS, now=datetime.now(UTC))
        made = Month(stack=whole, mail=mail, till=till, folder=folder)
        yield made
        told = ", ".join(f"{name} {took:.1f} s" for name, took in made.took.items())
        sys.stdout.write(f"\n{ACCOUNTS} accounts, {SALES} sales: {told}\n")
    finally:
        whole.end()


@pytest.fixture
def onaccount(venue: Month, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `onaccount WORDS --json` against the stack; the status must be the wanted one."""
    run = runner(capsys)

    def against_the_stack(*words: str, status: int = 0) -> Told:
        told = run(*words, "--json", "--dir", str(venue.stack.folder), "--timeout", "120")
        assert told.status == status, (words, told)
        return told

    return against_the_stack


def wait_for(true: Callable[[], bool], within_s: float = 600) -> bool:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def listed(onaccount: Run) -> list[dict[str, Any]]:
    return [one for one in onaccount("invoices", "list", VENUE).json if one.get("number")]


def pending(onaccount: Run) -> dict[tuple[str, str], int]:
    found = onaccount("invoices", "pending", VENUE).json["accounts"]
    return {(one["account"], one["period"]): one["amount"] for one in found}


def test_a_venue_opens_and_its_guests_are_imported(venue: Month, onaccount: Run) -> None:
    with venue.stage("opening"):
        onaccount("env", "configure", VENUE, *LEGAL)
        onaccount("env", "accept-gdpr", VENUE, "--accepted-by", "M. de Vries", "--document", "v3")
        onaccount("env", "activate", VENUE)
        file = venue.folder / "gasten.xlsx"
        month.guests(ACCOUNTS, without_address=NO_ADDRESS, file=file)
        how = ("--yes", "--limit", "none", "--on-account", "--in-overview")
        onaccount("import", VENUE, str(file), *how)
    assert len(onaccount("account", "list", VENUE).json) == ACCOUNTS


def test_the_tills_sell_and_some_of_it_is_cancelled_or_settled(
    venue: Month, onaccount: Run
) -> None:
    with venue.stage("selling"):
        assert venue.say(venue.till.sales(SALES)) == SALES
        ids = [i for i in venue.till.sold if venue.till.left[i]]
        gone, settled = ids[5::40], ids[7::80]
        venue.say([*venue.till.cancel(gone, "cancelled"), *venue.till.cancel(settled, "settled")])
    with venue.stage("pending"):
        assert pending(onaccount) == venue.till.due()
    why = {i: onaccount("invoices", "pending", VENUE, "--sale", i) for i in (gone[0], settled[0])}
    states = [told.json["sales"][0]["state"] for told in why.values()]
    assert states == ["cancelled", "settled"]


def test_one_run_invoices_all_of_it_though_the_invoicers_are_killed(venue: Month) -> None:
    venue.mail.answers[month.address(REFUSED)] = "550 5.1.1 no such user"
    words = ("invoices", "run", VENUE, month.months(venue.till.now)[1], "--issue", "--send")
    command = [sys.executable, "-m", "cli", *words, "--json", "--dir", str(venue.stack.folder)]
    with venue.stage("run with kills"):
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        asyncio.run(_first_event(venue.stack.info["kafka"], "invoice.issued"))
        for name in INVOICERS:
            killed = venue.stack.kill(name)
            venue.stack.wait_back(name, killed, within_s=60)
        out, _ = running.communicate(timeout=1200)
    assert running.returncode == 0, out
    run = json.loads(out.splitlines()[-1])
    due = venue.till.due()
    assert (run["issued"], run["total"]) == (len(due), sum(due.values()))
    assert (run["skipped"], run["open"]) == ([], [])


async def _first_event(kafka: str, kind: str) -> None:
    consumer = AIOKafkaConsumer(
        "invoices.events", bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    async with consumer, asyncio.timeout(300):
        async for record in consumer:
            if json.loads(record.value)["type"] == kind:
                return


def test_every_invoice_arrives_or_finance_knows_why_not(venue: Month, onaccount: Run) -> None:
    def told() -> bool:
        return all(one["status"] in ("sent", "undeliverable") for one in listed(onaccount))

    with venue.stage("mailing"):
        assert wait_for(told, 1200)
    invoices = listed(onaccount)
    assert {(i["account"], i["period"]): i["total"] for i in invoices} == venue.till.due()
    lost = {month.account(REFUSED), month.account(NO_ADDRESS)}
    away = onaccount("invoices", "undelivered", VENUE).json
    assert {one["number"] for one in away} == {
        i["number"] for i in invoices if i["account"] in lost
    }
    assert {one["reason"] for one in away if one["account"] == month.account(NO_ADDRESS)} == {
        "no_address"
    }
    _mend(venue, onaccount, [one["number"] for one in away if one["reason"] == "no_address"])
    assert wait_for(lambda: onaccount("invoices", "undelivered", VENUE).json == [], 120)
    assert onaccount("invoices", "pending", VENUE, "--mails").json["mails"] == []
    mails = Counter((m["Message-ID"], _number(m)) for m in venue.mail.mails if _number(m))
    assert {number for _, number in mails} == {i["number"] for i in invoices}
    assert len(mails) == len(invoices)  # a killed worker's mail may come twice, under one id
    assert sum(mails.values()) - len(mails) <= 16


def _mend(venue: Month, onaccount: Run, without_address: list[str]) -> None:
    """One account's mails go once its address works, the others' to the counter."""
    venue.mail.answers.clear()
    refused = ("--undelivered", "--account", month.account(REFUSED))
    onaccount("invoices", "send", VENUE, *refused)
    onaccount("invoices", "send", VENUE, *without_address, "--to", "balie@detwaalf.nl")


def _number(mail: Any) -> str | None:
    names = [str(part.get_filename()) for part in mail.iter_attachments()]
    first = next((name for name in names if name.endswith(".pdf")), None)
    return None if first is None or len(names) != 3 else first[:-4]


def test_what_was_wrong_is_mended_by_credit_notes_and_the_next_run(
    venue: Month, onaccount: Run
) -> None:
    till = venue.till
    with venue.stage("corrections"):
        sold = [i for i in till.sold if till.left[i] > 0]
        venue.say(till.cancel(sold[2::100], "returned"))
        on: dict[str, list[str]] = {}
        for i in sold:
            if till.left[i]:
                key = (till.sold[i]["account"], till.month_of[i])
                on.setdefault("/".join(key), []).append(i)
        by_key = {f"{i['account']}/{i['period']}": i["number"] for i in listed(onaccount)}
        without, moved, deleted = sorted(on)[:3]
        left_out, goes = on[without][0], on[moved][0]
        why = ("--reason", "niet van mij")
        onaccount("invoices", "correct", VENUE, by_key[without], *why, "--exclude", left_out)
        elsewhere = month.account(ACCOUNTS)
        assert till.sold[goes]["account"] != elsewhere
        to = ("--exclude", goes, "--account", elsewhere)
        onaccount("invoices", "correct", VENUE, by_key[moved], *why, *to)
        changes = onaccount("invoices", "delete", VENUE, by_key[deleted]).json["changes"]
        (note,) = (c["id"] for c in changes if c["kind"] == "credit_note")
        file = venue.folder / "credit-note.pdf"
        onaccount("invoices", "document", VENUE, note, "--out", str(file))
        onaccount("invoices", "pay", VENUE, note, "1,00", status=2)  # it is no invoice
        assert file.read_bytes().startswith(b"%PDF")
        onaccount("invoices", "delete", VENUE, by_key[deleted], status=1)
        till.left[left_out] = 0
        till.sold[goes] = {**till.sold[goes], "account": elsewhere}
        venue.sales_moved.append(goes)
        assert wait_for(lambda: _state(onaccount, left_out) == "cancelled", 60)
        assert wait_for(lambda: elsewhere in {a for a, _ in pending(onaccount)}, 60)
    with venue.stage("second run"):
        period = month.months(till.now)[1]
        run = onaccount("invoices", "run", VENUE, period, "--issue", "--send").json
    assert (run["skipped"], run["open"]) == ([], [])
    assert pending(onaccount) == {}
    owed: Counter[tuple[str, str]] = Counter()
    for one in listed(onaccount):
        owed[one["account"], one["period"]] += one["total"] - one.get("credited", 0)
    assert {key: amount for key, amount in owed.items() if amount} == till.due()


def _state(onaccount: Run, sale_id: str) -> str:
    found = onaccount("invoices", "pending", VENUE, "--sale", sale_id).json
    return str(found["sales"][0]["state"])


def test_a_banks_export_pays_it_all_and_the_same_export_again_pays_nothing(
    venue: Month, onaccount: Run
) -> None:
    with venue.stage("payments"):
        opened = onaccount("invoices", "open", VENUE).json
        assert sum(one["open"] for one in opened) == venue.till.total
        first, second, third, *rest = opened
        onaccount("invoices", "pay", VENUE, third["number"], "0,01")
        file = venue.folder / "export.csv"
        lines = [
            (first["open"] + second["open"], f"fact {first['number']} en {second['number']}"),
            (third["open"] - 1, f"rest van {third['number']}"),
            *((one["open"], f"Factuur {one['number'].replace('-', ' ')}") for one in rest[1:]),
            (rest[0]["open"] + 100, f"ruim {rest[0]['number']}"),
            (4200, "huur zaal"),
            (-1000, "bankkosten"),
        ]
        file.write_text(month.export(lines))
        report = onaccount("invoices", "payments", "import", VENUE, str(file), "--yes").json
        verdicts = Counter(line["verdict"] for line in report["lines"])
        assert verdicts == {"pays": len(lines) - 3, "differs": 1, "no_number": 1, "outgoing": 1}
        assert report["refused"] == []
        again = onaccount("invoices", "payments", "import", VENUE, str(file), "--yes").json
        verdicts = Counter(line["verdict"] for line in again["lines"])
        assert verdicts == {"known": len(lines) - 3, "differs": 1, "no_number": 1, "outgoing": 1}
    assert [one["number"] for one in onaccount("invoices", "open", VENUE).json] == [
        rest[0]["number"]
    ]
    more = ("payments", "import", VENUE, str(file), "--yes", "--other-amounts")
    onaccount("invoices", *more)
    (over,) = onaccount("invoices", "open", VENUE).json
    assert (over["number"], over["open"], over["status"]) == (rest[0]["number"], -100, "paid")
    back = onaccount("invoices", "refund", VENUE, over["number"], "0,60").json
    assert (back["refunded"]["amount"], back["refunded"]["open"]) == (60, -40)
    file.write_text(month.export([(-60, f"terug {over['number']}"), (-40, f"{over['number']}")]))
    went = onaccount("invoices", "payments", "import", VENUE, str(file)).json["lines"]
    assert [line["verdict"] for line in went] == ["refunded", "not_refunded"]
    assert went[1]["to_do"][0].startswith(
        f"onaccount invoices refund {VENUE} {over['number']} 0.40"
    )
    too_much = onaccount("invoices", "refund", VENUE, over["number"], "0,41", status=1).json
    assert too_much["reason"] == "exceeds_overpayment"


def test_the_books_of_all_three_agree_at_the_end(venue: Month, onaccount: Run) -> None:
    with venue.stage("verifying"):
        audit = onaccount("invoices", "verify", VENUE).json
        assert audit["ok"], audit["problems"]
        assert onaccount("ledger", "verify").status == 0
    invoices = listed(onaccount)
    (series,) = audit["series"]
    assert series["invoices"] == len(invoices)
    assert series["numbers"] == series["invoices"] + series["credit_notes"] == audit["documents"]
    net = sum(one["total"] - one.get("credited", 0) for one in invoices)
    assert net == venue.till.total
    assert sum(one["paid"] for one in invoices) == net + 40
    (over,) = onaccount("invoices", "open", VENUE).json
    owed = {
        one["account"]: (one["unbilled"], one["billed"])
        for one in onaccount("ledger", "balances", VENUE).json
    }
    every = (month.account(number) for number in range(1, ACCOUNTS + 1))
    assert owed == {one: (0, -40 if one == over["account"] else 0) for one in every}
    for name in {month.account(1), month.account(ACCOUNTS)}:  # the authorizer's sums
        onaccount("account", "change", VENUE, name, "--limit", "5,00")
        sold = onaccount("till", "sell", VENUE, name, "Pils 3,50 21%").json
        assert (sold["type"], sold["used"]) == ("sale.approved", 350)
    assert onaccount("dead-letters", "list").json == []
