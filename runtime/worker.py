"""A worker: one process of one service, put together from its lanes, jobs, states and timers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any

import structlog
import uvloop
from aiokafka import AIOKafkaProducer

from runtime import logs
from runtime.answers import Envelope
from runtime.database import Database
from runtime.deadletters import dead_letters, retries
from runtime.early import done
from runtime.edge.backoff import Backoff
from runtime.edge.guard import Guard
from runtime.edge.lane import EdgeLane
from runtime.edge.publisher import Publisher, new_producer
from runtime.edge.subscribe import new_broker, subscribe
from runtime.edge.watch import Watch
from runtime.faults import Stopping, StoreWentBack, describe
from runtime.health import HealthServer
from runtime.incoming import Lane
from runtime.jobs import JobKind, JobRunner
from runtime.metrics import READY, STOPPED
from runtime.pulse import Pulse
from runtime.settings import WorkerSettings
from runtime.settings_table import unknown
from runtime.start import Start
from runtime.state import StateKind, States
from runtime.status import Status
from runtime.timers import Timer, run_timer
from runtime.waiting import Waiting

log = structlog.get_logger()

# A lane of its own, that knows the routes of all: while Kafka waits with a fetch of a topic that is
# commonly empty, aiokafka asks it for nothing else.
RETRIES = "retries"
# Kafka answers at once when there is one; what it keeps is only the next look at an empty topic.
RETRIES_WAIT_MS = 1_000
RELEASE_S = 2.0
CLOSE_S = 1.5


class Worker:
    """Built without opening anything; `run` opens, serves until SIGTERM or SIGINT, and drains."""

    def __init__(
        self,
        *,
        service: str,
        settings: WorkerSettings,
        lanes: Sequence[Lane],
        states: Iterable[StateKind] = (),
        jobs: Iterable[JobKind] = (),
        timers: Iterable[Timer] = (),
        lane_type: type[EdgeLane] = EdgeLane,
        database_type: type[Database] = Database,
        producer: Callable[[dict[str, Any]], AIOKafkaProducer] = new_producer,
    ) -> None:
        self.service = service
        self.settings = settings
        self.status = Status()
        self.stopping = asyncio.Event()
        jobs = tuple(jobs)
        lanes = [*lanes, _for_retries(lanes)]
        name = settings.worker or service
        by_key = 2 * sum(lane.by_key for lane in lanes)
        self.database = database_type(
            settings.postgres.get_secret_value(),
            size=len(lanes) * 2 - by_key + sum(k.side_by_side * 2 for k in jobs) + 4,
            name=name,
        )
        self._by_key = database_type(
            settings.postgres.get_secret_value(),
            size=by_key or 1,  # not opened where no lane asks for it
            name=name,
            by_key=True,
        )
        # That it opens at most, of PostgreSQL's.
        self.connections = self.database.size + by_key
        self._make_producer = producer
        self._envelope = Envelope(service)
        self._guard = Guard(service, passed_over=_passed_over(lanes))
        self._watch = Watch(settings.client(), service)
        self._states = States(states, self.database)
        self._timers = tuple(timers)
        self._publishers: list[Publisher] = []
        self._wake_jobs = asyncio.Event()
        self.broker = new_broker(settings, service, self.status)
        self.lanes: list[EdgeLane] = []
        self.subscribers: list[Any] = []
        self.topics: set[str] = {dead_letters(service)}
        self._add_lanes(lanes, lane_type)
        self._aside = self._publisher("jobs and timers")
        self.jobs = JobRunner(
            kinds=jobs,
            database=self.database,
            publisher=self._aside,
            states=self._states,
            guard=self._guard,
            status=self.status,
            stopping=self.stopping,
            wake=self._wake_jobs,
            done_days=settings.job_days,
        )

    def _add_lanes(self, lanes: Sequence[Lane], lane_type: type[EdgeLane]) -> None:
        routes = [route for lane in lanes for route in lane.routes]
        for lane in lanes:
            edge = lane_type(
                group=self.service,
                lane=lane,
                most_records=lane.most_records(self.settings.batch_records),
                routes=routes,
                database=self._by_key if lane.by_key else self.database,
                publisher=self._publisher(lane.name),
                states=self._states,
                guard=self._guard,
                watch=self._watch,
                status=self.status,
                stopping=self.stopping,
                wake_jobs=self._wake_jobs,
            )
            topics = [route.topic for route in lane.routes] or [retries(self.service)]
            self.topics.update(topics)
            self.lanes.append(edge)
            subscriber = subscribe(self.broker, edge, topics, self.settings)
            edge.leave = subscriber.stop
            self.subscribers.append(subscriber)
            self.status.lanes[lane.name] = False

    def _publisher(self, name: str) -> Publisher:
        """A publisher of its own: one that waits holds up no other."""

        def backoff() -> Backoff:
            return Backoff(f"{name}: Kafka", self.stopping, self.status.waits)

        made = Publisher(self.settings.client(), self._envelope, backoff, self._make_producer)
        self._publishers.append(made)
        return made

    def _new_start(self) -> Start:
        return Start(
            service=self.service,
            status=self.status,
            stopping=self.stopping,
            database=self.database,
            guard=self._guard,
            watch=self._watch,
            broker=self.broker,
            subscribers=self.subscribers,
            topics=self.topics,
            name=self.settings.worker,
        )

    def _new_pulse(self) -> Pulse:
        return Pulse(
            status=self.status,
            stopping=self.stopping,
            database=self.database,
            guard=self._guard,
            # A connection of its own: to be told how Kafka is, it must not queue behind a barrier.
            watch=Watch(self.settings.client(), self.service),
            waiting=Waiting(self.database, self.jobs.kinds),
            lanes=list(zip(self.lanes, self.subscribers, strict=True)),
            topics=self.topics,
        )

    def run(self) -> None:
        """Serve until told to stop; exits 0 then, 1 when the process itself is at fault."""
        # From the first moment on: before the loop runs, to be told to stop is to be done.
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, done)
        logs.configure(self.service, self.settings.worker or self.service, self.settings.log_level)
        try:
            health = HealthServer(self.status, self.settings.health_host, self.settings.health_port)
        except OSError as error:
            sys.exit(
                f"{self.service}: port {self.settings.health_port} for health and metrics can't "
                f"be opened ({error.strerror}) at {self.settings.health_host or 'any address'}; "
                "set ONACCOUNT_HEALTH_HOST to an address of this machine and "
                "ONACCOUNT_HEALTH_PORT to a free port"
            )
        READY.set_function(lambda: 0 if self.status.unready() else 1)
        for cause in ("store", "code"):
            STOPPED.labels(cause).set_function(partial(self.status.stopped_by, cause))
        health.start()
        log.info("health", port=health.port)
        if names := unknown(os.environ):
            log.warning("settings that nobody reads", names=names, see="docs/settings.md")
        try:
            spare_the_collector()
            code = uvloop.run(self._main())
        finally:
            health.stop()
        sys.exit(code)

    async def _main(self) -> int:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stopping.set)
        return await self.serve()

    async def serve(self) -> int:
        """Open, serve until `stopping` is set, drain, close. Returns the exit code."""
        asyncio.get_running_loop().set_exception_handler(_unhandled)
        looking = self._new_pulse()
        pulse = [asyncio.create_task(looking.turn()), asyncio.create_task(looking.look())]
        aside: list[asyncio.Task[Any]] = []
        try:
            await self._new_start().all()
            aside = [asyncio.create_task(self.jobs.run())]
            aside += [
                asyncio.create_task(
                    run_timer(
                        timer,
                        database=self.database,
                        guard=self._guard,
                        publisher=self._aside,
                        status=self.status,
                        stopping=self.stopping,
                    )
                )
                for timer in self._timers
            ]
            self.status.started = True
            log.info("serving", topics=sorted(self.topics))
            await self.stopping.wait()
        except Stopping:
            pass
        except StoreWentBack as error:
            self.status.went_back = str(error)
            log.error("stopped", why=str(error))
            await self.stopping.wait()
        finally:
            await self._drain(aside, pulse)
        return 1 if self.status.fatal else 0

    # -- stopping ------------------------------------------------------------------------------

    async def _drain(self, aside: list[asyncio.Task[Any]], pulse: list[asyncio.Task[None]]) -> None:
        """Let the batch in hand through, release jobs, leave the group, close."""
        self.stopping.set()
        self.status.stopping = True
        log.info("stopping")
        await asyncio.gather(
            _within(self.settings.drain_s, *(edge.idle() for edge in self.lanes)),
            # They stop by themselves, and give their leases back.
            _within(RELEASE_S, *aside),
        )
        for task in (*aside, *pulse):
            task.cancel()
        await asyncio.gather(*aside, *pulse, return_exceptions=True)
        closing = [_left(edge, s) for edge, s in zip(self.lanes, self.subscribers, strict=True)]
        closing += [p.close() for p in self._publishers]
        closing += [self._watch.close()]
        await _within(CLOSE_S, *closing)
        await asyncio.gather(self.database.close(), self._by_key.close())
        log.info("stopped")


async def _left(edge: EdgeLane, subscriber: Any) -> None:
    """The lane has left its group: also with a batch in hand that was waited for long enough.

    FastStream waits for it once more, and we no longer: its consumer would stay in the group,
    dead, until Kafka misses it, and its partitions with it.
    """
    if edge.has_a_batch and subscriber.consumer is not None:
        await subscriber.consumer.stop()
    await subscriber.stop()


async def _within(patience_s: float, *work: Awaitable[Any]) -> None:
    """Wait for these, but not longer; what they raise is of no interest."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*work, return_exceptions=True), patience_s)


def _unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What no task waits for. asyncio's own words may quote data: say only what is safe."""
    error = context.get("exception")
    said = str(context.get("message", "")).splitlines()[:1]
    log.warning("unhandled", what=said, cause=None if error is None else describe(error))


def _for_retries(lanes: Sequence[Lane]) -> Lane:
    """A record of any lane may be given again: no more at once than the most careful one takes."""
    return Lane(
        name=RETRIES,
        routes=(),
        max_records=min(lane.max_records for lane in lanes),
        fetch_wait_ms=RETRIES_WAIT_MS,
        max_bytes=min((lane.max_bytes for lane in lanes if lane.max_bytes), default=None),
    )


def _passed_over(lanes: Iterable[Lane]) -> set[str]:
    """Topics that are read for their positions alone."""
    return {route.topic for lane in lanes for route in lane.routes if not route.takes}


def spare_the_collector() -> None:
    """A batch makes thousands of objects that are no garbage yet: look for cycles less often.

    What was loaded at start is never garbage. Measured: docs/performance.md.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
