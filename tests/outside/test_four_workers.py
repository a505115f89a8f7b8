"""Four authorizers as processes on one broker, one hot account, room for exactly k of n sales."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from cli.stack.ports import free_port
from cli.stack.worker import Worker
from tests.outside.wire import Seen, Wire, cancel, sale
from tests.support.apart import run_apart
from tests.support.run import current
from tests.support.servers import Server
from tests.support.stacks import Stack

KINDS = {"sale.approved", "sale.declined", "sale.reversed", "sale.reversal_refused"}


@pytest.fixture
def two_more(pairs: Stack) -> Iterator[None]:
    """Two authorizers beside the two of the stack, for this test alone: with nothing to do they
    would ask Kafka on and on while the others run."""
    workers = [Server(_authorizer(pairs, f"authorizer-{number}")) for number in (3, 4)]
    try:
        for worker in workers:
            run_apart(worker.start())
        yield
    finally:
        for worker in workers:
            run_apart(worker.stop())


def _authorizer(stack: Stack, name: str) -> Worker:
    info = stack.info
    return Worker(
        name=name,
        service="authorizer",
        health_port=free_port(),
        environment={
            "ONACCOUNT_KAFKA": info["kafka"],
            "ONACCOUNT_POSTGRES_AUTHORIZER": info["postgres"]["authorizer"],
        },
        log=current().new_folder(name) / f"{name}.log",
    )


def answers(wire: Wire, env: int) -> list[Seen]:
    """What tills of the environment were told of sales, with every repetition."""
    return wire.find(lambda body: body.get("type") in KINDS, environment=env)


async def said_twice(wire: Wire, env: int, messages: list[dict[str, object]]) -> None:
    """Say each twice, mixed, on whatever partition; wait until each is answered twice."""
    before = len(answers(wire, env))
    said = messages * 2
    random.shuffle(said)
    for message in said:
        await wire.say("pos.sales", message)
    wanted = before + len(said)
    await wire.wait(lambda body: body.get("type") in KINDS, n=wanted, environment=env)


@pytest.mark.usefixtures("two_more")
async def test_four_processes_approve_exactly_as_many_as_there_is_room_for(
    wire: Wire, env: int
) -> None:
    """Of 300 sales of 1.00 exactly 70; ten of those taken back, of 60 more exactly ten."""
    await wire.venue(env)
    await wire.account(env, "hot", limit=7_000)
    sales = [sale(env, "hot", ("1", 100, "21")) for _ in range(300)]
    await said_twice(wire, env, sales)
    approved = {one["sale_id"]: one for one in wire.events("sale.approved", env)}
    assert sorted(one["used"] for one in approved.values()) == list(range(100, 7_100, 100))
    await said_twice(wire, env, [cancel(one) for one in sales if one["sale_id"] in approved][:10])
    await said_twice(wire, env, [sale(env, "hot", ("1", 100, "9")) for _ in range(60)])
    later = {one["sale_id"] for one in wire.events("sale.approved", env)}
    assert len(later) == 80
    told: dict[str, Counter[object]] = {}
    for one in answers(wire, env):
        id_ = str(one.body.get("cancellation_id") or one.body["sale_id"])
        told.setdefault(id_, Counter())[one.same] += 1
    assert len(told) == 370
    assert [times for times in told.values() if len(times) != 1] == []
