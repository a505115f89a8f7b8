"""One worker of a service, as the stack starts it."""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.stack.process import Program
from cli.trouble import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """The process `python -m services.SERVICE`; `environment` says where its servers are."""

    name: str
    service: str
    health_port: int
    environment: Mapping[str, str]
    log: Path
    death_signal: signal.Signals | None = None

    @property
    def health(self) -> str:
        """Where it tells how it is; /ready and /live below it."""
        return f"http://127.0.0.1:{self.health_port}"

    async def prepare(self) -> None:
        """Nothing is to be prepared."""

    def program(self) -> Program:
        """The worker, under its name."""
        return Program(
            name=self.name,
            command=[sys.executable, "-m", f"services.{self.service}"],
            log=self.log,
            environment={
                **self.environment,
                "ONACCOUNT_HEALTH_PORT": str(self.health_port),
                "ONACCOUNT_WORKER": self.name,
            },
            death_signal=self.death_signal,
        )

    async def probe(self, *, again: bool = False) -> None:
        """It says that it is ready; or, `again`, it says anything.

        Raises Trouble where it stopped for good: no patience would help.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.health_port)
        try:
            writer.write(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        status = head.split(maxsplit=2)
        if len(status) < 2 or not (again or status[1] == b"200"):
            if status[1:2] == [b"503"] and (why := for_good(json.loads(body)["why"])):
                raise Trouble(f"{self.name} stopped: {why}.")
            raise ConnectionError(f"{self.name} is not ready")


def for_good(why: Sequence[str]) -> str | None:
    """The reason, of those that /ready gives, for which a worker waits until a person acts."""
    return next((one for one in why if "docs/runbook.md" in one), None)
