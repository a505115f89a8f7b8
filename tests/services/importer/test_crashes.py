"""An import that is killed anywhere goes on where it was, and does nothing twice.

Method: the same import is run again and again, each time with a worker that dies at the next of
its steps (before it, or between its commit and its publishing), and is then taken up by another.
"""

import asyncio
import contextlib
import random
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from runtime.answers import Answer
from runtime.jobs import Job, JobKind, StepTx, Work
from runtime.transaction import Tx
from schemas.imports import ImportUndo
from schemas.wire import decode
from tests.services.importer.registry import Registry
from tests.services.importer.venue import Venue, completed_of, parts, report_of
from tests.support.article_workbook import sheet_workbook
from tests.support.handlers import Kept

LIST = sheet_workbook(
    ["Bedrijf", "Rekening", "Limiet"], ["A", 1, 10], ["A", 2, 10], ["B", None, "x"], ["C", 3, 5]
)


class Mortal:
    """A job in hand of a worker that dies when its steps are used up."""

    def __init__(self, work: Work, life: list[int]) -> None:
        self._work = work
        self._life = life

    @property
    def job(self) -> Job:
        return self._work.job

    @property
    def ended(self) -> bool:
        return self._work.ended

    def look(self) -> contextlib.AbstractAsyncContextManager[Tx]:
        return self._work.look()

    @contextlib.asynccontextmanager
    async def step(self) -> AsyncIterator[StepTx]:
        async with self._work.step() as tx:
            yield tx
            # Everything of the step was done, and none of it is committed.
            self._life[0] -= 1
            if self._life[0] == 0:
                raise asyncio.CancelledError


def mortal(kinds: Sequence[JobKind], life: list[int]) -> tuple[JobKind, ...]:
    def dying(kind: JobKind) -> JobKind:
        async def run(work: Any) -> None:
            await kind.run(Mortal(work, life))  # type: ignore[arg-type]

        return replace(kind, run=run)

    return tuple(dying(kind) for kind in kinds)


class Breaking(Kept):
    """A publisher whose process ends at its n-th publishing."""

    def __init__(self, kept: Kept, life: int) -> None:
        self.answers = kept.answers
        self.life = life

    async def publish(self, answers: Sequence[Answer]) -> None:
        if answers:
            self.life -= 1
            if self.life == 0:
                raise asyncio.CancelledError
        await super().publish(answers)


async def begin(place: Venue, run: int) -> None:
    """Each run has an environment of its own on the same database."""
    place.registry = Registry(environment=3000 + run)
    await place.open()
    job_id = str(uuid.UUID(int=run))
    await place.say(*parts(LIST, job_id=job_id, environment=3000 + run, mode="import"))


async def live(place: Venue) -> bool:
    """Work until the end, or until death; gives whether it died."""
    running = asyncio.create_task(place.run_jobs())
    while not running.done():
        await place.follow()
        await asyncio.sleep(0.01)
    await place.follow()
    if running.cancelled():
        return True
    await running
    return False


async def check(place: Venue, since: int) -> None:
    """The import came out right, and said one thing only."""
    await place.follow()
    events = place.events[since:]
    assert len({(a.id, a.value) for a in events}) == len({a.id for a in events})
    once = {a.id: decode(a.topic, a.value) for a in events}.values()
    done = completed_of(once)
    assert (done.created, done.refused) == (3, 1)
    assert report_of(once)["D2"].value.startswith("created: account 1;")
    registry = place.registry
    assert sorted(registry.accounts) == ["1", "2", "3"]
    assert sorted(c["company"] for c in registry.customers.values()) == ["A", "C"]
    assert (len(registry.answered), len(registry.asked)) == (1, 5)


@pytest.mark.timeout(120)
async def test_a_worker_may_die_in_any_step(module_venue: Venue) -> None:
    place = module_venue
    kinds = place.kinds
    for steps in range(1, 100):
        since = len(place.events)
        await begin(place, steps)
        place.kinds = mortal(kinds, [steps])
        died = await live(place)
        place.kinds = kinds
        await place.settle()
        await check(place, since)
        if not died:
            assert steps > 12
            return


@pytest.mark.timeout(120)
async def test_a_worker_may_die_between_a_commit_and_its_publishing(module_venue: Venue) -> None:
    place = module_venue
    kept = place.bench.published
    for times in range(1, 100):
        since = len(place.events)
        await begin(place, 500 + times)
        place.bench.published = Breaking(kept, times)
        died = await live(place)
        place.bench.published = kept
        await place.bench.runner(place.kinds).recover(0)
        await place.settle()
        await check(place, since)
        if not died:
            assert times > 4
            return


@pytest.mark.timeout(120)
async def test_a_worker_may_die_in_any_step_of_an_undo(module_venue: Venue) -> None:
    place = module_venue
    kinds = place.kinds
    for steps in range(1, 100):
        run = 1000 + steps
        await begin(place, run)
        await place.settle()
        since = len(place.events)
        job_id = str(uuid.UUID(int=run))
        await place.say(ImportUndo(job_id=job_id, environment=3000 + run, by="Ans"))
        place.kinds = mortal(kinds, [steps])
        died = await live(place)
        place.kinds = kinds
        await place.settle()
        said = {decode(a.topic, a.value) for a in place.events[since:] if "undone" in a.type}
        assert [(s.closed, s.erased, s.kept) for s in said] == [(3, 2, ())]
        # One for all that was imported, and one for each thing that was taken back.
        assert len(place.registry.answered) == 6
        if not died:
            assert steps > 5
            return


async def test_a_worker_may_die_between_the_parts_of_a_report(module_venue: Venue) -> None:
    """Whoever goes on says the rest: no part comes in two versions, and together they are one."""
    noise = random.Random(1)
    rows = [[f"Bedrijf {n}", n, b64encode(noise.randbytes(24_000)).decode()] for n in range(1, 41)]
    content = sheet_workbook(["Bedrijf", "Rekening", "Ruis"], *rows)
    place, kinds = module_venue, module_venue.kinds
    for steps in range(1, 100):
        since = len(place.events)
        place.registry = Registry(environment=5000 + steps)
        await place.open()
        job_id = str(uuid.UUID(int=9000 + steps))
        environment = 5000 + steps
        await place.say(*parts(content, job_id=job_id, environment=environment, mode="import"))
        (report,) = mortal([k for k in kinds if k.kind == "report"], [steps])
        place.kinds = tuple(report if k.kind == "report" else k for k in kinds)
        died = await live(place)
        place.kinds = kinds
        await place.settle()
        events = place.events[since:]
        assert len({(a.id, a.value) for a in events}) == len({a.id for a in events})
        said = {a.id: decode(a.topic, a.value) for a in events}.values()
        assert len([m for m in said if m.type == "import.report"]) == 2
        assert report_of(said)["D41"].value.startswith("created: account 40")
        if not died:
            break
    assert steps > 6, "a file in two parts, rows, two parts and an end"
