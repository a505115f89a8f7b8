"""An import is taken back as far as nobody has built on it, and what stays is told with why.

Method: the importer's handlers and jobs on PostgreSQL, beside a registry that answers in plain
values and can be told that somebody used or changed what an import made.
"""

import asyncio
import uuid
from typing import Any

import pytest

from schemas.imports import ImportUndo, ImportUndone
from schemas.registry import AccountChange
from schemas.topics import TOPIC
from schemas.wire import encode
from services.importer.handlers.uploads import UNDO
from services.importer.jobs.undo import MOST_KEPT, told_of
from services.importer.store.undo import BUNDLES_AT_ONCE, Left, sql
from tests.services.importer.registry import NOW
from tests.services.importer.test_crashes import Mortal
from tests.services.importer.venue import Venue, completed_of, only, parts, report_of, venue
from tests.support.article_workbook import article_workbook, sheet_workbook
from tests.support.databases import Database

JOB = str(uuid.UUID(int=9))
HEADERS = ["Bedrijf", "Rekening", "Limiet", "Plaats"]


async def by_hand(place: Venue, number: str, **changed: Any) -> None:
    """Somebody changes an account without an import."""
    command = AccountChange(
        command_id=str(uuid.uuid4()), environment=2890, at=NOW, by="Bo",
        accounts=(number,), **changed,
    )  # fmt: skip
    _, states = place.registry.ask(command)
    await place.tell(states)


async def undone(place: Venue, job_id: str = JOB) -> ImportUndone:
    found: ImportUndone = only(await place.undone(job_id), ImportUndone)
    return found


async def test_what_nobody_used_is_gone_again(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.imported(article_workbook(), job_id=JOB)
        said = await undone(place)
        assert (said.closed, said.erased, said.restored, said.kept) == (10, 10, 0, ())
        assert {a["status"] for a in place.registry.accounts.values()} == {"closed"}
        assert len(place.registry.erased) == 10


async def test_an_account_that_was_bought_on_stays_with_its_customer(postgres: Database) -> None:
    async with venue(postgres) as place:
        content = sheet_workbook(HEADERS, ["A", 1, 10, "Houten"], ["A", 2, 10, None], ["B", 3, 5])
        await place.imported(content, job_id=JOB)
        place.registry.used.add("1")
        said = await undone(place)
        assert (said.closed, said.erased) == (2, 1)
        assert [(k.kind, k.why) for k in said.kept] == [
            ("account", "it was bought on; close it by hand once it is settled"),
            ("customer", "it still has account 1"),
        ]
        assert [a["status"] for a in place.registry.accounts.values()] == [
            "active", "closed", "closed",
        ]  # fmt: skip


async def test_changed_values_go_back_where_nobody_changed_them_since(postgres: Database) -> None:
    async with venue(postgres) as place:
        first = sheet_workbook(HEADERS, ["A", 1, 10, "Houten"], ["B", 2, 10, "Houten"])
        await place.imported(first)
        second = sheet_workbook(HEADERS, ["A", 1, 20, "Utrecht"], ["B", 2, 20, "Houten"])
        await place.imported(second, job_id=JOB)
        await by_hand(place, "2", limit=9900)
        said = await undone(place)
        assert (said.closed, said.erased, said.restored) == (0, 0, 2)
        assert [(k.kind, k.id, k.why) for k in said.kept] == [
            ("account", "2", "changed since the import: limit")
        ]
        accounts = place.registry.accounts
        assert (accounts["1"]["limit"], accounts["2"]["limit"]) == (1000, 9900)
        assert {c["city"] for c in place.registry.customers.values()} == {"Houten"}


async def test_what_the_job_before_it_in_the_line_changed_is_known_to_an_undo(
    postgres: Database,
) -> None:
    """Method: when it is its turn, what that made of an account is told and not read yet, as of a
    partition whose worker died. It had its answers after this undo was asked for."""
    async with venue(postgres) as place:
        await place.imported(sheet_workbook(HEADERS, ["A", 1, 10, "Houten"]))
        await place.imported(sheet_workbook(HEADERS, ["A", 1, 20, "Houten"]), job_id=JOB)
        place.ends = {"registry.state": {0: 9, 1: 3}}
        await place.say(ImportUndo(job_id=JOB, environment=2890, by="Ans"))
        asked = len(place.registry.asked)
        (undoing,) = (k for k in place.kinds if k.kind == UNDO)
        work = await place.bench.runner([undoing]).claim(undoing)
        assert work is not None
        await undoing.run(work)
        await by_hand(place, "1", limit=9900)
        await place.bench.database.execute(
            "INSERT INTO positions VALUES ('registry.state', 0, 9), ('registry.state', 1, 3)"
        )
        said: ImportUndone = only(await place.settle(), ImportUndone)
        assert [k.why for k in said.kept] == ["changed since the import: limit"]
        assert (len(place.registry.asked) - asked, said.restored) == (1, 0)  # by hand
        assert place.registry.accounts["1"]["limit"] == 9900


async def test_a_limit_that_was_none_is_none_again_and_nothing_is_not_none(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.imported(sheet_workbook(["Bedrijf", "Rekening"], ["A", 1]))
        await by_hand(place, "1", limit=None)
        content = sheet_workbook(["Bedrijf", "Rekening", "Limiet"], ["A", 1, 0])
        await place.imported(content, job_id=JOB)
        assert place.registry.accounts["1"]["limit"] == 0
        assert (await undone(place)).restored == 1
        assert place.registry.accounts["1"]["limit"] is None


async def test_an_address_that_was_made_up_is_so_again(postgres: Database) -> None:
    """Else an invoice would be mailed to whoever has it."""
    async with venue(postgres) as place:
        headers = ["Bedrijf", "E-mail", "Fictief"]
        await place.imported(sheet_workbook(headers, ["A", "jan@kade.nl", "ja"]))
        await place.imported(sheet_workbook(headers[:2], ["A", "info@kade.nl"]), job_id=JOB)
        (known,) = place.registry.customers.values()
        assert (known["email"], known["email_fictitious"]) == ("info@kade.nl", None)
        assert (await undone(place)).restored == 1
        assert (known["email"], known["email_fictitious"]) == ("jan@kade.nl", True)


async def test_a_holder_whom_an_import_gave_to_an_account_is_taken_away_unless_it_was_used(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.imported(sheet_workbook(["Rekening"], [1], [2]))
        content = sheet_workbook(["Bedrijf", "Rekening"], ["A", 1], ["B", 2])
        await place.imported(content, job_id=JOB)
        place.registry.used.add("2")
        said = await undone(place)
        assert (said.erased, said.restored) == (1, 1)
        assert [(k.kind, k.id) for k in said.kept][:1] == [("account", "2")]
        assert place.registry.accounts["1"]["holder"] is None
        assert place.registry.accounts["2"]["holder"] is not None


async def test_what_was_taken_back_counts_though_the_registry_tells_its_state_later(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.imported(sheet_workbook(["Rekening"], [1]))
        # One gets an account that was there, the other a new one.
        content = sheet_workbook(["Bedrijf", "Rekening"], ["A", 1], ["B", 2])
        await place.imported(content, job_id=JOB)
        place.late = []
        said = await undone(place)
        assert (said.closed, said.erased, said.restored, said.kept) == (1, 2, 1, ())
        assert len(place.late) == 6


async def test_a_customer_whom_somebody_changed_or_uses_stays(postgres: Database) -> None:
    async with venue(postgres) as place:
        content = sheet_workbook(["Bedrijf", "Plaats"], ["A", "Houten"], ["B", "Houten"])
        await place.imported(content, job_id=JOB)
        # A later import builds on both: another town for one, an account for the other.
        later = sheet_workbook(["Bedrijf", "Plaats", "Rek."], ["A", "Zeist", None], ["B", None, 7])
        await place.imported(later)
        said = await undone(place)
        assert (said.closed, said.erased) == (0, 0)
        assert sorted(k.why for k in said.kept) == [
            "changed since the import: city", "it still has account 7",
        ]  # fmt: skip


async def test_an_undo_is_done_once_and_said_again(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.imported(article_workbook(), job_id=JOB)
        said = await undone(place)
        asked = len(place.registry.asked)
        (again,) = await place.undone(JOB)
        assert again == said
        assert len(place.registry.asked) == asked
        # What was taken back can be imported anew, and is asked to be opened again.
        content = sheet_workbook(["Bedrijf", "Rekening", "Status"], ["A", 28900001, "actief"])
        assert completed_of(await place.imported(content)).refused == 0
        assert place.registry.accounts["28900001"]["status"] == "active"


async def test_an_account_that_is_closed_stays_closed_and_that_is_said(postgres: Database) -> None:
    async with venue(postgres) as place:
        content = sheet_workbook(["Bedrijf", "Rekening"], ["A", 28900001])
        await place.imported(content, job_id=JOB)
        await undone(place)
        events = await place.imported(content)
        assert "is closed" in report_of(events)["C2"].value
        (told,) = completed_of(events).warnings or ()
        assert told.message.startswith("accounts that are closed and stayed so, also where an undo")


async def test_only_what_has_ended_and_did_something_can_be_taken_back(postgres: Database) -> None:
    async with venue(postgres) as place:
        (refused,) = await place.undone(JOB)
        assert refused.reason == "unknown_job"
        await place.say(*parts(article_workbook(), job_id=JOB))
        assert (await place.undone(JOB))[0].reason == "not_possible"
        await place.say(place.cancel(JOB))
        (refused,) = await place.undone(JOB)
        assert refused.reason == "not_possible"
        other = str(uuid.UUID(int=10))
        await place.imported(
            sheet_workbook(["Bedrijf", "Rekening", "Limiet"], ["A", 1, "x"]), job_id=other
        )
        assert (await place.undone(other))[0].reason == "not_possible"


async def test_what_an_import_touched_in_several_portions_is_taken_back_as_one(
    postgres: Database,
) -> None:
    """Method: bundles of one command each, so that the first and the last change of an account are
    gathered far from one another."""
    headers = ["Bedrijf", "Aantal rekeningen", "Limiet"]
    others = [[f"B{n}", 1, 10] for n in range(BUNDLES_AT_ONCE)]
    async with venue(postgres, import_window=1) as place:
        await place.imported(sheet_workbook(headers, ["A", 2, 5]))
        content = sheet_workbook(headers, ["A", 2, 10], *others, ["A", 2, 20])
        await place.imported(content, job_id=JOB)
        held = [a for a in place.registry.accounts.values() if a["limit"] == 2000]
        said = await undone(place)
        assert (said.closed, said.erased, said.restored) == (len(others), len(others), 2)
        assert [a["limit"] for a in held] == [500, 500]


async def test_an_undo_that_an_older_worker_may_take_over_is_gathered_in_one_step(
    postgres: Database,
) -> None:
    """Else the older one adds nothing to what it finds, and takes back half of it as the whole.

    Method: a newer worker takes such a job, and dies behind its first step.
    """
    headers = ["Bedrijf", "Rekening"]
    rows = [[f"B{n}", n] for n in range(1, BUNDLES_AT_ONCE + 2)]
    async with venue(postgres, import_window=1) as place:
        database = place.bench.database
        await place.imported(sheet_workbook(headers, *rows), job_id=JOB)
        await place.say(ImportUndo(job_id=JOB, environment=2890, by="Ans"))
        (kind,) = await database.fetch("UPDATE job SET kind = 'undo' WHERE kind LIKE 'undo%' "
            "RETURNING (SELECT kind FROM job AS j WHERE j.id = job.id) AS before")  # fmt: skip
        assert kind["before"] != "undo"  # which they would take, and newer ones gather by portions
        (undoing,) = (k for k in place.kinds if k.kind == "undo")
        work = await place.bench.runner([undoing]).claim(undoing)
        assert work is not None
        with pytest.raises(asyncio.CancelledError):
            await undoing.run(Mortal(work, [2]))  # type: ignore[arg-type]
        (count,) = await database.fetch("SELECT count(*) AS things FROM undo")
        assert count["things"] == 2 * len(rows)
        await database.execute("UPDATE job SET leased_until = now() WHERE lease IS NOT NULL")
        said: ImportUndone = only(await place.settle(), ImportUndone)
        assert (said.closed, said.erased, said.kept) == (len(rows), len(rows), ())


async def test_who_holds_what_is_looked_up_key_by_key_while_an_undo_is_new(
    postgres: Database,
) -> None:
    """Else all its steps are gone through for each customer, and all accounts of the venue."""
    async with venue(postgres) as place:
        rows = await place.bench.database.fetch(f"EXPLAIN {sql.in_use}", 2890, JOB, [JOB])
    plan = "\n".join(row[0] for row in rows)
    assert "SubPlan" in plan
    assert "Anti Join" not in plan, plan


async def test_an_undo_that_was_given_up_goes_on_when_it_is_asked_for_again(
    postgres: Database,
) -> None:
    """Method: customers as no state ever tells of them, on which our own code fails, until somebody
    has seen to it."""
    async with venue(postgres) as place:
        database = place.bench.database
        await place.imported(article_workbook(), job_id=JOB)
        whole = await database.fetch("SELECT customer_id, fields FROM customer")
        await database.execute("UPDATE customer SET fields = '[]'")
        (refused,) = (e for e in await place.undone(JOB) if e.type != "import.progressed")
        assert (refused.reason, "Ask for it again" in refused.message) == ("not_processed", True)
        assert "Uploading" not in refused.message
        asked = [ImportUndo(job_id=JOB, environment=2890, by="Bo")]
        told = await place.bench.handle(place.uploads.handle, asked, at=NOW)
        await place.settle()
        given_up = [a for a in place.events if a.type == "import.failed"]
        assert len({a.id for a in given_up}) == 2  # and who tells events apart by it hears of both
        # The very record again, as of a dead letter that is retried twice, is told the same; it
        # would be under way for ever.
        told += await place.bench.handle(place.uploads.handle, asked, at=NOW)
        assert [(a.id, a.value) for a in told] == [(given_up[-1].id, given_up[-1].value)]
        for row in whole:
            await database.execute(
                "UPDATE customer SET fields = $2 WHERE customer_id = $1", *row.values()
            )
        said = await undone(place)
        assert (said.closed, said.erased, said.kept) == (10, 10, ())


def test_what_stays_is_told_as_far_as_a_message_holds_it() -> None:
    """A message that is larger than its topic takes would be tried for ever."""

    def stays(count: int, why: str) -> list[Left]:
        return [
            Left(kind="customer", id=str(uuid.UUID(int=n)), kept=why, reason=None, message=None,
                 refused=False)
            for n in range(count)
        ]  # fmt: skip

    short = list(told_of(10_500, stays(MOST_KEPT, "it still has account 1"), "en"))
    assert (len(short), short[-1].why) == (MOST_KEPT + 1, "and 501 more")
    assert len(list(told_of(3, stays(3, "x"), "en"))) == 3
    long = tuple(told_of(10_500, stays(MOST_KEPT, "é" * 2_000), "nl"))
    assert (long[-1].kind, long[-1].why) == ("more", f"en nog {10_500 - len(long) + 1}")
    said = ImportUndone(job_id=JOB, environment=2890, closed=0, erased=0, restored=0, kept=long)
    assert len(encode(said)) < TOPIC["imports.events"].max_value_bytes
