"""How an answer stands on the wire, how long a wait lasts, and whose fault a failure is."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.partitioner import murmur2 as byte_by_byte
from hypothesis import given
from hypothesis import strategies as st

from runtime.answers import Answer, Envelope
from runtime.edge import partition
from runtime.edge.backoff import FIRST_S, LONGEST_S, Backoff
from runtime.edge.partition import hashed, murmur2
from runtime.faults import Fault, LeaseLost, Stopping, StoreWentBack, describe, fault_of

KEYS = st.binary(max_size=80)
AT = datetime(2026, 11, 23, 21, 0, 0, 120000, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def answer(**more: object) -> Answer:
    return Answer("pos.decisions", "2890:1", "sale.approved/2890/x", "sale.approved",
                  more.get("time", AT), b'{"a":1}', more.get("trace"))  # type: ignore[arg-type]  # fmt: skip


def headers(envelope: Envelope, one: Answer) -> dict[str, str]:
    (record,) = envelope.seal([one])
    return {k: (v or b"").decode() for k, v in record.headers}


def test_an_answer_carries_the_headers_of_cloudevents() -> None:
    (record,) = Envelope("authorizer").seal([answer()])
    assert (record.topic, record.key, record.value) == ("pos.decisions", b"2890:1", b'{"a":1}')
    found = {k: (v or b"").decode() for k, v in record.headers}
    found.pop("traceparent")
    assert found == {
        "ce_specversion": "1.0",
        "ce_id": "sale.approved/2890/x",
        "ce_type": "sale.approved",
        "ce_source": "/onaccount/authorizer",
        "ce_time": "2026-11-23T21:00:00.120000Z",
        "content-type": "application/json",
    }


def test_a_time_without_fraction_and_one_of_another_zone_are_rfc_3339() -> None:
    envelope = Envelope("ledger")
    whole = datetime(2026, 1, 1, tzinfo=UTC)
    assert headers(envelope, answer(time=whole))["ce_time"] == "2026-01-01T00:00:00Z"
    there = whole.astimezone(timezone(timedelta(hours=1)))
    assert headers(envelope, answer(time=there))["ce_time"] == "2026-01-01T01:00:00+01:00"


def test_a_repeated_answer_differs_in_its_trace_only() -> None:
    one, other = (headers(Envelope("ledger"), answer()) for _ in "ab")
    assert one.pop("traceparent") != other.pop("traceparent")
    assert one == other


@pytest.mark.parametrize(
    "trace", [TRACE, TRACE[:-2] + "00", "01" + TRACE[2:], "cc" + TRACE[2:] + "-what.comes=then"]
)
def test_a_traceparent_passes_its_trace_on_under_a_span_of_our_own(trace: str) -> None:
    envelope = Envelope("ledger")
    found = headers(envelope, answer(trace=trace))["traceparent"]
    assert (found[:36], found[52:]) == ("00" + trace[2:36], trace[52:55])  # flags of known meaning
    assert found[36:52] != trace[36:52]
    assert len(found) == 55


@pytest.mark.parametrize(
    "wrong",
    ["", "00-x", TRACE.upper(), TRACE.replace("0a", "zz"), TRACE + "-x",
     "01" + TRACE[2:] + "x", "ff" + TRACE[2:],
     "00-" + "0" * 32 + TRACE[35:], "00-" + "é" * 52],
)  # fmt: skip
def test_a_traceparent_that_is_none_is_replaced(wrong: str) -> None:
    found = headers(Envelope("ledger"), answer(trace=wrong))["traceparent"]
    assert found.isascii()
    assert len(found) == 55
    assert wrong[3:35] not in found or not wrong


@given(st.lists(st.just(None), min_size=2, max_size=50))
def test_no_two_spans_are_the_same(many: list[None]) -> None:
    records = Envelope("ledger").seal([answer() for _ in many])
    assert len({dict(r.headers)["traceparent"] for r in records}) == len(many)


# -- waiting -----------------------------------------------------------------------------------


async def test_a_wait_grows_is_bounded_and_starts_small_again() -> None:
    stopping, waits = asyncio.Event(), dict[str, str]()
    backoff = Backoff("here", stopping, waits)
    began = time.monotonic()
    for _ in range(4):
        await backoff.pause(ConnectionResetError("gone"))
    assert 0.5 < time.monotonic() - began < 3
    assert waits == {}
    backoff._since = time.monotonic() - 2
    task = asyncio.create_task(backoff.pause(ConnectionResetError("gone")))
    await asyncio.sleep(0)
    assert waits == {"here": "ConnectionResetError: gone"}
    stopping.set()
    with pytest.raises(Stopping):
        await asyncio.wait_for(task, 0.5)
    backoff.over()
    assert waits == {}
    assert backoff._delay_s == FIRST_S
    assert LONGEST_S <= 1  # a till waits for as long once the server is back


# -- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (asyncpg.DeadlockDetectedError(), Fault.AGAIN),
        (asyncpg.SerializationError(), Fault.AGAIN),
        (asyncpg.LockNotAvailableError(), Fault.AGAIN),
        (asyncpg.UniqueViolationError(), Fault.AGAIN),
        (asyncpg.CheckViolationError(), Fault.OWN),
        (asyncpg.NumericValueOutOfRangeError(), Fault.OWN),
        (asyncpg.InFailedSQLTransactionError(), Fault.OWN),
        (asyncpg.DataError(), Fault.OWN),
        (KeyError("x"), Fault.OWN),
        (RecursionError(), Fault.OWN),
        (asyncpg.UndefinedTableError(), Fault.SURROUNDINGS),
        (asyncpg.InsufficientPrivilegeError(), Fault.SURROUNDINGS),
        (asyncpg.DiskFullError(), Fault.SURROUNDINGS),
        (asyncpg.TooManyConnectionsError(), Fault.SURROUNDINGS),
        (asyncpg.QueryCanceledError(), Fault.SURROUNDINGS),
        (asyncpg.IdleInTransactionSessionTimeoutError(), Fault.SURROUNDINGS),
        (asyncpg.ConnectionDoesNotExistError(), Fault.SURROUNDINGS),
        (asyncpg.ReadOnlySQLTransactionError(), Fault.SURROUNDINGS),
        (asyncpg.InterfaceError("the connection is closed"), Fault.SURROUNDINGS),
        (asyncpg.InternalClientError("got nothing"), Fault.SURROUNDINGS),
        (ConnectionResetError(), Fault.SURROUNDINGS),
        (TimeoutError(), Fault.SURROUNDINGS),
        (KafkaConnectionError(), Fault.SURROUNDINGS),
        (MemoryError(), Fault.SURROUNDINGS),
        (LeaseLost("taken"), Fault.SURROUNDINGS),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Exception) else x.name,
)
def test_only_what_is_a_record_s_own_fault_counts_against_it(
    error: Exception, fault: Fault
) -> None:
    assert fault_of(error) is fault


async def test_a_described_failure_holds_nothing_of_the_data(postgres_server) -> None:
    connection = await asyncpg.connect(postgres_server.dsn("postgres"))
    await connection.execute("CREATE TEMP TABLE t (name text PRIMARY KEY, n int CHECK (n > 0))")
    await connection.execute("INSERT INTO t VALUES ('Jansen', 1)")
    found = []
    for statement, args in (
        ("INSERT INTO t VALUES ('Jansen', 1)", ()),
        ("INSERT INTO t VALUES ('Jansen', -1)", ()),
        ("SELECT 'Jansen'::int", ()),
        ("SELECT $1::int", ("Jansen",)),
    ):
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as caught:
            await connection.execute(statement, *args)
        found.append(describe(caught.value))
    await connection.close()
    found.append(describe(ValueError("Jansen")))
    found.append(describe(KeyError("Jansen")))
    assert "Jansen" not in "".join(found)
    assert found[0] == "UniqueViolationError, SQLSTATE 23505, table t, constraint t_pkey"
    assert describe(StoreWentBack("PostgreSQL was put back")) == "PostgreSQL was put back"
    assert describe(KafkaConnectionError("it\n is away")) == "KafkaConnectionError: it is away"


@given(key=KEYS)
def test_a_key_goes_where_java_and_aiokafka_would_put_it(key: bytes) -> None:
    assert murmur2(key) == byte_by_byte(key) & 0xFFFFFFFF
    assert hashed([key]) == [byte_by_byte(key) & 0x7FFFFFFF]


@given(keys=st.lists(KEYS | st.binary(min_size=20, max_size=24), max_size=60))
def test_many_keys_go_where_each_of_them_would(keys: list[bytes]) -> None:
    assert hashed([*keys, None]) == [*(murmur2(key) & 0x7FFFFFFF for key in keys), 0]


def test_what_is_remembered_of_keys_is_bounded() -> None:
    keys = [f"account:2890:2890{n:06}".encode() for n in range(partition.MOST_KNOWN + 1_000)]
    for start in range(0, len(keys), 100):
        some = keys[start : start + 100]
        assert hashed(some) == [murmur2(key) & 0x7FFFFFFF for key in some]
    assert len(partition._known) <= partition.MOST_KNOWN
    assert hashed(keys) == [murmur2(key) & 0x7FFFFFFF for key in keys]  # more than it remembers
