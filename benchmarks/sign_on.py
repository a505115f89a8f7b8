"""What 200 tills that sign on at once, or a change of every account's limit, do to a sale's answer.

    python -m benchmarks.sign_on [--tills 200] [--accounts 5000] [--per-s 500] [--seconds 12]

One authorizer, one broker, PostgreSQL with fsync, all on this machine; an environment whose
accounts all stand behind the button, so that each till is told of all of them. Sales come in an
open loop, at a steady rate whatever the worker does; a sale's latency is from the moment it was
due to be sent to its decision's time on the log. Rounds go in turns: `quiet` has sales alone; in
`sign_on` all tills sign on at once, a third of the way through; in `bulk` one account.change of
all accounts comes then. Ratios are to the quiet round of the same turn; the median of the turns.
"""

import argparse
import asyncio
import json
import logging
import statistics
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import load, servers, telling
from benchmarks.load import Decisions
from benchmarks.subjects import Subject
from runtime import topics
from schemas.topics import TOPIC

PATIENCE_S = 120
Disturbance = Callable[[str], Awaitable[None]]


def about() -> dict[str, object]:
    return {"environment": load.ENVIRONMENT, "at": datetime.now(UTC).isoformat()}


async def put(kafka: str, topic: str, messages: Sequence[dict[str, object]]) -> None:
    """Put messages on a topic, all at once."""
    async with load.producer(kafka) as out:
        for message in messages:
            await out.send(topic, json.dumps(message).encode(), key=uuid.uuid4().bytes)
        await out.flush()


def signing_on(tills: int) -> Disturbance:
    """All tills sign on."""

    async def disturb(kafka: str) -> None:
        await put(
            kafka,
            "pos.terminals",
            [
                {**about(), "type": "terminal.signed_on", "session_id": str(uuid.uuid4()),
                 "terminal": f"till-{number}"}
                for number in range(tills)
            ],
        )  # fmt: skip

    return disturb


def changing(accounts: Sequence[str], **fields: object) -> Disturbance:
    """One command changes every account."""

    async def disturb(kafka: str) -> None:
        command = {
            **about(), "type": "account.change", "command_id": str(uuid.uuid4()),
            "by": "benchmark", "accounts": accounts, **fields,
        }  # fmt: skip
        await put(kafka, "registry.commands", [command])

    return disturb


async def nothing(_: str) -> None:
    """The quiet round."""


class Answered:
    """How many records a topic gets, and how long until the last of them, in seconds."""

    def __init__(self, kafka: str, topic: str) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
        self._topic = topic
        self._before = 0

    async def __aenter__(self) -> "Answered":
        await self._consumer.start()
        self._before = await self._end()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def _end(self) -> int:
        places = [TopicPartition(self._topic, n) for n in range(TOPIC[self._topic].partitions)]
        ends = await self._consumer.end_offsets(places)
        return sum(ends.values())

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self._end() - self._before < count:
                await asyncio.sleep(0.05)


async def round_(
    kafka: str, accounts: Sequence[str], options: argparse.Namespace, disturb: Disturbance
) -> dict[str, float]:
    """One round: latencies in milliseconds at a steady rate, disturbed a third of the way."""
    sent = load.sales(int(options.per_s * options.seconds), accounts, seed=uuid.uuid4().int)

    async def after_a_while() -> None:
        await asyncio.sleep(options.seconds / 3)
        await disturb(kafka)

    async with Decisions(kafka) as decisions:
        disturbing = asyncio.create_task(after_a_while())
        due = await load.open_loop(kafka, sent, per_s=options.per_s)
        await disturbing
        await decisions.wait_for(len(sent), within_s=PATIENCE_S)
        found = await decisions.read()
    wrong = [s.sale_id for s in sent if not found[s.sale_id].approved]
    if wrong:
        raise SystemExit(f"{len(wrong)} of {len(sent)} sales were not approved")
    took = sorted((found[sale_id].at - moment) * 1000 for sale_id, moment in due.items())
    cuts = statistics.quantiles(took, n=1000, method="inclusive")
    return {"p50_ms": cuts[499], "p99_ms": cuts[989], "max_ms": took[-1]}


async def measure(options: argparse.Namespace) -> dict[str, object]:
    """All rounds in turns, on servers of their own."""
    accounts = load.accounts(options.accounts)
    ways: dict[str, tuple[Disturbance, str, int]] = {
        "quiet": (nothing, "", 0),
        "sign_on": (signing_on(options.tills), "pos.directories", 0),
        "bulk": (changing(accounts, limit=None, in_overview=True), "registry.outcomes", 1),
    }
    pages = options.tills * -(-options.accounts // 500)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    loop = asyncio.get_running_loop()
    with servers.folder("sign-on") as path:
        async with servers.kafka(path) as kafka, servers.postgres(path) as dsns:
            await topics.apply({"bootstrap_servers": kafka})
            subject = Subject(name="onaccount", kafka=kafka, dsns=dsns, folder=path)
            await subject.get_ready(accounts)
            async with subject.working():
                async with Answered(kafka, "registry.outcomes") as outcomes:
                    await changing(accounts, in_overview=True)(kafka)
                    await outcomes.wait_for(1)
                await round_(kafka, accounts, options, nothing)  # warms up
                for _ in range(options.turns):
                    for name, (disturb, topic, count) in ways.items():
                        if not topic:
                            found[name].append(await round_(kafka, accounts, options, disturb))
                            continue
                        async with Answered(kafka, topic) as answered:
                            begun = loop.time() + options.seconds / 3
                            figures = await round_(kafka, accounts, options, disturb)
                            await answered.wait_for(count or pages)
                        found[name].append({**figures, "within_s": loop.time() - begun})
    return summary(found, options)


def summary(
    found: dict[str, list[dict[str, float]]], options: argparse.Namespace
) -> dict[str, object]:
    """Medians, and the ratios to the quiet round of the same turn."""
    said: dict[str, object] = {
        "benchmark": "sign_on",
        "machine": servers.machine(),
        "load": f"{options.per_s:g} sales/s, {options.tills} tills, {options.accounts} accounts",
    }
    for name, rounds in found.items():
        for figure in ("p50_ms", "p99_ms", "max_ms"):
            said[f"{name}_{figure}"] = round(statistics.median(r[figure] for r in rounds), 1)
    for name in ("sign_on", "bulk"):
        pairs = zip(found[name], found["quiet"], strict=True)
        ratios = [one["p99_ms"] / quiet["p99_ms"] for one, quiet in pairs]
        said[f"{name}_p99_to_quiet"] = round(statistics.median(ratios), 2)
    return said


def main() -> None:
    parser = telling.asked(__doc__)
    parser.add_argument("--tills", type=int, default=200)
    parser.add_argument("--accounts", type=int, default=5_000)
    parser.add_argument("--per-s", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    found = uvloop.run(measure(options))
    telling.tell(found, as_json=options.json)


if __name__ == "__main__":
    main()
