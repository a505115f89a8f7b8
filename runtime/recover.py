"""After a power cut: a service reads and tells again from a moment on, `python -m services.SERVICE
recover SINCE` (docs/runbook.md, docs/decisions/0150).

A broker that lost its power has lost the end of each log, in each another bit, while PostgreSQL has
all that was decided. So what a group had read may be gone, what nobody had read may be gone, and
others' records may stand where some were decided. The group's positions and offsets go back to
the first record of that moment or later, and the service tells again what it decided since: what is
known counts once, and is answered as it was.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, KafkaError, UnknownMemberIdError
from aiokafka.structs import TopicPartition
from pydantic import ValidationError

from runtime.edge.guard import Logs
from runtime.edge.watch import Watch
from runtime.settings import WorkerSettings, wrong_in
from runtime.sql import statements
from runtime.transaction import sql as edge

sql: Final = statements("runtime", "sql/recover.sql")

TIMEOUT_S: Final = 60.0
"""For all of it, without waiting for killed workers."""
MISSED_S: Final = 3.0

Offsets = Mapping[TopicPartition, int]


class Refused(Exception):
    """Nothing was changed, for a reason that a person can mend."""


async def recover(
    settings: WorkerSettings, since: datetime, tell_again: str | None = None
) -> dict[str, Any]:
    """Go back to `since`; gives {"service", "partitions": how many went back, "records": how many
    of them are read again}.

    `tell_again` is a statement that has the service tell what it decided since ($1). No worker of
    the service may run. Done again it only costs its time.
    Raises Refused, KafkaError, OSError, TimeoutError and what asyncpg raises.
    """
    connection = await asyncpg.connect(settings.postgres.get_secret_value(), timeout=10)
    try:
        async with asyncio.timeout(TIMEOUT_S + settings.session_timeout_ms / 1000):
            rows = await connection.fetch(edge.positions)
            positions = {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}
            back, logs = await _set_back(settings, positions, since)
            held = {tp: end for tp, end in logs.ends.items() if end > logs.begins[tp]}
            # Positions follow: ahead of the group's offsets they may be, behind them never.
            async with connection.transaction():
                await connection.execute(sql.put_back, *_columns(back))
                await connection.execute(sql.barriers, *_columns(held))
                if tell_again is not None:
                    await connection.execute(tell_again, since)
    finally:
        await connection.close()
    records = sum(logs.ends[tp] - at for tp, at in back.items())
    return {"service": settings.service, "partitions": len(back), "records": records}


def _columns(offsets: Offsets) -> tuple[list[str], list[int], list[int]]:
    topics, partitions = [tp.topic for tp in offsets], [tp.partition for tp in offsets]
    return topics, partitions, list(offsets.values())


async def _set_back(
    settings: WorkerSettings, positions: Offsets, since: datetime
) -> tuple[Offsets, Logs]:
    """Set the group's offsets back; gives where positions are to go back to, and the logs."""
    watch = Watch(settings.client(), settings.service)
    consumer = AIOKafkaConsumer(
        **settings.client(), group_id=settings.service, enable_auto_commit=False
    )
    try:
        committed = await watch.committed()
        # One whose topic was deleted is left: `onaccount topics apply` comes before.
        logs = await watch.logs(
            {tp.topic for tp in (*positions, *committed)} & await watch.topics()
        )
        there = [tp for tp in logs.ends if tp in positions or tp in committed]
        async with consumer:
            moment = dict.fromkeys(there, int(since.timestamp() * 1000))
            found = await consumer.offsets_for_times(moment) if there else {}
            first = {tp: logs.ends[tp] if at is None else at.offset for tp, at in found.items()}
            offsets = {tp: min(at, first[tp]) for tp, at in committed.items() if tp in first}
            consumer.assign(there)
            if offsets:
                await _commit(consumer, offsets, settings)
    finally:
        await watch.close()
    return {tp: min(at, first[tp]) for tp, at in positions.items() if tp in first}, logs


async def _commit(consumer: Any, offsets: Offsets, settings: WorkerSettings) -> None:
    """Once nobody is in the group: Kafka misses a killed worker after its session's time-out."""
    until = asyncio.get_running_loop().time() + settings.session_timeout_ms / 1000 + MISSED_S
    while True:
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, UnknownMemberIdError):
            if asyncio.get_running_loop().time() > until:
                raise Refused(
                    f"Workers of the {settings.service} run; stop all workers of all services first"
                ) from None
        else:
            return
        await asyncio.sleep(0.5)


def command(
    arguments: list[str], settings: type[WorkerSettings], tell_again: str | None = None
) -> int:
    """Recover, and print what was done; exit status 0, 1 where it was refused, 2 where PostgreSQL
    or Kafka did not let it."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{settings.service} recover")
    parser.add_argument(
        "since",
        metavar="SINCE",
        type=_moment,
        help="well before the power went: 2026-11-28T21:30+01:00",
    )
    chosen = parser.parse_args(arguments)
    try:
        done = asyncio.run(recover(settings(), chosen.since, tell_again))
    except ValidationError as error:
        return _told(wrong_in(error, settings), 2)
    except Refused as refusal:
        return _told(str(refusal), 1)
    except (KafkaError, OSError, TimeoutError) as fault:
        return _told(f"Kafka or PostgreSQL did not do it ({type(fault).__name__})", 2)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        return _told(f"PostgreSQL did not do it ({type(fault).__name__})", 2)
    sys.stdout.write(json.dumps(done) + "\n")
    return 0


def _moment(text: str) -> datetime:
    """With its offset: a container's clock is another than the wall's."""
    with contextlib.suppress(ValueError):
        if (moment := datetime.fromisoformat(text)).tzinfo is not None:
            return moment
    raise argparse.ArgumentTypeError("write it with its offset: 2026-11-28T21:30+01:00")


def _told(why: str, status: int) -> int:
    sys.stderr.write(why + "\n")
    return status
