"""How long one environment's documents are made before another's, and when what is made is kept."""

import asyncio

from runtime.jobs import Bundle, JobKind
from services.invoicer.jobs.documents import Documents
from services.invoicer.rendering import Rendering
from tests.services.invoicer.people import ENV, account, customer, environment
from tests.services.invoicer.world import World, new_id, sale

OTHER = ENV + 1


async def numbered(world: World, number: int, count: int) -> None:
    """So many issued invoices of a venue whose documents are still to be made."""
    guest, names = new_id(), [f"A{n}" for n in range(count)]
    await world.registry(
        environment(number),
        customer(guest, number),
        *(account(name, guest, number) for name in names),
    )
    await world.sell(*(sale(name, number=number) for name in names))
    await world.run("run", number=number, mode="issue", send=True)


async def fates(world: World, number: int = ENV) -> list[str]:
    """Of a venue's documents; none is in anybody's hands, and none has failed."""
    rows = await world.fetch(
        "SELECT state FROM job WHERE kind = 'document' AND lease IS NULL AND attempts = 0 "
        "AND ref LIKE $1 || '/%' ORDER BY state",
        str(number),
    )
    return [r["state"] for r in rows]


async def work_on_some(world: World, kind: JobKind) -> None:
    runner = world.bench.runner([kind])
    await runner.work_together(await runner.take(kind), kind)


async def test_for_which_a_turn_has_no_time_go_back_to_the_queue_where_others_wait(
    world: World,
) -> None:
    await numbered(world, ENV, 3)
    await numbered(world, OTHER, 1)
    kind = Documents(rendering=Rendering(0), turn_s=0).kind(2)
    await work_on_some(world, kind)
    assert await fates(world) == ["done", "open", "open"]
    await world.bench.run_jobs([kind])
    assert await fates(world) == ["done"] * 3
    assert await fates(world, OTHER) == ["done"]
    assert len(await world.fetch("SELECT FROM document")) == 12


async def test_all_in_hand_are_made_where_nobody_else_waits(world: World) -> None:
    """Those of the same venue that wait are none that a turn is for."""
    await numbered(world, ENV, 11)
    await work_on_some(world, Documents(rendering=Rendering(0), turn_s=0).kind(2))
    assert await fates(world) == ["done"] * 8 + ["open"] * 3


async def test_what_is_made_is_kept_after_a_while_though_nobody_else_waits(world: World) -> None:
    """Or the first of eight great documents would be mailed when the last of them is made."""
    await numbered(world, ENV, 3)
    await work_on_some(world, Documents(rendering=Rendering(0), turn_s=0, longest_s=0).kind(2))
    assert await fates(world) == ["done", "open", "open"]


async def test_whoever_waits_in_the_same_workers_hands_is_waited_for_too(world: World) -> None:
    """Their jobs are nobody's that are due: this worker has them, and makes the others' first."""
    await numbered(world, ENV, 3)
    await numbered(world, OTHER, 3)
    documents = Documents(rendering=Rendering(0), turn_s=0)
    kind = documents.kind(2)
    runner = world.bench.runner([kind])
    first, second = [await runner.take(kind) for _ in range(2)]
    async with documents.rendering.turn:  # until both wait for it
        making = [asyncio.create_task(documents.together(Bundle(each))) for each in (first, second)]
        async with asyncio.timeout(60):
            while sorted(documents.waiting) != [ENV, OTHER]:
                await asyncio.sleep(0.01)
    await asyncio.gather(*making)
    assert await fates(world) == ["done", "open", "open"]  # it went first
    assert "done" in await fates(world, OTHER)
    assert documents.waiting == []


async def test_one_that_is_stopped_while_it_waits_for_its_turn_waits_no_more(world: World) -> None:
    await numbered(world, ENV, 1)
    documents = Documents(rendering=Rendering(0))
    kind = documents.kind(2)
    works = await world.bench.runner([kind]).take(kind)
    async with documents.rendering.turn:
        making = asyncio.create_task(documents.together(Bundle(works)))
        async with asyncio.timeout(60):
            while not documents.waiting:
                await asyncio.sleep(0.01)
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)
    assert documents.waiting == []
    assert not documents.rendering.turn.locked()
