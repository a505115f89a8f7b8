"""What an import knows of people goes when nobody needs it, or when they are erased.

Method: a name and an address that stand nowhere else are looked for in every table of the schema.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from runtime.jobs import StepTx, Work
from runtime.transaction import Tx
from schemas.imports import ImportCompleted, ImportUndo, ImportUndone
from schemas.registry import CustomerErase
from services.importer.handlers.uploads import FORGET, UNDO
from services.importer.store.forgetting import sql
from tests.services.importer.registry import NOW
from tests.services.importer.test_crashes import mortal
from tests.services.importer.venue import Venue, failed_of, only, parts, venue
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database

JOB = str(uuid.UUID(int=11))
LIST = sheet_workbook(
    ["Bedrijf", "Rekening", "Limiet", "Plaats"],
    ["Zonnebloem", 1, 10, "Zoutkamp"], ["Klaproos", 2, 10, "Zoutkamp"], ["Distel", 3, "veel", ""],
)  # fmt: skip


async def tables_with(place: Venue, word: str, but: Sequence[str] = ()) -> list[str]:
    """The tables in which a word stands somewhere."""
    database = place.bench.database
    names = await database.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'importer'"
        " AND tablename <> 'migration' ORDER BY 1"
    )
    found = []
    for (name,) in names:
        count = await database.fetch(
            f"SELECT count(*) FROM {name} AS t"
            f" WHERE t::text ILIKE '%{word}%' OR t::text LIKE '%{word.encode().hex()}%'"
        )
        if count[0][0] and name not in but:
            found.append(str(name))
    return found


async def days_later(place: Venue) -> None:
    await place.bench.make_due("forget")
    await place.bench.run_jobs(place.kinds)


async def test_rows_are_kept_for_an_undo_and_then_forgotten(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        await place.say(place.confirm(JOB))
        await place.settle()
        assert await tables_with(place, "Zonnebloem") == ["bundle", "customer", "said"]
        await days_later(place)
        # The copy of the registry knows its customers as long as that does.
        assert await tables_with(place, "Zonnebloem") == ["customer"]
        assert await tables_with(place, "veel") == []
        (refused,) = await place.undone(JOB)
        assert refused.reason == "too_late"
        # What was said of the job, but its preview, is said again.
        assert [m.type for m in await place.say(*parts(LIST, job_id=JOB))] == ["import.completed"]


async def test_an_undo_that_was_asked_for_in_time_is_read_before_rows_are_forgotten(
    postgres: Database,
) -> None:
    """The importer was off when the time came, and finds its job before the message."""
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB, mode="import"))
        await place.settle()
        place.unread = datetime.now(UTC)
        await days_later(place)
        place.unread = None
        assert only(await place.undone(JOB), ImportUndone).closed == 2
        await days_later(place)
        assert await tables_with(place, "Zonnebloem") == []


async def test_what_is_half_forgotten_is_not_taken_back_as_if_it_were_all(
    postgres: Database,
) -> None:
    """Rows go some at a time, and the worker is killed between two of them."""
    async with venue(postgres) as place:
        await place.imported(LIST, job_id=JOB)
        await place.bench.make_due("forget")
        with contextlib.suppress(asyncio.CancelledError):
            await place.bench.run_jobs(mortal(place.kinds, [2]))
        assert await tables_with(place, "Zonnebloem") == ["customer"]
        (refused,) = await place.undone(JOB)
        assert refused.reason == "too_late"


async def test_a_job_that_did_nothing_is_forgotten_at_once(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        await place.say(place.cancel(JOB))
        await place.settle()
        assert await tables_with(place, "Zonnebloem") == []


async def test_an_import_that_is_given_up_before_it_begins_is_forgotten_at_once(
    postgres: Database,
) -> None:
    """Method: it is planned anew, with a mapping that our own code fails on."""
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        await place.open(language="nl")
        await place.bench.database.execute("UPDATE upload SET mapping = '[1]'")
        await place.say(place.confirm(JOB))
        assert failed_of(await place.settle()).reason == "not_processed"
        assert await tables_with(place, "Zonnebloem") == []


async def test_a_customer_who_is_erased_is_forgotten_by_imports_too(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB), place.confirm(JOB))
        await place.settle()
        _, states = place.registry.ask(erasure(place))
        await place.tell(states)
        await place.settle()
        assert await tables_with(place, "Zonnebloem") == []
        assert await tables_with(place, "Klaproos") == ["bundle", "customer"]
        # And an undo goes on with the others.
        said = only(await place.undone(JOB), ImportUndone)
        assert (said.closed, said.erased) == (2, 1)


async def test_forgetting_that_was_given_up_is_done_when_it_is_told_again(
    postgres: Database,
) -> None:
    """As by `registry republish`. Method: steps that our own code fails on, until somebody has seen
    to it; and the very record again, at another offset."""
    async with venue(postgres) as place:
        await place.imported(LIST, job_id=JOB)
        _, states = place.registry.ask(erasure(place))
        (whole,) = await place.bench.database.fetch("SELECT steps::text FROM bundle")
        await place.bench.database.execute("UPDATE bundle SET steps = '5'")
        await place.tell(states)
        await place.settle()
        await place.bench.database.execute("UPDATE bundle SET steps = $1::text::json", whole[0])
        assert await tables_with(place, "Zonnebloem") == ["bundle"]
        await place.tell(states)
        await place.settle()
        assert await tables_with(place, "Zonnebloem") == []


async def test_previews_of_who_was_known_already_go_with_him(postgres: Database) -> None:
    """Such a row asks nothing about the customer: a new account of his, or nothing at all."""
    more = sheet_workbook(["Bedrijf", "Rekening", "Plaats"], ["Zonnebloem", 7, "Zoutkamp"])
    async with venue(postgres) as place:
        for number, workbook in enumerate((LIST, LIST, more)):
            job = str(uuid.UUID(int=30 + number))
            await place.say(*parts(workbook, job_id=job))
            await place.settle()
            await place.say(place.confirm(job))
            await place.settle()
        waits = str(uuid.UUID(int=40))
        await place.say(*parts(LIST, job_id=waits))
        await place.settle()
        _, states = place.registry.ask(erasure(place))
        await place.tell(states)
        await place.settle()
        # What nobody has confirmed is shown until it expires.
        rows = await place.bench.database.fetch(
            "SELECT job_id::text FROM said WHERE ce_type = 'import.previewed'"
        )
        assert [job_id for (job_id,) in rows] == [waits]
        await place.say(place.cancel(waits))
        await place.settle()
        assert await tables_with(place, "Zonnebloem") == []


async def test_who_is_erased_holds_nothing_though_his_accounts_record_is_still_to_come(
    postgres: Database,
) -> None:
    """Another partition has it. A row of that account asked to change who is nobody any more."""
    async with venue(postgres) as place:
        await place.imported(LIST, job_id=JOB)
        _, states = place.registry.ask(erasure(place))
        accounts = [state for state in states if state.type == "account.state"]
        await place.tell([state for state in states if state.type == "customer.state"])
        done = await place.imported(
            sheet_workbook(["Bedrijf", "Rekening"], ["Zonnebloem", 1]),
            job_id=str(uuid.UUID(int=12)),
        )
        assert (only(done, ImportCompleted).created, only(done, ImportCompleted).refused) == (1, 0)
        await place.tell(accounts)
        holder = place.registry.accounts["1"]["holder"]
        assert holder in place.registry.customers.keys() - place.registry.erased


async def test_who_is_erased_while_a_bundle_is_sent_changes_nothing_of_what_is_sent_again(
    postgres: Database,
) -> None:
    """Goal: one command_id has one content for ever, though the outcome is lost and a customer is
    erased in the moment of sending. Method: both wait for rows that a third transaction holds."""
    changed = sheet_workbook(["Bedrijf", "Rekening", "Plaats"], ["Zonnebloem", 1, "Zandvoort"])
    async with venue(postgres, import_resend_s=0.1) as place:
        await place.imported(LIST, job_id=JOB)
        second = str(uuid.UUID(int=12))
        await place.say(*parts(changed, job_id=second))
        await place.settle()
        await place.say(place.confirm(second))
        _, states = place.registry.ask(erasure(place))
        await place.tell(states)
        place.deaf = 1  # the first time that the bundle is sent, nobody answers
        by_kind = {kind.kind: kind for kind in place.kinds}
        # As one that was killed when it had looked whether the registry changed since.
        await place.bench.database.execute(
            """UPDATE job SET payload = payload || '{"begun": true}' WHERE kind = 'import'"""
        )
        async with place.bench.database.begin() as held:
            await held.execute("SELECT FROM bundle WHERE job_id = $1 FOR UPDATE", second)
            erasing = asyncio.create_task(place.bench.run_jobs([by_kind["erase"]]))
            await waiting_for_locks(place, 1)
            await place.bench.make_due("import")
            sending = asyncio.create_task(place.bench.run_jobs([by_kind["import"]]))
            await waiting_for_locks(place, 2)
        while not (erasing.done() and sending.done()):
            await place.follow()
            await asyncio.sleep(0.01)
        await asyncio.gather(erasing, sending)
        await place.settle()
        sent: dict[str, set[bytes]] = {}
        for answer in place.commands:
            sent.setdefault(answer.id, set()).add(answer.value)
        assert {len(contents) for contents in sent.values()} == {1}
        assert await tables_with(place, "Zandvoort") == []


class Meanwhile:
    """A job in hand, and something that happens when one of its steps, or a look, is over."""

    def __init__(self, work: Work, at: int, then: Callable[[], Awaitable[None]]) -> None:
        self._work, self._left, self._then = work, at, then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Tx]:
        async with self._work.look() as tx:
            yield tx
        await self._over()

    @asynccontextmanager
    async def step(self) -> AsyncIterator[StepTx]:
        async with self._work.step() as tx:
            yield tx
        await self._over()

    async def _over(self) -> None:
        self._left -= 1
        if self._left == 0:
            await self._then()


def erasure(place: Venue) -> CustomerErase:
    """Of Zonnebloem."""
    who = next(i for i, c in place.registry.customers.items() if c["company"] == "Zonnebloem")
    return CustomerErase(
        command_id=str(uuid.uuid4()), environment=2890, at=NOW, by="Bo", customer_id=who
    )


async def erased_meanwhile(place: Venue, kind: str, at: int) -> None:
    """Zonnebloem is erased, and forgotten, after so many steps and looks of a job."""
    command = erasure(place)
    by_kind = {kind.kind: kind for kind in place.kinds}

    async def erased() -> None:
        _, states = place.registry.ask(command)
        await place.tell(states)
        await place.bench.run_jobs([by_kind["erase"]])

    work = await place.bench.runner([by_kind[kind]]).claim(by_kind[kind])
    assert work is not None
    await by_kind[kind].run(Meanwhile(work, at, erased))  # type: ignore[arg-type]
    assert command.customer_id in place.registry.erased


FIRST = sheet_workbook(["Bedrijf", "Rekening", "Plaats"], ["Zonnebloem", 1, "Zuidhorn"])
CHANGED = sheet_workbook(["Rekening", "Plaats"], [1, "Zandvoort"])


async def places(place: Venue) -> list[str]:
    """The tables that know who or where Zonnebloem was."""
    words = ("Zonnebloem", "Zuidhorn", "Zandvoort")
    return sorted({table for word in words for table in await tables_with(place, word)})


async def test_who_is_erased_while_his_row_is_planned_is_forgotten_once_it_is(
    postgres: Database,
) -> None:
    """Read before he was erased, and stored after that was seen to."""
    async with venue(postgres) as place:
        await place.imported(FIRST)
        await place.say(*parts(CHANGED, job_id=JOB))
        await erased_meanwhile(place, "plan", 4)
        await place.settle()
        assert await places(place) == []


async def test_what_was_to_be_put_back_of_who_is_erased_during_an_undo_goes_too(
    postgres: Database,
) -> None:
    """Once what was sent of it has its answer: until then it may have to be sent again."""
    async with venue(postgres, import_resend_s=0.1) as place:
        await place.imported(FIRST)
        await place.imported(CHANGED, job_id=JOB)
        await place.say(ImportUndo(job_id=JOB, environment=2890, by="Ans"))
        place.deaf = 1
        await erased_meanwhile(place, UNDO, 5)
        await place.settle()
        assert await places(place) == []


async def test_what_goes_is_found_by_its_place_and_not_among_all_there_is(
    postgres: Database,
) -> None:
    """Compared each with each, a list of 20,000 rows took longer than a statement may: it was begun
    anew for ever, and who was erased stayed."""
    async with venue(postgres) as place:
        fetch = place.bench.database.fetch
        for statement, more in (
            (sql.rows, (9,)), (sql.steps, (9,)), (sql.things, (9,)), (sql.warnings_of_rows, ([2],)),
        ):  # fmt: skip
            rows = await fetch(f"EXPLAIN {statement}", 2890, JOB, *more)
            plan = "\n".join(row[0] for row in rows)
            assert "Join" not in plan, plan
            assert "Nested Loop" not in plan, plan


async def waiting_for_locks(place: Venue, count: int) -> None:
    """Return when so many transactions wait for another's locks."""
    async with asyncio.timeout(60):
        while (
            await place.bench.database.fetch(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = ("
                "SELECT oid FROM pg_database WHERE datname = current_database())"
                " OR NOT granted AND locktype = 'transactionid'"
            )
        )[0][0] < count:
            await asyncio.sleep(0.02)


async def test_an_undo_under_way_is_not_forgotten_before_its_end(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.imported(LIST, job_id=JOB)
        await place.say(ImportUndo(job_id=JOB, environment=place.registry.environment, by="Ans"))
        await place.bench.make_due(FORGET)
        await place.bench.run_jobs([each for each in place.kinds if each.kind == FORGET])
        said = only(await place.settle(), ImportUndone)
        assert (said.closed, said.erased) == (2, 2)
        kept = "SELECT 'planned' FROM planned_row UNION SELECT 'undo' FROM undo ORDER BY 1"
        assert [r[0] for r in await place.bench.database.fetch(kept)] == ["planned", "undo"]
        await days_later(place)
        assert await tables_with(place, "Zonnebloem") == []
        assert await place.bench.database.fetch(kept) == []
