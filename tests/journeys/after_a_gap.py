"""Records that were deleted before the ledger had read them, and what docs/runbook.md then says.

Goal: it is carried out to its end, and the books are whole and true. Method: a stack without a
ledger sells, invoices and is paid; both topics that the ledger reads are emptied, as a retention
does it; the ledger is seen to stop; then step by step what the page says.

`make prove-recovery` runs it.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.stack.process import wait_until
from tests.cli.running import runner
from tests.journeys.together.test_one_sale_to_a_mailed_invoice import LEGAL
from tests.runtime.test_put_back import delete_records
from tests.support.apart import run_apart
from tests.support.run import current
from tests.support.stacks import NO_WORKERS, Stack, begin_stack

pytestmark = pytest.mark.timeout(900)

VENUE, ACCOUNT = "2890", "28900001"
READ = ("pos.decisions", "invoices.events")
PAGE = Path(__file__).parents[2] / "docs" / "runbook.md"
SAYS = (
    "`onaccount invoices republish 2890`",
    "INSERT INTO ledger.positions (topic, partition, next_offset) VALUES ",
    "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset;",
    "offsets of `pos.sales` back to the beginning",
)
Ask = Callable[..., Any]


@pytest.fixture
def folder() -> Path:
    return current().new_folder("gap")


@pytest.fixture
def onaccount(folder: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    run = runner(capsys)

    def asked(*words: str, status: int = 0) -> Any:
        told = run(*words, "--json", "--dir", str(folder))
        assert told.status == status, (words, told)
        return told.json

    return asked


def test_what_lay_in_a_gap_is_told_again_and_the_books_are_true(
    folder: Path, onaccount: Ask
) -> None:
    assert all(each in PAGE.read_text(encoding="utf-8") for each in SAYS)

    def others_read(stack: Stack) -> None:
        a_month_of_one_guest(onaccount)
        assert wait_until(lambda: not run_apart(unread(stack.info)), within_s=60)

    with_workers(folder, "ledger=0", others_read)
    with_workers(folder, NO_WORKERS, lambda stack: empty(stack.info["kafka"]))
    with_workers(folder, "authorizer=0,importer=0,invoicer=0", stops, is_ready=False)

    with_workers(folder, NO_WORKERS, lambda stack: as_the_page_says(stack.info))

    def told_again(stack: Stack) -> None:
        onaccount("invoices", "republish", VENUE)
        assert wait_until(lambda: onaccount_verify(onaccount)["ok"], within_s=60)
        found = onaccount_verify(onaccount)
        assert found["entries"] == {
            "charge": 2, "credit_note": 1, "invoice": 2, "payment": 2, "reversal": 1,
        }  # fmt: skip
        balance = onaccount("ledger", "show", VENUE, ACCOUNT)["closing"]
        assert balance == {"unbilled": 0, "billed": 4475 - 5000 + 500}
        onaccount("invoices", "verify")

    with_workers(folder, "", told_again)


def onaccount_verify(onaccount: Ask) -> Any:
    try:
        return onaccount("ledger", "verify")
    except AssertionError:
        return onaccount("ledger", "verify", status=1)


def with_workers(
    folder: Path, workers: str, do: Callable[[Stack], None], *, is_ready: bool = True
) -> None:
    stack = begin_stack(folder, workers=workers)
    try:
        if is_ready:
            stack.wait_ready()
        do(stack)
    finally:
        stack.end()


def a_month_of_one_guest(onaccount: Ask) -> None:
    """Sold, partly taken back, invoiced, paid too much, partly paid back, and corrected."""
    onaccount("env", "configure", VENUE, *LEGAL)
    onaccount("env", "accept-gdpr", VENUE, "--accepted-by", "M. de Vries", "--document", "v3")
    onaccount("env", "activate", VENUE)
    home = ("--street", "Kade 14", "--postcode", "3511 AB", "--city", "Utrecht", "--country", "NL")
    onaccount("customer", "register", VENUE, "--company", "Twelve B.V.", *home)
    opened = ("--limit", "90,00", "--on-account", "--holder", "twelve")
    onaccount("account", "open", VENUE, ACCOUNT, *opened)
    sale = onaccount("till", "sell", VENUE, ACCOUNT, "4 x Pils 3,50 21%", "Uitsmijter 9,75 9%")
    onaccount("till", "sell", VENUE, ACCOUNT, "Wijn 24,50 21%")
    onaccount("till", "cancel", VENUE, ACCOUNT, sale["sale_id"], "--amount", "3,50")
    month = f"{datetime.now(ZoneInfo('Europe/Amsterdam')):%Y-%m}"
    assert onaccount("invoices", "run", VENUE, month, "--issue", "--yes")["total"] == 4475
    (invoice,) = onaccount("invoices", "list", VENUE)
    number = invoice["number"]
    onaccount("invoices", "pay", VENUE, number, "50,00")
    onaccount("invoices", "refund", VENUE, number, "5,00")
    onaccount("invoices", "correct", VENUE, number, "--reason", "verkeerde naam", "--yes")


async def unread(info: dict[str, Any]) -> list[Any]:
    """What the authorizer and the invoicer have still to read of what the ledger does not."""
    async with AIOKafkaConsumer(*READ, bootstrap_servers=info["kafka"]) as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
    found: list[Any] = []
    for service in ("authorizer", "invoicer"):
        connection = await asyncpg.connect(info["postgres"][service])
        rows = await connection.fetch("SELECT topic, partition, next_offset FROM positions")
        await connection.close()
        at = {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}
        mine = {tp.topic for tp in at}
        found += [
            (service, *tp) for tp, end in ends.items() if tp.topic in mine and end > at.get(tp, 0)
        ]
    return found


def empty(kafka: str) -> None:
    for topic in READ:
        run_apart(delete_records(kafka, topic))


def stops(stack: Stack) -> None:
    """The whole stack does, for a worker that waits for a person."""
    assert stack.process.wait(180) == 1, stack.output
    assert "was deleted before it was read; see docs/runbook.md" in stack.output


def as_the_page_says(info: dict[str, Any]) -> None:
    """The authorizer reads `pos.sales` anew; the ledger goes on behind the gap."""
    run_apart(set_back(info["kafka"], "authorizer", "pos.sales"))
    run_apart(go_on_behind(info["kafka"], info["postgres"]["ledger"]))


async def set_back(kafka: str, group: str, topic: str) -> None:
    """As kafka-consumer-groups.sh --reset-offsets --to-earliest."""
    begins = await beginnings(kafka, topic)
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka, group_id=group, enable_auto_commit=False
    ) as consumer:
        consumer.assign(list(begins))
        await consumer.commit(begins)


async def go_on_behind(kafka: str, dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    for place, begin in (await beginnings(kafka, *READ)).items():
        await connection.execute(
            "INSERT INTO ledger.positions (topic, partition, next_offset) VALUES ($1, $2, $3) "
            "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset",
            *(place.topic, place.partition, begin),
        )
    await connection.close()


async def beginnings(kafka: str, *names: str) -> dict[TopicPartition, int]:
    """As kafka-get-offsets.sh --time earliest."""
    async with AIOKafkaConsumer(*names, bootstrap_servers=kafka) as consumer:
        return dict(await consumer.beginning_offsets(list(consumer.assignment())))
