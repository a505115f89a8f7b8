"""The ledger's settings: what every worker needs, and nothing more."""

from typing import ClassVar

from runtime.settings import WorkerSettings


class Settings(WorkerSettings):
    """Read from ONACCOUNT_*; the database from ONACCOUNT_POSTGRES_LEDGER."""

    service: ClassVar[str] = "ledger"
