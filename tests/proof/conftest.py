"""The database of a test here: as the services' tests have it."""

from tests.services.emptied import emptied, postgres

__all__ = ["emptied", "postgres"]
