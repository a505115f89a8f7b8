"""A worker: one process of one service, put together from its lanes, jobs, states and timers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
import uvloop
from aiokafka import AIOKafkaProducer

from runtime import logs
from runtime.answers import Envelope
from runtime.database import Database
from runtime.deadletters import dead_letters, retries
from runtime.edge.backoff import Backoff, pause
from runtime.edge.guard import Guard
from runtime.edge.lane import EdgeLane
from runtime.edge.publisher import Publisher, new_producer
from runtime.edge.subscribe import new_broker, subscribe
from runtime.edge.watch import Watch
from runtime.faults import Stopping, StoreWentBack, describe
from runtime.health import HealthServer
from runtime.incoming import Lane
from runtime.jobs import JobKind, JobRunner
from runtime.metrics import LAG, READY
from runtime.settings import WorkerSettings
from runtime.state import StateKind, States
from runtime.status import Status
from runtime.timers import Timer, run_timer

log = structlog.get_logger()

PULSE_S = 1.0
LAG_EVERY = 5  # pulses


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
        client = settings.client()
        envelope = Envelope(service)
        self.database = database_type(
            settings.postgres.get_secret_value(),
            size=len(lanes) * 2 + sum(k.side_by_side + 1 for k in jobs) + 3,
            name=settings.worker or service,
        )
        self._guard = Guard(service)
        self._watch = Watch(client, service)
        self._states = States(states, self.database)
        self._timers = tuple(timers)
        self._publishers: list[Publisher] = []
        wake = asyncio.Event()

        def publisher(name: str) -> Publisher:
            made = Publisher(client, envelope, Backoff(f"{name}: Kafka", self.stopping), producer)
            self._publishers.append(made)
            return made

        routes = [route for lane in lanes for route in lane.routes]
        self.broker = new_broker(settings, service)
        self.lanes: list[EdgeLane] = []
        self.subscribers: list[Any] = []
        self.topics: set[str] = {dead_letters(service)}
        for index, lane in enumerate(lanes):
            edge = lane_type(
                group=service,
                lane=lane,
                routes=routes,
                database=self.database,
                publisher=publisher(lane.name),
                states=self._states,
                guard=self._guard,
                watch=self._watch,
                status=self.status,
                stopping=self.stopping,
                wake_jobs=wake,
            )
            topics = [route.topic for route in lane.routes]
            if index == 0:
                topics.append(retries(service))
            self.topics.update(topics)
            self.lanes.append(edge)
            subscriber = subscribe(self.broker, edge, topics, settings)
            edge.leave = subscriber.stop
            self.subscribers.append(subscriber)
        self._aside = publisher("jobs and timers")
        self.jobs = JobRunner(
            kinds=tuple(jobs),
            database=self.database,
            publisher=self._aside,
            states=self._states,
            guard=self._guard,
            status=self.status,
            stopping=self.stopping,
            wake=wake,
        )

    def run(self) -> None:
        """Serve until told to stop; exits 0 then, 1 when the process itself is at fault."""
        logs.configure(self.service, self.settings.worker or self.service, self.settings.log_level)
        try:
            health = HealthServer(self.status, self.settings.health_host, self.settings.health_port)
        except OSError as error:
            sys.exit(
                f"{self.service}: port {self.settings.health_port} for health and metrics can't "
                f"be opened ({error.strerror}); set ONACCOUNT_HEALTH_PORT to a free one"
            )
        health.start()
        log.info("health", port=health.port)
        try:
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
        pulse = asyncio.create_task(self._pulse())
        aside: list[asyncio.Task[Any]] = []
        try:
            await self._until_it_works("PostgreSQL", self._open_database)
            await self._until_it_works("Kafka", self._find_topics)
            await self._until_it_works("the store", self._compare)
            await self._until_it_works("Kafka", self._join)
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
            self.status.stopped("store", str(error))
            log.error("stopped", why=str(error))
            await self.stopping.wait()
        finally:
            await self._drain(aside, pulse)
        return 1 if self.status.fatal else 0

    # -- starting ------------------------------------------------------------------------------

    async def _until_it_works(self, what: str, attempt: Any) -> None:
        """Try, waiting out what is away. Raises Stopping and StoreWentBack."""
        backoff = Backoff(f"start: {what}", self.stopping)
        while not self.stopping.is_set():
            try:
                await attempt()
            except (Stopping, StoreWentBack):
                raise
            except Exception as error:
                self._say(what, error)
                await backoff.pause(error)
            else:
                backoff.over()
                return
        raise Stopping

    def _say(self, what: str, error: Exception) -> None:
        said = str(error) if isinstance(error, MissingTopics) else describe(error)
        if what == "PostgreSQL":
            self.status.postgres = said
        else:
            self.status.kafka = said

    async def _open_database(self) -> None:
        await self.database.open()
        async with self.database.connection() as connection:
            await connection.fetchval("SELECT count(*) FROM positions")
        self.status.postgres = None

    async def _find_topics(self) -> None:
        missing = self.topics - await self._watch.topics()
        if missing:
            raise MissingTopics(
                f"missing on {self.settings.kafka}: {', '.join(sorted(missing))}; "
                "create what is missing with `onaccount topics apply`"
            )
        self.status.kafka = None

    async def _compare(self) -> None:
        """Before anything is answered or numbered: is the store where it was left?"""
        committed = {
            tp: at for tp, at in (await self._watch.committed()).items() if tp.topic in self.topics
        }
        ends = await self._watch.log_ends(self.topics - {dead_letters(self.service)})
        async with self.database.connection() as connection:
            await self._guard.compare_with_kafka(connection, committed, ends)

    async def _join(self) -> None:
        await self.broker.connect()
        for edge in self.lanes:
            self.status.lanes[edge.lane.name] = False
        # Side by side, so that the group settles in one rebalance instead of one for each lane.
        await asyncio.gather(*(self._start(s) for s in self.subscribers))

    async def _start(self, subscriber: Any) -> None:
        if not subscriber.running:
            await subscriber.start()

    # -- while it serves -----------------------------------------------------------------------

    async def _pulse(self) -> None:
        """Look at PostgreSQL and Kafka now and then; the health port reads what was found."""
        turns = 0
        while True:
            self.status.pulse = time.monotonic()
            if self.status.started:
                await self._look(turns)
                turns += 1
            READY.set(0 if self.status.unready() else 1)
            if self.status.fatal:
                self.stopping.set()
            with contextlib.suppress(Stopping):
                await pause(PULSE_S, self.stopping)
            if self.stopping.is_set():
                self.status.stopping = True
                return

    async def _look(self, turn: int) -> None:
        try:
            async with self.database.connection() as connection:
                await asyncio.wait_for(self._guard.look(connection), 5)
            self.status.postgres = None
        except StoreWentBack as error:
            self.status.stopped("store", str(error))
        except Exception as error:
            self.status.postgres = describe(error)
        try:
            if turn % LAG_EVERY == 0:
                await self._measure_lag()
            self.status.kafka = None
        except Exception as error:
            self.status.kafka = describe(error)
        for edge, subscriber in zip(self.lanes, self.subscribers, strict=True):
            consumer = subscriber.consumer
            subscription = None if consumer is None else consumer._subscription.subscription
            self.status.lanes[edge.lane.name] = (
                subscription is not None and subscription.assignment is not None
            )

    async def _measure_lag(self) -> None:
        mine = {tp for s in self.subscribers if s.consumer for tp in s.consumer.assignment()}
        ends = await self._watch.log_ends({tp.topic for tp in mine}) if mine else {}
        if not mine:
            await self._watch.topics()
        positions = self._guard.positions()
        for tp in mine:
            position = positions.get((tp.topic, tp.partition))
            if position is not None and tp in ends:
                LAG.labels(tp.topic, str(tp.partition)).set(max(0, ends[tp] - position))

    # -- stopping ------------------------------------------------------------------------------

    async def _drain(self, aside: list[asyncio.Task[Any]], pulse: asyncio.Task[None]) -> None:
        """Let the batch in hand through, leave the group, close."""
        self.stopping.set()
        self.status.stopping = True
        log.info("stopping")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(
                asyncio.gather(*(edge.idle() for edge in self.lanes)), self.settings.drain_s
            )
        for task in (*aside, pulse):
            task.cancel()
        await asyncio.gather(*aside, pulse, return_exceptions=True)
        closing = [s.stop() for s in self.subscribers]
        closing += [p.close() for p in self._publishers]
        closing += [self._watch.close()]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*closing, return_exceptions=True), 3)
        await self.database.close()
        log.info("stopped")


class MissingTopics(Exception):
    """Topics that this worker reads or writes are not there."""
