"""Killed at each point of the edge, a sale is counted once and its answer stays the same.

Method: a worker kills itself with -9 at a named point; a second one takes over. Each sale must
then be answered, counted exactly once, and all its answers on the wire be equal byte for byte.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.runtime import toy
from tests.runtime.killed import POINTS
from tests.runtime.rig import Rig, once_each, sale, until


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_this_point_nothing_is_lost_and_nothing_counted_twice(
    rig: Rig, point: str, tmp_path: Path
) -> None:
    account = point.replace(" ", "-")
    sales = [sale(account) for _ in range(20)]
    await rig.send(*sales)
    mark = tmp_path / "died"
    at = {"ONACCOUNT_TOY_DIES_AT": point, "ONACCOUNT_TOY_MARK": str(mark)}
    with rig.process("tests.runtime.killed", **at) as process:
        for _ in range(10):
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, 5)
                break
            # What a test before this one left came with them, and was known: decided otherwise.
            sales.append(sale(account))
            await rig.send(sales[-1])
        assert process.returncode == -signal.SIGKILL
        assert mark.exists()
    with rig.process("tests.runtime.killed", **at):
        found = await rig.all_answered(account, [s["sale_id"] for s in sales])
        await state_says(rig, account, len(sales) * 500)
    assert await rig.counted(account) == (len(sales), len(sales) * 500)
    once_each(found)


async def test_the_same_sale_twice_in_a_batch_and_in_two_batches_has_one_answer(rig: Rig) -> None:
    account = "twice"
    twice = sale(account)
    await rig.send(twice, twice, sale(account))
    async with rig.worker():
        await rig.all_answered(account, [twice["sale_id"]])
        await rig.send(twice, key=b"2890:other")
        await until_answers(rig, account, twice["sale_id"], 3)
    assert await rig.counted(account) == (2, 1000)
    once_each(await rig.answers(account))


async def test_a_worker_stopped_with_locks_held_does_no_harm_when_it_wakes(rig: Rig) -> None:
    """SIGSTOP inside the transaction, beyond every time-out; another goes on; then SIGCONT."""
    account = "stopped"
    sales = [sale(account, note="slow"), *(sale(account) for _ in range(5))]
    with rig.process() as sleeper:
        await serving(rig)
        await rig.send(*sales)
        await until_locked(rig)
        os.kill(sleeper.pid, signal.SIGSTOP)
        with rig.process():
            # The session's idle time-out frees the locks, the group's time-out the partitions.
            found = await rig.all_answered(account, [s["sale_id"] for s in sales])
            os.kill(sleeper.pid, signal.SIGCONT)
            more = sale(account)
            await rig.send(more)
            found = await rig.all_answered(account, [more["sale_id"]])
            await asyncio.sleep(2)
            assert sleeper.poll() is None
    assert await rig.counted(account) == (7, 3500)
    once_each(found)


async def test_sigterm_drains_the_batch_in_hand_and_exits_zero_within_ten_seconds(
    rig: Rig,
) -> None:
    account = "drained"
    sales = [sale(account, note="slow"), sale(account)]
    with rig.process() as process:
        await serving(rig)
        await rig.send(*sales)
        await until_locked(rig)
        process.terminate()
        await asyncio.wait_for(asyncio.to_thread(process.wait), 10)
        assert process.returncode == 0
    found = await rig.answers(account)
    assert set(found) == {s["sale_id"] for s in sales}
    # Its offsets were committed: the next worker has nothing to repeat.
    async with rig.worker():
        await asyncio.sleep(1)
    assert {k: len(v) for k, v in (await rig.answers(account)).items()} == {
        s["sale_id"]: 1 for s in sales
    }


# -- helpers -----------------------------------------------------------------------------------


async def serving(rig: Rig) -> None:
    """Wait until some worker of the group answers a sale."""
    probe = sale(f"probe-{os.urandom(4).hex()}")
    await rig.send(probe)
    await rig.all_answered(probe["account"], [probe["sale_id"]])


async def until_locked(rig: Rig) -> None:
    """Wait until the slow sale's transaction sleeps with its account locked."""
    import asyncpg

    connection = await asyncpg.connect(rig.admin)
    try:
        for _ in range(200):
            busy = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND state = 'idle in transaction'"
            )
            if busy:
                await asyncio.sleep(0.1)
                return
            await asyncio.sleep(0.02)
        raise AssertionError("no transaction is open")
    finally:
        await connection.close()


async def state_says(rig: Rig, account: str, total: int) -> None:
    """The last state record of the account is the newest."""

    async def newest() -> int | None:
        key = f"2890:{account}".encode()
        found = [json.loads(r.value) for r in await rig.records(toy.STATE) if r.key == key]
        return found[-1]["total"] if found else None

    for _ in range(100):
        if await newest() == total:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"state says {await newest()}, not {total}")


async def until_answers(rig: Rig, account: str, sale_id: str, count: int) -> None:
    for _ in range(100):
        if len((await rig.answers(account)).get(sale_id, [])) >= count:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("not so many answers")


_ = until
