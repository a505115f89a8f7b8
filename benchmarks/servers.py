"""The servers that a benchmark measures on: PostgreSQL with fsync, Kafka as in production."""

import contextlib
import platform
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import asyncpg
import psutil

from cli.stack.component import running
from cli.stack.database import make_database
from cli.stack.kafka import Kafka
from cli.stack.ports import free_port
from cli.stack.postgres import SERVICES, Postgres

# docs/deploying.md: a random id touches another page of an index each time, and each page's first
# change after a checkpoint is written out whole. So: rare checkpoints, and memory for the index.
LARGE = {
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "wal_compression": "on",
}

# docs/deploying.md: a server that has run for a while takes a segment of the log that it no longer
# needs for the next one. One that is new makes it, and all commits wait for sixteen megabytes of
# zeros: some fifteen milliseconds, every three seconds at 5,000 sales a second.
KEPT = {"min_wal_size": "1GB", "max_wal_size": "4GB"}
KEPT_SEGMENTS = 64

ROOT = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def folder(name: str) -> Iterator[Path]:
    """A folder below var/, on the disk that the project is on, and gone afterwards."""
    parent = ROOT / "var" / "benchmarks"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=parent) as path:
        yield Path(path)


@contextlib.asynccontextmanager
async def postgres(path: Path) -> AsyncIterator[Mapping[str, str]]:
    """A server with fsync that is as if it had run for a while, and one migrated database; gives
    each service's DSN, and `admin`'s."""
    server = Postgres(
        folder=path / "postgres",
        port=free_port(),
        password=secrets.token_hex(8),
        log=path / "postgres.log",
        settings=KEPT,
        death_signal=signal.SIGKILL,
    )
    passwords = {service: secrets.token_hex(8) for service in SERVICES}
    async with running(server):
        await _use_segments(server.dsn("postgres"))
        await make_database(server, passwords)
        dsns = {s: server.dsn(user=s, password=passwords[s]) for s in SERVICES}
        yield {**dsns, "admin": server.dsn()}


async def _use_segments(dsn: str) -> None:
    """Have `KEPT_SEGMENTS` segments of the write-ahead log behind it, and keep them for the next.

    Raises SystemExit where the server does not: latency would then be that of making them.
    """
    connection = await asyncpg.connect(dsn)
    try:
        for _ in range(KEPT_SEGMENTS):  # nothing is switched where nothing was written since
            await connection.execute("SELECT pg_logical_emit_message(true, 'benchmark', '')")
            await connection.execute("SELECT pg_switch_wal()")
        await connection.execute("CHECKPOINT")
        kept = await connection.fetchval(
            "SELECT count(*) FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_lsn())"
        )
    finally:
        await connection.close()
    if kept < KEPT_SEGMENTS // 2:
        raise SystemExit(f"PostgreSQL kept {kept} of {KEPT_SEGMENTS} used segments of its log")


@contextlib.asynccontextmanager
async def large_postgres(
    path: Path, names: Sequence[str]
) -> AsyncIterator[Mapping[str, Mapping[str, str]]]:
    """As `postgres`, set up for a large database, with several of them; gives name -> DSNs."""
    server = Postgres(
        folder=path / "postgres",
        port=free_port(),
        password=secrets.token_hex(8),
        log=path / "postgres.log",
        settings=LARGE,
        death_signal=signal.SIGKILL,
    )
    passwords = {service: secrets.token_hex(8) for service in SERVICES}
    async with running(server):
        for name in names:
            await make_database(server, passwords, name)
        yield {
            name: {
                **{s: server.dsn(name, user=s, password=passwords[s]) for s in SERVICES},
                "admin": server.dsn(name),
            }
            for name in names
        }


@contextlib.asynccontextmanager
async def kafka(path: Path) -> AsyncIterator[str]:
    """A broker with full compiler and 1 GB, as Kafka's own script starts it; gives its address."""
    port = free_port()
    broker = Kafka(
        folder=path / "kafka",
        port=port,
        controller_port=free_port(taken={port}),
        log=path / "kafka.log",
        throughput=True,
        heap_mb=1024,
        death_signal=signal.SIGKILL,
    )
    async with running(broker):
        yield broker.address


def machine() -> str:
    """What the figures were measured on, in one line."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()} of {sys.base_prefix}"
    )
