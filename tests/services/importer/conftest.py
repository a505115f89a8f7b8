"""Fixtures of the importer's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.services.importer.venue import Venue, venue
from tests.support.databases import Database


@pytest.fixture
async def module_venue(module_postgres: Database) -> AsyncIterator[Venue]:
    """An importer on the database that the tests of a module share."""
    async with venue(module_postgres) as place:
        yield place
