"""Two venues live through a tumult, and everything that is said of them adds up.

Goal: whatever is killed with -9 and whenever, nothing of a whole story is lost or counts twice.
Method: two workers of a kind, every message twice and all of them once more at the end; two venues
of unlike currency, time zone and release of limits; each process of the stack is killed, Kafka and
PostgreSQL too. Then books, balances, invoices, VAT, numbers and what is used are held against sums
made from the events alone (reckoning.py). `make prove-chaos` does it for two minutes.
"""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

from runtime.reading import Log
from runtime.settings import KafkaSettings
from services.authorizer import verify as limits
from services.invoicer import verify as register
from tests.outside.adding_up import adds_up
from tests.outside.holding import settled
from tests.outside.story import Venue
from tests.outside.wire import Json, Wire
from tests.support.stacks import Stack

pytestmark = pytest.mark.timeout(900)

_TUMULT_S = float(os.environ.get("ONACCOUNT_CHAOS_S", "7"))
DUTCH: Json = {
    **{"legal_name": "Kroeg B.V.", "country": "NL", "postcode": "1011 AB", "currency": "EUR"},
    **{"vat_number": "NL856432106B01", "chamber_number": "66221355", "language": "nl"},
    **{"iban": "NL91ABNA0417164300", "time_zone": "Europe/Amsterdam", "limit_release": "issued"},
}
ABROAD: Json = {
    **{"legal_name": "Bar SA", "country": "BE", "postcode": "1000", "currency": "USD"},
    **{"vat_number": "BE0428759497", "chamber_number": "0428759497", "language": "en"},
    **{"iban": "BE68539007547034", "time_zone": "America/New_York", "limit_release": "paid"},
}


async def test_whatever_is_killed_in_a_story_of_two_venues_all_of_it_adds_up(
    wire: Wire, env: int, pairs: Stack
) -> None:
    rng = random.Random()  # without a seed: what is killed when would not come again with it

    async def nobody_waits() -> None:
        """What a worker that stopped for good is asked is never answered: say at once why."""
        assert await asyncio.to_thread(pairs.stopped_for_good) is None

    venues = [
        Venue(wire, env, rng, DUTCH, nobody_waits),
        Venue(wire, env + 2000, rng, ABROAD, nobody_waits),
    ]
    await asyncio.gather(*(venue.begin() for venue in venues))
    end = time.monotonic() + _TUMULT_S
    doing = [f(end) for v in venues for f in (v.tills, v.tills, v.finance, v.members)]
    await asyncio.gather(_kill(pairs, rng, end), _look(nobody_waits, end), *doing)
    pairs.wait_ready()
    for venue in venues:
        await venue.settle()
        await settled(wire, venue.env)
    for venue in venues:
        await adds_up(wire, venue)
    await _kept_and_told(pairs)


async def _kept_and_told(stack: Stack) -> None:
    """The authorizer's and the invoicer's own checks find nothing, for any environment: neither in
    the store nor between that and what was told, once the last of it is."""
    for audit, service, topics in (
        (limits.audit, "authorizer", limits.TOPICS),
        (register.audit, "invoicer", register.TOPICS),
    ):
        connection = await asyncpg.connect(stack.info["postgres"][service])
        try:
            for _ in range(20):
                async with Log(KafkaSettings(kafka=stack.info["kafka"]), topics) as log:
                    found = await audit(connection, log=log, settled=timedelta(0))
                if found["ok"]:
                    break
                await asyncio.sleep(1)
            assert found["problems"] == []
        finally:
            await connection.close()


async def _kill(stack: Stack, rng: random.Random, end: float) -> None:
    """Each process once, in any order, then any of them."""
    names = [one["name"] for one in stack.info["processes"]]
    rng.shuffle(names)
    turns = 0
    while turns < len(names) or time.monotonic() < end:
        await asyncio.sleep(_TUMULT_S / (len(names) + 2) if turns < len(names) else 4)
        name = names[turns] if turns < len(names) else rng.choice(names)
        with contextlib.suppress(AssertionError, FileNotFoundError):  # it is away already
            stack.kill(name)
        turns += 1


async def _look(nobody_waits: Callable[[], Awaitable[None]], end: float) -> None:
    while time.monotonic() < end:
        await nobody_waits()
        await asyncio.sleep(1)
