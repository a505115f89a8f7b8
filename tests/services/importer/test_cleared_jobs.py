"""Jobs that are gone from the table: an import is known all the same."""

import uuid

from tests.services.importer.venue import completed_of, parts, preview_of, venue
from tests.support.article_workbook import article_workbook
from tests.support.databases import Database

JOB = str(uuid.UUID(int=11))


async def test_an_import_whose_jobs_are_gone_is_not_carried_out_again(postgres: Database) -> None:
    async with venue(postgres) as place:
        messages = parts(article_workbook(), job_id=JOB, size=3_000)
        await place.say(*messages)
        assert preview_of(await place.settle()).creates == 10
        await place.say(place.confirm(JOB))
        assert completed_of(await place.settle()).created == 10
        await place.undone(JOB)
        again = [*messages, place.confirm(JOB), place.cancel(JOB)]
        before = [await place.say(message) for message in again]
        asked = len(place.registry.asked)
        assert await place.bench.clear_jobs(place.kinds) >= 4
        kept = await place.bench.database.fetch("SELECT kind FROM job WHERE state <> 'open'")
        assert kept == []
        assert [await place.say(message) for message in again] == before
        await place.undone(JOB)
        assert len(place.registry.asked) == asked
