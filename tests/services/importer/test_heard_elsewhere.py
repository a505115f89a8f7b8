"""Of several importers another may hear the outcomes than the one that has the job."""

from services.importer.handlers.registry import hear_outcomes
from tests.services.importer.venue import completed_of, venue
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database


async def test_outcomes_that_another_worker_hears_are_found(postgres: Database) -> None:
    rows = [[f"Bedrijf {n}", 28900000 + n] for n in range(1, 31)]
    async with venue(postgres, import_window=10) as place:
        place.hear_outcomes = hear_outcomes  # nothing rings here
        done = completed_of(await place.imported(sheet_workbook(["Bedrijf", "Rekening"], *rows)))
        assert (done.created, done.refused) == (30, 0)
        assert len(place.registry.accounts) == 30
