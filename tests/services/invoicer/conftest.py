"""Fixtures of the invoicer's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.services.invoicer.world import World, open_world
from tests.support.databases import Database
from tests.support.mails import MailServer


@pytest.fixture
async def world(postgres: Database, smtp: MailServer) -> AsyncIterator[World]:
    """The invoicer on a database of its own, with a mail server of its own."""
    async with open_world(postgres.dsn("invoicer"), smtp.address) as made:
        yield made
