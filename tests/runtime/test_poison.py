"""Poison never blocks: what is a record's own fault goes to the dead letters, nothing else does."""

import json
import uuid

import pytest

from runtime.deadletters import CAUSE, ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TOPIC
from runtime.faults import StoreWentBack
from runtime.transaction import Tx
from tests.runtime import toy
from tests.runtime.rig import Rig, once_each, sale, until

DEAD = "ledger.dead-letters"
GARBAGE = [b"", b"\xff\xfe", b"[]", b"{", b'{"type":"nonsense"}', b'{"type":"sale.requested"}']


@pytest.mark.parametrize("place", ["first", "last", "everywhere"])
async def test_garbage_goes_to_the_dead_letters_and_its_neighbours_proceed(
    rig: Rig, place: str
) -> None:
    account = f"garbage-{place}"
    mark = str(uuid.uuid4()).encode()
    sales = [sale(account) for _ in range(6)]
    garbage = GARBAGE if place == "everywhere" else GARBAGE[:1]
    if place == "first":
        values = [*garbage, *sales]
    elif place == "last":
        values = [*sales, *garbage]
    else:
        values = [x for pair in zip(garbage, sales, strict=True) for x in pair]
    headers = [("till", b"\xff\x00 not text"), ("mark", mark), ("reply_to", b"pos.sales")]
    await rig.send(*values, headers=headers)
    async with rig.worker():
        found = await rig.all_answered(account, [s["sale_id"] for s in sales])
    assert await rig.counted(account) == (6, 3000)
    once_each(found)
    letters = [r for r in await rig.records(DEAD) if dict(r.headers).get("mark") == mark]
    assert [r.value for r in letters] == garbage
    for letter in letters:
        added = dict(letter.headers)
        assert letter.key == b"2890:1"
        assert added["till"] == b"\xff\x00 not text"
        assert added[ORIGIN_TOPIC] == b"pos.sales"
        assert added[ORIGIN_PARTITION].isdigit()
        assert added[ORIGIN_OFFSET].isdigit()
        assert added[CAUSE].startswith(b"undecodable: ")


@pytest.mark.parametrize("note", ["raise", "overflow"])
async def test_a_record_that_fails_alone_is_buried_and_its_sender_answered(
    rig: Rig, note: str
) -> None:
    account = f"bug-{note}"
    good = [sale(account) for _ in range(4)]
    bad = sale(account, note=note)
    await rig.send(*good[:2], bad, *good[2:])
    async with rig.worker():
        found = await rig.all_answered(account, [s["sale_id"] for s in (*good, bad)])
    assert await rig.counted(account) == (4, 2000)
    assert json.loads(found[bad["sale_id"]][0].value)["type"] == "sale.declined"
    letters = [r for r in await rig.records(DEAD) if json_id(r.value) == bad["sale_id"]]
    assert len(letters) == 1
    cause = dict(letters[0].headers)[CAUSE].decode()
    assert ("ValueError at toy.py" if note == "raise" else "SQLSTATE 22012") in cause
    assert "a bug on this sale" not in cause


async def test_a_message_that_is_wrong_but_readable_is_answered(rig: Rig) -> None:
    wrong = sale("wrong-1") | {"total": 12.5}
    await rig.send(wrong)
    async with rig.worker():
        found = await rig.all_answered("wrong-1", [wrong["sale_id"]])
    assert json.loads(found[wrong["sale_id"]][0].value)["type"] == "sale.declined"


async def test_a_retry_is_read_by_its_group_with_its_first_time(rig: Rig) -> None:
    account = "retry-1"
    wanted = sale(account)
    headers = [(ORIGIN_TOPIC, b"pos.sales"), ("onaccount-origin-time", b"1700000000000")]
    await rig.send(wanted, topic="ledger.retries", headers=headers)
    async with rig.worker():
        found = await rig.all_answered(account, [wanted["sale_id"]])
    assert len(found) == 1


async def test_what_takes_too_long_together_is_decided_one_by_one(rig: Rig) -> None:
    """PostgreSQL ends a transaction that stands idle while our own code works; the same batch would
    come to the same for ever."""
    account = "long"
    sales = [sale(account, note="long") for _ in range(3)]
    await rig.send(*sales)
    async with rig.worker():
        found = await rig.all_answered(account, [s["sale_id"] for s in sales])
    once_each(found)
    assert await rig.counted(account) == (3, 1500)
    assert [r for r in await rig.records(DEAD) if json_account(r.value) == account] == []


async def test_ten_failures_of_our_own_code_stop_the_lane_unready_and_lose_nothing(
    rig: Rig,
) -> None:
    account = "ten-bugs"
    bad = [sale(account, note="raise") for _ in range(15)]
    await rig.send(*bad)
    async with rig.worker() as worker:
        await until(lambda: worker.status.stops, "the lane stops")
        assert "10 records" in worker.status.unready()[0]
        assert worker.status.dead() == []
    letters = [r for r in await rig.records(DEAD) if json_account(r.value) == account]
    assert len(letters) == 9
    mended = toy.Toy()
    mended.mended = True
    async with rig.worker(mended):
        await rig.all_answered(account, [s["sale_id"] for s in bad])
    assert await rig.counted(account) == (6, 3000)


async def test_a_store_that_went_back_is_no_failure_of_our_code_whoever_sees_it_first(
    rig: Rig,
) -> None:
    """Each lane, and the pulse, names the place that it looked at."""

    async def pause(tx: Tx) -> None:
        worker.status.went_back = "PostgreSQL knows partition 1 less far"
        raise StoreWentBack("PostgreSQL knows partition 2 less far")

    it = toy.Toy()
    it.pause = pause
    async with rig.worker(it) as worker:
        await rig.send(sale("went-back"))
        await until(lambda: worker.status.went_back and not worker.status.in_hand, "it stops")
        assert worker.status.stopped_by("store")
        assert not worker.status.stopped_by("code")
        assert worker.status.unready()[0] == "PostgreSQL knows partition 1 less far"


def json_id(value: bytes) -> str | None:
    try:
        return str(json.loads(value).get("sale_id"))
    except (ValueError, AttributeError, TypeError):
        return None


def json_account(value: bytes) -> str | None:
    try:
        return str(json.loads(value).get("account"))
    except (ValueError, AttributeError, TypeError):
        return None
