"""Forgetting in steps: names of erased customers in what tills of a large venue were told."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from runtime.jobs import Work
from runtime.transaction import Tx
from services.authorizer.handlers import forget, tills
from services.authorizer.store import directory, forgetting
from tests.services.authorizer.support import (
    GUEST,
    VENUE,
    Venue,
    command,
    said,
    uid,
    venue,
)
from tests.services.authorizer.test_tills import searched, signed_on
from tests.support.databases import Database


def register(who: str, last_name: str = "Dam") -> Any:
    return command(
        "customer.register", ("new", who), customer_id=uid(who), first_name="Zoë",
        last_name=last_name, email=f"{who}@bar.nl",
    )  # fmt: skip


def tie(who: str, account: str = GUEST) -> Any:
    return command(
        "account.link", ("tie", who), account=account, customer_id=uid(who), role="holder"
    )


def untie(who: str, account: str = GUEST) -> Any:
    return command(
        "account.unlink", ("untie", who), account=account, customer_id=uid(who), role="holder"
    )


def erase(who: str) -> Any:
    return command("customer.erase", ("erase", who), customer_id=uid(who))


async def shown(bench: Venue, which: str) -> list[str]:
    """The names on the pages of a sign-on."""
    pages = await bench.ask(signed_on(which))
    return [one["name"] for page in pages for one in said(page)["accounts"]]


async def show(bench: Venue) -> None:
    await bench.order(command("account.change", "show", accounts=[GUEST], in_overview=True))


async def test_it_reads_each_revision_once_for_however_many_names(postgres: Database) -> None:
    """Taking an import back erases thousands: for each of them all pages would be read again."""
    guests = [f"guest-{n}" for n in range(12)]
    async with venue(postgres) as bench:
        await show(bench)
        for guest in guests:
            await bench.order(register(guest, guest), tie(guest))
            assert await shown(bench, guest) == [f"Zoë {guest}"]
            await bench.order(untie(guest))
        await bench.order(*map(erase, guests))
        read: list[str] = []

        async def watched() -> None:
            read.append("pages")

        async with bench.transaction() as tx:
            found, _ = await forgetting.names(tx, [VENUE])
            assert len(found[VENUE]) == len(guests)
            between = Between(tx, forgetting.sql.pages_after, watched)
            last = await forgetting.forget_in_pages(between, VENUE, 0, found[VENUE])
            assert last is not None
            assert await forgetting.forget_in_pages(between, VENUE, last, found[VENUE]) is None
        assert read == ["pages", "pages"]  # all of them, and that there are no more
        await bench.run_jobs([forget.JOB])
        (row,) = await bench.rows(
            "SELECT count(*) AS jobs, count(*) FILTER (WHERE state = 'done') AS done FROM job"
        )
        assert row["jobs"] == row["done"] <= len(guests)
        for guest in guests:
            assert await shown(bench, guest) == [""]
        assert await bench.rows("SELECT FROM forgetting") == []


async def test_a_till_that_asks_again_meanwhile_is_not_told_the_name(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        assert await shown(bench, "before") == ["Zoë Dam"]
        (found,) = await bench.ask(searched("found", "dam"))
        assert said(found)["accounts"][0]["name"] == "Zoë Dam"
        await bench.order(erase("zoe"))
        assert len(await bench.rows("SELECT FROM forgetting")) == 1
        assert await shown(bench, "before") == [""]
        (again,) = await bench.ask(searched("found", "dam"))
        assert said(again)["accounts"][0]["name"] == ""


class Between(Tx):
    """A transaction during which something else happens after one of its statements."""

    def __init__(self, tx: Tx, after: str, then: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(tx.connection, tx.now, tx.ends, alone=tx.alone)
        self._after, self._then = after, then

    async def fetch(self, query: str, *args: Any) -> Any:
        rows = await super().fetch(query, *args)
        if query == self._after:
            await self._then()
        return rows


@pytest.mark.parametrize("after", ["pages", "recall_searches", "to_forget"])
@pytest.mark.parametrize(
    "asked", [signed_on("before"), searched("before", "dam")], ids=["sign-on", "search"]
)
async def test_a_till_is_not_told_the_name_either_while_the_job_ends(
    postgres: Database, asked: Any, after: str
) -> None:
    """Each statement sees what is committed by then: the names may go after the pages were read."""
    statements = (directory.sql, forgetting.sql)
    (query,) = (getattr(some, after) for some in statements if after in some.names())
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        await bench.ask(signed_on("before"), searched("before", "dam"))
        await bench.order(erase("zoe"))

        async def job() -> None:
            await bench.run_jobs([forget.JOB])

        async with bench.transaction() as tx:
            between = Between(tx, query, job)
            (told,) = await tills.answer_tills([bench.incoming(asked)], between)
        assert [one["name"] for one in said(told)["accounts"]] == [""]


OLDER = """
WITH told AS (
    UPDATE search AS s SET answer = convert_to(
        replace(convert_from(answer, 'UTF8'), '"Zoë Smit"', '""'), 'UTF8'))
UPDATE directory AS d
SET pages = ARRAY(
    SELECT convert_to(replace(convert_from(p.page, 'UTF8'), '"Zoë Smit"', '""'), 'UTF8')
    FROM unnest(d.pages) WITH ORDINALITY AS p (page, number)
    ORDER BY p.number)
"""
"""How a worker of before takes a name out of all that was told."""


@pytest.mark.parametrize("after", ["pages_after", "searches_after"])
async def test_what_an_older_worker_takes_out_meanwhile_does_not_come_back(
    postgres: Database, after: str
) -> None:
    """A step writes back what it read: nobody may write in between."""
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'WITH told'"
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(
            command("account.open", "second", account="289099", on_account=True, in_overview=True),
            register("zoe"), tie("zoe"), register("other", "Smit"), tie("other", "289099"),
        )  # fmt: skip
        await bench.ask(signed_on("before"), searched("before", "zoe"))
        await bench.order(erase("zoe"))
        older: list[asyncio.Task[Any]] = []

        async def begin() -> None:
            older.append(asyncio.create_task(bench.database.execute(OLDER)))
            while not older[0].done() and not await bench.rows(waiting):
                await asyncio.sleep(0.01)

        async with bench.transaction() as tx:
            between = Between(tx, getattr(forgetting.sql, after), begin)
            found, _ = await forgetting.names(tx, [VENUE])
            if after == "pages_after":
                await forgetting.forget_in_pages(between, VENUE, 0, found[VENUE])
            else:
                await forgetting.forget_in_searches(between, VENUE, None, found[VENUE])
        await older[0]
        for message in (signed_on("before"), searched("before", "zoe")):
            (told,) = await bench.ask(message)
            assert [one["name"] for one in said(told)["accounts"]] == ["", ""]


async def test_others_get_their_turns_while_names_are_taken_out_of_many_pages(
    postgres: Database,
) -> None:
    """Sales are answered in the same loop. Method: all that is counted comes after the last
    statement, when only who takes out the names can give a turn."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        await bench.order(erase("zoe"))
        await bench.database.execute(
            "INSERT INTO directory (environment, revision, pages) SELECT $1, 1, array_agg("
            'convert_to(repeat(\'{"account":"1","name":"Zoë Dam","description":""},\', 1000), '
            "'UTF8')) FROM generate_series(1, 100)", VENUE,
        )  # fmt: skip
        counting: list[asyncio.Task[None]] = []

        async def begin() -> None:
            counting.append(asyncio.create_task(count()))

        async with bench.transaction() as tx:
            between = Between(tx, directory.sql.pages, begin)
            found = await directory.directories(between, [(VENUE, 1)], [])
            seen = turns
        counting[0].cancel()
        assert not any(b"Dam" in page for page in found[VENUE, 1])
        assert seen > 0


async def test_who_came_later_under_the_same_name_is_shown_still(postgres: Database) -> None:
    """Told apart by the revision: what was told after the erasure is of another."""
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        assert await shown(bench, "before") == ["Zoë Dam"]
        await bench.order(erase("zoe"), register("another"), tie("another"))
        assert await shown(bench, "after") == ["Zoë Dam"]
        (found,) = await bench.ask(searched("after", "dam"))
        for _ in range(2):
            assert await shown(bench, "before") == [""]
            assert await shown(bench, "after") == ["Zoë Dam"]
            assert await bench.ask(searched("after", "dam")) == [found]
            await bench.run_jobs([forget.JOB])


async def test_a_search_that_began_before_and_found_another_later_is_told_the_same_again(
    postgres: Database,
) -> None:
    """It waits for the venue until the commands are through: its clock says that it came first."""
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        async with bench.transaction() as tx:
            await bench.order(erase("zoe"), register("another"), tie("another"))
            (first,) = await tills.answer_tills([bench.incoming(searched("s", "dam"))], tx)
        assert [one["name"] for one in said(first)["accounts"]] == ["Zoë Dam"]
        for _ in range(2):
            assert await bench.ask(searched("s", "dam")) == [first]
            await bench.run_jobs([forget.JOB])


async def test_what_a_search_was_told_goes_whatever_the_clock_says(postgres: Database) -> None:
    """Goal: a clock that goes back, or an older worker that noted no revision, keeps no name."""
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        asked = searched("late", "dam"), searched("old", "dam")
        await bench.ask(*asked)
        administrator = await asyncpg.connect(postgres.admin)
        try:
            for change, name in (("answered_at = now() + interval '1 day'", "late"),
                                 ("revision = NULL", "old")):  # fmt: skip
                await administrator.execute(
                    f"UPDATE authorizer.search SET {change} WHERE search_id = $1", uid(name)
                )
        finally:
            await administrator.close()
        await bench.order(erase("zoe"))
        for _ in range(2):
            for told in await bench.ask(*asked):
                assert [one["name"] for one in said(told)["accounts"]] == [""]
            await bench.run_jobs([forget.JOB])
        assert await bench.rows("SELECT FROM forgetting") == []


async def test_who_is_erased_while_a_job_is_under_way_is_forgotten_by_the_next(
    postgres: Database,
) -> None:
    """A job that is through lets go of the names that it began with: another's, noted since, is
    still in the pages that it had gone through by then."""
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        await shown(bench, "first")
        await bench.order(untie("zoe"), register("other", "Smit"), tie("other"))
        await shown(bench, "second")
        await bench.order(erase("zoe"))
        steps = 0

        async def watched(work: Work) -> None:
            nonlocal steps
            await forget.forget(work)
            steps += 1
            if steps == 2:  # that there are no more pages
                await bench.order(erase("other"))

        await bench.run_jobs([replace(forget.JOB, run=watched)])
        assert await bench.rows("SELECT FROM forgetting") == []
        for which in ("first", "second"):
            assert await shown(bench, which) == [""]


async def test_jobs_of_a_venue_are_done_one_after_another(postgres: Database) -> None:
    """Two at once would read the same, and wait for each other."""
    async with venue(postgres) as bench:
        await bench.order(register("zoe"), register("other", "Smit"))
        await bench.order(erase("zoe"))
        await bench.order(erase("other"))
        runner = bench.runner([forget.JOB])
        assert await runner.claim(forget.JOB) is not None
        assert await runner.claim(forget.JOB) is None


async def test_a_large_venue_is_gone_through_in_many_steps(postgres: Database) -> None:
    """Goal: no statement and no transaction grows with what was ever told. Method: directories that
    do not compress, each of them more than a step takes; and more searches than one."""
    revisions = 5
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        await bench.database.execute(
            "INSERT INTO directory (environment, revision, pages) "
            'SELECT 2890, 1000 + n, ARRAY[convert_to(\'[{"account":"1","name":"Zoë Dam",'
            "\"description\":\"' || (SELECT string_agg(gen_random_uuid()::text, '') "
            "FROM generate_series(1, 20000 + n)) || '\"}]', 'UTF8')] "
            f"FROM generate_series(1, {revisions}) AS n"
        )
        await bench.database.execute(
            "INSERT INTO search (environment, search_id, terminal, digest, answered_at, answer) "
            "SELECT 2890, CASE n WHEN 1 THEN $1 ELSE gen_random_uuid() END, 'bar', "
            "sha256('x'::bytea), '2026-01-01', "
            'convert_to(\'{"name":"Zoë Dam","description":""}\', \'UTF8\') '
            f"FROM generate_series(1, {forgetting.SEARCHES_A_STEP + 1}) AS n",
            str(UUID(int=0)),  # which a till may have given too
        )
        await bench.database.execute("UPDATE environment SET revision = 2000")
        await bench.order(erase("zoe"))
        payloads = []

        async def watched(work: Work) -> None:
            payloads.append(json.dumps(work.job.payload))
            await forget.forget(work)

        await bench.run_jobs([replace(forget.JOB, run=watched)])
        assert len(payloads) == revisions + 1 + 2  # revisions, that there are no more, searches
        assert not any("Dam" in payload for payload in payloads)
        for table, column in (("directory", "pages::text"), ("search", "answer::text")):
            (row,) = await bench.rows(
                f"SELECT count(*) FILTER (WHERE position($1 IN {column}) > 0) AS left FROM {table}",
                b"Dam".hex(),
            )
            assert row["left"] == 0


@pytest.mark.parametrize(
    "asked",
    [command("customer.erase", "again", customer_id=uid("zoe")),
     command("registry.republish", "again")],
    ids=["erased again", "republished"],
)  # fmt: skip
async def test_a_job_that_was_given_up_can_be_had_again(postgres: Database, asked: Any) -> None:
    left = "SELECT FROM forgetting"
    async with venue(postgres) as bench:
        await show(bench)
        await bench.order(register("zoe"), tie("zoe"))
        await shown(bench, "before")
        await bench.order(erase("zoe"))
        await bench.database.execute("UPDATE job SET state = 'failed', ended_at = now()")
        await bench.run_jobs([forget.JOB])
        assert await bench.rows(left)
        (outcome,) = await bench.order(asked)
        assert [one["change"] for one in outcome["changes"]] in (["unchanged"], [])
        await bench.run_jobs([forget.JOB])
        assert not await bench.rows(left)
        assert await shown(bench, "before") == [""]


async def test_no_job_is_added_where_nothing_is_to_be_forgotten(postgres: Database) -> None:
    jobs = "SELECT FROM job WHERE kind = 'forget'"
    async with venue(postgres) as bench:
        await bench.order(register("zoe"))
        await bench.order(erase("zoe"))
        assert len(await bench.rows(jobs)) == 1
        await bench.run_jobs([forget.JOB])
        for again in ("once", "twice"):
            await bench.order(
                erase("zoe"),
                command("customer.erase", again, customer_id=uid("zoe")),
                command("registry.republish", again),
            )
        assert len(await bench.rows(jobs)) == 1
