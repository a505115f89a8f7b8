"""Starts the parts of a stack in their order, keeps them running, and ends them."""

import asyncio
import contextlib
import shlex
import subprocess
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from cli.stack.component import Component, answers
from cli.stack.database import make_database
from cli.stack.folder import Folder
from cli.stack.plan import Plan, log_place
from cli.stack.postgres import SERVICES
from cli.stack.process import end, ended, kill_group, spawn
from cli.stack.telling import Teller
from cli.stack.worker import Worker
from cli.trouble import Trouble

FIRST_START_S = 120.0
SETTLED_S = 2.0
SHORTEST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
DEATHS_TO_TELL = 3
TELL_AGAIN_S = 1.0
WORKERS_PATIENCE_S = 12.0
SERVERS_PATIENCE_S = 10.0


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """One running stack."""

    folder: Folder
    plan: Plan
    teller: Teller
    serving: bool = False
    _pids: dict[str, int | None] = field(default_factory=dict)
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)
    _untold: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Start everything, tell where it is, and keep it running until cancelled.

        Raises Trouble when something does not come up at first. Whatever happens, all that was
        started has ended when this returns.
        """
        try:
            with self.teller.waiting("starting ..."):
                await self._start()
            self.serving = True
            self._publish()
            self._tell()
            await asyncio.Event().wait()
        finally:
            self.serving = False
            self.folder.stack_file.unlink(missing_ok=True)
            await _whatever_comes(self._stop())
            self.folder.forget()

    def hurry(self) -> None:
        """Kill everything: somebody has asked twice for the end."""
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()

    def _tell(self) -> None:
        seconds = time.monotonic() - self.teller.since
        where = shlex.quote(str(log_place(self.folder.path)))
        self.teller.say(
            f"ready after {seconds:.1f} s: {log_place(self.folder.stack_file)} tells where "
            f"everything is; end it with Ctrl-C or `onaccount stack down --dir {where}`"
        )

    async def _start(self) -> None:
        plan = self.plan
        async with asyncio.TaskGroup() as group:
            firsts = {part.name: group.create_task(self._first(part)) for part in plan.servers}
            group.create_task(self._database(firsts.get("postgres")))
            if plan.topics:
                group.create_task(self._topics(firsts.get("kafka")))
        async with asyncio.TaskGroup() as group:
            for worker in plan.workers:
                group.create_task(self._first(worker))

    async def _first(self, component: Component) -> None:
        """Start a component, and keep it from then on."""
        up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        keeper = asyncio.create_task(self._keep(component, up))
        self._keepers.append(keeper)
        await up
        self.teller.started(component.name, _address(component), log_place(component.log))

    async def _database(self, first: asyncio.Task[None] | None) -> None:
        """Roles, schemas and migrations, in the database that is ours."""
        server = self.plan.postgres
        if first is None or server is None:
            return
        await first
        passwords = {service: self.folder.password(service) for service in SERVICES}
        await make_database(server, passwords)

    async def _topics(self, first: asyncio.Task[None] | None) -> None:
        if first is not None:
            await first
        from aiokafka.errors import KafkaError

        from cli.where import settings
        from runtime.topics import apply

        address = self.plan.kafka_address
        try:
            changes = await apply(settings(address).client())
        except KafkaError as fault:
            raise Trouble(
                f"The topics can't be made at {address} ({type(fault).__name__}); see whether "
                "ONACCOUNT_KAFKA is the address of a Kafka that runs and lets us."
            ) from fault
        for change in changes:
            if change.kind == "refused":
                self.teller.say(f"topic {change.topic} is left as it is: {change.what}")

    async def _keep(self, component: Component, up: asyncio.Future[None]) -> None:
        """Start a component, again and again; the first start must succeed, or `up` fails."""
        deaths = 0
        while True:
            served_s = 0.0
            try:
                served_s = await self._live(component, up)
            except Exception as fault:  # whatever it is: it is told at first, tried again later
                if not up.done():
                    up.set_exception(fault)
                    return
            deaths = 1 if served_s > SETTLED_S else deaths + 1
            self._now(component.name, None)
            if deaths == 1:
                self.teller.say(f"{component.name} has ended; it is started again")
            elif deaths == DEATHS_TO_TELL:
                self.teller.say(
                    f"{component.name} keeps ending as soon as it starts, and is started again "
                    f"and again; why, its log should say: {log_place(component.log)}"
                )
            if deaths > 1:
                pause_s = SHORTEST_PAUSE_S * 2 ** min(deaths, 10)
                await asyncio.sleep(min(pause_s, LONGEST_PAUSE_S))

    async def _live(self, component: Component, up: asyncio.Future[None]) -> float:
        """One life of a component, from its start to its end; for how long it served."""
        again = up.done()
        await component.prepare()
        process = spawn(component.program(), self.folder.note)
        self._processes[component.name] = process
        within_s = float("inf") if again else FIRST_START_S
        await answers(component, process, within_s=within_s, again=again)
        served_since = time.monotonic()
        self._now(component.name, process.pid)
        if again:
            self.teller.say(f"{component.name} is back at {_address(component)}")
        else:
            up.set_result(None)
        await ended(process)
        self._now(component.name, None)
        kill_group(process.pid)
        return time.monotonic() - served_since

    def _now(self, name: str, pid: int | None) -> None:
        self._pids[name] = pid
        self._keep_true()

    def _keep_true(self) -> None:
        """Tell what changed; where that can't be written (a disk that is full), until it can.

        Never raises: whoever keeps a component running must not end by what can't be told.
        """
        if not self.serving:
            return
        first = self._untold is None
        if self._untold is not None:
            self._untold.cancel()
        try:
            self._publish()
        except OSError as fault:
            self._untold = asyncio.get_running_loop().call_later(TELL_AGAIN_S, self._keep_true)
            if first:
                place, why = log_place(self.folder.stack_file), fault.strerror
                self.teller.say(f"{place} can't be written ({why}), and is out of date until it is")
        else:
            self._untold = None

    def _publish(self) -> None:
        """Keep stack.json true."""
        plan = self.plan
        processes: list[dict[str, Any]] = []
        for component in [*plan.servers, *plan.workers]:
            entry: dict[str, Any] = {
                "name": component.name,
                "pid": self._pids.get(component.name),
                "log": str(component.log.resolve()),
            }
            if isinstance(component, Worker):
                entry["health"] = component.health
            processes.append(entry)
        self.folder.publish(
            {
                "kafka": plan.kafka_address,
                "postgres": dict(plan.dsns),
                "postgres_admin": plan.postgres.dsn() if plan.postgres else None,
                "smtp": plan.smtp_address,
                "mail_dir": str(plan.mail.folder) if plan.mail else None,
                "processes": processes,
            }
        )

    async def _stop(self) -> None:
        """End the workers first, so that they can finish with the servers; then the servers."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(
            *(self._end(worker, WORKERS_PATIENCE_S) for worker in self.plan.workers)
        )
        await asyncio.gather(
            *(self._end(server, SERVERS_PATIENCE_S) for server in self.plan.servers)
        )

    async def _end(self, component: Component, patience_s: float) -> None:
        process = self._processes.get(component.name)
        if process is not None:
            await end(process, ask=component.program().stop_signal, patience_s=patience_s)


async def _whatever_comes(work: Awaitable[None]) -> None:
    """Finish, also when cancelled meanwhile (a second Ctrl-C)."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()


def _address(component: Component) -> str:
    for name in ("address", "health"):
        if told := getattr(component, name, None):
            return str(told)
    return f"127.0.0.1:{getattr(component, 'port', '')}"
