"""One environment's ten thousand documents do not keep another's three waiting."""

import statistics
import time

from runtime.jobs import JobKind, JobRunner, Work
from services.invoicer.jobs.documents import Documents
from services.invoicer.rendering import Rendering
from tests.services.invoicer.world import World

MANY = 10_000


async def add(world: World, environment: int, count: int) -> None:
    async with world.bench.database.connection() as connection:
        await connection.execute(
            "INSERT INTO job (kind, ref, payload) SELECT 'document', $1 || '/' || n, '{}' "
            "FROM generate_series(1, $2::int) AS n",
            str(environment),
            count,
        )
        await connection.execute("ANALYZE job")


async def test_who_has_the_fewest_in_hand_goes_first(world: World) -> None:
    """Goal: a small run waits for one document of a great one, not for all. Method: two slots
    claim while both are there; the small ones came later and are served with every other claim."""
    kind = Documents(rendering=Rendering(0)).kind(2)
    runner = world.bench.runner([kind])
    usual = await _median_of_claims(world, runner, kind)
    await add(world, 2890, MANY)
    held: list[Work] = []
    for _ in range(2):
        work = await runner.claim(kind)
        assert work is not None
        held.append(work)
    await add(world, 7, 3)
    await add(world, 10, 1)
    served, took = [], []
    for _ in range(10):
        done = held.pop(0)
        async with done.step() as tx:
            tx.done()
        before = time.perf_counter()
        work = await runner.claim(kind)
        took.append(time.perf_counter() - before)
        assert work is not None
        held.append(work)
        served.append(work.job.ref.partition("/")[0])
    assert (served.count("7"), served.count("10")) == (3, 1)
    assert served.count("2890") == 6
    # It hops over the index, however many of one environment there are.
    assert statistics.median(took) < 15 * usual


async def _median_of_claims(world: World, runner: JobRunner, kind: JobKind) -> float:
    """How long a claim takes where there are few to choose from; seconds."""
    await add(world, 1, 9)
    took = []
    for _ in range(9):
        before = time.perf_counter()
        work = await runner.claim(kind)
        took.append(time.perf_counter() - before)
        assert work is not None
        async with work.step() as tx:
            tx.done()
    return statistics.median(took)


async def test_none_is_claimed_twice_and_none_is_left(world: World) -> None:
    kind = Documents(rendering=Rendering(0)).kind(2)
    runner = world.bench.runner([kind])
    for environment in (1, 2, 3):
        await add(world, environment, 4)
    found = [await runner.claim(kind) for _ in range(13)]
    assert len({work.job.ref for work in found if work}) == 12
    assert found[-1] is None
