"""Uploads: parts in any order, repeated, too large, of other kinds; confirmed, cancelled, late."""

import io
import json
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from schemas.imports import ImportFailed, ImportState
from schemas.malformed import Malformed
from schemas.wire import decode, encode
from tests.services.importer.files import OTHER_KINDS
from tests.services.importer.venue import (
    Venue,
    completed_of,
    failed_of,
    parts,
    preview_of,
    venue,
)
from tests.support.article_workbook import article_workbook, sheet_workbook
from tests.support.databases import Database

JOB = str(uuid.UUID(int=7))
LIST = sheet_workbook(["Bedrijf", "Rekening"], ["A", 28900001], ["B", 28900002])


def states(place: Venue) -> list[ImportState]:
    """import.state records, in the order in which they were published."""
    found = [a for a in place.bench.published.answers if a.topic == "imports.state"]
    return [decode(a.topic, a.value) for a in found]  # type: ignore[misc]


async def kept(place: Venue) -> tuple[int, int]:
    """Bytes that are kept: as counted, and really."""
    rows = await place.bench.database.fetch(
        "SELECT (SELECT sum(kept_bytes) FROM upload)::int,"
        " (SELECT coalesce(sum(length(content)), 0) FROM upload_part)::int"
    )
    return rows[0][0], rows[0][1]


async def test_parts_may_come_in_any_order_and_more_than_once(postgres: Database) -> None:
    async with venue(postgres) as place:
        messages = parts(LIST, job_id=JOB, size=1000)
        assert len(messages) > 3
        shuffled = [messages[2], messages[0], messages[2], *reversed(messages), messages[1]]
        for message in shuffled:
            assert await place.say(message) == []
        assert preview_of(await place.settle()).creates == 2
        assert await kept(place) == (len(LIST), len(LIST))


async def test_what_is_said_at_once_belongs_to_the_trace_of_who_asked(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        other = parts(article_workbook(), job_id=JOB)
        for trace in ("first", "second", None):
            answers = await place.bench.handle(place.uploads.handle, other, trace=trace)
            assert [(a.type, a.trace) for a in answers] == [("import.failed", trace)]


async def test_parts_of_two_jobs_may_come_between_one_another(postgres: Database) -> None:
    async with venue(postgres) as place:
        one, other = parts(LIST, size=1000), parts(article_workbook(), size=1000)
        mixed = [m for pair in zip(one, other, strict=False) for m in pair]
        await place.say(*mixed, *one, *other)
        events = await place.settle()
        assert sorted(e.rows for e in events) == [2, 10]


async def test_a_job_that_is_repeated_is_answered_with_the_same_bytes(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        preview = preview_of(await place.settle())
        first = place.events[-1]
        assert await place.say(*parts(LIST, job_id=JOB)) == [preview]
        assert place.events[-1] == first


async def test_a_job_id_is_good_for_one_file_only(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        (refused,) = await place.say(*parts(article_workbook(), job_id=JOB))
        assert refused.reason == "job_id_reused"
        (refused,) = await place.say(*parts(LIST, job_id=JOB, sheet="Blad1"))
        assert refused.reason == "job_id_reused"
        assert preview_of(await place.settle()).creates == 2


async def test_a_file_that_arrived_otherwise_than_it_was_sent_is_refused(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, sha256="0" * 64))
        assert failed_of(await place.settle()).reason == "checksum_mismatch"
        assert await kept(place) == (0, 0)


async def test_bytes_are_bounded_per_job_and_in_all(postgres: Database) -> None:
    async with venue(postgres) as place:
        place.uploads = replace(place.uploads, file_bytes=len(LIST) - 1, kept_bytes=10**9)
        (refused,) = await place.say(*parts(LIST))
        assert refused.reason == "too_large"
        place.uploads = replace(place.uploads, file_bytes=10**9, kept_bytes=len(LIST) + 10)
        assert await place.say(*parts(LIST)) == []
        (refused,) = await place.say(*parts(LIST))
        assert refused.reason == "too_busy"
        assert await kept(place) == (len(LIST), len(LIST))


async def test_who_leaves_uploads_lying_keeps_no_other_environment_from_importing(
    postgres: Database,
) -> None:
    """Those that are not known have one share together: nobody can make up numbers for more."""
    async with venue(postgres) as place:
        await place.open()
        size = len(LIST)
        place.uploads = replace(place.uploads, file_bytes=size, kept_bytes=8 * size)
        for number in (1, 2):
            assert await place.say(*parts(LIST, environment=number)) == []
        (refused,) = await place.say(*parts(LIST, environment=3))
        assert refused.reason == "too_busy"
        for _ in range(2):
            assert await place.say(*parts(LIST)) == []
        (refused,) = await place.say(*parts(LIST))
        assert refused.reason == "too_busy"


async def test_a_job_that_failed_is_answered_so_again(postgres: Database) -> None:
    async with venue(postgres) as place:
        place.uploads = replace(place.uploads, file_bytes=1500)
        messages = parts(LIST, job_id=JOB, size=1000)
        (refused,) = await place.say(*messages)
        assert await place.say(messages[1]) == [refused]
        assert await place.say(place.confirm(JOB)) == [refused]


@pytest.mark.parametrize("name", OTHER_KINDS)
async def test_another_kind_of_file_is_told_what_it_is_and_how_to_save_it(
    name: str, module_venue: Venue
) -> None:
    await module_venue.say(*parts(OTHER_KINDS[name][0]))
    failed = failed_of(await module_venue.settle())
    assert failed.reason == "not_a_workbook"
    what, _, advice = failed.message.partition("(.xlsx). ")
    assert what.startswith("This is a")
    assert re.search(r"[Ss]ave|Unpack|Export", advice)


async def test_a_sheet_that_is_not_clear_is_asked_for(postgres: Database) -> None:
    book = openpyxl.load_workbook(io.BytesIO(LIST))
    book.copy_worksheet(book.worksheets[0])
    file = io.BytesIO()
    book.save(file)
    async with venue(postgres) as place:
        await place.say(*parts(file.getvalue()))
        failed = failed_of(await place.settle())
        assert (failed.reason, failed.choices) == ("sheet_unclear", ("Blad1", "Blad1 Copy"))
        await place.say(*parts(file.getvalue(), sheet="Blad1 Copy"))
        assert preview_of(await place.settle()).creates == 2


async def test_nothing_is_imported_without_terms_or_permission(postgres: Database) -> None:
    async with venue(postgres) as place:
        for settings, reason in (
            ({"gdpr": False}, "gdpr_not_accepted"),
            ({"import_enabled": False, "language": "nl"}, "not_enabled"),
        ):
            await place.open(**settings)
            await place.say(*parts(LIST))
            failed = failed_of(await place.settle())
            assert failed.reason == reason
        assert "leverancier" in failed.message
        await place.say(*parts(LIST, environment=1))
        assert failed_of(await place.settle()).reason == "environment_unknown"
        assert place.registry.asked == []


async def test_what_was_previewed_is_not_imported_once_imports_are_off(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.open(language="nl")
        await place.say(*parts(LIST, job_id=JOB))
        assert preview_of(await place.settle()).creates == 2
        await place.open(import_enabled=False, language="nl")
        await place.say(place.confirm(JOB))
        failed = failed_of(await place.settle())
        assert (failed.reason, "leverancier" in failed.message) == ("not_enabled", True)
        assert place.registry.asked == []
        (kept,) = await place.bench.database.fetch("SELECT count(*) AS rows FROM planned_row")
        assert kept["rows"] == 0  # nothing was sent that could be taken back
        (undone,) = await place.undone(JOB)
        assert undone.reason == "not_possible"  # and not too late: it did nothing
        await place.open(language="nl")
        await place.say(place.confirm(JOB))  # it has ended: to be uploaded anew
        await place.settle()
        assert place.registry.asked == []


async def test_a_decision_about_an_unknown_job_is_answered_and_not_remembered(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        for decision in (place.confirm(JOB), place.cancel(JOB)):
            (refused,) = await place.say(decision)
            assert refused.reason == "unknown_job"
        await place.say(*parts(LIST, job_id=JOB))
        assert preview_of(await place.settle()).creates == 2


async def test_a_confirmation_before_the_preview_lets_the_import_go_on(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB), place.confirm(JOB))
        events = await place.settle()
        assert preview_of(events).creates == 2
        assert completed_of(events).created == 2
        assert await place.say(place.confirm(JOB)) != []


async def test_a_cancelled_job_does_nothing_and_keeps_nothing(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        (failed,) = await place.say(place.cancel(JOB))
        assert failed.reason == "cancelled"
        assert await place.say(place.confirm(JOB)) != []
        await place.settle()
        assert place.registry.asked == []
        assert await kept(place) == (0, 0)
        assert [s.status for s in states(place)][-1] == "cancelled"


async def test_a_preview_that_nobody_confirms_expires(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        await place.bench.make_due("expire")
        (failed,) = await expired(place)
        assert (failed.reason, states(place)[-1].status) == ("expired", "expired")
        assert (await place.say(place.confirm(JOB)))[-1].reason == "expired"


async def test_an_import_that_did_nothing_is_not_too_late_to_be_taken_back(
    postgres: Database,
) -> None:
    """However it ended: it is forgotten at once, and nothing of it is to be mended by hand."""
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        await place.bench.make_due("expire")
        await expired(place)
        other = str(uuid.UUID(int=4))
        await place.say(*parts(LIST, job_id=other, mode="import"), place.cancel(other))
        await place.settle()
        for job in (JOB, other):
            (refused,) = await place.undone(job)
            assert refused.reason == "not_possible"


async def test_parts_that_never_come_expire(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(parts(LIST, job_id=JOB, size=1000)[0])
        await place.bench.make_due("expire")
        (failed,) = await expired(place)
        assert failed.reason == "expired"
        assert await kept(place) == (0, 0)


@pytest.mark.parametrize("status", ["received", "previewed"])
async def test_nothing_expires_before_what_was_said_in_time_is_read(
    postgres: Database, status: str
) -> None:
    """The importer was off when the time came, and finds the job before the confirmation."""
    first, last = parts(LIST, job_id=JOB, size=-(-len(LIST) // 2))
    async with venue(postgres) as place:
        await place.say(first)
        if status == "previewed":
            await place.say(last)
            await place.settle()
        place.unread = datetime.now(UTC)
        await place.bench.database.fetch(
            "INSERT INTO positions VALUES ('imports.uploads', 3, 7), ('registry.state', 4, 8)"
        )
        for _ in range(2):
            await place.bench.make_due("expire")
            assert await expired(place) == []
        assert place.read == {3: 7}
        assert states(place)[-1].status == status
        await place.say(*([last] if status == "received" else []), place.confirm(JOB))
        await place.bench.make_due("expire")
        assert completed_of(await place.settle()).created == 2
        assert await place.bench.database.fetch("SELECT FROM job WHERE state <> 'done'") != []


async def test_what_came_after_its_time_keeps_no_preview(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        place.unread = datetime.now(UTC) + timedelta(seconds=place.settings.import_expiry_s + 60)
        await place.bench.make_due("expire")
        (failed,) = await expired(place)
        assert failed.reason == "expired"


async def test_how_it_stands_is_told_though_who_read_the_message_was_killed_before(
    postgres: Database,
) -> None:
    """The record comes again, and finds that all was done; only nothing was told."""
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        async with place.bench.transaction() as tx:
            await place.uploads.handle([place.bench.incoming(place.cancel(JOB))], tx)
        assert states(place)[-1].status == "previewed"
        (_, failed) = await place.say(place.cancel(JOB))
        assert failed.reason == "cancelled"
        assert states(place)[-1].status == "cancelled"


async def expired(place: Venue) -> list[ImportFailed]:
    published = await place.bench.run_jobs(place.kinds)
    found = [decode(a.topic, a.value) for a in published if a.topic == "imports.events"]
    return [m for m in found if isinstance(m, ImportFailed)]


async def test_a_message_that_cannot_be_read_is_answered(postgres: Database) -> None:
    wrong = Malformed(
        type="import.uploaded", ids={"job_id": JOB, "environment": 2890}, fields={},
        field="sha256", message="is required", answered_by="import.failed", digest=b"",
    )  # fmt: skip
    async with venue(postgres) as place:
        (refused,) = await place.say(wrong)
        assert (refused.reason, refused.job_id) == ("invalid_message", JOB)
        (message,) = parts(LIST)
        (refused,) = await place.say(message.model_copy(update={"content": "abc"}))
        assert refused.reason == "invalid_message"
        assert "content must be base64" in refused.message


async def test_a_part_beyond_the_last_is_refused_and_its_job_goes_on(postgres: Database) -> None:
    first, second = parts(LIST, job_id=JOB, size=-(-len(LIST) // 2))
    beyond = json.loads(encode(second)) | {"part": 3}
    read = decode("imports.uploads", json.dumps(beyond).encode())
    assert isinstance(read, Malformed)
    assert (read.field, read.message) == ("part", "must not be more than parts")
    async with venue(postgres) as place:
        (refused,) = await place.say(first, read)
        assert (refused.reason, refused.job_id) == ("invalid_message", JOB)
        await place.say(second)
        await place.settle()
        assert [s.status for s in states(place)] == ["received", "previewed"]


async def test_the_state_of_a_job_is_told_at_each_turn(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.say(*parts(LIST, job_id=JOB))
        await place.settle()
        await place.say(place.confirm(JOB))
        await place.settle()
        told = states(place)
        assert [s.status for s in told] == ["received", "previewed", "running", "completed"]
        assert [s.version for s in told] == sorted({s.version for s in told})
        assert (told[-1].rows, told[-1].created) == (2, 2)
