"""Settings of the authorizer."""

from typing import ClassVar

from runtime.settings import WorkerSettings


class Settings(WorkerSettings):
    """What every worker has, read for the authorizer."""

    service: ClassVar[str] = "authorizer"
