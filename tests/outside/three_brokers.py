"""Two venues live through the loss of brokers, one at a time, two and all, and it adds up.

Goal: on a Kafka of three brokers, with topics of three replicas of which two must have a record,
nothing is lost or counts twice whatever brokers do: die, stand still, come back, are restarted one
after another. Method: a stack with two workers of each kind on a cluster of ours; the story of
test_a_story.py goes on meanwhile, and is held against its own events when all is quiet.

`make prove-cluster` runs it.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.outside.adding_up import adds_up
from tests.outside.holding import settled
from tests.outside.story import Venue
from tests.outside.test_a_story import ABROAD, DUTCH
from tests.outside.wire import Wire
from tests.support.cluster import Cluster, three_brokers
from tests.support.run import current
from tests.support.servers import Server
from tests.support.stacks import Stack, begin_stack

pytestmark = pytest.mark.timeout(1800)

_TUMULT_S = float(os.environ.get("ONACCOUNT_CHAOS_S", "60"))
_TWO = "authorizer=2,ledger=2,importer=2,invoicer=2"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with three_brokers(current().new_folder("three")) as made:
        yield made


@pytest.fixture(scope="module")
def on_three(cluster: Cluster) -> Iterator[Stack]:
    folder = current().new_folder("on-three")
    whole = begin_stack(folder, workers=_TWO, environment={"ONACCOUNT_KAFKA": cluster.address})
    try:
        whole.wait_ready()
        yield whole
    finally:
        whole.end()


async def test_whatever_brokers_do_in_a_story_of_two_venues_all_of_it_adds_up(
    cluster: Cluster, on_three: Stack
) -> None:
    rng = random.Random()

    async def nobody_waits() -> None:
        assert await asyncio.to_thread(on_three.stopped_for_good) is None

    async with Wire(cluster.address) as wire:
        venues = [
            Venue(wire, 7001, rng, DUTCH, nobody_waits),
            Venue(wire, 9001, rng, ABROAD, nobody_waits),
        ]
        await asyncio.gather(*(venue.begin() for venue in venues))
        end = time.monotonic() + _TUMULT_S
        doing = [f(end) for v in venues for f in (v.tills, v.tills, v.finance, v.members)]
        await asyncio.gather(_tumult(cluster, rng, end), *doing)
        on_three.wait_ready()
        for venue in venues:
            await venue.settle()
            await settled(wire, venue.env)
        for venue in venues:
            await adds_up(wire, venue)


async def _tumult(cluster: Cluster, rng: random.Random, end: float) -> None:
    """Each kind of trouble once, in any order, then any of them."""
    kinds: list[Callable[[Cluster, random.Random], Awaitable[None]]] = [
        _one_dies,
        _one_stands_still,
        _two_die,
        _all_die,
        _restarted_one_after_another,
    ]
    rng.shuffle(kinds)
    turns = 0
    while turns < len(kinds) or time.monotonic() < end:
        kind = kinds[turns] if turns < len(kinds) else rng.choice(kinds)
        await kind(cluster, rng)
        await asyncio.sleep(3)
        turns += 1


async def _dies(brokers: list[Server], for_s: float) -> None:
    for one in brokers:
        await one.kill()
    await asyncio.sleep(for_s)
    await asyncio.gather(*(one.start() for one in brokers))


async def _one_dies(cluster: Cluster, rng: random.Random) -> None:
    await _dies([rng.choice(cluster.brokers)], 4)


async def _two_die(cluster: Cluster, rng: random.Random) -> None:
    """Nothing is taken until one is back."""
    await _dies(rng.sample(cluster.brokers, 2), 4)


async def _all_die(cluster: Cluster, rng: random.Random) -> None:
    await _dies(list(cluster.brokers), 2)


async def _one_stands_still(cluster: Cluster, rng: random.Random) -> None:
    """It is given up, another leads, and it comes back believing that nothing happened."""
    one = rng.choice(cluster.brokers)
    one.pause()
    await asyncio.sleep(5)
    one.go_on()


async def _restarted_one_after_another(cluster: Cluster, rng: random.Random) -> None:
    """As an operator does for a new version."""
    for one in rng.sample(cluster.brokers, 3):
        await one.stop()
        await one.start()
        await asyncio.sleep(2)
