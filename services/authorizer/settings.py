"""The authorizer's settings, from the environment."""

from __future__ import annotations

from typing import ClassVar

from runtime.settings import WorkerSettings


class Settings(WorkerSettings):
    """What one authorizer worker needs to know: only what every worker needs."""

    service: ClassVar[str] = "authorizer"
