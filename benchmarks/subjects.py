"""The workers that are measured: onaccount's authorizer, the tutorial's, and the echo."""

import asyncio
import contextlib
import json
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks import load, tutorial_worker
from cli.stack.component import Component, running
from cli.stack.ports import free_port
from cli.stack.process import Program
from cli.stack.worker import Worker
from schemas.base import Message
from schemas.registry import (
    AccountOpen,
    EnvironmentAcceptGdpr,
    EnvironmentActivate,
    EnvironmentConfigure,
)
from schemas.wire import encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A worker of this folder, as a process."""

    name: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    async def prepare(self) -> None:
        """Nothing is to be prepared."""

    def program(self) -> Program:
        return Program(
            name=self.name,
            command=[sys.executable, "-m", f"benchmarks.{self.name}_worker"],
            log=self.log,
            environment=self.environment,
            death_signal=signal.SIGKILL,
        )

    async def probe(self, *, again: bool = False) -> None:
        """It says nothing about itself: a warm-up of sales shows whether it works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A worker to measure, or several: how they are started, and get to know their accounts."""

    name: str
    kafka: str
    dsns: Mapping[str, str]
    folder: Path
    workers: int = 1

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[list[int]]:
        """The workers, ended at the end; gives their pids."""
        async with contextlib.AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(running(self._component(number)))
                for number in range(1, self.workers + 1)
            ]

    def _component(self, number: int) -> Component:
        log = self.folder / f"{self.name}-{number}.log"
        environment = {"ONACCOUNT_KAFKA": self.kafka}
        if self.name == "onaccount":
            return Worker(
                name=f"authorizer-{number}",
                service="authorizer",
                health_port=free_port(),
                environment={
                    **environment,
                    "ONACCOUNT_POSTGRES_AUTHORIZER": self.dsns["authorizer"],
                    "ONACCOUNT_LOG_LEVEL": "WARNING",
                },
                log=log,
                death_signal=signal.SIGKILL,
            )
        environment["TUTORIAL_POSTGRES"] = self.dsns["admin"]
        return Script(name=self.name, log=log, environment=environment)

    async def get_ready(self, accounts: Sequence[str]) -> None:
        """Make the accounts known, without a limit, before any sale is there."""
        if self.name == "tutorial":
            await _open_in_tables(self.dsns["admin"], accounts)
        elif self.name == "onaccount":
            async with self.working():
                await open_accounts(self.kafka, accounts)


async def _open_in_tables(dsn: str, accounts: Sequence[str]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(tutorial_worker.TABLES)
        await connection.execute(
            "INSERT INTO tutorial.account SELECT $1, unnest($2::text[]), NULL",
            load.ENVIRONMENT,
            list(accounts),
        )
    finally:
        await connection.close()


async def open_accounts(kafka: str, accounts: Sequence[str]) -> None:
    """As an administrator would: over registry.commands, waiting for every outcome."""

    def about() -> dict[str, object]:
        return {
            "command_id": str(uuid.uuid4()),
            "environment": load.ENVIRONMENT,
            "at": datetime.now(UTC),
            "by": "benchmark",
        }

    first: list[Message] = [
        EnvironmentConfigure.model_validate({**about(), "name": "Benchmark"}),
        EnvironmentAcceptGdpr.model_validate(
            {**about(), "accepted_by": "benchmark", "document": "terms"}
        ),
        EnvironmentActivate.model_validate(about()),
    ]
    opened: list[Message] = [
        AccountOpen.model_validate({**about(), "account": a, "limit": None, "on_account": True})
        for a in accounts
    ]
    consumer = AIOKafkaConsumer(
        "registry.outcomes", bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    async with consumer, AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        for wave in (*([one] for one in first), opened):
            for message in wave:
                key = str(load.ENVIRONMENT).encode()
                await producer.send("registry.commands", encode(message), key=key)
            await producer.flush()
            await _outcomes(consumer, len(wave))


async def _outcomes(consumer: AIOKafkaConsumer, count: int) -> None:
    async with asyncio.timeout(120):
        while count > 0:
            record = await consumer.getone()
            outcome = json.loads(record.value)
            if outcome["type"] != "command.applied":
                raise RuntimeError(f"a command was refused: {outcome['message']}")
            count -= 1
