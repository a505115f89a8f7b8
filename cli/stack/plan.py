"""What one stack consists of: which servers are started here, and which workers, with what."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.amounts import Misuse
from cli.stack.component import Component
from cli.stack.folder import Folder
from cli.stack.kafka import Kafka
from cli.stack.mail import Mail
from cli.stack.postgres import ADMIN, SERVICES, Postgres
from cli.stack.worker import Worker

MOST_WORKERS = 16  # of each, on one machine
HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What can be asked of `stack up`.

    `workers` is {service: how many}, one each unless given. `ports` is {server: port} for kafka,
    postgres and mail. `throughput` prefers speed to a quick start; without `fsync` a crash of the
    machine (not of a process) may lose data.
    """

    workers: Mapping[str, int] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    throughput: bool = False
    fsync: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The parts of one stack; a server is None when it runs elsewhere.

    `topics`: whether the topics are to be made.
    """

    kafka: Kafka | None
    postgres: Postgres | None
    mail: Mail | None
    kafka_address: str
    smtp_address: str
    dsns: Mapping[str, str]
    workers: list[Worker]
    topics: bool = True

    @property
    def servers(self) -> list[Component]:
        """What is started first, all at once."""
        return [part for part in (self.kafka, self.postgres, self.mail) if part is not None]


def parse_counts(
    text: str, known: tuple[str, ...] = SERVICES, *, most: int = MOST_WORKERS
) -> dict[str, int]:
    """`authorizer=2,ledger=1` as numbers; raises Misuse for what can't be meant."""
    counts: dict[str, int] = {}
    for part in filter(None, text.replace(" ", "").split(",")):
        name, _, number = part.partition("=")
        if name not in known or not number.isdecimal() or len(number) > 5:
            raise Misuse(
                f"{part!r} is not understood; write NAME=NUMBER, with commas between, where NAME "
                f"is one of {', '.join(known)}."
            )
        counts[name] = int(number)
        if counts[name] > most:
            raise Misuse(f"{part!r} is too much; here {name} is at most {most}.")
    return counts


def plan(folder: Folder, wishes: Wishes, environment: Mapping[str, str] | None = None) -> Plan:
    """Choose ports and passwords (kept in the folder) and lay out all parts."""
    given = os.environ if environment is None else environment
    kafka = postgres = mail = None
    kafka_address, smtp_address = given.get("ONACCOUNT_KAFKA"), given.get("ONACCOUNT_SMTP")
    dsns = {
        service: dsn
        for service in SERVICES
        if (dsn := given.get(f"ONACCOUNT_POSTGRES_{service.upper()}"))
    }
    if not kafka_address:
        kafka = _kafka(folder, wishes)
        kafka_address = kafka.address
    if len(dsns) < len(SERVICES):
        postgres = _postgres(folder, wishes)
        for service in SERVICES:
            own = postgres.dsn(user=service, password=folder.password(service))
            dsns.setdefault(service, own)
    if not smtp_address:
        mail = Mail(
            folder=folder.mails.resolve(),
            port=folder.port("mail", wishes.ports.get("mail")),
            log=folder.log("mail"),
            death_signal=signal.SIGTERM,
        )
        smtp_address = mail.address
    shared = {
        "ONACCOUNT_KAFKA": kafka_address,
        "ONACCOUNT_SMTP": smtp_address,
        # On one machine a silent worker is a dead one: its partitions are another's sooner.
        "ONACCOUNT_SESSION_TIMEOUT_MS": given.get("ONACCOUNT_SESSION_TIMEOUT_MS") or "6000",
    }
    workers = [
        _worker(folder, service, number, shared, dsns[service])
        for service in SERVICES
        for number in range(1, wishes.workers.get(service, 1) + 1)
    ]
    return Plan(
        kafka=kafka,
        postgres=postgres,
        mail=mail,
        kafka_address=kafka_address,
        smtp_address=smtp_address,
        dsns=dsns,
        workers=workers,
    )


def _kafka(folder: Folder, wishes: Wishes) -> Kafka:
    return Kafka(
        folder=folder.path / "kafka",
        port=folder.port("kafka", wishes.ports.get("kafka")),
        controller_port=folder.port("kafka-controller"),
        log=folder.log("kafka"),
        throughput=wishes.throughput,
        heap_mb=1024 if wishes.throughput else 512,
        death_signal=signal.SIGTERM,
    )


def _postgres(folder: Folder, wishes: Wishes) -> Postgres:
    return Postgres(
        folder=folder.path / "postgres",
        port=folder.port("postgres", wishes.ports.get("postgres")),
        password=folder.password(ADMIN),
        log=folder.log("postgres"),
        fsync=wishes.fsync,
        death_signal=signal.SIGINT,
    )


def _worker(
    folder: Folder, service: str, number: int, shared: Mapping[str, str], dsn: str
) -> Worker:
    name = f"{service}-{number}"
    return Worker(
        name=name,
        service=service,
        health_port=folder.port(name),
        environment={**shared, f"ONACCOUNT_POSTGRES_{service.upper()}": dsn},
        log=folder.log(name),
        death_signal=signal.SIGTERM,
    )


def log_place(path: Path) -> Path:
    """A path as one would type it from here."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
