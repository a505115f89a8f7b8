"""Four authorizers as processes on one broker, one hot account, room for exactly k of n sales."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.outside.wire import Wire, cancel, sale
from tests.support import run
from tests.support.stacks import Stack, begin_stack

ENVIRONMENT = 8101
WORKERS = "authorizer=4,ledger=1,importer=0,invoicer=0"


@pytest.fixture(scope="module")
def four() -> Iterator[Stack]:
    whole = begin_stack(run.current().new_folder("four"), workers=WORKERS)
    try:
        whole.wait_ready()
        yield whole
    finally:
        whole.end()


KINDS = {"sale.approved", "sale.declined", "sale.reversed", "sale.reversal_refused"}


async def said_twice(wire: Wire, messages: list[dict[str, object]]) -> None:
    """Say each twice, mixed, on whatever partition; wait until each is answered twice."""
    before = sum(1 for one in wire.seen if one.body.get("type") in KINDS)
    said = messages * 2
    random.shuffle(said)
    for message in said:
        await wire.say("pos.sales", message)
    await wire.wait(lambda b: b.get("type") in KINDS, n=before + len(said))


async def test_four_processes_approve_exactly_as_many_as_there_is_room_for(four: Stack) -> None:
    """Of 300 sales of 1.00 exactly 70; ten of those taken back, of 60 more exactly ten."""
    async with Wire(four.info["kafka"]) as wire:
        await wire.venue(ENVIRONMENT)
        await wire.account(ENVIRONMENT, "hot", limit=7_000)
        sales = [sale(ENVIRONMENT, "hot", ("1", 100, "21")) for _ in range(300)]
        await said_twice(wire, sales)
        approved = {one["sale_id"]: one for one in wire.events("sale.approved", ENVIRONMENT)}
        assert sorted(one["used"] for one in approved.values()) == list(range(100, 7_100, 100))
        await said_twice(wire, [cancel(one) for one in sales if one["sale_id"] in approved][:10])
        await said_twice(wire, [sale(ENVIRONMENT, "hot", ("1", 100, "9")) for _ in range(60)])
        later = {one["sale_id"] for one in wire.events("sale.approved", ENVIRONMENT)}
        assert len(later) == 80
        answers: dict[str, Counter[object]] = {}
        for one in wire.seen:
            if one.body.get("type") in KINDS:
                id_ = str(one.body.get("cancellation_id") or one.body["sale_id"])
                answers.setdefault(id_, Counter())[one.same] += 1
        assert len(answers) == 370
        assert [times for times in answers.values() if len(times) != 1] == []
