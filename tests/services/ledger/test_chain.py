"""The books are changed so that they agree with themselves, and the topics tell all the same.

Goal: whoever can write to the database, and knows the ledger well, is found out. Method: a real
worker posts from a real broker once; each case changes a copy of its database, mends what the
database says of itself (balances, versions, fingerprints, the answers' bytes), and has it verified
against that broker.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from pydantic import SecretStr

from cli.stack.postgres import Postgres
from runtime import topics
from runtime.reading import Log, LogAway, Span, unheard
from runtime.settings import KafkaSettings
from runtime.worker import Worker
from schemas.base import Message
from schemas.ledger import BalanceState
from schemas.wire import encode
from services.ledger.__main__ import build
from services.ledger.audit import Flaw
from services.ledger.chain import ORIGINS, TOPICS, Chain, _up_to
from services.ledger.notes import Notes
from services.ledger.published import Balances
from services.ledger.report import Report, Traced, in_words
from services.ledger.settings import Settings
from services.ledger.verify import verify
from tests.services.ledger.support import (
    GUEST,
    NOON,
    VENUE,
    approved,
    as_admin,
    credited,
    issued,
    paid,
    reversed_,
    uid,
)
from tests.support import databases
from tests.support.apart import run_apart
from tests.support.databases import Database
from tests.support.servers import Server
from tests.support.serving import serving

OTHER = "28900002"
ENTRIES = 9

# Recomputes all that the database says of itself, as one would who covers up a change.
MEND = """
UPDATE balance b SET
    version = coalesce(r.entries, 0), fingerprint = coalesce(r.fingerprint, 0),
    unbilled = coalesce(r.unbilled, 0), billed = coalesce(r.billed, 0)
FROM balance k LEFT JOIN (
    SELECT environment, account, count(*) AS entries,
        sum((SELECT coalesce(sum(a), 0) FROM unnest(ledger_accounts, amounts) AS l (n, a)
             WHERE n = 'receivable:unbilled')) AS unbilled,
        sum((SELECT coalesce(sum(a), 0) FROM unnest(ledger_accounts, amounts) AS l (n, a)
             WHERE n = 'receivable:billed')) AS billed,
        bit_xor(('x' || encode(substring(sha256(answer) FROM 1 FOR 8), 'hex'))::bit(64)::bigint)
            AS fingerprint
    FROM entry GROUP BY environment, account) r USING (environment, account)
WHERE (b.environment, b.account) = (k.environment, k.account)
"""


def covered_up(where: str = "false", old: str = "", new: str = "") -> str:
    """Mends the answers' bytes of some entries, and then all balances."""
    return (
        f"UPDATE entry SET answer = convert_to(replace(convert_from(answer, 'UTF8'), '{old}', "
        f"'{new}'), 'UTF8') WHERE {where}; {MEND}"
    )


def working(kafka: str, dsn: str) -> AbstractAsyncContextManager[Worker]:
    settings = Settings(kafka=kafka, postgres=SecretStr(dsn), session_timeout_ms=6000)
    return serving(build(settings))


async def send(kafka: str, topic: str, *messages: Message) -> None:
    """Across the partitions, so that an account's messages come in any order."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        for number, message in enumerate(messages):
            await producer.send(topic, encode(message), key=b"any", partition=number % 4)
        await producer.flush()


async def records(kafka: str, topic: str, until: int) -> list[Any]:
    """At least `until` records of a topic; what it holds after 90 s at the latest."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    found: list[Any] = []
    deadline = time.monotonic() + 90
    try:
        while len(found) < until and time.monotonic() < deadline:
            for some in (await consumer.getmany(timeout_ms=300)).values():
                found += some
    finally:
        await consumer.stop()
    return found


async def write_and_publish(kafka: str, database: Database) -> None:
    """A worker posts some of everything, each message twice."""
    await topics.apply({"bootstrap_servers": kafka})
    sales = [
        approved("s1", {"21": 250, "9": 1210}),
        approved("s2", {"21": 100}),
        approved("s3", {"9": 500}, account=OTHER),
        approved("s4", {"9": 777}, account=OTHER),
        reversed_("c2", "s2", {"21": 100}),
    ]
    bills = [
        issued("i1", {"21": 250, "9": 1210}),
        credited("n1", "i1", {"21": 250}, frees=True),
        paid("p1", "i1", 1000),
        paid("p2", "i1", 210),
    ]
    await send(kafka, "pos.decisions", *sales, *sales)
    await send(kafka, "invoices.events", *bills, *bills)
    async with working(kafka, database.dsn("ledger")) as worker:
        await records(kafka, "ledger.entries", until=ENTRIES)
        await asyncio.wait_for(asyncio.gather(*(lane.idle() for lane in worker.lanes)), 15)


@pytest.fixture(scope="module")
def written(own_kafka: Server, module_postgres: Database) -> Database:
    """The database that the worker wrote; nothing is connected to it any more."""
    run_apart(write_and_publish(own_kafka.address, module_postgres))
    return module_postgres


@pytest.fixture
def books(written: Database, postgres_server: Postgres) -> Iterator[Database]:
    """A copy of it, to be damaged."""
    database = run_apart(databases.copy_template(postgres_server, written.name))
    yield database
    run_apart(databases.drop(postgres_server, database))


def opened(kafka: str) -> Log:
    return Log(KafkaSettings(kafka=kafka), TOPICS)


@asynccontextmanager
async def logged_in(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.dsn("ledger"))
    try:
        yield connection
    finally:
        await connection.close()


async def look(
    kafka: str, database: Database, *, settled: timedelta = timedelta(0)
) -> tuple[Report, Report]:
    """What the database says of itself, and what it is worth against the topics."""
    async with logged_in(database) as connection, opened(kafka) as log:
        alone = await verify(connection, settled=settled)
        return alone, await verify(connection, log=log, settled=settled)


async def test_what_was_decided_posted_and_published_agrees(
    own_kafka: Server, written: Database
) -> None:
    heard: list[tuple[str, int, int]] = []

    def gauge(what: str, done: int, total: int) -> None:
        heard.append((what, done, total))

    async with logged_in(written) as connection, opened(own_kafka.address) as log:
        report = await verify(connection, log=log, settled=timedelta(0), gauge=gauge)
    assert report.traced is not None
    assert report.findings == [], report.traced
    assert report.traced.decisions == 2 * ENTRIES
    assert report.traced.published >= ENTRIES  # of what comes twice in one batch there is one
    assert report.traced.states >= 2
    assert (report.traced.older, report.traced.unpublished, report.traced.unreadable) == (0, 0, 0)
    assert f"held against the topics: {2 * ENTRIES} decisions" in "\n".join(in_words(report))
    ends = {what: (done, total) for what, done, total in heard}
    assert ends["pos.decisions"] == (10, 10)
    assert ends["journal"] == (ENTRIES, ENTRIES)


def test_a_balance_that_moves_on_while_it_is_looked_at_is_no_finding() -> None:
    """Goal: no false alarm. Method: of an account that is kept at version 2, or not at all, one of
    version 3 is read that was not there before; the record of version 2 is compacted away."""
    report = Report()
    balances = Balances(notes=Notes(report=report, traced=Traced()), before={})
    later = BalanceState(
        environment=VENUE, account=GUEST, version=3, currency="EUR", unbilled=0, billed=0, at=NOON
    )
    record = SimpleNamespace(partition=0, offset=7)
    kept: Any = {"ctid": (0, 1), "version": 2, "late": True}
    missing: Any = {"ctid": None, "version": None}
    assert balances._wrong(later, record, missing) is None
    assert balances._wrong(later, record, kept) is None
    balances.conclude(kept)
    assert report.findings == []


async def test_each_published_balance_is_held_against_its_own_account() -> None:
    """Several accounts of one partition, looked up together."""
    said = [
        BalanceState(environment=VENUE, account=account, version=1, currency="EUR", unbilled=owed,
                     billed=0, at=NOON)
        for account, owed in ((GUEST, 100), (OTHER, 200), ("28900003", 300))
    ]  # fmt: skip
    records = [
        SimpleNamespace(partition=0, offset=n, key=None, headers=(), value=encode(one))
        for n, one in enumerate(said)
    ]

    class Kept:
        async def fetch(self, *_: object) -> list[dict[str, Any]]:
            return [
                {**one.model_dump(), "number": n, "ctid": (0, n)} for n, one in enumerate(said, 1)
            ]

    report = Report()
    balances = Balances(notes=Notes(report=report, traced=Traced()), before={0: Span(0, 3)})
    kept: Any = Kept()
    await balances.look_up(kept, records)
    assert (report.findings, balances.notes.traced.states) == ([], 3)


def test_how_far_a_topic_was_read_is_told_by_partition() -> None:
    """Partitions of which half was read, of which the unread beginning went, that came since the
    beginnings were noted, and that was read further than it goes."""
    held = {0: Span(0, 9), 1: Span(4, 9), 2: Span(0, 5), 3: Span(0, 2)}
    positions: Any = [
        {"topic": topic, "partition": number, "next_offset": at}
        for topic, number, at in (
            ("pos.decisions", 0, 3), ("pos.decisions", 1, 2), ("pos.decisions", 3, 7),
            ("invoices.events", 2, 5),
        )
    ]  # fmt: skip
    notes, log = Notes(report=Report(), traced=Traced()), cast("Log", None)
    before = {"pos.decisions": {0: Span(0, 9), 1: Span(4, 9), 3: Span(0, 2)}}
    chain = Chain(log=log, notes=notes, gauge=unheard, before=before)
    chain._look_for_gaps("pos.decisions", held, positions)
    assert [finding.says.split(",")[:2] for finding in notes.report.findings] == [
        ["pos.decisions 1@2 to 1@3", " 2 records"]
    ]
    assert notes.traced.unread == 6 + 5 + 5
    assert _up_to(held, "pos.decisions", positions) == {
        0: Span(0, 3), 1: Span(4, 4), 2: Span(0, 0), 3: Span(0, 2),
    }  # fmt: skip


S1, S2, S3, C2 = (f"source_id = '{uid(name)}'" for name in ("s1", "s2", "s3", "c2"))
GONE = {Flaw.NOT_POSTED, Flaw.ENTRY_MISSING, Flaw.STATE_DIFFERS}
OTHERWISE = {Flaw.DECISION_DIFFERS, Flaw.PUBLISHED_DIFFERS, Flaw.UNPUBLISHED}
CASES: dict[str, tuple[list[str], set[Flaw]]] = {
    "an entry is gone": ([f"DELETE FROM entry WHERE {S3}", covered_up()], GONE),
    "a sale and its reversal, which cancel out, are gone": (
        [f"DELETE FROM entry WHERE {S2} OR {C2}", covered_up()],
        GONE,
    ),
    "all of an account is gone": (
        [
            f"DELETE FROM entry WHERE account = '{OTHER}'",
            f"DELETE FROM balance WHERE account = '{OTHER}'",
        ],
        GONE,
    ),
    "an entry went to another account": (
        [f"UPDATE entry SET account = '{GUEST}' WHERE {S3}", covered_up(S3, OTHER, GUEST)],
        OTHERWISE | {Flaw.STATE_DIFFERS},
    ),
    "an amount was lowered on both sides": (
        [
            f"UPDATE entry SET amounts = ARRAY[1, -1] WHERE {S3}",
            covered_up(S3, ":500", ":1"),
        ],
        OTHERWISE | {Flaw.STATE_DIFFERS},
    ),
    "an entry was dated back": (
        [
            f"UPDATE entry SET at = at - interval '1 year' WHERE {S3}",
            covered_up(S3, "2026-07-01", "2025-07-01"),
        ],
        OTHERWISE,
    ),
    "an entry was made up": (
        [
            "INSERT INTO entry SELECT environment, kind, gen_random_uuid(), entry_id, account, "
            "refers_to, currency, at, posted_at, ledger_accounts, amounts, answer "
            f"FROM entry WHERE {S3}",
            covered_up(),
        ],
        {Flaw.NEVER_DECIDED, Flaw.UNPUBLISHED},
    ),
    "a balance of the same version was changed": (
        [f"UPDATE balance SET unbilled = unbilled - 5 WHERE account = '{OTHER}'"],
        {Flaw.STATE_DIFFERS},
    ),
}
# What these cases leave to be found in the database itself, because it can't be covered up there.
SEEN_ALONE = {
    "an entry was made up": {Flaw.WRONG_ID, Flaw.ANSWER_DIFFERS},
    "a balance of the same version was changed": {Flaw.BALANCE_DIFFERS},
}


@pytest.mark.parametrize("case", CASES)
async def test_damage_that_was_covered_up_is_found_and_named(
    own_kafka: Server, books: Database, case: str
) -> None:
    done, flaws = CASES[case]
    await as_admin(books, *done)
    alone, report = await look(own_kafka.address, books)
    seen = SEEN_ALONE.get(case, set())
    assert {finding.flaw for finding in alone.findings} == seen
    found = {finding.flaw for finding in report.findings} - seen
    assert found >= flaws, list(in_words(report))
    assert not report.ok


async def test_a_finding_says_which_decision_it_is_and_names_it_once(
    own_kafka: Server, books: Database
) -> None:
    await as_admin(books, f"DELETE FROM entry WHERE {S3}", covered_up())
    _, report = await look(own_kafka.address, books)
    [missing] = [one for one in report.findings if one.flaw is Flaw.NOT_POSTED]
    assert (missing.environment, missing.account) == (VENUE, OTHER)
    assert missing.says.startswith(f"charge {uid('s3')} was decided (pos.decisions ")
    assert missing.says.endswith(") and is not in the books")


async def test_what_is_posted_but_not_yet_published_is_counted_first_and_named_when_late(
    own_kafka: Server, books: Database
) -> None:
    """An entry that the topic does not have: as after a kill between commit and publishing."""
    await as_admin(
        books,
        "INSERT INTO entry SELECT environment, kind, gen_random_uuid(), entry_id, account, "
        f"refers_to, currency, at, now(), ledger_accounts, amounts, answer FROM entry WHERE {S3}",
    )
    _, soon = await look(own_kafka.address, books, settled=timedelta(hours=1))
    assert soon.traced is not None
    assert soon.traced.unpublished == 1
    assert Flaw.UNPUBLISHED not in {finding.flaw for finding in soon.findings}
    _, late = await look(own_kafka.address, books)
    assert Flaw.UNPUBLISHED in {finding.flaw for finding in late.findings}


async def test_a_topic_that_is_missing_is_named(own_kafka: Server) -> None:
    with pytest.raises(LogAway, match=r"has no topic ledger\.cheques"):
        async with Log(KafkaSettings(kafka=own_kafka.address), ["ledger.cheques"]):
            pass


async def test_a_kafka_that_is_away_is_said_in_one_sentence() -> None:
    with pytest.raises(LogAway, match=r"Kafka does not answer at 127\.0\.0\.1:1"):
        async with opened("127.0.0.1:1"):
            pass


async def test_what_the_ledger_has_not_read_yet_is_counted_and_is_no_fault(
    own_kafka: Server, books: Database
) -> None:
    await as_admin(books, "DELETE FROM entry", "DELETE FROM balance", "DELETE FROM positions")
    _, report = await look(own_kafka.address, books)
    async with opened(own_kafka.address) as log:
        spans = [await log.spans(topic) for topic in ORIGINS]
    assert report.traced is not None
    assert report.traced.unread == sum(s.end - s.begin for one in spans for s in one.values()) > 0
    assert Flaw.DELETED_UNREAD not in {finding.flaw for finding in report.findings}
    words = "\n".join(in_words(report))
    assert f"up to {report.traced.unread} records of pos.decisions and invoices.events" in words
    assert "transaction marks among them, are still to be read by the ledger" in words


async def test_what_was_deleted_before_it_was_read_is_missing_from_the_books(
    own_kafka: Server, books: Database
) -> None:
    """The last one here: the topic is not whole afterwards."""
    async with opened(own_kafka.address) as log:
        spans = await log.spans("pos.decisions")
    number, end = next((number, span.end) for number, span in spans.items() if span.end > 1)
    admin = AIOKafkaAdminClient(bootstrap_servers=own_kafka.address)
    await admin.start()
    await admin.delete_records({TopicPartition("pos.decisions", number): RecordsToDelete(end)})
    _, sound = await look(own_kafka.address, books)
    assert Flaw.DELETED_UNREAD not in {finding.flaw for finding in sound.findings}
    await as_admin(
        books,
        "UPDATE positions SET next_offset = 1 "
        f"WHERE topic = 'pos.decisions' AND partition = {number}",
    )
    _, report = await look(own_kafka.address, books)
    [gap] = [one for one in report.findings if one.flaw is Flaw.DELETED_UNREAD]
    assert gap.says.startswith(
        f"pos.decisions {number}@1 to {number}@{end - 1}, {end - 1} records, were deleted"
    )
    assert not report.ok
    ends = {TopicPartition("pos.decisions", n): RecordsToDelete(s.end) for n, s in spans.items()}
    await admin.delete_records(ends)
    await admin.close()
    _, emptied = await look(own_kafka.address, books)
    assert emptied.traced is not None
    assert emptied.traced.older == 5  # s1 to s4 and c2
