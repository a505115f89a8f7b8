"""The database of the services' tests."""

from tests.services.emptied import emptied, postgres
from tests.support.fixtures import postgres as fresh_postgres

__all__ = ["emptied", "fresh_postgres", "postgres"]
