"""What the registry refuses though a preview did not: told in the environment's language.

Method: somebody changes the registry after the importer last heard of it, and the report is read.
"""

import pytest

from services.importer.domain.messages import Tongue
from services.importer.domain.registry_sentences import refused, warned
from tests.services.importer.venue import completed_of, report_of, venue
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database

OF_STEPS = (
    "environment_unknown", "gdpr_not_accepted", "not_processed", "customer_unknown",
    "customer_erased", "customer_exists", "account_unknown", "account_exists", "holder_exists",
    "invalid",
)  # fmt: skip
"""All that the authorizer can refuse of what an import asks (services/authorizer/domain)."""


@pytest.mark.parametrize("reason", OF_STEPS)
def test_no_reason_comes_in_english_to_the_dutch(reason: str) -> None:
    english = "This was said in English."
    assert english not in refused(reason, "email", english, "nl")
    assert refused(reason, "email", english, "en") != refused(reason, "email", english, "nl")


def test_a_reason_that_is_new_comes_in_the_registrys_own_words() -> None:
    told = refused("full", None, "It is full.", "nl")
    assert told == "het systeem meldt: It is full."
    assert warned("status", "EUR 1.00 is not invoiced yet.", "nl").startswith("er staat nog")


@pytest.mark.parametrize(
    ("tongue", "says"),
    [("nl", "geweigerd: de rekening is intussen"), ("en", "refused: the account was opened mean")],
)
async def test_an_account_that_was_opened_meanwhile_is_told_beside_its_row(
    postgres: Database, tongue: Tongue, says: str
) -> None:
    async with venue(postgres) as place:
        await place.open(language=tongue)
        place.registry.accounts["1"] = {}  # and the importer was not told
        events = await place.imported(sheet_workbook(["Bedrijf", "Rekening"], ["A", 1], ["B", 2]))
        done = completed_of(events)
        assert (done.created, done.refused) == (1, 1)
        assert report_of(events)["C2"].value.startswith(says)
