"""A run that dies at any statement or while publishing goes on, and makes nothing twice.

Method: a database whose n-th statement fails as a cut line would, for every n until a run gets
through; and a publisher that fails at its n-th record. After each death the job is taken up again
by a healthy worker, and the books must be as if nothing had happened.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from runtime.answers import Answer
from runtime.database import Database
from runtime.jobs import JobRunner
from services.invoicer.jobs.run import RUN
from services.invoicer.verify import audit
from tests.services.invoicer.world import (
    BEER,
    LUNCH,
    World,
    account,
    asked,
    customer,
    environment,
    new_id,
    reversal,
    said,
    sale,
)


class Cut(ConnectionError):
    """The line to PostgreSQL or Kafka is gone."""


class Failing:
    """A connection that is cut before its n-th statement."""

    def __init__(self, connection: Any, database: "FailingDatabase") -> None:
        self._connection = connection
        self._database = database

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._connection, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute", "executemany"):
            return call

        async def counted(*args: Any) -> Any:
            self._database.left -= 1
            if self._database.left < 0:
                raise Cut
            return await call(*args)

        return counted


class FailingDatabase(Database):
    left = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        async with super().begin() as connection:
            yield Failing(connection, self)


class FailingPublisher:
    """Publishes `left` records, then is cut."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.answers: list[Answer] = []

    async def publish(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            if self.left == 0:
                raise Cut
            self.left -= 1
            self.answers.append(answer)


async def a_month(world: World, number: int) -> None:
    """Three accounts, two months, one sale that was reversed after it was invoiced."""
    names, ids = ("A1", "A2", "A3"), [new_id() for _ in range(3)]
    await world.registry(
        environment(number),
        *(customer(one, number) for one in ids),
        *(account(name, one, number) for name, one in zip(names, ids, strict=True)),
    )
    gone = sale("A1", BEER, number=number)
    await world.sell(gone)
    await world.command(asked("before", number=number, send=False))
    await world.jobs("run")
    await world.sell(reversal(gone), *(sale(name, BEER, LUNCH, number=number) for name in names))


async def finish(world: World) -> list[Answer]:
    """A healthy worker: takes up the job, and publishes what was left unpublished."""
    await world.bench.make_due("run")
    told = await world.jobs("run")
    before = len(world.bench.published.answers)
    await world.bench.runner(()).recover(older_than_s=0)
    return [*told, *world.bench.published.answers[before:]]


async def as_it_must_be(world: World, number: int, told: Sequence[Answer]) -> None:
    every = {a.id: a for a in told}.values()
    assert sorted(i["account"] for i in said(every, "invoice.issued")) == ["A1", "A2", "A3"]
    assert len(said(every, "credit_note.issued")) == 1
    assert len(said(every, "run.completed")) == 1
    assert len({(a.id, a.value) for a in told}) == len(every), "an answer changed its bytes"
    async with world.bench.database.connection() as connection:
        found = await audit(connection, number)  # type: ignore[arg-type]
    assert found["problems"] == []
    assert found["documents"] == 5


def runner(world: World, database: Database, publisher: Any) -> JobRunner:
    healthy = world.bench.runner([RUN])
    healthy.database = database
    healthy._publisher = publisher
    return healthy


async def die(run: JobRunner) -> bool:
    """Work until the line is cut; whether it was."""
    for _ in range(20):
        work = await run.claim(run.kinds[0])
        if work is None:
            return False
        await run.work(work, run.kinds[0])
        if not work.ended:
            return True
    raise AssertionError("the run never ends")


async def test_a_run_cut_at_any_statement_goes_on(world: World, postgres: Any) -> None:
    database = FailingDatabase(postgres.dsn("invoicer"))
    number, cut = 100, True
    while cut:
        number += 1
        await a_month(world, number)
        await world.command(asked(number=number, send=False))
        database.left = number - 101
        kept = FailingPublisher(10_000)
        cut = await die(runner(world, database, kept))
        await as_it_must_be(world, number, [*kept.answers, *await finish(world)])
    assert number > 130
    await database.close()


async def test_a_run_cut_at_any_record_that_it_publishes_goes_on(world: World) -> None:
    number, cut = 500, True
    while cut:
        number += 1
        await a_month(world, number)
        await world.command(asked(number=number, send=False))
        publisher = FailingPublisher(number - 501)
        cut = await die(runner(world, world.bench.database, publisher))
        await as_it_must_be(world, number, [*publisher.answers, *await finish(world)])
    assert number > 506
